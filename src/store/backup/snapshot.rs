//! One moment of a database, held still: second names of files that do not change, copies of the ends
//! of those that grow, and a manifest that lists them. A snapshot is a data directory of its own.

use std::{io, sync::Arc};

use crate::os::{Below, Files, ReadFile, remove_tree};
use crate::store::{
    catalog,
    db::{Db, held},
    error::{Error, failed},
    manifest::{self, FileMeta, Manifest, State},
    wal,
};

/// The folder of snapshots, below the root.
const FOLDER: &str = "snapshots";
/// What ends the name of one that is not done, or goes when it was copied.
const UNFINISHED: &str = ".tmp";
/// Upkeep may remove what was just noted: then it is noted again, at last with upkeep held.
const TRIES: u32 = 6;
/// Bytes copied at once.
const COPY_BYTES: usize = 1 << 20;

/// A file of a snapshot.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) path: String,
    pub(super) bytes: u64,
    /// Of a part or block, what the manifest says of it.
    pub(super) meta: Option<FileMeta>,
    /// Whether it only grows: the same bytes begin it in every later snapshot.
    pub(super) grows: bool,
}

/// A moment, held still.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// Where it lies.
    pub(super) files: Arc<dyn Files>,
    /// The clock at that moment: what was acknowledged before is in it.
    pub(super) at: i64,
    /// The last record in it.
    pub(super) position: u64,
    pub(super) catalog: u64,
    pub(super) members: Vec<Member>,
}

/// What a snapshot shall be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    /// Whether it outlives a power cut.
    pub(super) is_durable: bool,
    /// Whether rows that are not in files yet are in it.
    pub(super) with_log: bool,
}

/// What was noted while nothing was written.
struct Noted {
    state: State,
    sequence: u64,
    at: i64,
    position: u64,
    /// The segment that grows, and how long it was.
    tail: Option<(u64, u64)>,
    catalog: Option<(Arc<dyn ReadFile>, u64)>,
}

impl Db {
    /// Makes a data directory of this moment in `snapshots/NAME` below the root; where it is.
    ///
    /// # Errors
    /// Where the name is taken, a file cannot be linked, or one that should be there is not.
    pub fn snapshot(&self, name: &str, with_log: bool) -> Result<std::path::PathBuf, Error> {
        let (path, unfinished) =
            (format!("{FOLDER}/{name}"), format!("{FOLDER}/{name}{UNFINISHED}"));
        let files = &*self.files;
        if files.exists(&path).map_err(failed(files, "look for", &path))? {
            return Err(Error::Invalid(format!("there is a snapshot {name:?} already")));
        }
        take(self, &unfinished, Wish { is_durable: true, with_log })?;
        files.rename(&unfinished, &path).and_then(|()| files.sync_dir(FOLDER)).map_err(failed(
            files,
            "rename",
            &unfinished,
        ))?;
        Ok(files.path_of(&path))
    }
}

/// Holds this moment still for as long as it is copied. [`let_go`] ends that.
pub(super) fn hold(db: &Db) -> Result<Snapshot, Error> {
    take(db, &held_path(), Wish { is_durable: false, with_log: true })
}

/// Removes what [`hold`] made.
pub(super) fn let_go(db: &Db) {
    // Best effort: the next snapshot or start removes it.
    drop(remove_tree(&*db.files, &held_path()));
}

fn held_path() -> String {
    format!("{FOLDER}/backup{UNFINISHED}")
}

/// Removes snapshots that were not finished.
pub(in crate::store) fn remove_leftovers(files: &dyn Files) -> Result<(), Error> {
    let entries = match files.list(FOLDER) {
        Err(none) if none.kind() == io::ErrorKind::NotFound => return Ok(()),
        listed => listed.map_err(failed(files, "list", FOLDER))?,
    };
    for entry in entries.iter().filter(|entry| entry.name.ends_with(UNFINISHED)) {
        let path = format!("{FOLDER}/{}", entry.name);
        remove_tree(files, &path).map_err(failed(files, "remove", &path))?;
    }
    Ok(())
}

fn take(db: &Db, folder: &str, wish: Wish) -> Result<Snapshot, Error> {
    for number in 1.. {
        remove_tree(&*db.files, folder).map_err(failed(&*db.files, "remove", folder))?;
        let is_last = number == TRIES;
        let upkeep = is_last.then(|| held(&db.upkeep));
        let noted = note(db)?;
        let taken = fill(db, folder, noted, wish);
        drop(upkeep);
        match taken {
            Err(Error::Missing { .. }) if !is_last => {}
            taken => return taken,
        }
    }
    unreachable!("the last try returns")
}

/// Notes what lives and how long it is, while nothing is written.
fn note(db: &Db) -> Result<Noted, Error> {
    let mut commit = held(&db.commit);
    // A long segment ends here: it gets a second name and is not copied.
    commit.wal.end_segment();
    if commit.wal.durable() < commit.wal.last() {
        // Else a power cut could take rows that the copy has, and others come at their positions.
        commit.catalog_log.sync()?;
        commit.wal.sync()?;
    }
    let manifest = held(&db.manifest);
    let state = manifest.state().clone();
    let catalog = match state.catalog {
        0 => None,
        number => {
            let path = catalog::catalog_path(number);
            let file = open(&*db.files, &path)?;
            let end = commit.catalog_log.tail().filter(|(it, _)| *it == number).map(|it| it.1);
            let length = file.len().map_err(failed(&*db.files, "read", &path))?;
            Some((file, end.unwrap_or(length)))
        }
    };
    Ok(Noted {
        sequence: manifest.sequence(),
        at: db.clock.now(),
        position: commit.wal.last(),
        tail: commit.wal.tail(),
        catalog,
        state,
    })
}

fn open(files: &dyn Files, path: &str) -> Result<Arc<dyn ReadFile>, Error> {
    files.open_read(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => Error::Missing { file: files.path_of(path) },
        _ => failed(files, "open", path)(source),
    })
}

fn fill(db: &Db, folder: &str, noted: Noted, wish: Wish) -> Result<Snapshot, Error> {
    let below: Arc<dyn Files> = Arc::new(Below::new(Arc::clone(&db.files), folder));
    let mut filling = Filling { db, folder, below: &*below, wish, members: Vec::new() };
    let Noted { mut state, sequence, at, position, tail, catalog } = noted;
    for folder in [manifest::FOLDER, wal::FOLDER, catalog::FOLDER] {
        below.create_dir_all(folder).map_err(failed(&*below, "create", folder))?;
    }
    if wish.with_log {
        filling.add_log(state.segments, tail)?;
    } else {
        state.segments.0 = state.segments.1;
    }
    if let Some((file, length)) = catalog {
        filling.add_growing(&*file, &catalog::catalog_path(state.catalog), length)?;
    }
    for meta in state.files.values() {
        filling.link(&meta.path(), Some(meta.clone()))?;
    }
    filling.sync_folders(&state)?;
    let mut members = filling.members;
    let catalog = state.catalog;
    let listed = Manifest::begin(Arc::clone(&below), db.database, state, 0, sequence)?;
    members.push(Member { path: listed.path(), bytes: listed.end(), meta: None, grows: false });
    Ok(Snapshot { files: below, at, position, catalog, members })
}

/// A snapshot that is being made.
struct Filling<'a> {
    db: &'a Db,
    folder: &'a str,
    below: &'a dyn Files,
    wish: Wish,
    members: Vec<Member>,
}

impl Filling<'_> {
    fn add_log(&mut self, segments: (u64, u64), tail: Option<(u64, u64)>) -> Result<(), Error> {
        for number in segments.0..segments.1 {
            let path = wal::segment_path(number);
            match tail.filter(|(it, _)| *it == number) {
                Some((_, length)) => {
                    let file = open(&*self.db.files, &path)?;
                    self.add_growing(&*file, &path, length)?;
                }
                None => self.link(&path, None)?,
            }
        }
        Ok(())
    }

    /// Adds the first `length` bytes of a file that is being written. What is copied away and dropped
    /// needs no copy before: it is read up to there and no further.
    fn add_growing(&mut self, file: &dyn ReadFile, path: &str, length: u64) -> Result<(), Error> {
        let linked = !self.wish.is_durable
            && self.db.files.hard_link(path, &format!("{}/{path}", self.folder)).is_ok();
        if !linked {
            return self.copy(file, path, length);
        }
        self.members.push(Member { path: path.to_owned(), bytes: length, meta: None, grows: true });
        Ok(())
    }

    /// Gives a file that never changes a second name.
    fn link(&mut self, path: &str, meta: Option<FileMeta>) -> Result<(), Error> {
        let files = &*self.db.files;
        if let Some((folder, _)) = path.rsplit_once('/').filter(|_| meta.is_some()) {
            self.below.create_dir_all(folder).map_err(failed(self.below, "create", folder))?;
        }
        match files.hard_link(path, &format!("{}/{path}", self.folder)) {
            Ok(()) => {}
            Err(gone) if gone.kind() == io::ErrorKind::NotFound => {
                return Err(Error::Missing { file: files.path_of(path) });
            }
            // Not every file system has second names.
            Err(_) => {
                let file = open(files, path)?;
                let length = file.len().map_err(failed(files, "read", path))?;
                self.copy(&*file, path, length)?;
                self.members.pop();
            }
        }
        let bytes = match &meta {
            Some(meta) => meta.bytes,
            None => open(self.below, path)?.len().map_err(failed(files, "read", path))?,
        };
        let grows = meta.is_none();
        self.members.push(Member { path: path.to_owned(), bytes, meta, grows });
        Ok(())
    }

    /// Copies the first `length` bytes of a file.
    fn copy(&mut self, file: &dyn ReadFile, path: &str, length: u64) -> Result<(), Error> {
        let mut out = self.below.create(path).map_err(failed(self.below, "create", path))?;
        let mut buffer = vec![0; COPY_BYTES];
        let mut at = 0;
        while at < length {
            let count = usize::try_from(length - at).unwrap_or(COPY_BYTES).min(COPY_BYTES);
            let part = buffer.get_mut(..count).unwrap_or_default();
            file.read_exact_at(at, part)
                .and_then(|()| out.write_all_at(at, part))
                .map_err(failed(self.below, "copy", path))?;
            at += count as u64;
        }
        if self.wish.is_durable {
            out.sync().map_err(failed(self.below, "sync", path))?;
        }
        self.members.push(Member { path: path.to_owned(), bytes: length, meta: None, grows: true });
        Ok(())
    }

    fn sync_folders(&self, state: &State) -> Result<(), Error> {
        if !self.wish.is_durable {
            return Ok(());
        }
        let days: std::collections::BTreeSet<String> =
            state.files.values().map(|meta| meta.partition.folder()).collect();
        let logs = [wal::FOLDER, catalog::FOLDER].map(str::to_owned);
        for folder in logs.iter().chain(&days) {
            self.below.sync_dir(folder).map_err(failed(self.below, "sync", folder))?;
        }
        Ok(())
    }
}

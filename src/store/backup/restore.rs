//! Bringing a backup back, into an empty directory.
//!
//! A mark is durable before the first file and goes after the last: a directory that has it is not
//! served. Begun again, what is there and right stays.

use std::{collections::BTreeSet, io, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::os::{Clock, Files, read_whole, remove_tree, write_new_durable};
use crate::store::{
    config::Config,
    db::Db,
    error::{Error, failed},
    recover::take_lock,
};

use super::{
    create::{Pace, sizes},
    record::{Backup, BackupFile, digest, number},
    replay::{self, Reached},
    repository::Repository,
    verify::fetch,
};

/// The mark of a restore that did not come to its end, in the root.
const MARK: &str = "RESTORE-IS-NOT-DONE";
const LOCK: &str = "LOCK";
const MARK_MAX: u64 = 1 << 16;

/// Up to where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Records written at this time or before, ns since 1970.
    Time(i64),
    /// Records up to this position and with it.
    Position(u64),
}

/// What was brought back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The backup.
    pub backup: String,
    /// Its files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What was read of the archive of the log, where a moment was named.
    pub reached: Option<Reached>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    backup: String,
    /// Files are as the backup has them no more: the log is being read.
    is_replaying: bool,
}

/// # Errors
/// [`Error::Restoring`] where a restore into `files` did not come to its end.
pub(in crate::store) fn restoring(files: &dyn Files) -> Result<(), Error> {
    if files.exists(MARK).map_err(failed(files, "look for", MARK))? {
        return Err(Error::Restoring { directory: files.path_of("") });
    }
    Ok(())
}

/// Brings a backup back into `files`, which must be empty or hold the beginning of a restore: the one
/// named `id`, or else the newest; with `until`, the newest before it, and the log up to it.
///
/// # Errors
/// Where the directory is not empty; where the backup is incomplete or damaged: the object is named.
/// The directory keeps its mark then.
pub fn restore(
    target: (Arc<dyn Files>, Arc<dyn Clock>, Config),
    repository: &Repository,
    (id, until): (Option<&str>, Option<Until>),
    pace: &dyn Pace,
) -> Result<Restored, Error> {
    let (files, clock, config) = target;
    let backup = choose(repository, id, until)?;
    let lock = take_lock(&*files)?;
    let restoring = Restoring { files: &*files, repository, backup: &backup, pace };
    restoring.begin()?;
    for file in &backup.files {
        restoring.bring(file)?;
    }
    restoring.sync_folders()?;
    let mut reached = None;
    if let Some(until) = until {
        restoring.mark(true)?;
        drop(lock);
        let (db, recovery) = Db::open_any(Arc::clone(&files), clock, config, None)?;
        if let Some(finding) = recovery.findings.first() {
            return Err(Error::Invalid(format!("the restored files are not whole: {finding}")));
        }
        reached = Some(replay::replay(&db, repository, &backup, until, pace)?);
        db.close();
    }
    files
        .remove(MARK)
        .and_then(|()| files.sync_dir(""))
        .map_err(failed(&*files, "remove", MARK))?;
    let (count, bytes) = (backup.files.len() as u64, backup.bytes());
    Ok(Restored { backup: backup.id, files: count, bytes, reached })
}

/// The backup that is meant.
fn choose(
    repository: &Repository,
    id: Option<&str>,
    until: Option<Until>,
) -> Result<Backup, Error> {
    let fits = |backup: &Backup| match until {
        None => true,
        Some(Until::Time(time)) => backup.at <= time,
        Some(Until::Position(position)) => backup.position <= position,
    };
    let place = repository.blocks.place();
    if let Some(id) = id {
        let backup = repository.load(id)?;
        if fits(&backup) {
            return Ok(backup);
        }
        let what = format!("backup {id} of {place} is later than what is asked for");
        return Err(Error::Invalid(what));
    }
    let mut found: Option<Backup> = None;
    for id in repository.ids()?.into_iter().rev() {
        let backup = repository.load(&id)?;
        if found.as_ref().is_some_and(|found| found.database != backup.database) {
            let what = format!("{place} has backups of several databases: name one with --backup");
            return Err(Error::Invalid(what));
        }
        if found.is_none() && fits(&backup) {
            found = Some(backup);
        }
    }
    found.ok_or_else(|| {
        let what =
            format!("{place} has no backup that is old enough: list them with quipu backup list");
        Error::Invalid(what)
    })
}

struct Restoring<'a> {
    files: &'a dyn Files,
    repository: &'a Repository,
    backup: &'a Backup,
    pace: &'a dyn Pace,
}

impl Restoring<'_> {
    /// Marks an empty directory, or goes on in one that has the mark.
    fn begin(&self) -> Result<(), Error> {
        let files = self.files;
        let entries = files.list("").map_err(failed(files, "list", ""))?;
        if entries.iter().any(|entry| entry.name == MARK) {
            let bytes = read_whole(files, MARK, MARK_MAX).map_err(failed(files, "read", MARK))?;
            let mark: Option<Mark> = serde_json::from_slice(&bytes).ok();
            let same = Mark { backup: self.backup.id.clone(), is_replaying: false };
            let keep: BTreeSet<&str> = match mark {
                Some(mark) if mark == same => {
                    self.backup.files.iter().map(|file| file.path.as_str()).collect()
                }
                _ => BTreeSet::new(),
            };
            self.clear("", &keep)?;
        } else if let Some(entry) = entries.iter().find(|entry| {
            // What a file system or a start that failed leaves is nobody's.
            ![LOCK, "lost+found"].contains(&entry.name.as_str()) && !is_unfinished_mark(&entry.name)
        }) {
            let found = entry.name.clone();
            return Err(Error::NotEmpty { directory: files.path_of(""), found });
        }
        self.mark(false)
    }

    /// Removes all but the mark and `keep`.
    fn clear(&self, folder: &str, keep: &BTreeSet<&str>) -> Result<(), Error> {
        let files = self.files;
        for entry in files.list(folder).map_err(failed(files, "list", folder))? {
            let path = match folder {
                "" => entry.name,
                folder => format!("{folder}/{}", entry.name),
            };
            if [MARK, LOCK, "lost+found"].contains(&path.as_str()) {
                continue;
            }
            let prefix = format!("{path}/");
            let removed = match entry.is_dir {
                true if keep.iter().any(|it| it.starts_with(&prefix)) => {
                    self.clear(&path, keep)?;
                    Ok(())
                }
                true => remove_tree(files, &path),
                false if keep.contains(path.as_str()) => Ok(()),
                false => files.remove(&path),
            };
            removed.map_err(failed(files, "remove", &path))?;
        }
        Ok(())
    }

    fn mark(&self, is_replaying: bool) -> Result<(), Error> {
        let mark = Mark { backup: self.backup.id.clone(), is_replaying };
        let bytes = serde_json::to_vec(&mark).map_err(|error| Error::Invalid(error.to_string()))?;
        write_new_durable(self.files, MARK, &bytes).map_err(failed(self.files, "write", MARK))
    }

    fn bring(&self, file: &BackupFile) -> Result<(), Error> {
        let (files, path) = (self.files, &file.path);
        if self.is_there(file)? {
            return Ok(());
        }
        if let Some((folder, _)) = path.rsplit_once('/') {
            files.create_dir_all(folder).map_err(failed(files, "create", folder))?;
        }
        match files.remove(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed(files, "remove", path)(error));
            }
            _ => {}
        }
        let mut out = files.create(path).map_err(failed(files, "create", path))?;
        let mut at = 0;
        for (piece, size) in file.pieces.iter().zip(sizes(file.bytes)) {
            let bytes = fetch(self.repository, self.backup, piece, size)?;
            out.write_all_at(at, &bytes).map_err(failed(files, "write", path))?;
            at += size;
            self.pace.moved(size)?;
        }
        out.sync().map_err(failed(files, "sync", path))
    }

    /// Whether an earlier try brought it, whole.
    fn is_there(&self, file: &BackupFile) -> Result<bool, Error> {
        let (files, path) = (self.files, &file.path);
        let there = match files.open_read(path) {
            Err(none) if none.kind() == io::ErrorKind::NotFound => return Ok(false),
            opened => opened.map_err(failed(files, "open", path))?,
        };
        if there.len().map_err(failed(files, "read", path))? != file.bytes {
            return Ok(false);
        }
        let Ok(database) = number(&self.backup.database) else { return Ok(false) };
        let mut at = 0;
        for (piece, size) in file.pieces.iter().zip(sizes(file.bytes)) {
            let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
            there.read_exact_at(at, &mut bytes).map_err(failed(files, "read", path))?;
            at += size;
            if number(piece) != Ok(digest(&bytes, database)) {
                return Ok(false);
            }
        }
        // It may be whole and not durable.
        let mut again = files.open_write(path).map_err(failed(files, "open", path))?;
        again.sync().map_err(failed(files, "sync", path))?;
        Ok(true)
    }

    fn sync_folders(&self) -> Result<(), Error> {
        let folder = |file: &'_ BackupFile| file.path.rsplit_once('/').map(|it| it.0.to_owned());
        let folders: BTreeSet<String> = self.backup.files.iter().filter_map(folder).collect();
        for folder in &folders {
            self.files.sync_dir(folder).map_err(failed(self.files, "sync", folder))?;
        }
        Ok(())
    }
}

/// A mark that a kill left half written: nothing was brought yet.
fn is_unfinished_mark(name: &str) -> bool {
    name.strip_suffix(".tmp") == Some(MARK)
}

//! The archive of the log: segments and catalog files are copied as they grow.
//!
//! A chunk is bytes of one file, from an offset to another; its name says which. Only what is durable
//! here is sent, so an archive never knows of a record that the database lost.
//! Names: `wal/LINEAGE/SEGMENT/FROM-TO-FIRST-DIGEST`, FIRST being the position of the segment's first
//! record, and `catalog/LINEAGE/NUMBER/…` alike.

use std::{collections::BTreeMap, io};

use xxhash_rust::xxh3::xxh3_128;

use crate::os::{ReadFile, read_whole, write_new_durable};
use crate::store::{
    catalog,
    db::{Db, held},
    error::{Error, failed},
    recover::seed,
    wal::{self, SEGMENT_HEADER_BYTES},
};

use super::{
    create::{Pace, sizes},
    deletions,
    record::{PIECE_BYTES, number, wrong_digest},
    repository::Repository,
    retired::WAITING,
};

/// The file that names the archive of this directory's log. Not part of a backup: what is restored
/// begins an archive of its own.
pub(in crate::store) const LINEAGE: &str = "LINEAGE";

/// What a chunk is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A catalog file: sent first, so that the log names no series that is not there.
    Catalog,
    /// A segment of the log.
    Log,
}

impl Kind {
    /// The folder of its chunks.
    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::Catalog => "catalog",
            Self::Log => "wal",
        }
    }

    fn path(self, number: u64) -> String {
        match self {
            Self::Catalog => catalog::catalog_path(number),
            Self::Log => wal::segment_path(number),
        }
    }
}

/// Some bytes of a file, as the name of their object says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) kind: Kind,
    pub(super) lineage: String,
    /// Of the file.
    pub(super) number: u64,
    pub(super) from: u64,
    pub(super) to: u64,
    /// Of a segment, the position of its first record.
    pub(super) first: u64,
    digest: u128,
}

impl Chunk {
    /// Its object's name.
    pub(super) fn name(&self) -> String {
        let Self { kind, lineage, number, from, to, first, digest } = self;
        let folder = kind.folder();
        format!("{folder}/{lineage}/{number:010}/{from:012}-{to:012}-{first:020}-{digest:032x}")
    }

    /// What a name says; None where it is none of a chunk.
    pub(super) fn parse(kind: Kind, name: &str) -> Option<Self> {
        let mut parts = name.strip_prefix(kind.folder())?.strip_prefix('/')?.split('/');
        let (lineage, file, rest) = (parts.next()?, parts.next()?, parts.next()?);
        let mut fields = rest.split('-');
        let mut next = || fields.next()?.parse::<u64>().ok();
        let (from, to, first) = (next()?, next()?, next()?);
        let digest = number(fields.next()?).ok()?;
        let chunk = Self {
            kind,
            lineage: lineage.into(),
            number: file.parse().ok()?,
            from,
            to,
            first,
            digest,
        };
        (from < to && to - from <= PIECE_BYTES && chunk.name() == name).then_some(chunk)
    }

    /// Its bytes, checked.
    ///
    /// # Errors
    /// [`Error::Missing`] or [`Error::Damaged`].
    pub(super) fn fetch(&self, repository: &Repository) -> Result<Vec<u8>, Error> {
        let name = self.name();
        let bytes = repository.asked(repository.blocks.get(&name, self.to - self.from))?;
        let bytes = bytes.ok_or_else(|| Error::Missing { file: repository.path(&name) })?;
        let (expected, found) = (self.digest, xxh3_128(&bytes));
        if expected != found {
            let what = wrong_digest(expected, found);
            return Err(Error::Damaged { file: repository.path(&name), at: 0, what });
        }
        Ok(bytes)
    }
}

/// The name of the archive of this database's log.
pub(in crate::store) fn lineage(db: &Db) -> Result<String, Error> {
    let files = &*db.files;
    match read_whole(files, LINEAGE, 64) {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes).trim().to_owned();
            number(&text).map_err(|what| Error::Damaged {
                file: files.path_of(LINEAGE),
                at: 0,
                what,
            })?;
            Ok(text)
        }
        Err(none) if none.kind() == io::ErrorKind::NotFound => {
            let now = db.clock.now().to_le_bytes();
            let made = format!("{:032x}", xxh3_128(&now) ^ seed(db.config));
            write_new_durable(files, LINEAGE, made.as_bytes())
                .map_err(failed(files, "write", LINEAGE))?;
            Ok(made)
        }
        Err(source) => Err(failed(files, "read", LINEAGE)(source)),
    }
}

/// What was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shipped {
    /// Bytes sent just now.
    pub bytes: u64,
    /// The last record that the archive has.
    pub position: u64,
    /// When that was so, ns since 1970.
    pub at: i64,
    /// Segments that were given up before they could be sent, since the start.
    pub segments_lost: u64,
}

/// Sends the log of one database.
#[derive(Debug)]
pub struct Shipper {
    repository: Repository,
    lineage: String,
    /// How far each file was sent.
    sent: BTreeMap<(Kind, u64), u64>,
    segments_lost: u64,
}

/// A file that can be sent up to `end`.
#[derive(Debug)]
struct Source {
    kind: Kind,
    number: u64,
    path: String,
    end: u64,
    /// It waits for this alone.
    is_waiting: bool,
}

impl Shipper {
    /// Goes on where the archive of `db` ends.
    ///
    /// # Errors
    /// Where the place cannot be reached.
    pub fn open(db: &Db, repository: Repository) -> Result<Self, Error> {
        let lineage = lineage(db)?;
        let mut sent = BTreeMap::new();
        for chunk in chunks(&repository, &lineage)? {
            let to: &mut u64 = sent.entry((chunk.kind, chunk.number)).or_default();
            *to = chunk.to.max(*to);
        }
        Ok(Self { repository, lineage, sent, segments_lost: 0 })
    }

    /// Sends what is durable now and was not sent.
    ///
    /// # Errors
    /// Where it cannot be sent: it is kept, and sent next time.
    pub fn ship(&mut self, db: &Db, pace: &dyn Pace) -> Result<Shipped, Error> {
        let mut shipped = Shipped::default();
        let sources = sources(db, &mut shipped)?;
        // Looked at after the log and sent before it: the archive has no record without the deletions
        // that came before it.
        deletions::ship(db, &self.repository, &self.lineage)?;
        let last = self.sent.keys().filter(|it| it.0 == Kind::Log).map(|it| it.1).max();
        let next = sources.iter().filter(|it| it.kind == Kind::Log).map(|it| it.number);
        let next = next.filter(|number| Some(*number) > last).min();
        for source in &sources {
            shipped.bytes += self.send(db, source, pace)?;
            if source.is_waiting {
                let removed = db.files.remove(&source.path);
                removed.map_err(failed(&*db.files, "remove", &source.path))?;
            }
        }
        if let (Some(last), Some(next)) = (last, next) {
            self.segments_lost += next - last - 1;
        }
        shipped.segments_lost = self.segments_lost;
        Ok(shipped)
    }

    fn send(&mut self, db: &Db, source: &Source, pace: &dyn Pace) -> Result<u64, Error> {
        let Source { kind, number, path, end, .. } = source;
        let begin = self.sent.get(&(*kind, *number)).copied().unwrap_or(0);
        if *end <= begin {
            return Ok(0);
        }
        let file = match db.files.open_read(path) {
            // Put away just now: it waits, and is sent next time.
            Err(gone) if gone.kind() == io::ErrorKind::NotFound => return Ok(0),
            opened => opened.map_err(failed(&*db.files, "open", path))?,
        };
        let first = match kind {
            Kind::Log => first_position(&*file).map_err(failed(&*db.files, "read", path))?,
            Kind::Catalog => 0,
        };
        let mut from = begin;
        for size in sizes(end - begin) {
            let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
            file.read_exact_at(from, &mut bytes).map_err(failed(&*db.files, "read", path))?;
            let chunk = Chunk {
                kind: *kind,
                lineage: self.lineage.clone(),
                number: *number,
                from,
                to: from + size,
                first,
                digest: xxh3_128(&bytes),
            };
            self.repository.asked(self.repository.blocks.put(&chunk.name(), &bytes))?;
            from += size;
            self.sent.insert((*kind, *number), from);
            pace.moved(size)?;
        }
        Ok(end - begin)
    }
}

/// A segment's header says it at this byte.
fn first_position(file: &dyn ReadFile) -> io::Result<u64> {
    let mut bytes = [0; 8];
    file.read_exact_at(40, &mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

/// All chunks of an archive.
pub(super) fn chunks(repository: &Repository, lineage: &str) -> Result<Vec<Chunk>, Error> {
    let mut all = Vec::new();
    for kind in [Kind::Catalog, Kind::Log] {
        let folder = format!("{}/{lineage}", kind.folder());
        let entries = repository.asked(repository.blocks.list(&folder))?;
        all.extend(entries.iter().filter_map(|entry| Chunk::parse(kind, &entry.name)));
    }
    Ok(all)
}

/// What there is to send, catalogs first, each kind by number.
fn sources(db: &Db, shipped: &mut Shipped) -> Result<Vec<Source>, Error> {
    let files = &*db.files;
    let (tail, catalog_tail, segments, catalog) = {
        let mut commit = held(&db.commit);
        if commit.wal.durable() < commit.wal.last() {
            commit.catalog_log.sync()?;
            commit.wal.sync()?;
        }
        let manifest = held(&db.manifest);
        shipped.position = commit.wal.last();
        shipped.at = db.clock.now();
        let state = manifest.state();
        (commit.wal.tail(), commit.catalog_log.tail(), state.segments, state.catalog)
    };
    let mut sources = Vec::new();
    let mut add = |kind: Kind, number: u64, path: String, end: u64, is_waiting: bool| {
        sources.push(Source { kind, number, path, end, is_waiting });
    };
    let waiting = match files.list(WAITING) {
        Err(none) if none.kind() == io::ErrorKind::NotFound => Vec::new(),
        listed => listed.map_err(failed(files, "list", WAITING))?,
    };
    for entry in waiting {
        let path = format!("{WAITING}/{}", entry.name);
        if let Some(number) = wal::segment_number(&entry.name) {
            add(Kind::Log, number, path, entry.size, true);
        } else if let Some(number) = catalog::catalog_number(&entry.name) {
            add(Kind::Catalog, number, path, entry.size, true);
        }
    }
    let mut listed = files.list(wal::FOLDER).map_err(failed(files, "list", wal::FOLDER))?;
    listed.retain(|entry| entry.size >= SEGMENT_HEADER_BYTES);
    for entry in listed {
        let Some(number) = wal::segment_number(&entry.name) else { continue };
        let end = match tail.filter(|(it, _)| *it == number) {
            // Nothing is in it yet: it may be made anew.
            Some((_, end)) if end <= SEGMENT_HEADER_BYTES => continue,
            Some((_, end)) => end,
            None => entry.size,
        };
        if number < segments.1 {
            add(Kind::Log, number, Kind::Log.path(number), end, false);
        }
    }
    if catalog > 0 {
        let path = Kind::Catalog.path(catalog);
        let noted = catalog_tail.filter(|(it, _)| *it == catalog).map(|(_, end)| end);
        let end = match noted {
            Some(end) => end,
            None => files
                .open_read(&path)
                .and_then(|file| file.len())
                .map_err(failed(files, "read", &path))?,
        };
        add(Kind::Catalog, catalog, path, end, false);
    }
    sources.sort_by_key(|it: &Source| (it.kind, it.number));
    Ok(sources)
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn names_of_chunks_come_back_and_others_are_none() {
        let chunk = Chunk {
            kind: Kind::Log,
            lineage: "ab".into(),
            number: 3,
            from: 64,
            to: 128,
            first: 9,
            digest: 5,
        };
        assert_eq!(Chunk::parse(Kind::Log, &chunk.name()), Some(chunk.clone()));
        assert_eq!(Chunk::parse(Kind::Catalog, &chunk.name()), None);
        for bad in ["", "wal", "wal/ab/1/2-3", "wal/ab/1/9-2-1-00", "wal/ab/x/0-1-1-0"] {
            assert_eq!(Chunk::parse(Kind::Log, bad), None, "{bad}");
        }
        let empty = Chunk { to: 64, ..chunk };
        assert_eq!(Chunk::parse(Kind::Log, &empty.name()), None);
    }
}

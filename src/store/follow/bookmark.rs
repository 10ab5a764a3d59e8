//! How far a reader is, on disk: a file of two slots that are written in turn.
//!
//! A slot is one write, so a killed process leaves the old marks or the new; a power cut tears at most
//! the slot being written, and the other is whole. Bytes: storage-format.md, "Bookmark".

use std::sync::Arc;

use crate::os::{Files, WriteFile, read_whole};
use crate::store::{
    bytes::Reader,
    db::Db,
    error::{Damage, Error, failed},
};

/// The folder of bookmarks, below the root.
const FOLDER: &str = "follow";
const SLOT_BYTES: usize = 4096;
const MAGIC: &[u8; 8] = b"QUIPUFOL";
/// Marks that fit in a slot beside its header.
pub const MARKS_MAX: usize = 256;

/// A place in the log: all of the records up to `position`, and `rows` of the record behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// Records up to here are done.
    pub position: u64,
    /// Of the next one, as many of the reader's own units.
    pub rows: u32,
}

/// The marks of one reader: one for each of its shards.
#[derive(Debug)]
pub struct Bookmark {
    db: Arc<Db>,
    name: String,
    path: String,
    file: Box<dyn WriteFile>,
    /// How often it was written; says which slot is next and which is newest.
    turn: u64,
    marks: Vec<Mark>,
    is_durable: bool,
}

impl Bookmark {
    /// Opens the marks of `name`; a new reader begins at the end of the log.
    pub(super) fn open(db: &Arc<Db>, name: &str) -> Result<Self, Error> {
        let files = &db.files;
        files.create_dir_all(FOLDER).map_err(failed(&**files, "create", FOLDER))?;
        let path = format!("{FOLDER}/{name}");
        let end = db.followers.end();
        let exists = files.exists(&path).map_err(failed(&**files, "look for", &path))?;
        let found = if exists { newest(&**files, db.database, &path)? } else { None };
        let is_new = found.is_none();
        let (turn, mut marks) = found.unwrap_or_else(|| (0, vec![Mark { position: end, rows: 0 }]));
        for mark in &mut marks {
            // Positions that a power cut took from the log are given to other records.
            *mark = (*mark).min(Mark { position: end, rows: 0 });
        }
        let opened = if exists { files.open_write(&path) } else { files.create(&path) };
        let file = opened.map_err(failed(&**files, "open", &path))?;
        let (db, name) = (Arc::clone(db), name.to_owned());
        let mut bookmark =
            Self { db, name, path, file, turn, marks: Vec::new(), is_durable: false };
        bookmark.save(marks, is_new)?;
        if !exists {
            let files = &bookmark.db.files;
            files.sync_dir(FOLDER).map_err(failed(&**files, "sync", FOLDER))?;
        }
        Ok(bookmark)
    }

    /// The marks as they were saved last; at least one.
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// Whether a power cut would leave them.
    pub fn is_durable(&self) -> bool {
        self.is_durable
    }

    /// The position up to which all shards have everything.
    pub(super) fn lowest(&self) -> u64 {
        self.marks.iter().map(|mark| mark.position).min().unwrap_or(0)
    }

    /// Remembers `marks`, at least one and at most [`MARKS_MAX`]: a kill does not undo it, a power cut
    /// only if it was not `durable`.
    ///
    /// # Errors
    /// Where the file cannot be written; the marks before it stay.
    pub fn save(&mut self, marks: Vec<Mark>, durable: bool) -> Result<(), Error> {
        if marks.is_empty() || marks.len() > MARKS_MAX {
            let count = marks.len();
            return Err(Error::Invalid(format!("{count} marks: 1 to {MARKS_MAX} are kept")));
        }
        let turn = self.turn + 1;
        let offset = (turn % 2) * SLOT_BYTES as u64;
        let bytes = slot(self.db.database, turn, &marks);
        let written = self.file.write_all_at(offset, &bytes);
        let synced = written.and_then(|()| if durable { self.file.sync() } else { Ok(()) });
        synced.map_err(failed(&*self.db.files, "write", &self.path))?;
        (self.turn, self.marks, self.is_durable) = (turn, marks, durable);
        self.db.followers.note(&self.name, self.lowest());
        Ok(())
    }
}

/// How far each reader is of whom there are marks: what was kept for them is kept from the start on.
pub(super) fn lowest_of_all(
    files: &dyn Files,
    database: u128,
) -> Result<Vec<(String, u64)>, Error> {
    let entries = match files.list(FOLDER) {
        Err(gone) if gone.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed(files, "list", FOLDER))?,
    };
    let mut all = Vec::new();
    for entry in entries.into_iter().filter(|entry| !entry.is_dir) {
        // What cannot be read holds nothing: its reader is told when it opens the marks.
        if let Ok(Some((_, marks))) = newest(files, database, &format!("{FOLDER}/{}", entry.name)) {
            let lowest = marks.iter().map(|mark| mark.position).min();
            all.push((entry.name, lowest.unwrap_or(0)));
        }
    }
    Ok(all)
}

/// Removes the marks of a reader.
pub(super) fn remove(files: &dyn Files, name: &str) -> Result<(), Error> {
    let path = format!("{FOLDER}/{name}");
    match files.remove(&path) {
        Err(gone) if gone.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(failed(files, "remove", &path)),
    }
}

fn slot(database: u128, turn: u64, marks: &[Mark]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&database.to_le_bytes());
    out.extend_from_slice(&turn.to_le_bytes());
    out.extend_from_slice(&u32::try_from(marks.len()).unwrap_or(u32::MAX).to_le_bytes());
    for mark in marks {
        out.extend_from_slice(&mark.position.to_le_bytes());
        out.extend_from_slice(&mark.rows.to_le_bytes());
    }
    out.resize(SLOT_BYTES - 4, 0);
    let crc = crc32c::crc32c(&out);
    out.extend_from_slice(&crc.to_le_bytes());
    out
}

/// The newest good slot: its turn and marks. None where none was ever written whole.
fn newest(
    files: &dyn Files,
    database: u128,
    path: &str,
) -> Result<Option<(u64, Vec<Mark>)>, Error> {
    let limit = 2 * SLOT_BYTES as u64;
    let bytes = read_whole(files, path, limit).map_err(failed(files, "read", path))?;
    let slots = bytes.chunks(SLOT_BYTES).map(|bytes| read_slot(bytes, database));
    let slots: Vec<_> = slots.collect();
    if let Some(Err(what @ Damage::Foreign)) = slots.iter().find(|it| it == &&Err(Damage::Foreign))
    {
        let file = files.path_of(path);
        return Err(Error::Damaged { file, at: 0, what: what.clone() });
    }
    Ok(slots.into_iter().filter_map(Result::ok).max_by_key(|(turn, _)| *turn))
}

fn read_slot(bytes: &[u8], database: u128) -> Result<(u64, Vec<Mark>), Damage> {
    let (fields, crc) =
        bytes.split_at_checked(SLOT_BYTES - 4).ok_or(Damage::Truncated("bookmark"))?;
    let expected = Reader::new(crc, "bookmark").u32()?;
    let found = crc32c::crc32c(fields);
    if found != expected {
        return Err(Damage::Checksum { expected, found });
    }
    let mut reader = Reader::new(fields, "bookmark");
    if reader.take(8)? != MAGIC {
        return Err(Damage::NoMagic("bookmark"));
    }
    if reader.u128()? != database {
        return Err(Damage::Foreign);
    }
    let turn = reader.u64()?;
    let count = reader.u32()? as usize;
    if count == 0 || count > MARKS_MAX {
        return Err(Damage::Contradiction("bookmark has an impossible number of marks"));
    }
    let mark = |reader: &mut Reader<'_>| Ok(Mark { position: reader.u64()?, rows: reader.u32()? });
    let marks: Result<Vec<Mark>, Damage> = (0..count).map(|_| mark(&mut reader)).collect();
    marks.map(|marks| (turn, marks))
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        #[test]
        fn marks_come_back_and_damage_is_noticed(
            marks in vec(any::<(u64, u32)>(), 1..=MARKS_MAX),
            turn: u64,
            at in 0..SLOT_BYTES,
            flip in 1..=255_u8,
        ) {
            let marks: Vec<Mark> =
                marks.into_iter().map(|(position, rows)| Mark { position, rows }).collect();
            let mut bytes = slot(7, turn, &marks);
            prop_assert_eq!(bytes.len(), SLOT_BYTES);
            prop_assert_eq!(read_slot(&bytes, 7), Ok((turn, marks)));
            prop_assert_eq!(read_slot(&bytes, 8), Err(Damage::Foreign));
            bytes[at] ^= flip;
            prop_assert!(read_slot(&bytes, 7).is_err());
            prop_assert!(read_slot(&bytes[..at], 7).is_err());
        }

        #[test]
        fn any_bytes_are_marks_or_an_error(mut bytes in vec(any::<u8>(), SLOT_BYTES - 4)) {
            // With a checksum that fits, so that what is behind it is read.
            let crc = crc32c::crc32c(&bytes);
            bytes[..8].copy_from_slice(MAGIC);
            bytes.extend_from_slice(&crc.to_le_bytes());
            let _ = read_slot(&bytes, 7);
            let fields = SLOT_BYTES - 4;
            let crc = crc32c::crc32c(&bytes[..fields]);
            bytes[fields..].copy_from_slice(&crc.to_le_bytes());
            let database = u128::from_le_bytes(bytes[8..24].try_into().unwrap());
            let _ = read_slot(&bytes, database);
        }
    }
}

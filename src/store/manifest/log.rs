//! The manifest's file: a header, a snapshot, then a record a change.
//!
//! A change is appended and synced before anything acts on it. When the file is long a new one is
//! written beside it and takes over by its higher number; the old one is removed after that.

use std::sync::Arc;

use crate::os::{Files, WriteFile, read_whole};
use crate::store::{
    bytes::Reader,
    crash::crash_point,
    error::{Damage, Error, failed},
};

use super::{edit::Edit, state::State};

/// Its folder, below the root.
pub(in crate::store) const FOLDER: &str = "manifest";
const FILE_MAGIC: &[u8; 8] = b"QUIPUMAN";
const FORMAT: u16 = 1;
const FILE_HEADER_BYTES: usize = 64;
const RECORD_MAGIC: u32 = u32::from_le_bytes(*b"MREC");
const RECORD_HEADER_BYTES: usize = 24;
/// A longer file is begun anew.
const BYTES_MAX: u64 = 1 << 20;
/// A longer file is not read: no store gets there.
const READ_MAX: u64 = 1 << 30;

fn manifest_path(number: u64) -> String {
    format!("{FOLDER}/{number:010}.manifest")
}

/// The manifest, open for changes.
#[derive(Debug)]
pub(in crate::store) struct Manifest {
    files: Arc<dyn Files>,
    database: u128,
    state: State,
    number: u64,
    file: Option<Box<dyn WriteFile>>,
    end: u64,
    /// Edits written; rises over all files.
    sequence: u64,
    bytes_max: u64,
}

/// What opening found.
#[derive(Debug)]
pub(in crate::store) struct Opened {
    /// The state, and the file to go on in. None where there is no manifest at all.
    pub(in crate::store) read: Option<Read>,
    /// Files that are none: no header, or left over from a change of files.
    pub(in crate::store) stale: Vec<String>,
}

/// A manifest file that was read.
#[derive(Debug)]
pub(in crate::store) struct Read {
    pub(in crate::store) database: u128,
    pub(in crate::store) state: State,
    pub(in crate::store) path: String,
    /// Edits that the good part of the file holds.
    pub(in crate::store) sequence: u64,
    /// Bytes that are no record: where, and why. A torn tail, or damage.
    pub(in crate::store) bad: Option<(u64, Damage)>,
    /// Whether good records follow the bad bytes: then it is damage.
    pub(in crate::store) is_damaged: bool,
    number: u64,
    end: u64,
}

/// Reads the newest manifest. Changes nothing.
///
/// # Errors
/// Where files cannot be read, or the newest is none that this version reads.
pub(in crate::store) fn read(files: &dyn Files) -> Result<Opened, Error> {
    let mut opened = Opened { read: None, stale: Vec::new() };
    let entries = match files.list(FOLDER) {
        Ok(entries) => entries,
        Err(none) if none.kind() == std::io::ErrorKind::NotFound => return Ok(opened),
        Err(source) => return Err(failed(files, "list", FOLDER)(source)),
    };
    let mut numbers = Vec::new();
    for entry in entries {
        match entry.name.strip_suffix(".manifest").and_then(|stem| stem.parse::<u64>().ok()) {
            Some(number) => numbers.push(number),
            None => opened.stale.push(format!("{FOLDER}/{}", entry.name)),
        }
    }
    numbers.sort_unstable();
    // A file gets its name when it is whole and synced: the newest is the one that holds.
    if let Some(newest) = numbers.pop() {
        opened.stale.extend(numbers.into_iter().map(manifest_path));
        opened.read = Some(read_file(files, newest)?);
    }
    Ok(opened)
}

fn read_file(files: &dyn Files, number: u64) -> Result<Read, Error> {
    let path = manifest_path(number);
    let bytes = read_whole(files, &path, READ_MAX).map_err(failed(files, "read", &path))?;
    let damaged = |at: u64, what: Damage| Error::Damaged { file: files.path_of(&path), at, what };
    let (database, first) = read_header(&bytes, number).map_err(|what| damaged(0, what))?;
    let mut read = Read {
        database,
        state: State::new(),
        path,
        sequence: first - 1,
        bad: None,
        is_damaged: false,
        number,
        end: FILE_HEADER_BYTES as u64,
    };
    let mut offset = FILE_HEADER_BYTES;
    while offset < bytes.len() {
        match read_record(&bytes, offset, database, number, Some(read.sequence.saturating_add(1))) {
            Ok((edits, _, length)) => {
                edits.iter().for_each(|edit| read.state.apply(edit));
                read.sequence += 1;
                offset += length;
                read.end = offset as u64;
            }
            Err(what) => {
                let follows = |at| read_record(&bytes, at, database, number, None).is_ok();
                read.is_damaged = matches!(what, Damage::Unknown { .. })
                    || (offset + 1..bytes.len()).any(follows);
                read.bad = Some((offset as u64, what));
                break;
            }
        }
    }
    // The snapshot was synced before the file got its name.
    read.is_damaged |= read.sequence < first;
    Ok(read)
}

fn read_header(bytes: &[u8], number: u64) -> Result<(u128, u64), Damage> {
    let fields = bytes.get(..FILE_HEADER_BYTES).ok_or(Damage::Truncated("manifest header"))?;
    let mut reader = Reader::new(fields, "manifest header");
    if reader.take(8)? != FILE_MAGIC {
        return Err(Damage::NoMagic("manifest"));
    }
    let format = reader.u16()?;
    reader.take(6)?;
    let (database, found_number, first) = (reader.u128()?, reader.u64()?, reader.u64()?);
    let (covered, crc) = fields.split_at(FILE_HEADER_BYTES - 4);
    let (expected, found) = (Reader::new(crc, "manifest header").u32()?, crc32c::crc32c(covered));
    if expected != found {
        return Err(Damage::Checksum { expected, found });
    }
    if format > FORMAT {
        return Err(Damage::Format { kind: "manifest", found: format, newest: FORMAT });
    }
    if found_number != number || first == 0 {
        return Err(Damage::Contradiction("manifest has another number than its file"));
    }
    Ok((database, first))
}

fn read_record(
    bytes: &[u8],
    offset: usize,
    database: u128,
    number: u64,
    expected_sequence: Option<u64>,
) -> Result<(Vec<Edit>, u64, usize), Damage> {
    let rest = bytes.get(offset..).unwrap_or_default();
    let header = rest.get(..RECORD_HEADER_BYTES).ok_or(Damage::Truncated("manifest record"))?;
    let mut reader = Reader::new(header, "manifest record");
    if reader.u32()? != RECORD_MAGIC {
        return Err(Damage::NoMagic("manifest record"));
    }
    let length = reader.u32()? as usize;
    let sequence = reader.u64()?;
    let end = RECORD_HEADER_BYTES + length;
    let payload = rest.get(RECORD_HEADER_BYTES..end).ok_or(Damage::Truncated("manifest record"))?;
    let (covered, crc) = header.split_at(RECORD_HEADER_BYTES - 4);
    let expected = Reader::new(crc, "manifest record").u32()?;
    let found = record_crc(covered, payload, database, number, offset as u64);
    if expected != found {
        return Err(Damage::Checksum { expected, found });
    }
    if expected_sequence.is_some_and(|expected| expected != sequence) {
        return Err(Damage::Contradiction(
            "manifest record has another number than the one before calls for",
        ));
    }
    let mut reader = Reader::new(payload, "manifest record");
    let mut edits = Vec::new();
    while !reader.is_empty() {
        edits.extend(Edit::decode(&mut reader)?);
    }
    Ok((edits, sequence, end))
}

fn record_crc(header: &[u8], payload: &[u8], database: u128, number: u64, offset: u64) -> u32 {
    let mut crc = crc32c::crc32c(&database.to_le_bytes());
    for part in [&number.to_le_bytes()[..], &offset.to_le_bytes(), header, payload] {
        crc = crc32c::crc32c_append(crc, part);
    }
    crc
}

impl Manifest {
    /// Makes the first manifest of a new database.
    pub(in crate::store) fn create(files: Arc<dyn Files>, database: u128) -> Result<Self, Error> {
        let path = FOLDER;
        files.create_dir_all(path).map_err(failed(&*files, "create", path))?;
        Self::begin(files, database, State::new(), 0, 0)
    }

    /// A manifest that goes on behind `read`, whose torn tail is cut.
    ///
    /// # Errors
    /// Where the file is damaged: what follows it cannot be known.
    pub(in crate::store) fn resume(files: Arc<dyn Files>, read: Read) -> Result<Self, Error> {
        let path = read.path;
        if let Some((at, what)) = read.bad.filter(|_| read.is_damaged) {
            return Err(Error::Damaged { file: files.path_of(&path), at, what });
        }
        let mut file = files.open_write(&path).map_err(failed(&*files, "open", &path))?;
        if file.len().map_err(failed(&*files, "read", &path))? > read.end {
            file.truncate(read.end).map_err(failed(&*files, "cut back", &path))?;
        }
        // What was read may never have been synced: it is made durable before anything acts on it.
        file.sync().map_err(failed(&*files, "sync", &path))?;
        files
            .create_dir_all(FOLDER)
            .and_then(|()| files.sync_dir(FOLDER))
            .map_err(failed(&*files, "sync", FOLDER))?;
        let (database, state, number, end, sequence) =
            (read.database, read.state, read.number, read.end, read.sequence);
        Ok(Self {
            files,
            database,
            state,
            number,
            file: Some(file),
            end,
            sequence,
            bytes_max: BYTES_MAX,
        })
    }

    /// Makes a new file behind `number` that begins with a snapshot of `state`.
    pub(in crate::store) fn begin(
        files: Arc<dyn Files>,
        database: u128,
        state: State,
        number: u64,
        sequence: u64,
    ) -> Result<Self, Error> {
        let mut manifest = Self {
            files,
            database,
            state,
            number,
            file: None,
            end: 0,
            sequence,
            bytes_max: BYTES_MAX,
        };
        manifest.rewrite()?;
        Ok(manifest)
    }

    /// What lives.
    pub(in crate::store) fn state(&self) -> &State {
        &self.state
    }

    /// The database's id.
    pub(in crate::store) fn database(&self) -> u128 {
        self.database
    }

    /// Edits that are durable.
    pub(in crate::store) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The file it is in.
    pub(in crate::store) fn path(&self) -> String {
        manifest_path(self.number)
    }

    /// Bytes of that file that hold.
    pub(in crate::store) fn end(&self) -> u64 {
        self.end
    }

    /// A number for a new file.
    pub(in crate::store) fn next_file(&mut self) -> super::FileId {
        let id = super::FileId(self.state.next_file);
        self.state.next_file += 1;
        id
    }

    /// Makes a change durable, then known.
    ///
    /// # Errors
    /// The change does not hold then. After a failed sync the next change begins a new file.
    pub(in crate::store) fn apply(&mut self, edits: &[Edit]) -> Result<(), Error> {
        if self.file.is_none() || self.end > self.bytes_max {
            self.rewrite()?;
        }
        crash_point("manifest-before-append");
        let record = self.record(edits, self.sequence + 1, self.end);
        let path = manifest_path(self.number);
        let files = Arc::clone(&self.files);
        let Some(file) = &mut self.file else {
            return Err(Error::Invalid("no manifest file is open".to_owned()));
        };
        if let Err(source) = file.write_all_at(self.end, &record) {
            if file.truncate(self.end).is_err() {
                self.file = None;
            }
            return Err(failed(&*files, "append to", &path)(source));
        }
        if let Err(source) = file.sync() {
            self.file = None;
            return Err(failed(&*files, "sync", &path)(source));
        }
        self.end += record.len() as u64;
        self.sequence += 1;
        edits.iter().for_each(|edit| self.state.apply(edit));
        crash_point("manifest-after-append");
        Ok(())
    }

    fn record(&self, edits: &[Edit], sequence: u64, offset: u64) -> Vec<u8> {
        let mut payload = Vec::new();
        edits.iter().for_each(|edit| edit.encode(&mut payload));
        let mut record = RECORD_MAGIC.to_le_bytes().to_vec();
        record.extend_from_slice(&u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes());
        record.extend_from_slice(&sequence.to_le_bytes());
        record.resize(RECORD_HEADER_BYTES - 4, 0);
        let crc = record_crc(&record, &payload, self.database, self.number, offset);
        record.extend_from_slice(&crc.to_le_bytes());
        record.append(&mut payload);
        record
    }

    /// Writes the state to a new file, which takes over.
    fn rewrite(&mut self) -> Result<(), Error> {
        let files = Arc::clone(&self.files);
        let old = self.number;
        self.number += 1;
        let path = manifest_path(self.number);
        let unfinished = format!("{path}.tmp");
        let mut bytes = FILE_MAGIC.to_vec();
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&[0; 6]);
        bytes.extend_from_slice(&self.database.to_le_bytes());
        bytes.extend_from_slice(&self.number.to_le_bytes());
        bytes.extend_from_slice(&(self.sequence + 1).to_le_bytes());
        bytes.resize(FILE_HEADER_BYTES - 4, 0);
        let crc = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes.extend(self.record(&self.state.edits(), self.sequence + 1, bytes.len() as u64));
        self.file = None;
        let made = (|| {
            if files.exists(&unfinished)? {
                files.remove(&unfinished)?;
            }
            let mut file = files.create(&unfinished)?;
            file.write_all_at(0, &bytes)?;
            file.sync()?;
            crash_point("manifest-before-rename");
            files.rename(&unfinished, &path)?;
            files.sync_dir(FOLDER)?;
            crash_point("manifest-after-rename");
            Ok(file)
        })();
        let file = made.map_err(failed(&*files, "write", &path))?;
        (self.file, self.end) = (Some(file), bytes.len() as u64);
        self.sequence += 1;
        let old = manifest_path(old);
        match files.remove(&old) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(failed(&*files, "remove", &old)(error))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::sim::SimFiles;

    fn changed(sim: &SimFiles, changes: u64) -> Result<Manifest, Error> {
        let mut manifest = Manifest::create(Arc::new(sim.clone()), 5)?;
        manifest.bytes_max = 400;
        for position in 1..=changes {
            manifest.apply(&[Edit::InFiles(position), Edit::Segments(position, position + 1)])?;
        }
        Ok(manifest)
    }

    #[test]
    fn changes_survive_and_the_file_stays_short() {
        let sim = SimFiles::seeded(1);
        changed(&sim, 100).unwrap();
        let read = read(&sim.after_reboot(1)).unwrap().read.unwrap();
        assert_eq!((read.state.in_files, read.state.segments, read.bad), (100, (100, 101), None));
        assert!(read.end < 600);
    }

    #[test]
    fn a_power_cut_at_any_call_leaves_a_prefix_of_the_changes() {
        for cut in 0.. {
            let sim = SimFiles::seeded(cut).cut_power_at(cut);
            let mut known = 0;
            if let Ok(mut manifest) = Manifest::create(Arc::new(sim.clone()), 5) {
                manifest.bytes_max = 300;
                for position in 1..=30 {
                    if manifest.apply(&[Edit::InFiles(position)]).is_err() {
                        break;
                    }
                    known = position;
                }
            }
            let after: Arc<dyn Files> = Arc::new(sim.after_reboot(cut));
            match read(&*after).unwrap().read {
                Some(found) => {
                    assert!(
                        found.state.in_files == known || found.state.in_files == known + 1,
                        "cut {cut}"
                    );
                    assert!(!found.is_damaged, "cut {cut}: {:?}", found.bad);
                    Manifest::resume(after, found).unwrap().apply(&[Edit::Catalog(1)]).unwrap();
                }
                None => assert_eq!(known, 0, "cut {cut}"),
            }
            if !sim.was_cut() {
                break;
            }
        }
    }

    #[test]
    fn a_change_of_which_the_sync_failed_may_hold_or_not_and_the_next_holds() {
        let sim = SimFiles::seeded(3);
        let mut manifest = changed(&sim, 2).unwrap();
        let fault = crate::os::sim::Fault::at(0, std::io::ErrorKind::Other);
        sim.fail(fault.only(crate::os::sim::Calls::Only(crate::os::sim::Call::Sync)));
        assert!(manifest.apply(&[Edit::InFiles(50)]).is_err());
        manifest.apply(&[Edit::InFiles(3)]).unwrap();
        assert_eq!(read(&sim.after_reboot(1)).unwrap().read.unwrap().state.in_files, 3);
    }

    #[test]
    fn a_flipped_bit_is_damage_or_a_torn_tail_and_never_another_state() {
        let sim = SimFiles::seeded(1);
        let manifest = changed(&sim, 3).unwrap();
        let path = manifest_path(manifest.number);
        for at in 0..manifest.end {
            let sim = sim.after_kill();
            sim.flip_bit(&path, at, 3);
            if let Ok(opened) = read(&sim) {
                let found = opened.read.unwrap();
                let is_last = at >= manifest.end - 40;
                assert!(
                    found.is_damaged || (is_last && found.bad.is_some()),
                    "byte {at}: {found:?}"
                );
            }
        }
    }
}

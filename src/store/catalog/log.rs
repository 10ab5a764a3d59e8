//! What makes a registration durable: an append-only file of series and metadata.
//!
//! A record holds the series of one commit. A pair of labels is spelled out once a file and has a
//! number after that; a series that shares labels with the one before it names only the others: a
//! host's next metric costs about six bytes.
//! Bytes: storage-format.md, "Catalog".

use std::sync::Arc;

use crate::codec;
use crate::model::Metadata;
use crate::os::{Files, WriteFile};
use crate::store::{
    bytes::{put_signed, put_text},
    crash::crash_point,
    error::{Error, failed},
    wal::put_metadata,
};

use super::{
    index::{Index, Slot},
    pairs::PairId,
};

pub(super) const FILE_MAGIC: &[u8; 8] = b"QUIPUCAT";
pub(super) const FILE_HEADER_BYTES: usize = 64;
pub(super) const FORMAT: u16 = 1;
pub(super) const RECORD_MAGIC: u32 = u32::from_le_bytes(*b"CREC");
pub(super) const RECORD_HEADER_BYTES: usize = 32;
/// Series in one record of a snapshot: bounds what is held in memory at once.
const RECORD_SERIES_MAX: usize = 16_384;

pub(super) const SERIES: u8 = 1;
pub(super) const METADATA: u8 = 2;

/// The folder of the catalog's files, below the root.
pub(in crate::store) const FOLDER: &str = "t0/metrics/catalog";

/// The path of a catalog file.
pub(in crate::store) fn catalog_path(number: u64) -> String {
    format!("{FOLDER}/{number:010}.cat")
}

/// The number in a catalog file's name.
pub(in crate::store) fn catalog_number(name: &str) -> Option<u64> {
    name.strip_suffix(".cat")?.parse().ok()
}

/// The catalog's writing end.
#[derive(Debug)]
pub(in crate::store) struct CatalogLog {
    files: Arc<dyn Files>,
    database: u128,
    file: Option<Box<dyn WriteFile>>,
    number: u64,
    end: u64,
    /// The record written last; rises over all files.
    sequence: u64,
    durable: u64,
    /// The number in this file of each pair; 0 where it was not spelled out yet.
    numbers: Vec<u32>,
    next_number: u32,
    is_dirty: bool,
}

impl CatalogLog {
    /// A log whose next file has `number`; records go on behind `sequence`.
    pub(in crate::store) fn new(
        files: Arc<dyn Files>,
        database: u128,
        number: u64,
        sequence: u64,
    ) -> Self {
        Self {
            files,
            database,
            file: None,
            number,
            end: 0,
            sequence,
            durable: sequence,
            numbers: Vec::new(),
            next_number: 1,
            is_dirty: false,
        }
    }

    /// Goes on in a file that was read: cut to `end`, with `pairs` numbered in their order.
    pub(in crate::store) fn resume(&mut self, end: u64, pairs: &[PairId]) -> Result<(), Error> {
        let path = catalog_path(self.number);
        let mut file = self.files.open_write(&path).map_err(failed(&*self.files, "open", &path))?;
        if file.len().map_err(failed(&*self.files, "read", &path))? > end {
            file.truncate(end).map_err(failed(&*self.files, "cut back", &path))?;
        }
        // What was read may never have been synced: it is made durable before anything counts on it.
        file.sync().map_err(failed(&*self.files, "sync", &path))?;
        self.files.sync_dir(FOLDER).map_err(failed(&*self.files, "sync", FOLDER))?;
        for (number, pair) in (1..).zip(pairs) {
            self.number_pair(*pair, number);
        }
        self.next_number = u32::try_from(pairs.len()).unwrap_or(u32::MAX - 1) + 1;
        (self.file, self.end) = (Some(file), end);
        Ok(())
    }

    /// Whether a file is open. Else [`Self::begin`] comes first.
    pub(in crate::store) fn is_open(&self) -> bool {
        self.file.is_some()
    }

    /// The record known durable.
    pub(in crate::store) fn durable(&self) -> u64 {
        self.durable
    }

    /// The file that is written, and where it ends.
    pub(in crate::store) fn tail(&self) -> Option<(u64, u64)> {
        self.file.as_ref().map(|_| (self.number, self.end))
    }

    /// The number of the file that is written.
    pub(in crate::store) fn number(&self) -> u64 {
        self.number
    }

    /// Makes a new file that holds `slots` and `metadata`, durable on return; its number.
    pub(in crate::store) fn begin<'a>(
        &mut self,
        index: &Index,
        slots: &[Slot],
        metadata: impl IntoIterator<Item = &'a Metadata>,
    ) -> Result<u64, Error> {
        let files = Arc::clone(&self.files);
        self.file = None;
        self.number += 1;
        let path = catalog_path(self.number);
        let file = files.create(&path).map_err(failed(&*files, "create", &path))?;
        (self.file, self.end) = (Some(file), 0);
        (self.numbers, self.next_number) = (Vec::new(), 1);
        let made = (|| {
            self.write(&self.header())?;
            for slots in slots.chunks(RECORD_SERIES_MAX) {
                self.append_series(index, slots)?;
            }
            self.append_metadata(&metadata.into_iter().collect::<Vec<_>>())?;
            self.is_dirty = true;
            self.sync()?;
            files.sync_dir(FOLDER).map_err(failed(&*files, "sync", FOLDER))
        })();
        if let Err(error) = made {
            self.file = None;
            // Best effort: a file that no manifest lists is removed at the next start.
            drop(files.remove(&path));
            return Err(error);
        }
        Ok(self.number)
    }

    /// Gives the file up: the next commit begins another.
    pub(in crate::store) fn abandon(&mut self) {
        self.file = None;
    }

    fn header(&self) -> Vec<u8> {
        let mut out = FILE_MAGIC.to_vec();
        out.extend_from_slice(&FORMAT.to_le_bytes());
        out.extend_from_slice(&[0; 6]);
        out.extend_from_slice(&self.database.to_le_bytes());
        out.extend_from_slice(&self.number.to_le_bytes());
        out.extend_from_slice(&(self.sequence + 1).to_le_bytes());
        out.resize(FILE_HEADER_BYTES - 4, 0);
        let crc = crc32c::crc32c(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    /// Appends series. Nothing is written, and nothing changed, on an error.
    pub(in crate::store) fn append_series(
        &mut self,
        index: &Index,
        slots: &[Slot],
    ) -> Result<(), Error> {
        if slots.is_empty() {
            return Ok(());
        }
        let mut payload = vec![SERIES];
        codec::encode_varint(slots.len() as u64, &mut payload);
        let mut new_pairs = Vec::new();
        let (mut expected, mut before): (u64, &[PairId]) = (0, &[]);
        for slot in slots {
            let series = index.series(*slot).0;
            put_signed(series.wrapping_sub(expected).cast_signed(), &mut payload);
            expected = series.wrapping_add(1);
            let list = index.list(*slot);
            let first = list.iter().zip(before).take_while(|(new, old)| new == old).count();
            let room = list.len().min(before.len()) - first;
            let ends = list.iter().rev().zip(before.iter().rev()).take(room);
            let behind = ends.take_while(|(new, old)| new == old).count();
            for count in [list.len(), first, behind] {
                codec::encode_varint(count as u64, &mut payload);
            }
            for pair in list.get(first..list.len() - behind).unwrap_or_default() {
                if self.put_pair(index, *pair, &mut payload) {
                    new_pairs.push(*pair);
                }
            }
            before = list;
        }
        self.append_record(&payload).inspect_err(|_| {
            for pair in &new_pairs {
                self.number_pair(*pair, 0);
            }
            self.next_number -= u32::try_from(new_pairs.len()).unwrap_or(0);
        })
    }

    /// Appends a pair; true where it had to be spelled out.
    fn put_pair(&mut self, index: &Index, pair: PairId, out: &mut Vec<u8>) -> bool {
        let number = self.numbers.get(pair as usize).copied().unwrap_or(0);
        codec::encode_varint(u64::from(number), out);
        if number > 0 {
            return false;
        }
        let (name, value) = index.pairs().text(pair);
        put_text(name, out);
        put_text(value, out);
        let number = self.next_number;
        self.number_pair(pair, number);
        self.next_number += 1;
        true
    }

    fn number_pair(&mut self, pair: PairId, number: u32) {
        if self.numbers.len() <= pair as usize {
            self.numbers.resize(pair as usize + 1, 0);
        }
        if let Some(place) = self.numbers.get_mut(pair as usize) {
            *place = number;
        }
    }

    /// Appends what metrics are.
    pub(in crate::store) fn append_metadata(
        &mut self,
        metadata: &[&Metadata],
    ) -> Result<(), Error> {
        if metadata.is_empty() {
            return Ok(());
        }
        let mut payload = vec![METADATA];
        codec::encode_varint(metadata.len() as u64, &mut payload);
        for metadata in metadata {
            put_metadata(metadata, &mut payload);
        }
        self.append_record(&payload)
    }

    fn append_record(&mut self, payload: &[u8]) -> Result<(), Error> {
        let mut record = RECORD_MAGIC.to_le_bytes().to_vec();
        record.extend_from_slice(&u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes());
        record.extend_from_slice(&(self.sequence + 1).to_le_bytes());
        record.resize(RECORD_HEADER_BYTES - 4, 0);
        let seed = seed(self.database, self.number, self.end);
        let crc = crc32c::crc32c_append(crc32c::crc32c_append(seed, &record), payload);
        record.extend_from_slice(&crc.to_le_bytes());
        record.extend_from_slice(payload);
        self.write(&record)?;
        self.sequence += 1;
        self.is_dirty = true;
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let path = catalog_path(self.number);
        let Some(file) = &mut self.file else {
            return Err(Error::Invalid("no catalog file is open".to_owned()));
        };
        if let Err(source) = file.write_all_at(self.end, bytes) {
            if file.truncate(self.end).is_err() {
                self.file = None;
            }
            return Err(failed(&*self.files, "append to", &path)(source));
        }
        self.end += bytes.len() as u64;
        Ok(())
    }

    /// Makes all that was appended durable.
    ///
    /// # Errors
    /// The file is given up then: what it holds behind the last sync is unknown.
    pub(in crate::store) fn sync(&mut self) -> Result<(), Error> {
        crash_point("catalog-before-sync");
        if self.is_dirty
            && let Some(file) = &mut self.file
            && let Err(source) = file.sync()
        {
            self.file = None;
            let path = catalog_path(self.number);
            return Err(failed(&*self.files, "sync", &path)(source));
        }
        (self.is_dirty, self.durable) = (false, self.sequence);
        Ok(())
    }
}

/// What begins the checksum of a record: where it stands.
pub(super) fn seed(database: u128, number: u64, offset: u64) -> u32 {
    let seed = crc32c::crc32c(&database.to_le_bytes());
    let seed = crc32c::crc32c_append(seed, &number.to_le_bytes());
    crc32c::crc32c_append(seed, &offset.to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::load::{Loaded, load};
    use super::*;
    use crate::os::{read_whole, sim::SimFiles};

    fn filled() -> (Arc<dyn Files>, CatalogLog, Index) {
        let files: Arc<dyn Files> = Arc::new(SimFiles::seeded(1));
        files.create_dir_all(FOLDER).unwrap();
        let mut log = CatalogLog::new(Arc::clone(&files), 9, 0, 0);
        let mut index = Index::new(1);
        for host in 0..40 {
            for metric in 0..25 {
                let (host, metric) = (format!("h{host}"), format!("m{metric}"));
                let labels =
                    [("__name__", metric.as_str()), ("host", &host), ("region", "eu-west-1")];
                let next = 100 + u64::from(index.len());
                index.insert(&labels, next).unwrap();
            }
        }
        let slots: Vec<Slot> = (0..500).collect();
        log.begin(&index, &slots, []).unwrap();
        (files, log, index)
    }

    fn read(files: &dyn Files, number: u64) -> (Index, Loaded, Vec<Metadata>) {
        let bytes = read_whole(files, &catalog_path(number), 1 << 20).unwrap();
        let (mut index, mut metadata) = (Index::new(2), Vec::new());
        let loaded = load(&bytes, 9, number, &mut index, &mut |it| metadata.push(it));
        (index, loaded, metadata)
    }

    #[test]
    fn series_and_metadata_come_back() {
        let (files, mut log, index) = filled();
        log.append_series(&index, &(500..1000).collect::<Vec<_>>()).unwrap();
        let help = Metadata { metric: "m1".into(), help: "what".into(), ..Metadata::default() };
        log.append_metadata(&[&help]).unwrap();
        log.sync().unwrap();
        let (back, loaded, metadata) = read(&*files, 1);
        assert_eq!(loaded.damage, None);
        assert_eq!((back.len(), loaded.next_series, loaded.sequence), (1000, 1100, 3));
        assert!((0..1000).all(|slot| back.labels(slot) == index.labels(slot)
            && back.series(slot) == index.series(slot)));
        assert_eq!((metadata, log.durable()), (vec![help], 3));
        assert!(log.end < 8_500, "{} bytes for 1,000 series", log.end);
    }

    #[test]
    fn a_log_goes_on_where_it_was_cut() {
        let (files, log, index) = filled();
        drop(log);
        let (_, loaded, _) = read(&*files, 1);
        let mut log = CatalogLog::new(Arc::clone(&files), 9, 1, loaded.sequence);
        log.resume(loaded.end, &loaded.pairs).unwrap();
        log.append_series(&index, &(500..600).collect::<Vec<_>>()).unwrap();
        let (back, loaded, _) = read(&*files, 1);
        assert_eq!((back.len(), loaded.damage), (600, None));
    }

    #[test]
    fn any_damage_ends_the_reading_and_is_named() {
        let (files, mut log, index) = filled();
        log.append_series(&index, &(500..1000).collect::<Vec<_>>()).unwrap();
        let whole = read_whole(&*files, &catalog_path(1), 1 << 20).unwrap();
        for at in (0..whole.len()).step_by(7) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            let mut index = Index::new(2);
            let loaded = load(&bytes, 9, 1, &mut index, &mut |_| ());
            assert!(loaded.damage.is_some() && index.len() <= 500, "bit at {at}");
            let mut index = Index::new(2);
            load(&whole[..at], 9, 1, &mut index, &mut |_| ());
        }
    }
}

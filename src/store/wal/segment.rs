//! Writing the log: groups of records at the end of the newest segment.
//!
//! A failed append is cut back, so that the next record does not land behind a hole. A failed sync is
//! never retried: what the system did with the pages is unknown ("fsyncgate"). The segment is closed
//! as failed, and nothing is accepted until a new one is durable.

use std::{collections::VecDeque, sync::Arc};

use crate::model::{Position, StreamId};
use crate::os::{Files, WriteFile};
use crate::store::{
    backup::Retired,
    bytes::Reader,
    crash::crash_point,
    error::{Damage, Error, failed},
};

use super::{
    FOLDER,
    record::{self, Durable, Place, Sealed},
};

/// Bytes of the header that begins a segment.
pub(in crate::store) const SEGMENT_HEADER_BYTES: u64 = 64;
const MAGIC: &[u8; 8] = b"QUIPUWAL";
const FORMAT: u16 = 1;

/// What a segment says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) database: u128,
    pub(super) number: u64,
    /// The first record's position.
    pub(super) first: u64,
    /// The position up to which the segments before were durable.
    pub(super) durable_before: u64,
}

impl Header {
    /// As it begins the file.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&FORMAT.to_le_bytes());
        out.extend_from_slice(&[0; 6]);
        out.extend_from_slice(&self.database.to_le_bytes());
        for number in [self.number, self.first, self.durable_before] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&[0; 4]);
        let crc = crc32c::crc32c(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads and checks the header of a segment.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Damage> {
        let length = usize::try_from(SEGMENT_HEADER_BYTES).unwrap_or(0);
        let fields = bytes.get(..length).ok_or(Damage::Truncated("segment header"))?;
        let mut reader = Reader::new(fields, "segment header");
        if reader.take(8)? != MAGIC {
            return Err(Damage::NoMagic("log segment"));
        }
        let format = reader.u16()?;
        reader.take(6)?;
        let database = reader.u128()?;
        let header = Self {
            database,
            number: reader.u64()?,
            first: reader.u64()?,
            durable_before: reader.u64()?,
        };
        reader.take(4)?;
        let expected = reader.u32()?;
        let found = crc32c::crc32c(fields.get(..length - 4).unwrap_or_default());
        if found != expected {
            return Err(Damage::Checksum { expected, found });
        }
        if format > FORMAT {
            return Err(Damage::Format { kind: "log segment", found: format, newest: FORMAT });
        }
        Ok(header)
    }
}

/// The path of a segment below the root.
pub(in crate::store) fn segment_path(number: u64) -> String {
    format!("{FOLDER}/{number:010}.wal")
}

/// The number in a segment's file name.
pub(in crate::store) fn segment_number(name: &str) -> Option<u64> {
    name.strip_suffix(".wal")?.parse().ok()
}

/// Numbers and paths of all segments, in order.
pub(in crate::store) fn segments(files: &dyn Files) -> Result<Vec<(u64, String)>, Error> {
    let entries = match files.list(FOLDER) {
        Ok(entries) => entries,
        Err(gone) if gone.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(failed(files, "list", FOLDER)(source)),
    };
    let numbers = entries.iter().filter_map(|entry| segment_number(&entry.name));
    let mut segments: Vec<_> = numbers.map(|number| (number, segment_path(number))).collect();
    segments.sort_unstable();
    Ok(segments)
}

/// Cuts a segment's torn tail off and syncs the rest: what was read may never have been, and later
/// records will say that it was.
pub(in crate::store) fn make_durable(files: &dyn Files, path: &str, end: u64) -> Result<(), Error> {
    let mut file = files.open_write(path).map_err(failed(files, "open", path))?;
    file.truncate(end).map_err(failed(files, "cut back", path))?;
    file.sync().map_err(failed(files, "sync", path))
}

/// The segment that records go to.
#[derive(Debug)]
struct Open {
    file: Box<dyn WriteFile>,
    number: u64,
    /// Where the next record goes.
    end: u64,
}

/// A segment that is full or failed.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Closed {
    pub(in crate::store) number: u64,
    /// The position of its last record.
    pub(in crate::store) last: u64,
    pub(in crate::store) bytes: u64,
}

/// Where a log ends that was read.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct End {
    /// The position of its last record.
    pub(in crate::store) last: u64,
    /// Its segments.
    pub(in crate::store) closed: Vec<Closed>,
    /// The least number that a new segment may have.
    pub(in crate::store) next_number: u64,
    /// When its last record was written.
    pub(in crate::store) written_us: u64,
    /// What becomes of segments that are not needed any more.
    pub(in crate::store) retired: Retired,
}

/// What was durable, and when, as a group of records is appended.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Known {
    /// Catalog records.
    pub(in crate::store) catalog: u64,
    /// Manifest edits.
    pub(in crate::store) manifest: u64,
    /// The clock, ns since 1970.
    pub(in crate::store) now: i64,
}

/// The log's writing end.
#[derive(Debug)]
pub(in crate::store) struct Wal {
    files: Arc<dyn Files>,
    database: u128,
    segment_bytes: u64,
    open: Option<Open>,
    closed: VecDeque<Closed>,
    next_number: u64,
    /// The position of the record written last.
    last: u64,
    /// The position known durable.
    durable: u64,
    /// When the last group was written, µs since 1970; never goes back.
    written_us: u64,
    /// What becomes of segments that are not needed any more.
    retired: Retired,
    buffer: Vec<u8>,
}

impl Wal {
    /// A log that goes on behind `end` in a new segment.
    pub(in crate::store) fn new(
        files: Arc<dyn Files>,
        database: u128,
        segment_bytes: u64,
        end: End,
    ) -> Self {
        let End { last, closed, next_number, written_us, retired } = end;
        let closed = VecDeque::from(closed);
        let next_number = closed.back().map_or(0, |it| it.number + 1).max(next_number);
        Self {
            files,
            database,
            segment_bytes,
            open: None,
            closed,
            next_number,
            last,
            durable: last,
            written_us,
            retired,
            buffer: Vec::new(),
        }
    }

    /// The position written last.
    pub(in crate::store) fn last(&self) -> u64 {
        self.last
    }

    /// The position known durable.
    pub(in crate::store) fn durable(&self) -> u64 {
        self.durable
    }

    /// Whether `records` need a new segment: call [`Self::begin_segment`] before the append then.
    pub(in crate::store) fn needs_segment(&self, records: &[Sealed]) -> bool {
        let size: u64 = records.iter().map(record::size_of).sum();
        self.open.as_ref().is_none_or(|open| {
            open.end > SEGMENT_HEADER_BYTES && open.end + size > self.segment_bytes
        })
    }

    /// Makes a new segment, durable but empty, and says its number. The one before is full.
    pub(in crate::store) fn begin_segment(&mut self) -> Result<u64, Error> {
        if let Some(open) = &self.open
            && self.durable < self.last
        {
            // What was written without a sync is durable before the next segment claims that it was.
            let path = segment_path(open.number);
            self.sync_open().map_err(failed(&*self.files.clone(), "sync", &path))?;
        }
        self.close_segment();
        crash_point("wal-rotate");
        let number = self.next_number;
        let path = segment_path(number);
        let files = Arc::clone(&self.files);
        let header = Header {
            database: self.database,
            number,
            first: self.last + 1,
            durable_before: self.durable,
        };
        let mut file = files.create(&path).map_err(failed(&*files, "create", &path))?;
        let made = (|| {
            file.write_all_at(0, &header.bytes()).map_err(failed(&*files, "write", &path))?;
            file.sync().map_err(failed(&*files, "sync", &path))?;
            files.sync_dir(FOLDER).map_err(failed(&*files, "sync", FOLDER))
        })();
        if let Err(error) = made {
            // A file that stays keeps its number, so that none is missing in the row.
            self.next_number += u64::from(files.remove(&path).is_err());
            return Err(error);
        }
        self.next_number += 1;
        self.open = Some(Open { file, number, end: SEGMENT_HEADER_BYTES });
        Ok(number)
    }

    /// Appends `records` as one group.
    ///
    /// # Errors
    /// The log is as before then, or its segment closed as failed.
    pub(in crate::store) fn append(
        &mut self,
        records: &[Sealed],
        known: Known,
    ) -> Result<(), Error> {
        let Some(open) = &mut self.open else {
            return Err(Error::Invalid("no log segment is open".to_owned()));
        };
        self.buffer.clear();
        let now_us = u64::try_from(known.now.div_euclid(1000)).unwrap_or(0);
        self.written_us = self.written_us.max(now_us);
        let Known { catalog, manifest, .. } = known;
        let (position, written_us) = (self.durable, self.written_us);
        let durable = Durable { position, catalog, manifest, written_us };
        let mut sequence = self.last;
        for sealed in records {
            sequence += 1;
            let offset = open.end + self.buffer.len() as u64;
            let place = Place { database: self.database, segment: open.number, offset };
            let position = Position { stream: StreamId(0), sequence };
            record::append(sealed, position, durable, place, &mut self.buffer);
        }
        crash_point("wal-append");
        if let Err(source) = open.file.write_all_at(open.end, &self.buffer) {
            let path = segment_path(open.number);
            if open.file.truncate(open.end).is_err() {
                self.fail_segment();
            }
            return Err(failed(&*self.files, "append to", &path)(source));
        }
        open.end += self.buffer.len() as u64;
        self.last = sequence;
        if self.buffer.capacity() > record::RECORD_BYTES_MAX {
            self.buffer = Vec::new();
        }
        Ok(())
    }

    /// Makes all that was appended durable.
    ///
    /// # Errors
    /// The segment is closed as failed then, and the position goes on behind what it may hold.
    pub(in crate::store) fn sync(&mut self) -> Result<(), Error> {
        crash_point("wal-before-sync");
        self.sync_open().map_err(|source| {
            let path =
                self.open.as_ref().map_or_else(String::new, |open| segment_path(open.number));
            self.fail_segment();
            failed(&*self.files, "sync", &path)(source)
        })
    }

    fn sync_open(&mut self) -> std::io::Result<()> {
        if let Some(open) = &mut self.open {
            open.file.sync()?;
        }
        self.durable = self.last;
        Ok(())
    }

    /// Ends the open segment if it is of some size and all of it is durable.
    pub(in crate::store) fn end_segment(&mut self) {
        let is_long = self.open.as_ref().is_some_and(|open| open.end >= self.segment_bytes / 64);
        if is_long && self.durable == self.last {
            self.close_segment();
        }
    }

    /// Gives the open segment up. Its durable records count; what follows may be there or not.
    fn fail_segment(&mut self) {
        self.close_segment();
    }

    fn close_segment(&mut self) {
        if let Some(open) = self.open.take() {
            let bytes = open.end;
            self.closed.push_back(Closed { number: open.number, last: self.last, bytes });
        }
    }

    /// The segment that is written, and where it ends.
    pub(in crate::store) fn tail(&self) -> Option<(u64, u64)> {
        self.open.as_ref().map(|open| (open.number, open.end))
    }

    /// One more than the number of the newest segment.
    pub(in crate::store) fn next_number(&self) -> u64 {
        self.next_number
    }

    /// Removes full segments of which no record is above `position`; the first number still there.
    ///
    /// # Errors
    /// Where a file cannot be removed; it is tried again next time.
    pub(in crate::store) fn trim(&mut self, position: u64) -> Result<u64, Error> {
        while let Some(oldest) = self.closed.front().filter(|it| it.last <= position) {
            let path = segment_path(oldest.number);
            match self.retired.put_away(&*self.files, &path) {
                Ok(()) => {}
                Err(gone) if gone.kind() == std::io::ErrorKind::NotFound => {}
                Err(source) => return Err(failed(&*self.files, "remove", &path)(source)),
            }
            self.closed.pop_front();
        }
        Ok(self.first_number())
    }

    /// The number of the oldest segment that holds a record above `position`, or of the next one.
    pub(in crate::store) fn first_number_above(&self, position: u64) -> u64 {
        let oldest = self.closed.iter().find(|it| it.last > position).map(|it| it.number);
        oldest.or(self.open.as_ref().map(|it| it.number)).unwrap_or(self.next_number)
    }

    /// The number of the segment that follows `number`; None where that is the newest.
    pub(in crate::store) fn number_behind(&self, number: u64) -> Option<u64> {
        let closed = self.closed.iter().map(|it| it.number);
        closed.chain(self.open.as_ref().map(|it| it.number)).find(|it| *it > number)
    }

    /// The position up to which full segments are given up, so that those with records above `wanted`
    /// have at most `bytes_max`. Never above `in_files`.
    pub(in crate::store) fn bounded(&self, wanted: u64, in_files: u64, bytes_max: u64) -> u64 {
        let mut position = wanted.min(in_files);
        let mut bytes: u64 =
            self.closed.iter().filter(|it| it.last > position).map(|it| it.bytes).sum();
        for segment in self.closed.iter().filter(|it| it.last > wanted && it.last <= in_files) {
            if bytes <= bytes_max {
                break;
            }
            bytes -= segment.bytes;
            position = segment.last;
        }
        position
    }

    fn first_number(&self) -> u64 {
        let oldest = self.closed.front().map(|it| it.number);
        oldest.or(self.open.as_ref().map(|it| it.number)).unwrap_or(self.next_number)
    }
}

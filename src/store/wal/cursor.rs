//! Reading the log record by record while it is written, to whom its end is known.
//!
//! Replay wants whole segments and a judgement; a reader that follows wants the next record, at the
//! price of two reads of a file. What does not check is stepped over with the tools of replay.

use std::sync::Arc;

use crate::model::TenantId;
use crate::os::{Files, ReadFile, read_whole};
use crate::store::error::{Damage, Error, failed};

use super::{
    record::{self, Form, HEADER_BYTES, Header, Place},
    replay::scan,
    segment::{SEGMENT_HEADER_BYTES, segment_path},
};

/// As many bytes as replay reads at once.
const SEGMENT_BYTES_MAX: u64 = 4 << 30;

/// A record of rows, checked.
#[derive(Debug)]
pub(in crate::store) struct RowsRecord {
    pub(in crate::store) sequence: u64,
    pub(in crate::store) tenant: TenantId,
    /// Empty where the record holds no rows.
    pub(in crate::store) payload: Vec<u8>,
}

/// Where a reader stands in one segment.
#[derive(Debug)]
pub(in crate::store) struct Cursor {
    database: u128,
    number: u64,
    file: Arc<dyn ReadFile>,
    offset: u64,
}

impl Cursor {
    /// At the begin of a segment. None where there is none of that number.
    pub(in crate::store) fn open(
        files: &dyn Files,
        database: u128,
        number: u64,
    ) -> Result<Option<Self>, Error> {
        let path = segment_path(number);
        match files.open_read(&path) {
            Ok(file) => Ok(Some(Self { database, number, file, offset: SEGMENT_HEADER_BYTES })),
            Err(gone) if gone.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(failed(files, "open", &path)(source)),
        }
    }

    /// The segment's number.
    pub(in crate::store) fn number(&self) -> u64 {
        self.number
    }

    /// The next record of a position above `after`. None where the segment has no more.
    ///
    /// # Errors
    /// [`Error::Damaged`] where bytes do not check: [`Self::step_over`] goes on behind them.
    pub(in crate::store) fn next(
        &mut self,
        files: &dyn Files,
        after: u64,
    ) -> Result<Option<RowsRecord>, Error> {
        loop {
            let length = self.file.len().map_err(self.failed(files))?;
            let mut bytes = [0; HEADER_BYTES];
            if length < self.offset + HEADER_BYTES as u64 {
                return Ok(None);
            }
            self.file.read_exact_at(self.offset, &mut bytes).map_err(self.failed(files))?;
            if bytes.iter().all(|byte| *byte == 0) {
                // A file whose length grew before its bytes came.
                return Ok(None);
            }
            let place =
                Place { database: self.database, segment: self.number, offset: self.offset };
            let header = record::read_header(&bytes, place).map_err(self.damaged(files))?;
            let next = self.offset + header.size() as u64;
            if header.position.sequence <= after {
                self.offset = next;
                continue;
            }
            let payload = self.payload(files, &bytes, &header)?;
            self.offset = next;
            let payload = if header.form == Form::Refs { payload } else { Vec::new() };
            let (sequence, tenant) = (header.position.sequence, header.tenant);
            return Ok(Some(RowsRecord { sequence, tenant, payload }));
        }
    }

    fn payload(
        &self,
        files: &dyn Files,
        header_bytes: &[u8],
        header: &Header,
    ) -> Result<Vec<u8>, Error> {
        // The header was checked, so its length is at most that of the longest record.
        let mut bytes = vec![0; HEADER_BYTES + header.length];
        let (head, payload) = bytes.split_at_mut(HEADER_BYTES);
        head.copy_from_slice(header_bytes);
        let from = self.offset + HEADER_BYTES as u64;
        match self.file.read_exact_at(from, payload) {
            Ok(()) => {}
            Err(short) if short.kind() == std::io::ErrorKind::UnexpectedEof => {
                return Err(self.damaged(files)(Damage::Truncated("record")));
            }
            Err(source) => return Err(self.failed(files)(source)),
        }
        header.payload(&bytes).map_err(self.damaged(files))?;
        bytes.drain(..HEADER_BYTES);
        Ok(bytes)
    }

    /// Goes behind bytes that do not check; false where no good record follows in the segment.
    ///
    /// # Errors
    /// Where the segment cannot be read.
    pub(in crate::store) fn step_over(&mut self, files: &dyn Files) -> Result<bool, Error> {
        let path = segment_path(self.number);
        let bytes =
            read_whole(files, &path, SEGMENT_BYTES_MAX).map_err(failed(files, "read", &path))?;
        let found = scan(&bytes, self.number, self.database);
        let next = found.records.iter().find(|it| it.offset as u64 > self.offset);
        if let Some(next) = next {
            self.offset = next.offset as u64;
        }
        Ok(next.is_some())
    }

    fn failed(&self, files: &dyn Files) -> impl Fn(std::io::Error) -> Error {
        let path = files.path_of(&segment_path(self.number));
        move |source| Error::Io { call: "read", file: path.clone(), source }
    }

    fn damaged(&self, files: &dyn Files) -> impl Fn(Damage) -> Error {
        let (file, at) = (files.path_of(&segment_path(self.number)), self.offset);
        move |what| Error::Damaged { file: file.clone(), at, what }
    }
}

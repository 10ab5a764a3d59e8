//! The log and the files as one machine or many may keep them.

use std::ops::Range;

use crate::model::{Error, TenantId};

/// A share of series, by hash. A single node has one: 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u32);

/// Where a record stands in its stream. Of two rows alike the one of the later position wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The stream.
    pub stream: StreamId,
    /// Rises with every record; 0 is before the first.
    pub sequence: u64,
}

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// Where it stands.
    pub position: Position,
    /// Whose rows.
    pub tenant: TenantId,
    /// Packed columns, as storage-format.md has them.
    pub payload: Vec<u8>,
}

/// Called once, after the record is durable or was refused.
pub type LogDone = Box<dyn FnOnce(Result<Position, Error>) + Send>;

/// An ordered, durable log of records, in streams.
pub trait Log: Send + Sync {
    /// Appends to `stream`; `done` runs when the record is durable.
    fn append(&self, stream: StreamId, tenant: TenantId, payload: Vec<u8>, done: LogDone);

    /// Visits the records from `position` on, in order, to the end that is durable now.
    ///
    /// # Errors
    /// Where the log is damaged or cannot be read; or what `visit` returned.
    fn read_from(
        &self,
        position: Position,
        visit: &mut dyn FnMut(LogRecord) -> Result<(), Error>,
    ) -> Result<(), Error>;

    /// Records below `position` are no longer needed.
    ///
    /// # Errors
    /// Where files cannot be removed; the records may be there still.
    fn trim(&self, position: Position) -> Result<(), Error>;
}

/// Immutable files and the one place that lists them.
pub trait Blocks: Send + Sync {
    /// Stores `bytes` under a new `name`, durable on return.
    ///
    /// # Errors
    /// Where the name is taken or the bytes cannot be stored.
    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Error>;

    /// Reads the ranges of one file, in order.
    ///
    /// # Errors
    /// Where the file is missing, too short, or damaged.
    fn read(&self, name: &str, ranges: &[Range<u64>]) -> Result<Vec<Vec<u8>>, Error>;

    /// All names, sorted.
    ///
    /// # Errors
    /// Where the listing cannot be had.
    fn list(&self) -> Result<Vec<String>, Error>;

    /// Replaces the manifest if it still is of `version`; the new version.
    ///
    /// # Errors
    /// [`Error::Invalid`] where another writer was first.
    fn swap_manifest(&self, version: u64, bytes: &[u8]) -> Result<u64, Error>;
}

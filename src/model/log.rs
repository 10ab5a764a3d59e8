//! The log and the files as one machine or many may keep them.

use std::{fmt::Debug, ops::Range};

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

/// One object of [`Blocks`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlockEntry {
    /// Its whole name.
    pub name: String,
    /// Bytes in it.
    pub size: u64,
}

/// Objects by name, on a disk or far away. Names are '/'-separated, relative, without "." and "..".
///
/// Calls wait for an answer: whoever calls has a thread to spare.
pub trait Blocks: Send + Sync + Debug {
    /// Where the objects are, as a person would write it.
    fn place(&self) -> String;

    /// Stores `bytes` under `name`, in place of what was there; durable on return, and never seen in part.
    ///
    /// # Errors
    /// Where the bytes cannot be stored.
    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Error>;

    /// The same under a name that must be free; false where it is taken. The compare-and-swap of
    /// manifests, which have a number each.
    ///
    /// # Errors
    /// Where the bytes cannot be stored.
    fn put_new(&self, name: &str, bytes: &[u8]) -> Result<bool, Error>;

    /// A whole object; None where there is none.
    ///
    /// # Errors
    /// [`Error::Damaged`] where it has more than `limit` bytes; where it cannot be read.
    fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, Error>;

    /// Ranges of one object, in order.
    ///
    /// # Errors
    /// Where the object is missing or too short.
    fn read(&self, name: &str, ranges: &[Range<u64>]) -> Result<Vec<Vec<u8>>, Error>;

    /// All objects below a folder, sorted by name; "" is the root.
    ///
    /// # Errors
    /// Where the listing cannot be had.
    fn list(&self, folder: &str) -> Result<Vec<BlockEntry>, Error>;

    /// Removes an object, durably; fine where there is none.
    ///
    /// # Errors
    /// Where it cannot be removed.
    fn remove(&self, name: &str) -> Result<(), Error>;
}

//! What an operator asks of the store, as far as a URL needs to know it.

use crate::model::{Error, Matcher, TimeRange};

/// Upkeep and figures of a store. Calls that do work return when it is done.
pub trait Operations: Send + Sync {
    /// Brings all rows into files, sealed.
    ///
    /// # Errors
    /// Where files cannot be written.
    fn flush(&self) -> Result<(), Error>;

    /// Merges files as far as merging goes.
    ///
    /// # Errors
    /// Where files cannot be read or written.
    fn compact(&self) -> Result<(), Error>;

    /// Removes what is past retention.
    ///
    /// # Errors
    /// Where the manifest cannot be written.
    fn retention(&self) -> Result<(), Error>;

    /// Deletes the rows of series that match all `matchers`. Rows that are written later stay.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no matchers, or one that does not compile.
    fn delete(&self, matchers: &[Matcher], range: TimeRange) -> Result<(), Error>;

    /// Writes files anew that have rows which were deleted.
    ///
    /// # Errors
    /// Where files cannot be read or written.
    fn clean_deleted(&self) -> Result<(), Error>;

    /// Reads every byte of all files; what is damaged, each with file and place.
    fn scrub(&self) -> Vec<String>;

    /// What the scrub in the background found so far.
    fn scrub_findings(&self) -> Vec<String>;

    /// What lies on disk.
    ///
    /// # Errors
    /// Where a folder cannot be listed.
    fn storage(&self) -> Result<Storage, Error>;

    /// The files that hold rows, oldest rows first.
    fn row_files(&self) -> Vec<RowFile>;

    /// Numbers of the first and the last segment of the log; None where there is none.
    ///
    /// # Errors
    /// Where the folder cannot be listed.
    fn log_segments(&self) -> Result<Option<(u64, u64)>, Error>;

    /// Makes a backup where `to` says, or else where the server was told to.
    ///
    /// # Errors
    /// Where one is being made, or it cannot be made.
    fn back_up(&self, to: Option<&str>) -> Result<BackupMade, Error>;

    /// Makes a data directory of this moment in `snapshots/NAME`; without the log, rows that are not in
    /// files yet are not in it.
    ///
    /// # Errors
    /// Where the name is taken, or a file cannot be linked.
    fn snapshot(&self, name: &str, with_log: bool) -> Result<(), Error>;

    /// What the store counts.
    fn counters(&self) -> Vec<StoreCounter>;
}

/// A backup that was made.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct BackupMade {
    /// Its name.
    pub id: String,
    /// Its files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes that were stored for it: those that no earlier one had.
    pub stored_bytes: u64,
    /// The last record of the log in it.
    pub position: u64,
}

/// Sizes on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Storage {
    /// Kinds of files.
    pub kinds: Vec<StorageKind>,
    /// Bytes of indexes in all files.
    pub index_bytes: u64,
    /// All bytes.
    pub total_bytes: u64,
    /// Rows in files, those that are there twice counted twice.
    pub rows: u64,
}

/// Files of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StorageKind {
    /// The kind: wal, part, block, ….
    pub name: &'static str,
    /// How many.
    pub files: u64,
    /// Their size.
    pub bytes: u64,
}

/// A file that holds rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowFile {
    /// Its number.
    pub id: u64,
    /// Whether it has its own labels: a block. If not, it is a part.
    pub is_block: bool,
    /// First and last row, ns.
    pub times: (i64, i64),
    /// How many series.
    pub series: u64,
    /// How many rows.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
}

/// A figure of the store.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StoreCounter {
    /// The metric's name.
    pub name: &'static str,
    /// Whether it only rises.
    pub is_counter: bool,
    /// What it tells.
    pub help: &'static str,
    /// The figure now.
    pub value: f64,
}

//! Who reads the log, and what of it is therefore kept.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::os::Files;
use crate::store::{
    Config,
    db::{Db, held},
    error::Error,
    manifest::{Edit, State},
};

/// All readers, by name.
#[derive(Debug, Default)]
pub(in crate::store) struct Followers {
    /// The position up to which each has everything.
    read: Mutex<BTreeMap<String, u64>>,
    /// Records up to here may be read.
    end: AtomicU64,
}

impl Followers {
    /// Without readers; records up to `end` may be read.
    pub(in crate::store) fn up_to(end: u64) -> Self {
        Self { end: end.into(), ..Self::default() }
    }

    /// Lets records up to `end` be read.
    pub(in crate::store) fn show(&self, end: u64) {
        self.end.fetch_max(end, Ordering::AcqRel);
    }

    /// Records up to here may be read.
    pub(super) fn end(&self) -> u64 {
        self.end.load(Ordering::Acquire)
    }

    /// Notes how far a reader is.
    pub(super) fn note(&self, name: &str, position: u64) {
        held(&self.read).insert(name.to_owned(), position);
    }

    /// A reader is gone; what it has not read is not kept for it.
    pub(super) fn forget(&self, name: &str) {
        held(&self.read).remove(name);
    }

    /// The position up to which all have everything. None where there is no reader.
    fn lowest(&self) -> Option<u64> {
        held(&self.read).values().min().copied()
    }

    /// Whether all have everything up to `position`.
    pub(in crate::store) fn have_read(&self, position: u64) -> bool {
        self.lowest().is_none_or(|lowest| lowest >= position)
    }
}

/// # Errors
/// [`Error::Invalid`] where a store that keeps a log only would be opened on rows in files.
pub(in crate::store) fn check_log_only(
    files: &dyn Files,
    config: Config,
    state: &State,
) -> Result<(), Error> {
    if !config.is_log_only || state.files.is_empty() {
        return Ok(());
    }
    let directory = files.path_of("");
    let shown = directory.display();
    Err(Error::Invalid(format!("{shown} holds a server's rows: a buffer needs a directory alone")))
}

impl Db {
    /// The position up to which the log may be forgotten, where its rows up to `in_files` are kept
    /// elsewhere.
    pub(in crate::store) fn forgettable(&self, in_files: u64) -> u64 {
        let wanted = self.followers.lowest().unwrap_or(in_files);
        held(&self.commit).wal.bounded(wanted, in_files, self.config.follow_bytes_max)
    }

    /// Forgets what all readers have, in a store that keeps rows in its log only. The caller holds
    /// `upkeep`.
    pub(in crate::store) fn trim_log(&self) -> Result<(), Error> {
        let last = held(&self.commit).wal.last();
        // Without a reader nothing is known to be read.
        let wanted = self.followers.lowest().unwrap_or(0);
        let position = held(&self.commit).wal.bounded(wanted, last, self.config.follow_bytes_max);
        let first = held(&self.commit).wal.first_number_above(position);
        if first == held(&self.manifest).state().segments.0 {
            return Ok(());
        }
        let edits = vec![Edit::InFiles(position), Edit::NextSeries(self.catalog.next_series())];
        self.apply_with_segments(edits, position)?;
        held(&self.commit).wal.trim(position).map(|_| ())
    }
}

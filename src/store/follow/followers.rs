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

use super::bookmark::{lowest_of_all, remove};

/// All readers, by name.
#[derive(Debug, Default)]
pub(in crate::store) struct Followers {
    /// The position up to which each has everything.
    read: Mutex<BTreeMap<String, u64>>,
    /// Records up to here may be read.
    end: AtomicU64,
}

impl Followers {
    /// All of whom there are marks; records up to `end` may be read.
    ///
    /// # Errors
    /// Where the marks cannot be listed.
    pub(in crate::store) fn open(
        files: &dyn Files,
        database: u128,
        end: u64,
    ) -> Result<Self, Error> {
        let read = lowest_of_all(files, database)?;
        Ok(Self { read: Mutex::new(read.into_iter().collect()), end: end.into() })
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

    /// Names that `is_gone` says, forgotten: what they have not read is not kept for them.
    fn forget(&self, is_gone: impl Fn(&str) -> bool) -> Vec<String> {
        held(&self.read).extract_if(.., |name, _| is_gone(name)).map(|(name, _)| name).collect()
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
    /// Forgets readers whose names begin with `prefix` and are none of `names`, with their marks.
    ///
    /// # Errors
    /// Where marks cannot be removed.
    pub fn retain_followers(&self, prefix: &str, names: &[String]) -> Result<(), Error> {
        let is_gone =
            |name: &str| name.starts_with(prefix) && names.iter().all(|known| known != name);
        let gone = self.followers.forget(is_gone);
        gone.iter().try_for_each(|name| remove(&*self.files, name))
    }

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

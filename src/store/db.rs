//! The store, wired: what is shared, and by which locks.
//!
//! Locks are taken in this order, each for lines: `upkeep`, `commit`, `manifest`, `live`. The catalog
//! has its own, innermost. What they guard is decided elsewhere: `commit` for the way in, `flush`,
//! `compact` and `upkeep` for what follows, `select` for the way out.

use std::sync::{
    Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock,
    atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

use crate::model::{
    self, Batch, Door, Label, SeriesKey, SeriesRef, SinkDone, TenantId, TimeRange, Timestamp,
};
use crate::os::{Clock, Files, Lock, PageCache};

use super::{
    backup::Memo,
    catalog::Catalog,
    commit::{Commit, Queue},
    config::{Config, RetentionRule},
    counters::Counters,
    error::Error,
    follow::Followers,
    live::Live,
    manifest::Manifest,
    retire::Idle,
    scrub::Scrub,
};

/// A database.
#[derive(Debug)]
pub struct Db {
    pub(super) files: Arc<dyn Files>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) config: Config,
    pub(super) database: u128,
    pub(super) catalog: Arc<Catalog>,
    pub(super) page_cache: Arc<PageCache>,
    pub(super) queue: Mutex<Queue>,
    /// Rung when the queue is not empty, or the database was closed.
    pub(super) queue_bell: Condvar,
    pub(super) upkeep: Mutex<()>,
    pub(super) commit: Mutex<Commit>,
    pub(super) manifest: Mutex<Manifest>,
    pub(super) live: RwLock<Live>,
    /// Rung when there may be something to keep up; guards the number of rings.
    pub(super) upkeep_bell: (Mutex<u64>, Condvar),
    pub(super) idle: Mutex<Idle>,
    /// Which series are kept for less long than others.
    pub(super) rules: Mutex<Arc<[RetentionRule]>>,
    /// Whether files may hold rows of series that retention has dropped.
    pub(super) may_thin: AtomicBool,
    pub(super) scrub: Mutex<Scrub>,
    /// What the last backup stored of log and catalog.
    pub(super) backed_up: Mutex<Memo>,
    pub(super) followers: Followers,
    pub(super) is_closed: AtomicBool,
    /// Bytes in use, as last counted.
    pub(super) memory: AtomicU64,
    pub(super) counters: Counters,
    pub(super) _lock: Box<dyn Lock>,
}

pub(super) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere leaves these in a state that the next start repairs from the log.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Db {
    /// What a reader sees now.
    pub(super) fn live(&self) -> Live {
        self.live.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes what readers see from now on.
    pub(super) fn change_live(&self, change: impl FnOnce(&mut Live)) {
        change(&mut self.live.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Whether [`Self::close`] was called.
    pub fn is_closed(&self) -> bool {
        self.is_closed.load(Relaxed)
    }

    /// Ends the loops of [`Self::run_commits`] and [`Self::run_upkeep`]; what is queued is still
    /// written, what comes later is refused.
    pub fn close(&self) {
        {
            let _queue = held(&self.queue);
            self.is_closed.store(true, Relaxed);
        }
        self.queue_bell.notify_all();
        self.ring_upkeep();
    }

    /// Lets the upkeep loop look at once.
    pub(super) fn ring_upkeep(&self) {
        *held(&self.upkeep_bell.0) += 1;
        self.upkeep_bell.1.notify_all();
    }

    /// Counts the bytes in use anew.
    pub(super) fn count_memory(&self) -> u64 {
        let live = self.live();
        let heads: usize = live.heads().map(|head| head.bytes()).sum();
        let tables: usize = live.all_files().map(|file| file.memory_bytes()).sum();
        let bytes = (heads + tables + self.catalog.bytes() + self.page_cache.bytes()) as u64;
        self.memory.store(bytes, Relaxed);
        bytes
    }

    /// # Errors
    /// [`Error::OutOfMemory`] where more is in use than may be.
    pub(super) fn check_memory(&self) -> Result<(), Error> {
        let (used, limit) = (self.memory.load(Relaxed), self.config.memory_max);
        if used > limit { Err(Error::OutOfMemory { used, limit }) } else { Ok(()) }
    }

    /// The first instant that is kept: what retention allows and was not dropped.
    pub(super) fn oldest(&self) -> i64 {
        let kept = self.config.retention.map_or(i64::MIN, |retention| {
            let span = i64::try_from(retention.as_nanos()).unwrap_or(i64::MAX);
            self.clock.now().saturating_sub(span)
        });
        let dropped = self.live.read().unwrap_or_else(PoisonError::into_inner).dropped_until;
        kept.max(dropped.saturating_add(1))
    }

    /// The first instant whose rows are seen. With tiers, rows are seen until their partition goes, so
    /// that buckets take over at once and whole.
    pub(super) fn seen_from(&self) -> i64 {
        if self.config.tiers().is_empty() {
            return self.oldest();
        }
        let dropped = self.live.read().unwrap_or_else(PoisonError::into_inner).dropped_until;
        dropped.saturating_add(1)
    }
}

impl model::Registry for Db {
    fn key(&self, tenant: TenantId, door: Door, bytes: &[u8]) -> SeriesKey {
        self.catalog.cache.key(tenant, door, bytes)
    }

    fn find(&self, key: SeriesKey) -> Option<SeriesRef> {
        self.catalog.cache.find(key)
    }

    fn register(
        &self,
        _tenant: TenantId,
        sets: &[&[Label<'_>]],
        refs: &mut Vec<SeriesRef>,
    ) -> Result<(), model::Error> {
        self.check_memory()?;
        if self.catalog.register(sets, refs) {
            return Ok(());
        }
        Err(model::Error::Invalid("series has more labels than a store can keep".to_owned()))
    }

    fn bind(&self, key: SeriesKey, series: SeriesRef) {
        self.catalog.cache.bind(key, series);
    }

    fn window(&self) -> TimeRange {
        let ahead = i64::try_from(self.config.future_max.as_nanos()).unwrap_or(i64::MAX);
        let newest = Timestamp(self.clock.now().saturating_add(ahead));
        let range = TimeRange::closed(Timestamp(self.oldest()), newest);
        range.unwrap_or(TimeRange::ALL)
    }
}

impl model::Sink for Db {
    fn write(&self, batch: Batch, done: SinkDone) {
        self.enqueue(batch, done);
    }
}

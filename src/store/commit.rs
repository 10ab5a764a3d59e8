//! The way in: batches queue, and share one write and one sync of the log.
//!
//! Order: new series to the catalog's log, its sync; the group to the log, its sync; then the rows to
//! the head, where readers see them; then the acknowledgements. One thread does this, so rows come
//! to the head in the order of the log, and the later wins.

use std::sync::{Arc, MutexGuard};

use crate::model::{Batch, Error as DoorError, Position, SeriesRef, SinkDone, StreamId};

use super::{
    backup::Retired,
    catalog::{CatalogLog, Slot},
    changes::Touched,
    config::SyncPolicy,
    counters::Counters,
    db::{Db, held},
    error::Error,
    manifest::Edit,
    wal::{self, Form, RECORD_BYTES_MAX, Sealed, Wal},
};

/// Bytes of one group: bounds the time until the first of it is acknowledged.
const GROUP_BYTES_MAX: usize = 16 << 20;

/// A batch, packed for the log by its writer's own thread.
pub(super) struct Pending {
    /// Most batches are one record; one that is too long is several.
    records: Vec<Sealed>,
    batches: Vec<Batch>,
    done: SinkDone,
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pending").field("records", &self.records.len()).finish_non_exhaustive()
    }
}

/// Batches that wait for the next group.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pending: Vec<Pending>,
}

/// The writing ends of the logs.
#[derive(Debug)]
pub(super) struct Commit {
    pub(super) wal: Wal,
    pub(super) catalog_log: CatalogLog,
    /// Slots below are in the catalog's log.
    pub(super) logged: Slot,
    /// When the last sync was, by the monotonic clock.
    pub(super) synced_at: std::time::Duration,
}

impl Db {
    /// Packs a batch and queues it.
    pub(super) fn enqueue(&self, batch: Batch, done: SinkDone) {
        if let Err(error) = self.check_memory() {
            Counters::add(&self.counters.refused, 1);
            return done(Err(error.into()));
        }
        let mut pending = Pending { records: Vec::new(), batches: Vec::new(), done };
        if let Err(error) = pack(batch, &mut pending) {
            return (pending.done)(Err(error.into()));
        }
        let mut queue = held(&self.queue);
        if self.is_closed() {
            drop(queue);
            return (pending.done)(Err(Error::Closed.into()));
        }
        queue.pending.push(pending);
        drop(queue);
        self.queue_bell.notify_one();
    }

    /// Commits what is queued until the database is closed: a thread's life.
    pub fn run_commits(&self) {
        loop {
            let mut queue = held(&self.queue);
            while queue.pending.is_empty() {
                if self.is_closed() {
                    drop(queue);
                    self.sync_late();
                    return;
                }
                queue = match self.config.sync {
                    SyncPolicy::Interval(interval) => {
                        let waited = self.queue_bell.wait_timeout(queue, interval);
                        waited.unwrap_or_else(std::sync::PoisonError::into_inner).0
                    }
                    _ => self
                        .queue_bell
                        .wait(queue)
                        .unwrap_or_else(std::sync::PoisonError::into_inner),
                };
                if queue.pending.is_empty() && matches!(self.config.sync, SyncPolicy::Interval(_)) {
                    break;
                }
            }
            drop(queue);
            if self.commit_queued() == 0 {
                self.sync_late();
            }
        }
    }

    /// Commits what is queued now, as one group; how many batches that was.
    pub fn commit_queued(&self) -> usize {
        let pending = take_group(&mut held(&self.queue).pending);
        let count = pending.len();
        if count == 0 {
            return 0;
        }
        let commit = held(&self.commit);
        let pending = self.refuse_retired(pending);
        let mut records = Vec::with_capacity(count);
        let mut waiting = Vec::with_capacity(count);
        for mut it in pending {
            waiting.push((it.records.len() as u64, it.batches, it.done));
            records.append(&mut it.records);
        }
        let committed =
            self.commit_group(commit, &records, waiting.iter().flat_map(|(_, batches, _)| batches));
        let (mut position, answer) = match committed {
            Ok(first) => (first, Ok(())),
            Err(error) => {
                Counters::add(&self.counters.refused, count as u64);
                (0, Err(DoorError::from(&error)))
            }
        };
        for (records, batches, done) in waiting {
            position += records;
            drop(batches);
            let sequence = position - 1;
            done(answer.clone().map(|()| Position { stream: StreamId(0), sequence }));
        }
        count
    }

    /// Answers batches that name a series which was retired since it was looked up; the others.
    fn refuse_retired(&self, pending: Vec<Pending>) -> Vec<Pending> {
        let (known, unknown): (Vec<_>, Vec<_>) = self.catalog.with(|index| {
            let is_known = |series: SeriesRef| index.slot(series).is_some();
            let all_known = |batch: &Batch| {
                batch.rows.series().iter().all(|series| is_known(*series))
                    && batch.histograms.iter().all(|row| is_known(row.series))
            };
            pending.into_iter().partition(|it| it.batches.iter().all(all_known))
        });
        for it in unknown {
            Counters::add(&self.counters.refused, 1);
            let text = "a series was retired while the request was under way: send it again";
            (it.done)(Err(DoorError::Unavailable(text.to_owned())));
        }
        known
    }

    /// Makes a group durable and visible; the position of its first record.
    fn commit_group<'a>(
        &self,
        mut guard: MutexGuard<'_, Commit>,
        records: &[Sealed],
        batches: impl Iterator<Item = &'a Batch> + Clone,
    ) -> Result<u64, Error> {
        if records.is_empty() {
            return Ok(guard.wal.last() + 1);
        }
        self.check_space()?;
        let commit = &mut *guard;
        let metadata = self.catalog.news(batches.clone().flat_map(|batch| &batch.metadata));
        let visible = self.log_series(commit, &metadata)?;
        let must_sync = match self.config.sync {
            SyncPolicy::Commit => true,
            SyncPolicy::Interval(interval) => self.clock.monotonic() >= commit.synced_at + interval,
            SyncPolicy::None => false,
        };
        if must_sync {
            commit.catalog_log.sync()?;
        }
        let manifest = self.prepare_segment(commit, records)?;
        let first = commit.wal.last() + 1;
        let catalog = commit.catalog_log.durable();
        commit.wal.append(records, wal::Known { catalog, manifest, now: self.clock.now() })?;
        if must_sync {
            commit.wal.sync()?;
            commit.synced_at = self.clock.monotonic();
        }
        self.catalog.show(visible);
        self.catalog.note(metadata.into_iter().cloned());
        let head =
            Arc::clone(&self.live.read().unwrap_or_else(std::sync::PoisonError::into_inner).active);
        let now = u64::try_from(self.clock.monotonic().as_nanos()).unwrap_or(u64::MAX);
        head.since(now);
        if self.config.is_log_only {
            self.note_active(batches.clone());
        }
        let mut rows = 0;
        let mut touched = Touched::default();
        self.catalog.with(|index| {
            for (position, batch) in (first..).zip(batches) {
                if !self.config.is_log_only {
                    let unknown = head.apply(batch, position, |series| index.slot(series));
                    Counters::add(&self.counters.rows_unknown, unknown);
                    touched.add(batch);
                }
                rows += (batch.rows.len() + batch.histograms.len()) as u64;
            }
        });
        self.changes.note(&touched);
        self.followers.show(guard.wal.last());
        drop(guard);
        Counters::add(&self.counters.rows, rows);
        Counters::add(&self.counters.groups, 1);
        Counters::add(&self.counters.batches, records.len() as u64);
        Counters::add(
            &self.counters.log_bytes,
            records.iter().map(|it| it.payload.len() as u64).sum(),
        );
        if head.rows() >= self.config.flush_rows {
            self.ring_upkeep();
        }
        Ok(first)
    }

    /// Appends to the catalog's log what it does not hold yet; the slots it then holds.
    fn log_series(
        &self,
        commit: &mut Commit,
        metadata: &[&crate::model::Metadata],
    ) -> Result<Slot, Error> {
        if !commit.catalog_log.is_open() {
            let end = self.begin_catalog(commit)?;
            // The new file has what is known; what this group brings is known only after it.
            commit.catalog_log.append_metadata(metadata)?;
            return Ok(end);
        }
        let end = self.catalog.with(|index| {
            let slots: Vec<Slot> = (commit.logged..index.len()).collect();
            commit.catalog_log.append_series(index, &slots).map(|()| index.len())
        })?;
        commit.logged = end;
        commit.catalog_log.append_metadata(metadata)?;
        Ok(end)
    }

    /// Makes a new file of the catalog that holds all series, and removes the one before.
    pub(super) fn begin_catalog(&self, commit: &mut Commit) -> Result<Slot, Error> {
        let known = self.catalog.metadata().clone();
        let (old, end) = (
            commit.catalog_log.number(),
            self.catalog.with(|index| {
                let slots: Vec<Slot> = index.slots().iter().collect();
                commit.catalog_log.begin(index, &slots, known.values()).map(|_| index.len())
            })?,
        );
        let number = commit.catalog_log.number();
        let edits = [Edit::Catalog(number), Edit::NextSeries(self.catalog.next_series())];
        if let Err(error) = held(&self.manifest).apply(&edits) {
            // Not known, so nothing may count on it.
            commit.catalog_log.abandon();
            return Err(error);
        }
        if old > 0 {
            // Best effort: a file that the manifest does not list is removed at the next start.
            let retired = Retired::of(&self.config);
            drop(retired.put_away(&*self.files, &super::catalog::catalog_path(old)));
        }
        commit.logged = end;
        Ok(end)
    }

    /// Begins a segment if the group needs one; the manifest edits that are durable.
    fn prepare_segment(&self, commit: &mut Commit, records: &[Sealed]) -> Result<u64, Error> {
        if commit.wal.needs_segment(records) {
            commit.wal.begin_segment()?;
        }
        let mut manifest = held(&self.manifest);
        let (first, end) = manifest.state().segments;
        // Also where an edit failed before: a segment with records is always listed.
        if end != commit.wal.next_number() {
            manifest.apply(&[Edit::Segments(first, commit.wal.next_number())])?;
        }
        Ok(manifest.sequence())
    }

    /// Syncs what policies other than `commit` left unsynced.
    fn sync_late(&self) {
        if self.config.sync == SyncPolicy::Commit {
            return;
        }
        let mut commit = held(&self.commit);
        if commit.wal.durable() < commit.wal.last()
            && commit.catalog_log.sync().and_then(|()| commit.wal.sync()).is_err()
        {
            Counters::add(&self.counters.refused, 1);
        }
        commit.synced_at = self.clock.monotonic();
    }

    /// # Errors
    /// [`Error::Full`] where less is free than is kept back for upkeep.
    pub(super) fn check_space(&self) -> Result<(), Error> {
        let Ok(space) = self.files.space() else { return Ok(()) };
        let reserve = space.total / 100 * u64::from(self.config.reserve_percent);
        // On a large disk a share of it is more than upkeep ever needs.
        let reserve = reserve.min(RESERVE_MAX);
        if space.free < reserve {
            return Err(Error::Full {
                directory: self.files.path_of(""),
                free: space.free,
                reserve,
            });
        }
        Ok(())
    }
}

/// Bytes kept back at most: a few of the largest merges.
const RESERVE_MAX: u64 = 8 << 30;

/// The batches of the next group, oldest first.
fn take_group(pending: &mut Vec<Pending>) -> Vec<Pending> {
    let mut bytes = 0;
    let mut count = 0;
    for it in pending.iter() {
        bytes += it.records.iter().map(|record| record.payload.len()).sum::<usize>();
        if count > 0 && bytes > GROUP_BYTES_MAX {
            break;
        }
        count += 1;
    }
    if count == pending.len() {
        return std::mem::take(pending);
    }
    pending.drain(..count).collect()
}

/// Packs a batch as one record, or as several where one would be too long.
fn pack(batch: Batch, out: &mut Pending) -> Result<(), Error> {
    let mut payload = Vec::with_capacity(64 + batch.rows.len() * 6);
    wal::encode_rows(&batch, &mut payload);
    if payload.len() <= RECORD_BYTES_MAX {
        payload.shrink_to_fit();
        out.records.push(wal::seal(batch.tenant, Form::Refs, payload));
        out.batches.push(batch);
        return Ok(());
    }
    drop(payload);
    let Some((first, second)) = batch.split() else {
        return Err(Error::Invalid(format!("one row takes more than {RECORD_BYTES_MAX} bytes")));
    };
    pack(first, out)?;
    pack(second, out)
}

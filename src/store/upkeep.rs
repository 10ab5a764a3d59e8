//! What goes on in the background: flush, merge, seal, retention. One at a time.

use std::{sync::PoisonError, time::Duration};

use super::{
    counters::Counters,
    db::{Db, held},
    error::Error,
    manifest::Partition,
    plan::{self, Aged, Job, Moment},
};

/// How often is looked, when nothing rings.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl Db {
    /// Keeps the database up until it is closed: a thread's life. `failed` is told what went wrong; it
    /// is tried again. `found` is told what the scrub found damaged, once.
    pub fn run_upkeep(&self, mut failed: impl FnMut(&Error), mut found: impl FnMut(&str)) {
        let mut seen = 0;
        let mut rest = LOOK_EVERY;
        while !self.is_closed() {
            {
                let rings = held(&self.upkeep_bell.0);
                if *rings == seen {
                    let waited = self.upkeep_bell.1.wait_timeout(rings, rest);
                    seen = *waited.unwrap_or_else(PoisonError::into_inner).0;
                } else {
                    seen = *rings;
                }
            }
            let kept = self.keep_up();
            self.new_scrub_findings().iter().for_each(|it| found(it));
            rest = match kept {
                Ok(()) => LOOK_EVERY,
                Err(error) => {
                    Counters::add(&self.counters.upkeep_failures, 1);
                    failed(&error);
                    // A disk that is full stays so for a while.
                    (rest * 2).min(Duration::from_secs(30))
                }
            };
        }
    }

    /// Does what is due now.
    ///
    /// # Errors
    /// The first thing that failed; nothing is lost by it.
    pub fn keep_up(&self) -> Result<(), Error> {
        self.count_memory();
        let _upkeep = held(&self.upkeep);
        if self.config.is_log_only {
            self.trim_log()?;
            return self.retire_series();
        }
        self.drop_expired()?;
        if self.should_flush() {
            self.flush_head()?;
        }
        while !self.is_closed() {
            let Some(job) = self.next_job() else { break };
            self.or_rest(match job {
                Job::Merge(partition, inputs) => self.merge_parts(partition, &inputs),
                Job::Seal(partition) => self.seal(partition),
                Job::MergeTier(partition, inputs) => self.merge_tier(partition, &inputs),
            })?;
        }
        if self.downsample_one()? {
            // One at a time: rows must not wait long for their flush.
            self.ring_upkeep();
        }
        self.scrub_some();
        self.retire_series()
    }

    /// An archive that does not answer is no reason to leave other work undone: what needs it waits.
    pub(super) fn or_rest(&self, done: Result<(), Error>) -> Result<(), Error> {
        match done {
            Err(error @ Error::Archive { .. }) => {
                let now = self.clock.monotonic();
                let is_news = !self.archive.is_resting(now);
                self.archive.rest(now);
                if is_news { Err(error) } else { Ok(()) }
            }
            done => done,
        }
    }

    fn should_flush(&self) -> bool {
        let live = self.live();
        if live.frozen.is_some() {
            return true;
        }
        if live.active.is_empty() {
            return false;
        }
        let now = u64::try_from(self.clock.monotonic().as_nanos()).unwrap_or(u64::MAX);
        let age = Duration::from_nanos(now.saturating_sub(live.active.since(now)));
        let is_heavy = live.active.bytes() as u64 > self.config.memory_max / 4;
        live.active.rows() >= self.config.flush_rows || age >= self.config.flush_after || is_heavy
    }

    fn next_job(&self) -> Option<Job> {
        let live = self.live();
        let now = self.clock.monotonic();
        let aged = |file: &std::sync::Arc<super::file::DataFile>| now.saturating_sub(file.opened);
        let files: Vec<Aged<'_>> =
            live.all_files().map(|file| Aged { meta: &file.meta, age: aged(file) }).collect();
        let in_heads = |partition: Partition| {
            live.heads()
                .filter_map(|head| head.times())
                .any(|(first, last)| first <= partition.until && last > partition.after)
        };
        let moment = Moment { now: self.clock.now(), seal_after: self.config.seal_after };
        let is_resting = self.archive.is_resting(now);
        let is_archived =
            |partition: Partition| live.of(partition).any(|file| file.meta.archived.is_some());
        let may_run = |job: &Job| match job {
            Job::Seal(partition) => !(is_resting && is_archived(*partition)),
            Job::Merge(..) | Job::MergeTier(..) => true,
        };
        plan::plan(&files, in_heads, moment).into_iter().find(may_run)
    }

    /// Writes the head, and seals every partition now.
    ///
    /// # Errors
    /// Where a file cannot be written or is damaged; nothing is lost by it.
    pub fn flush(&self) -> Result<(), Error> {
        let _upkeep = held(&self.upkeep);
        while self.flush_head()? {}
        let sealed = self.live().partitions().into_iter().map(|partition| self.seal(partition));
        // One that cannot be read keeps no other from being sealed.
        sealed.fold(Ok(()), Result::and)?;
        self.clean_tiers()?;
        self.retire_series()?;
        self.count_memory();
        Ok(())
    }

    /// Writes the head, and makes one part of all parts of each partition.
    ///
    /// # Errors
    /// As [`Self::flush`].
    pub fn compact(&self) -> Result<(), Error> {
        let _upkeep = held(&self.upkeep);
        while self.flush_head()? {}
        let live = self.live();
        for partition in live.partitions() {
            let files: Vec<_> = live.of(partition).collect();
            // Not past a block between two: its rows would change places with theirs.
            for parts in files.split(|it| it.is_block()) {
                let parts: Vec<_> = parts.iter().map(|it| it.meta.id).collect();
                self.merge_parts(partition, &parts)?;
            }
        }
        Ok(())
    }

    /// Carries out deletions in files of tiers.
    fn clean_tiers(&self) -> Result<(), Error> {
        let live = self.live();
        let tiers: std::collections::BTreeSet<Partition> =
            live.tiers.iter().map(|file| file.meta.partition).collect();
        let mut due = tiers.into_iter().filter(|it| Self::has_deletions(&live, *it));
        due.try_for_each(|partition| self.merge_whole_tier(partition))
    }

    /// Writes all files anew that have rows or buckets which were deleted.
    ///
    /// # Errors
    /// As [`Self::flush`].
    pub fn clean_deleted(&self) -> Result<(), Error> {
        let _upkeep = held(&self.upkeep);
        let live = self.live();
        let mut due = live.partitions().into_iter().filter(|it| Self::has_deletions(&live, *it));
        due.try_for_each(|partition| self.seal(partition))?;
        self.clean_tiers()
    }

    /// Drops what retention no longer keeps, now.
    ///
    /// # Errors
    /// As [`Self::flush`].
    pub fn retention(&self) -> Result<(), Error> {
        let _upkeep = held(&self.upkeep);
        self.drop_expired()
    }
}

//! How far each shard is, kept on disk, and what a receiver's queue counts.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{
            AtomicU64, AtomicUsize,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
    time::Duration,
};

use crate::store::{self, Bookmark, Db, Mark};

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these guard is whole between lines.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How far one shard is.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Rows handed to it that are not done.
    waiting: AtomicUsize,
    /// The mark of the last row that is done.
    after: Mutex<Mark>,
}

/// What is counted of one receiver.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) rows_read: AtomicU64,
    pub(super) rows_sent: AtomicU64,
    pub(super) bytes_sent: AtomicU64,
    pub(super) requests: AtomicU64,
    pub(super) failures: AtomicU64,
    pub(super) rows_retried: AtomicU64,
    pub(super) rows_refused: AtomicU64,
    pub(super) rows_too_old: AtomicU64,
    pub(super) rows_dropped: AtomicU64,
    pub(super) rows_unknown: AtomicU64,
    pub(super) records_missed: AtomicU64,
    pub(super) metadata_sent: AtomicU64,
    /// ns that shards spent sending.
    pub(super) busy_ns: AtomicU64,
}

impl Counts {
    /// Adds to a counter.
    pub(super) fn add(counter: &AtomicU64, count: usize) {
        counter.fetch_add(count as u64, Relaxed);
    }
}

/// The books of one receiver.
#[derive(Debug)]
pub(super) struct Ledger {
    db: Arc<Db>,
    bookmark: Mutex<Bookmark>,
    shards: Mutex<Vec<Arc<Tally>>>,
    /// All rows of records up to here were handed to shards.
    handed_out: AtomicU64,
    lag: Mutex<Lag>,
    pub(super) counts: Counts,
}

impl Ledger {
    /// Goes on where `bookmark` is.
    pub(super) fn new(db: Arc<Db>, bookmark: Bookmark) -> Self {
        let tally = |mark: &Mark| Arc::new(Tally { after: Mutex::new(*mark), ..Tally::default() });
        let lowest = bookmark.marks().iter().map(|mark| mark.position).min().unwrap_or(0);
        Self {
            db,
            shards: Mutex::new(bookmark.marks().iter().map(tally).collect()),
            bookmark: Mutex::new(bookmark),
            handed_out: lowest.into(),
            lag: Mutex::default(),
            counts: Counts::default(),
        }
    }

    /// The shards' tallies.
    pub(super) fn shards(&self) -> Vec<Arc<Tally>> {
        held(&self.shards).clone()
    }

    /// Whether nothing waits.
    pub(super) fn is_idle(&self) -> bool {
        held(&self.shards).iter().all(|tally| tally.is_idle())
    }

    /// New shards, all of them at one place, when the old ones have nothing left.
    pub(super) fn reshard(&self, count: usize) {
        let mark = Mark { position: self.handed_out.load(Acquire), rows: 0 };
        let tally = || Arc::new(Tally { after: Mutex::new(mark), ..Tally::default() });
        *held(&self.shards) = std::iter::repeat_with(tally).take(count).collect();
    }

    /// The position up to which all was handed out.
    pub(super) fn handed_out(&self) -> u64 {
        self.handed_out.load(Acquire)
    }

    /// Rows up to `position` were handed to shards.
    pub(super) fn hand_out(&self, position: u64) {
        self.handed_out.fetch_max(position, Release);
    }

    /// Rows that wait in memory.
    pub(super) fn waiting(&self) -> usize {
        held(&self.shards).iter().map(|tally| tally.waiting.load(Relaxed)).sum()
    }

    /// Records that are not done.
    pub(super) fn records_waiting(&self) -> u64 {
        self.db.log_end().saturating_sub(self.lowest())
    }

    fn lowest(&self) -> u64 {
        self.marks().iter().map(|mark| mark.position).min().unwrap_or(0)
    }

    /// What is done now, a shard each.
    fn marks(&self) -> Vec<Mark> {
        // Asked first: what is handed out later is waiting, or done and said by its shard.
        let handed_out = Mark { position: self.handed_out.load(Acquire), rows: 0 };
        let mark = |tally: &Arc<Tally>| {
            let is_idle = tally.is_idle();
            let after = *held(&tally.after);
            if is_idle { after.max(handed_out) } else { after }
        };
        held(&self.shards).iter().map(mark).collect()
    }

    /// Writes down what is done, where that is more than was written.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(super) fn save(&self, durable: bool) -> Result<(), store::Error> {
        let mut bookmark = held(&self.bookmark);
        let marks = self.marks();
        if marks != bookmark.marks() || (durable && !bookmark.is_durable()) {
            bookmark.save(marks, durable)?;
        }
        Ok(())
    }

    /// How long the oldest record that is not done has been waiting, at `now`.
    pub(super) fn lag(&self, now: Duration) -> Duration {
        let (end, done) = (self.db.log_end(), self.lowest());
        held(&self.lag).look(now, end, done)
    }
}

impl Tally {
    /// Rows are handed to the shard, behind all records up to `position`.
    pub(super) fn take(&self, rows: usize, position: u64) {
        if self.is_idle() {
            // What came before had none of its rows: that is not forgotten while these wait.
            let mut after = held(&self.after);
            *after = (*after).max(Mark { position, rows: 0 });
        }
        self.waiting.fetch_add(rows, Release);
    }

    /// Rows are done, the last of them with this mark.
    pub(super) fn finish(&self, rows: usize, after: Mark) {
        *held(&self.after) = after;
        self.waiting.fetch_sub(rows, Release);
    }

    /// Whether nothing waits.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.load(Acquire) == 0
    }
}

/// When the end of the log was seen where: enough to say how long something waits.
#[derive(Debug, Default)]
struct Lag {
    /// Ends, each with the time it was first seen; rising.
    seen: VecDeque<(u64, Duration)>,
}

/// Ends that are remembered; of more, every other is forgotten.
const SEEN_MAX: usize = 2048;

impl Lag {
    fn look(&mut self, now: Duration, end: u64, done: u64) -> Duration {
        if self.seen.back().is_none_or(|(seen, _)| *seen < end) {
            self.seen.push_back((end, now));
        }
        // What stays in front is the first end that is beyond what is done.
        while self.seen.front().is_some_and(|(seen, _)| *seen <= done) && self.seen.len() > 1 {
            self.seen.pop_front();
        }
        if self.seen.len() > SEEN_MAX {
            let mut is_even = false;
            self.seen.retain(|_| {
                is_even = !is_even;
                is_even
            });
        }
        let waiting = self.seen.front().filter(|(seen, _)| *seen > done);
        waiting.map_or(Duration::ZERO, |(_, since)| now.saturating_sub(*since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_is_the_age_of_the_oldest_that_waits() {
        let (mut lag, s) = (Lag::default(), Duration::from_secs);
        assert_eq!(lag.look(s(10), 5, 5), s(0));
        assert_eq!(lag.look(s(11), 8, 5), s(0));
        assert_eq!(lag.look(s(15), 9, 5), s(4));
        assert_eq!(lag.look(s(16), 9, 8), s(1));
        assert_eq!(lag.look(s(20), 9, 9), s(0));
        assert_eq!(lag.look(s(30), 9, 9), s(0));
        assert_eq!(lag.look(s(31), 10, 9), s(0));
        assert_eq!(lag.look(s(33), 10, 9), s(2));
        (11..50_000).for_each(|end| {
            lag.look(s(end), end, 9);
        });
        assert!(lag.seen.len() <= SEEN_MAX);
        assert_eq!(lag.look(s(50_031), 60_000, 9), s(50_000));
    }
}

//! When rows of which time changed: what a cache of results asks before it trusts what it kept.
//!
//! Time is cut into slices, and each knows the number of the last change that touched it. A change is
//! noted after its rows can be read and before it is acknowledged. So who reads the number first and
//! the rows then may have seen rows of a later number, and asks once more than needed, never once less.
//! Which series changed is not known: to find the metric of each row would cost more than it saves.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::model::{Batch, Generation, TimeRange, Timestamp};

/// Five minutes: rows that come now spoil what is kept of the newest minutes, which no one keeps.
const SLICE_NANOS: i64 = 300_000_000_000;

/// Slices that are known apart, 28 days in a row; 0.3 MiB.
const SLICES_MAX: usize = 8192;

/// The numbers of the last changes.
#[derive(Debug, Default)]
pub(super) struct Changes(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    /// The number of the last change.
    last: u64,
    /// What is not among `slices` changed last by this number, or before.
    others: u64,
    /// Slices since 1970, with the number of the last change in each.
    slices: BTreeMap<i64, u64>,
}

/// Slices of time that a change touches.
#[derive(Debug, Default)]
pub(super) struct Touched(BTreeSet<i64>);

impl Touched {
    /// Adds those that have a row of the batch.
    pub(super) fn add(&mut self, batch: &Batch) {
        let histograms = batch.histograms.iter().map(|row| row.time);
        let mut current = None;
        for time in batch.rows.times().iter().copied().chain(histograms) {
            // Rows of a batch are nearly always of one slice: a comparison, no division.
            if current
                .is_none_or(|start: i64| !(0..SLICE_NANOS).contains(&time.wrapping_sub(start)))
            {
                let slice = time.div_euclid(SLICE_NANOS);
                current = slice.checked_mul(SLICE_NANOS);
                self.0.insert(slice);
            }
        }
    }
}

impl Changes {
    /// The number of the last change.
    pub(super) fn last(&self) -> Generation {
        Generation(self.table().last)
    }

    /// Notes a change that touched these slices.
    pub(super) fn note(&self, touched: &Touched) {
        if touched.0.is_empty() {
            return;
        }
        let mut table = self.table();
        table.last += 1;
        let last = table.last;
        table.slices.extend(touched.0.iter().map(|slice| (*slice, last)));
        table.shrink();
    }

    /// Notes that any row of the range may have changed.
    pub(super) fn note_range(&self, range: TimeRange) {
        let (first, end) = slices(range);
        if end.abs_diff(first) > SLICES_MAX as u64 {
            return self.note_all();
        }
        self.note(&Touched((first..end).collect()));
    }

    /// Notes that any row may have changed.
    pub(super) fn note_all(&self) {
        let mut table = self.table();
        table.last += 1;
        table.others = table.last;
        table.slices.clear();
    }

    /// The spans of `range` that were touched after the change `since`, by time, none next to another.
    pub(super) fn since(&self, range: TimeRange, since: Generation) -> Vec<TimeRange> {
        let table = self.table();
        if table.others > since.0 {
            return vec![range];
        }
        let (first, end) = slices(range);
        let mut spans: Vec<(i64, i64)> = Vec::new();
        for (slice, _) in table.slices.range(first..end).filter(|(_, last)| **last > since.0) {
            match spans.last_mut() {
                Some((_, until)) if *until == *slice => *until += 1,
                _ => spans.push((*slice, slice + 1)),
            }
        }
        let at = |slice: i64| Timestamp(slice.saturating_mul(SLICE_NANOS));
        let spans = spans.into_iter().filter_map(|(from, to)| TimeRange::new(at(from), at(to)));
        spans.filter_map(|span| span.intersection(range)).collect()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Forgets the half that changed longest ago where there are too many: what was made before the
    /// last of those changes is then taken for changed.
    fn shrink(&mut self) {
        if self.slices.len() <= SLICES_MAX {
            return;
        }
        let mut numbers: Vec<u64> = self.slices.values().copied().collect();
        numbers.sort_unstable();
        self.others = numbers.get(numbers.len() / 2).copied().unwrap_or(self.last);
        self.slices.retain(|_, last| *last > self.others);
    }
}

/// The slices that a range touches: the first, and the one after the last.
fn slices(range: TimeRange) -> (i64, i64) {
    let last = range.end().0.saturating_sub(1);
    (range.start().0.div_euclid(SLICE_NANOS), last.div_euclid(SLICE_NANOS) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: i64, to: i64) -> TimeRange {
        TimeRange::new(Timestamp(from), Timestamp(to)).unwrap()
    }

    fn touched(slices: &[i64]) -> Touched {
        Touched(slices.iter().copied().collect())
    }

    #[test]
    fn neighbours_are_one_span_and_the_range_cuts_it() {
        let changes = Changes::default();
        let before = changes.last();
        changes.note(&touched(&[1, 2, 4]));
        let s = SLICE_NANOS;
        let all = changes.since(range(0, 9 * s), before);
        assert_eq!(all, vec![range(s, 3 * s), range(4 * s, 5 * s)]);
        assert_eq!(changes.since(range(2 * s + 5, 4 * s), before), vec![range(2 * s + 5, 3 * s)]);
        assert_eq!(changes.since(range(0, 9 * s), changes.last()), vec![]);
    }

    #[test]
    fn a_change_of_everything_touches_every_range() {
        let changes = Changes::default();
        let before = changes.last();
        changes.note_range(TimeRange::ALL);
        assert_eq!(changes.since(range(-7, 7), before), vec![range(-7, 7)]);
        assert_eq!(changes.since(range(-7, 7), changes.last()), vec![]);
    }

    #[test]
    fn what_is_forgotten_counts_as_changed() {
        let changes = Changes::default();
        changes.note(&touched(&[0]));
        let before = changes.last();
        let count = i64::try_from(SLICES_MAX).unwrap();
        for slice in 0..=count {
            changes.note(&touched(&[-slice]));
        }
        let one = range(5 * SLICE_NANOS, 6 * SLICE_NANOS);
        assert_eq!(changes.since(one, before), vec![one], "it may be among those forgotten");
        assert_eq!(changes.since(one, changes.last()), vec![]);
        assert!(changes.table().slices.len() <= SLICES_MAX);
    }
}

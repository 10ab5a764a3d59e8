//! One partial of all buckets and rows of a window.
//!
//! Long windows share most of their buckets with the one before. They keep two stacks of partials, as
//! long sums over rows do (Tangwongsan et al., "General Incremental Sliding-Window Aggregation", VLDB
//! 2015, section 3): nothing is ever taken out again.

use std::sync::Arc;

use super::zones::Moved;
use crate::math::{float_partial, histogram_partial, merge_floats, merge_histograms};
use crate::model::{Buckets, FloatPartial, HistogramPartial, TierRow};
use crate::query::rows::SeriesRows;
use crate::query::steps::last_nano;

/// Windows of fewer buckets are folded anew at each step.
const FOLDED: usize = 16;

/// What is known of a window.
#[derive(Clone, Debug, Default)]
pub(super) struct Total {
    pub floats: Option<FloatPartial>,
    pub histograms: Option<HistogramPartial>,
}

impl Total {
    fn merge(&mut self, later: &Self) {
        join(&mut self.floats, later.floats.as_ref(), merge_floats);
        join(&mut self.histograms, later.histograms.as_ref(), merge_histograms);
    }

    fn of(buckets: &Buckets, i: usize) -> Self {
        Self { floats: buckets.float(i), histograms: buckets.histogram(i).cloned() }
    }

    /// Rows of both kinds.
    pub(super) fn count(&self) -> u64 {
        self.floats.map_or(0, |it| it.count) + self.histograms.as_ref().map_or(0, |it| it.count)
    }

    /// Whether it holds floats and histograms.
    pub(super) fn is_mixed(&self) -> bool {
        self.floats.is_some() && self.histograms.is_some()
    }
}

fn join<T: Clone>(mine: &mut Option<T>, later: Option<&T>, merge: fn(&mut T, &T)) {
    match (mine, later) {
        (Some(mine), Some(later)) => merge(mine, later),
        (mine @ None, Some(later)) => *mine = Some(later.clone()),
        (_, None) => {}
    }
}

/// The windows of one series, asked in order.
pub(super) struct Windows<'a> {
    rows: &'a SeriesRows,
    /// Buckets of the window: from, to.
    low: usize,
    high: usize,
    /// Where `older` ends and `newer` begins.
    middle: usize,
    /// For each bucket before the middle, last first, the total of it and all up to the middle.
    older: Vec<Total>,
    newer: Total,
    /// The rows behind the buckets, up to these.
    behind: Total,
    floats: usize,
    histograms: usize,
}

impl<'a> Windows<'a> {
    pub(super) fn new(rows: &'a SeriesRows) -> Self {
        Self {
            rows,
            low: 0,
            high: 0,
            middle: 0,
            older: Vec::new(),
            newer: Total::default(),
            behind: Total::default(),
            floats: 0,
            histograms: 0,
        }
    }

    /// The total of a window that begins where there are buckets, and not before the one before it.
    pub(super) fn total(&mut self, window: Moved) -> Total {
        let buckets = &self.rows.buckets;
        let ends_by = |i: usize, time: i64| buckets.untils.get(i).is_some_and(|it| *it <= time);
        let (start, end) = (to_nanos(window.start), last_nano(window.end));
        while ends_by(self.low, start) {
            self.low += 1;
        }
        let before = self.high;
        self.high = self.high.max(self.low);
        while ends_by(self.high, end) {
            self.high += 1;
        }
        let mut total = if self.high - self.low < FOLDED {
            self.older.clear();
            self.newer = Total::default();
            self.middle = self.high;
            fold(buckets, self.low..self.high)
        } else {
            self.slide(before)
        };
        if !(self.rows.times.is_empty() && self.rows.histogram_times.is_empty()) {
            self.read_behind(end);
            total.merge(&self.behind);
        }
        total
    }

    fn slide(&mut self, before: usize) -> Total {
        let buckets = &self.rows.buckets;
        if self.low >= self.middle || self.older.len() < self.middle - self.low {
            // All buckets of the window become older ones.
            self.older.clear();
            self.newer = Total::default();
            self.middle = self.high;
            let mut total = Total::default();
            for i in (self.low..self.high).rev() {
                let mut earlier = Total::of(buckets, i);
                earlier.merge(&total);
                total = earlier;
                self.older.push(total.clone());
            }
        } else {
            for i in before..self.high {
                self.newer.merge(&Total::of(buckets, i));
            }
        }
        let older = self.middle.checked_sub(self.low + 1).and_then(|i| self.older.get(i));
        let mut total = older.cloned().unwrap_or_default();
        total.merge(&self.newer);
        total
    }

    /// Takes in the rows behind the buckets up to `end`: all of them, for the window begins before.
    fn read_behind(&mut self, end: i64) {
        let rows = self.rows;
        let floats = rows.times.partition_point(|time| *time <= end);
        let histograms = rows.histogram_times.partition_point(|time| *time <= end);
        let new = self.floats..floats.max(self.floats);
        let of_floats = float_partial(
            rows.times.get(new.clone()).unwrap_or_default(),
            rows.values.get(new.clone()).unwrap_or_default(),
            rows.starts.get(new).unwrap_or_default(),
        );
        let row = |i: usize| {
            let start = rows.histogram_starts.get(i).copied().unwrap_or(0);
            let value = Arc::clone(rows.histograms.get(i)?);
            Some(TierRow { time: *rows.histogram_times.get(i)?, start, value })
        };
        let new: Vec<_> = (self.histograms..histograms).filter_map(row).collect();
        self.behind.merge(&Total { floats: of_floats, histograms: histogram_partial(&new) });
        self.floats = self.floats.max(floats);
        self.histograms = self.histograms.max(histograms);
    }
}

fn fold(buckets: &Buckets, mut range: std::ops::Range<usize>) -> Total {
    let mut total = range.next().map_or_else(Total::default, |i| Total::of(buckets, i));
    for i in range {
        total.merge(&Total::of(buckets, i));
    }
    total
}

/// The ns of a ms: the end of a bucket is one.
fn to_nanos(millis: i64) -> i64 {
    millis.saturating_mul(1_000_000)
}

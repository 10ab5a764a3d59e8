//! What each step looks at: all values of its windows, however often they were read.
//!
//! It is counted only where it is asked for, and as Prometheus counts it (`util/stats/query_stats.go`), so
//! that one question costs the same figure wherever it is asked.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::matrix::{Row, ones};
use super::rows::SeriesRows;
use super::steps::{Windows, to_millis};
use crate::model::Histogram;

/// A count a step; threads add to it at once.
#[derive(Clone, Debug)]
pub(crate) struct StepCounts(Arc<[AtomicU64]>);

impl StepCounts {
    /// Nothing at so many steps.
    pub(crate) fn new(steps: usize) -> Self {
        Self((0..steps).map(|_| AtomicU64::new(0)).collect())
    }

    /// The counts.
    pub(crate) fn into_counts(self) -> Vec<u64> {
        self.0.iter().map(|cell| cell.load(Ordering::Relaxed)).collect()
    }

    /// Of all steps together.
    pub(crate) fn total(&self) -> u64 {
        self.0.iter().map(|cell| cell.load(Ordering::Relaxed)).sum()
    }

    fn add(&self, step: usize, count: u64) {
        if let Some(cell) = self.0.get(step) {
            cell.fetch_add(count, Ordering::Relaxed);
        }
    }

    /// What is the same at every step is counted at each.
    pub(crate) fn add_everywhere(&self, count: u64) {
        (0..self.0.len()).for_each(|step| self.add(step, count));
    }

    /// What has steps of its own is counted at the last.
    pub(crate) fn add_at_end(&self, count: u64) {
        self.add(self.0.len().saturating_sub(1), count);
    }

    /// One value a step, where there is one.
    pub(crate) fn add_row(&self, row: &Row) {
        ones(&row.floats).for_each(|step| self.add(step, 1));
        for (step, histogram) in row.as_ref().histogram_steps() {
            self.add(step, floats_of(histogram));
        }
    }

    /// All rows of the window of each step.
    pub(crate) fn add_windows(&self, windows: Windows, rows: &SeriesRows) {
        let until = |times: &[i64], end: i64| times.partition_point(|it| to_millis(*it) <= end);
        for step in 0..windows.count {
            let (start, end) = (windows.start(step), windows.end(step));
            let floats = until(&rows.times, end).saturating_sub(until(&rows.times, start));
            let times = &rows.histogram_times;
            let inside = until(times, start)..until(times, end);
            let histograms = rows.histograms.get(inside).unwrap_or_default();
            let histograms: u64 = histograms.iter().map(|it| floats_of(it)).sum();
            self.add(step, floats as u64 + histograms);
        }
    }
}

/// How many floats with their times take the room of a histogram, as Go lays it out.
fn floats_of(histogram: &Histogram) -> u64 {
    const FIXED_BYTES: usize = 168 + 8;
    let spans = histogram.positive_spans.len() + histogram.negative_spans.len();
    let counts = histogram.positive.len() + histogram.negative.len();
    let bytes = FIXED_BYTES + 8 * (spans + counts + histogram.custom_values.len());
    bytes as u64 / 16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::steps::Steps;

    #[test]
    fn windows_are_counted_whole_at_every_step() {
        let seconds = |it: i64| it * 1_000_000_000;
        let rows = SeriesRows {
            times: (0..10).map(|i| seconds(i * 10)).collect(),
            values: vec![0.0; 10],
            ..SeriesRows::default()
        };
        let steps = Steps::between(0, 60_000, 30_000).unwrap();
        let counts = StepCounts::new(steps.count);
        counts.add_windows(Windows::new(steps, 30_000, None, 0), &rows);
        assert_eq!(counts.clone().into_counts(), [1, 3, 3]);
        counts.add_everywhere(2);
        counts.add_at_end(1);
        assert_eq!((counts.total(), counts.into_counts()), (14, vec![3, 5, 6]));
    }
}

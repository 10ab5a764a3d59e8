//! Rows of a series, lent to a visitor in slices.

use std::{ops::Range, sync::Arc};

use crate::model::{self, Flow, Rows, Visitor};

use super::rows::{HistogramPoint, SeriesRows};

/// Rows that are lent at once.
const LENT_ROWS_MAX: usize = 1024;

/// Lends rows by time, floats and histograms in turns.
pub(super) fn lend(
    series: u32,
    rows: &SeriesRows,
    with_starts: bool,
    visit: &mut dyn Visitor,
) -> Result<(), model::Error> {
    let mut next = 0;
    let mut histograms = rows.histograms.as_slice();
    loop {
        let end = histograms.first().map_or(rows.times.len(), |point| {
            next + rows
                .times
                .get(next..)
                .unwrap_or_default()
                .partition_point(|time| *time < point.time)
        });
        while next < end {
            let until = end.min(next + LENT_ROWS_MAX);
            if lend_floats(series, rows, next..until, with_starts, visit)? == Flow::NextSeries {
                return Ok(());
            }
            next = until;
        }
        let Some(first) = histograms.first() else { return Ok(()) };
        let until = rows.times.get(next).copied().unwrap_or(i64::MAX);
        let count = histograms
            .partition_point(|point| point.time < until)
            .max(usize::from(first.time == i64::MAX));
        let (now, later) = histograms.split_at(count.min(LENT_ROWS_MAX));
        if lend_histograms(series, now, visit)? == Flow::NextSeries {
            return Ok(());
        }
        histograms = later;
    }
}

fn lend_floats(
    series: u32,
    rows: &SeriesRows,
    range: Range<usize>,
    with_starts: bool,
    visit: &mut dyn Visitor,
) -> Result<Flow, model::Error> {
    let starts = if with_starts { rows.starts.get(range.clone()).unwrap_or_default() } else { &[] };
    let times = rows.times.get(range.clone()).unwrap_or_default();
    let values = rows.values.get(range).unwrap_or_default();
    visit.rows(series, Rows { times, values, starts, histograms: &[] })
}

fn lend_histograms(
    series: u32,
    points: &[HistogramPoint],
    visit: &mut dyn Visitor,
) -> Result<Flow, model::Error> {
    let times: Vec<i64> = points.iter().map(|point| point.time).collect();
    let starts: Vec<i64> = points.iter().map(|point| point.start).collect();
    let values: Vec<_> = points.iter().map(|point| Arc::clone(&point.value)).collect();
    visit.rows(series, Rows { times: &times, values: &[], starts: &starts, histograms: &values })
}

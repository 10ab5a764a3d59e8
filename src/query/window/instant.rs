//! The newest row at each step, not older than the lookback.

use std::sync::Arc;

use super::call::Context;
use super::extended::{interpolate, interpolate_histograms, note_interpolation};
use crate::math::histogram::is_custom;
use crate::model::{Histogram, ResetHint, is_stale};
use crate::query::annotations::Note;
use crate::query::matrix::Row;
use crate::query::rows::SeriesRows;
use crate::query::steps::{Steps, Windows, last_nano, to_millis};

/// An instant selector ready to run.
pub(crate) struct Instant {
    /// When it is evaluated.
    pub steps: Steps,
    /// Where rows may be: as long as the lookback.
    pub windows: Windows,
}

/// Which time of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// When it was taken.
    Time,
    /// When its counter started.
    Start,
}

/// Which of both columns has the newest row.
enum Newest {
    Float(usize),
    Histogram(usize),
}

/// Hands each step's newest row to `each`; none where that is a stale marker.
#[inline]
fn for_each_newest(instant: &Instant, rows: &SeriesRows, mut each: impl FnMut(usize, Newest)) {
    let (mut floats, mut histograms) = (0_usize, 0_usize);
    for step in 0..instant.steps.count {
        let end = last_nano(instant.windows.end(step));
        let before = last_nano(instant.windows.start(step));
        while rows.times.get(floats).is_some_and(|time| *time <= end) {
            floats += 1;
        }
        let float = floats.checked_sub(1).and_then(|i| Some((i, *rows.times.get(i)?)));
        let mut histogram = None;
        if !rows.histogram_times.is_empty() {
            while rows.histogram_times.get(histograms).is_some_and(|time| *time <= end) {
                histograms += 1;
            }
            histogram =
                histograms.checked_sub(1).and_then(|i| Some((i, *rows.histogram_times.get(i)?)));
        }
        match (float, histogram) {
            (float, Some((i, time)))
                if time > before
                    && float.is_none_or(|(_, other)| other < time)
                    && rows.histograms.get(i).is_some_and(|h| !is_stale(h.sum)) =>
            {
                each(step, Newest::Histogram(i));
            }
            (Some((i, time)), _)
                if time > before && rows.values.get(i).is_some_and(|value| !is_stale(*value)) =>
            {
                each(step, Newest::Float(i));
            }
            _ => {}
        }
    }
}

/// The newest value at each step.
pub(crate) fn instant_row(instant: &Instant, rows: &SeriesRows, out: &mut Row) {
    for_each_newest(instant, rows, |step, newest| match newest {
        Newest::Float(i) => {
            if let Some(value) = rows.values.get(i) {
                out.set(step, *value);
            }
        }
        Newest::Histogram(i) => {
            if let Some(histogram) = rows.histograms.get(i) {
                out.set_histogram(step, Arc::clone(histogram));
            }
        }
    });
}

/// The time of the newest row at each step, in seconds.
#[expect(clippy::cast_precision_loss, reason = "times in ms are below 2^53")]
pub(crate) fn stamp_row(instant: &Instant, stamp: Stamp, rows: &SeriesRows, out: &mut Row) {
    for_each_newest(instant, rows, |step, newest| {
        let nanos = match (stamp, newest) {
            (Stamp::Time, Newest::Float(i)) => rows.times.get(i),
            (Stamp::Time, Newest::Histogram(i)) => rows.histogram_times.get(i),
            (Stamp::Start, Newest::Float(i)) => rows.starts.get(i),
            (Stamp::Start, Newest::Histogram(i)) => rows.histogram_starts.get(i),
        };
        out.set(step, to_millis(nanos.copied().unwrap_or(0)) as f64 / 1000.0);
    });
}

/// The value at each step, between the rows around it; the row before where none follows.
///
/// `windows` reach a lookback to both sides, so their middle is the time asked for.
pub(crate) fn smoothed_row(
    instant: &Instant,
    lookback: i64,
    rows: &SeriesRows,
    context: &mut Context<'_>,
    out: &mut Row,
) {
    for step in 0..instant.steps.count {
        let (before, end) =
            (last_nano(instant.windows.start(step)), last_nano(instant.windows.end(step)));
        let at = instant.windows.end(step).saturating_sub(lookback);
        let within = |times: &[i64]| {
            times.partition_point(|t| *t <= before)..times.partition_point(|t| *t <= end)
        };
        let (floats, histograms) = (within(&rows.times), within(&rows.histogram_times));
        if !floats.is_empty() && !histograms.is_empty() {
            context.note_metric(Note::MixedRange);
        } else if !histograms.is_empty() {
            if let Some(histogram) = smooth_histogram(rows, histograms, at, context) {
                out.set_histogram(step, histogram);
            }
        } else if let Some(value) = smooth_float(rows, floats, at) {
            out.set(step, value);
        }
    }
}

fn smooth_float(rows: &SeriesRows, window: std::ops::Range<usize>, at: i64) -> Option<f64> {
    let times = rows.times.get(window.clone())?;
    let values = rows.values.get(window)?;
    let next = times.partition_point(|time| to_millis(*time) < at);
    let point = |i: usize| Some((to_millis(*times.get(i)?), *values.get(i)?));
    match (next.checked_sub(1).and_then(point), point(next)) {
        (_, Some((time, value))) if time == at => Some(value),
        (Some(previous), Some(next)) => Some(interpolate(previous, next, at, false)),
        (Some((_, value)), None) => Some(value),
        (None, _) => None,
    }
}

fn smooth_histogram(
    rows: &SeriesRows,
    window: std::ops::Range<usize>,
    at: i64,
    context: &mut Context<'_>,
) -> Option<Arc<Histogram>> {
    let times = rows.histogram_times.get(window.clone())?;
    let histograms = rows.histograms.get(window)?;
    let next = times.partition_point(|time| to_millis(*time) < at);
    let point = |i: usize| Some((to_millis(*times.get(i)?), histograms.get(i)?));
    match (next.checked_sub(1).and_then(point), point(next)) {
        (_, Some((time, histogram))) if time == at => Some(Arc::clone(histogram)),
        (Some(previous), Some(next)) => {
            let is_gauge = |h: &Histogram| h.reset_hint == ResetHint::Gauge;
            let is_counter = !(is_gauge(previous.1) && is_gauge(next.1));
            let is_alike = is_custom(previous.1) == is_custom(next.1);
            let between = is_alike
                .then(|| interpolate_histograms(previous, next, at, is_counter, context).ok());
            if let Some(histogram) = between.flatten() {
                return Some(Arc::new(histogram));
            }
            note_interpolation(context);
            None
        }
        (Some((_, histogram)), None) => {
            // A hint tells of two rows; this one now stands alone.
            let mut histogram = histogram.as_ref().clone();
            histogram.reset_hint = ResetHint::Unknown;
            Some(Arc::new(histogram))
        }
        (None, _) => None,
    }
}

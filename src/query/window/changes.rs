//! `resets`, `changes`: how often something happened from row to row.

use query_lang::{Edges, Function};

use super::call::{RangeCall, Window, for_each_window};
use crate::math::histogram::{equal, is_reset};
use crate::math::{StartedAt, is_start_reset};
use crate::model::Histogram;
use crate::query::matrix::Row;
use crate::query::rows::SeriesRows;
use crate::query::steps::to_millis;

/// Evaluates at every step.
#[expect(clippy::cast_precision_loss, reason = "rows of a window are fewer than 2^53")]
pub(super) fn count(call: &RangeCall, rows: &SeriesRows, out: &mut Row) {
    let counts_resets = call.function == Function::Resets;
    if call.edges == Edges::Plain && rows.histogram_times.is_empty() {
        // Counts are whole numbers: differences of a running count are exact.
        let running = running_count(rows, counts_resets);
        for_each_window(call, rows, |window| {
            let at = |i: usize| running.get(i).copied().unwrap_or(0);
            let last = window.first + window.times.len() - 1;
            out.set(window.step, (at(last) - at(window.first)) as f64);
        });
        return;
    }
    for_each_window(call, rows, |window| {
        let Some((floats, histograms)) = from_anchor(call, &window) else { return };
        let merged = merge(&window, floats, histograms);
        let pairs = merged.iter().zip(merged.iter().skip(1));
        let found = pairs.filter(|(before, now)| happened(before, now, counts_resets)).count();
        out.set(window.step, found as f64);
    });
}

/// For each row, how often it happened up to it.
fn running_count(rows: &SeriesRows, counts_resets: bool) -> Vec<u64> {
    let mut count = 0;
    let mut running = Vec::with_capacity(rows.times.len());
    running.push(0);
    for (i, (before, now)) in rows.values.iter().zip(rows.values.iter().skip(1)).enumerate() {
        let happened = if counts_resets {
            let started = |i: usize| {
                Some(StartedAt {
                    start: to_millis(*rows.starts.get(i)?),
                    time: to_millis(*rows.times.get(i)?),
                })
            };
            now < before
                || started(i).zip(started(i + 1)).is_some_and(|(a, b)| is_start_reset(a, b))
        } else {
            is_change(*before, *now)
        };
        count += u64::from(happened);
        running.push(count);
    }
    running
}

fn is_change(before: f64, now: f64) -> bool {
    now != before && !(now.is_nan() && before.is_nan())
}

/// A row of either kind.
struct Event<'a> {
    started: StartedAt,
    float: f64,
    histogram: Option<&'a Histogram>,
}

fn happened(before: &Event<'_>, now: &Event<'_>, counts_resets: bool) -> bool {
    match (before.histogram, now.histogram) {
        (None, None) if counts_resets => {
            now.float < before.float || is_start_reset(before.started, now.started)
        }
        (None, None) => is_change(before.float, now.float),
        (Some(from), Some(to)) if counts_resets => {
            is_start_reset(before.started, now.started) || is_reset(to, from)
        }
        (Some(from), Some(to)) => !equal(to, from),
        _ => true,
    }
}

/// Where to begin: with the last row at or before the window where it is anchored, else at its start.
/// None where no row lies within.
fn from_anchor(call: &RangeCall, window: &Window<'_>) -> Option<(usize, usize)> {
    if call.edges != Edges::Anchored {
        return Some((0, 0));
    }
    let before = |times: &[i64]| times.partition_point(|time| to_millis(*time) <= window.start);
    let (floats, histograms) = (before(window.times), before(window.histogram_times));
    if floats >= window.times.len() && histograms >= window.histogram_times.len() {
        return None;
    }
    let anchor = |times: &[i64], before: usize| times.get(before.checked_sub(1)?).copied();
    match (anchor(window.times, floats), anchor(window.histogram_times, histograms)) {
        (None, None) => Some((0, 0)),
        (Some(float), histogram) if histogram.is_none_or(|histogram| float >= histogram) => {
            Some((floats - 1, histograms))
        }
        _ => Some((floats, histograms - 1)),
    }
}

/// Rows of both kinds by time.
fn merge<'a>(window: &Window<'a>, floats: usize, histograms: usize) -> Vec<Event<'a>> {
    let start = |starts: &[i64], i: usize| to_millis(starts.get(i).copied().unwrap_or(0));
    let mut events = Vec::with_capacity(window.len());
    for (i, (time, value)) in window.times.iter().zip(window.values).enumerate().skip(floats) {
        let started = StartedAt { start: start(window.starts, i), time: to_millis(*time) };
        events.push(Event { started, float: *value, histogram: None });
    }
    let rows = window.histogram_times.iter().zip(window.histograms);
    for (i, (time, histogram)) in rows.enumerate().skip(histograms) {
        let started =
            StartedAt { start: start(window.histogram_starts, i), time: to_millis(*time) };
        events.push(Event { started, float: 0.0, histogram: Some(histogram) });
    }
    events.sort_by_key(|event| event.started.time);
    events
}

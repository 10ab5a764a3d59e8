//! `irate`, `idelta`: the difference of the last two rows of a window.

use std::sync::Arc;

use query_lang::Function;

use super::call::{Context, RangeCall, Window, for_each_window};
use super::histogram_rate::subtract_into;
use crate::math::histogram::{compact, divide, is_reset};
use crate::math::{StartedAt, is_start_reset};
use crate::model::{Histogram, ResetHint};
use crate::query::annotations::Note;
use crate::query::matrix::Row;
use crate::query::rows::SeriesRows;
use crate::query::steps::to_millis;

/// One of the last two rows.
#[derive(Clone, Copy)]
struct Last<'a> {
    started: StartedAt,
    value: Value<'a>,
}

#[derive(Clone, Copy)]
enum Value<'a> {
    Float(f64),
    Histogram(&'a Histogram),
}

/// Evaluates at every step.
pub(super) fn irate(call: &RangeCall, rows: &SeriesRows, context: &mut Context<'_>, out: &mut Row) {
    let is_rate = call.function == Function::Irate;
    for_each_window(call, rows, |window| {
        let Some([before, last]) = last_two(&window) else { return };
        let interval = last.started.time.saturating_sub(before.started.time);
        if interval == 0 {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "ms within a window are below 2^53")]
        let seconds = interval as f64 / 1000.0;
        let by_start = is_start_reset(before.started, last.started);
        match (before.value, last.value) {
            (Value::Float(from), Value::Float(to)) => {
                let resets = is_rate && (to < from || by_start);
                let difference = if resets { to } else { to - from };
                out.set(window.step, if is_rate { difference / seconds } else { difference });
            }
            (Value::Histogram(from), Value::Histogram(to)) => {
                if let Some(mut difference) = subtract(from, to, is_rate, by_start, context) {
                    if is_rate {
                        divide(&mut difference, seconds);
                    }
                    out.set_histogram(window.step, Arc::new(difference));
                }
            }
            _ => context.note_metric(Note::MixedRange),
        }
    });
}

fn subtract(
    from: &Histogram,
    to: &Histogram,
    is_rate: bool,
    by_start: bool,
    context: &mut Context<'_>,
) -> Option<Histogram> {
    let gauges = [from, to].map(|h| h.reset_hint == ResetHint::Gauge);
    if is_rate && gauges != [false; 2] {
        context.note_metric(Note::NotCounter);
    }
    if !is_rate && gauges != [true; 2] {
        context.note_metric(Note::NotGauge);
    }
    let mut difference = to.clone();
    let resets = is_rate && (by_start || is_reset(to, from));
    if !resets && !subtract_into(&mut difference, from, context) {
        return None;
    }
    difference.reset_hint = ResetHint::Gauge;
    compact(&mut difference);
    Some(difference)
}

/// The last two rows of either kind, by time.
fn last_two<'a>(window: &Window<'a>) -> Option<[Last<'a>; 2]> {
    let float = |back: usize| {
        let i = window.times.len().checked_sub(back)?;
        Some(Last {
            started: StartedAt {
                start: to_millis(window.starts.get(i).copied().unwrap_or(0)),
                time: to_millis(*window.times.get(i)?),
            },
            value: Value::Float(*window.values.get(i)?),
        })
    };
    let histogram = |back: usize| {
        let i = window.histogram_times.len().checked_sub(back)?;
        Some(Last {
            started: StartedAt {
                start: to_millis(window.histogram_starts.get(i).copied().unwrap_or(0)),
                time: to_millis(*window.histogram_times.get(i)?),
            },
            value: Value::Histogram(window.histograms.get(i)?),
        })
    };
    if window.histogram_times.is_empty() {
        return Some([float(2)?, float(1)?]);
    }
    let mut lasts: Vec<Last<'a>> =
        [float(2), float(1), histogram(2), histogram(1)].into_iter().flatten().collect();
    lasts.sort_by_key(|last| last.started.time);
    match lasts.as_slice() {
        [.., before, last] => Some([*before, *last]),
        _ => None,
    }
}

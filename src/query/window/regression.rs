//! `deriv`, `predict_linear`, `double_exponential_smoothing`: lines through the rows of a window.

use query_lang::Function;

use super::call::{Context, RangeCall, Window, for_each_window};
use crate::math::linear_regression;
use crate::query::annotations::Note;
use crate::query::error::Error;
use crate::query::matrix::Row;
use crate::query::rows::SeriesRows;
use crate::query::steps::to_millis;

/// Notes histograms beside floats; whether there are two floats to draw a line through.
fn has_line(window: &Window<'_>, context: &mut Context<'_>) -> bool {
    if window.is_mixed() {
        context.note_metric(Note::HistogramsIgnoredInRange);
    }
    window.times.len() >= 2
}

/// The slope at every step, or the value it leads to.
pub(super) fn line(call: &RangeCall, rows: &SeriesRows, context: &mut Context<'_>, out: &mut Row) {
    for_each_window(call, rows, |window| {
        if !has_line(&window, context) {
            return;
        }
        let points =
            || window.times.iter().map(|t| to_millis(*t)).zip(window.values.iter().copied());
        let value = if call.function == Function::Deriv {
            // Near the rows, so that their times are small numbers (prometheus#2674).
            let origin = window.times.first().map_or(0, |time| to_millis(*time));
            linear_regression(points(), origin).0
        } else {
            let ahead = scalar(call, 0, window.step);
            let (slope, now) = linear_regression(points(), window.at);
            slope * ahead + now
        };
        out.set(window.step, value);
    });
}

/// The argument `index` at a step.
fn scalar(call: &RangeCall, index: usize, step: usize) -> f64 {
    call.scalars.get(index).and_then(|values| values.get(step)).copied().unwrap_or(f64::NAN)
}

/// The smoothed value at every step (Holt's linear method).
pub(super) fn smooth(
    call: &RangeCall,
    rows: &SeriesRows,
    context: &mut Context<'_>,
    out: &mut Row,
) -> Result<(), Error> {
    let mut refused = None;
    for_each_window(call, rows, |window| {
        if refused.is_some() {
            return;
        }
        let (smoothing, trend) = (scalar(call, 0, window.step), scalar(call, 1, window.step));
        for (role, short, value) in [("smoothing", "sf", smoothing), ("trend", "tf", trend)] {
            if value <= 0.0 || value >= 1.0 {
                refused = refused.take().or(Some(Error::Factor { role, short, value }));
            }
        }
        if refused.is_none() && has_line(&window, context) {
            out.set(window.step, smooth_window(window.values, smoothing, trend));
        }
    });
    refused.map_or(Ok(()), Err)
}

fn smooth_window(values: &[f64], smoothing: f64, trend: f64) -> f64 {
    let [first, second, ..] = values else { return f64::NAN };
    let (mut before, mut level, mut slope) = (0.0, *first, second - first);
    for (i, value) in values.iter().enumerate().skip(1) {
        let observed = smoothing * value;
        if i > 1 {
            slope = trend * (level - before) + (1.0 - trend) * slope;
        }
        let expected = (1.0 - smoothing) * (level + slope);
        (before, level) = (level, observed + expected);
    }
    level
}

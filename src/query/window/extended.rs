//! `anchored` and `smoothed`: differences over a window from edge to edge, nothing extrapolated.
//!
//! Anchored, the row before the window stands for its left edge; smoothed, both edges are interpolated
//! between the rows around them. The rules are Prometheus' `extendedRate`.

use std::sync::Arc;

use query_lang::{Edges, Function};

use super::call::{Context, RangeCall, Window, for_each_window};
use super::histogram_rate::{add_into, subtract_into};
use crate::math::histogram::{Incompatible, compact, divide, is_custom, is_reset, multiply};
use crate::math::histogram::{add, subtract};
use crate::model::{Histogram, ResetHint};
use crate::query::annotations::{Note, Operation};
use crate::query::matrix::Row;
use crate::query::rows::SeriesRows;
use crate::query::steps::to_millis;

/// Evaluates at every step.
pub(super) fn rate(call: &RangeCall, rows: &SeriesRows, context: &mut Context<'_>, out: &mut Row) {
    let is_counter = call.function != Function::Delta;
    for_each_window(call, rows, |window| {
        if window.is_mixed() {
            context.note_metric(Note::MixedRange);
        } else if window.times.is_empty() {
            if let Some(histogram) = histogram_increase(call, &window, is_counter, context) {
                out.set_histogram(window.step, Arc::new(histogram));
            }
        } else if let Some(increase) = float_increase(call, &window, is_counter) {
            let is_rate = call.function == Function::Rate;
            out.set(window.step, if is_rate { increase / call.seconds() } else { increase });
        }
    });
}

/// Which rows the edges of a window are made of.
#[derive(Clone, Copy)]
struct EdgeRows {
    first: usize,
    last: usize,
    is_smoothed: bool,
}

impl EdgeRows {
    /// None where no row tells of the window.
    fn find(call: &RangeCall, window: &Window<'_>, times: &[i64]) -> Option<Self> {
        let is_smoothed = call.edges == Edges::Smoothed;
        let mut last = times.len().checked_sub(1)?;
        let before_last = times.get(..last)?;
        let first =
            before_last.partition_point(|t| to_millis(*t) <= window.start).saturating_sub(1);
        if is_smoothed {
            last = before_last.partition_point(|t| to_millis(*t) < window.end);
        }
        let time = |i: usize| times.get(i).map(|t| to_millis(*t));
        if time(last)? <= window.start || (is_smoothed && time(first)? > window.end) {
            return None;
        }
        Some(Self { first, last, is_smoothed })
    }
}

fn float_increase(call: &RangeCall, window: &Window<'_>, is_counter: bool) -> Option<f64> {
    let edges = EdgeRows::find(call, window, window.times)?;
    let point = |i: usize| Some((to_millis(*window.times.get(i)?), *window.values.get(i)?));
    let (left, right) = float_edges(edges, window, is_counter)?;
    let mut increase = right - left;
    if is_counter {
        // The edges have made up for resets beyond them.
        let first = edges.first + usize::from(point(edges.first)?.0 <= window.start);
        let end = edges.last + usize::from(point(edges.last)?.0 < window.end);
        let mut previous = left;
        for value in window.values.get(first..end).unwrap_or_default() {
            if *value < previous {
                increase += previous;
            }
            previous = *value;
        }
        if right < previous {
            increase += previous;
        }
    }
    Some(increase)
}

fn float_edges(edges: EdgeRows, window: &Window<'_>, is_counter: bool) -> Option<(f64, f64)> {
    let point = |i: usize| Some((to_millis(*window.times.get(i)?), *window.values.get(i)?));
    let EdgeRows { first, last, is_smoothed } = edges;
    let mut left = point(first)?.1;
    if is_smoothed && point(first)?.0 < window.start {
        left = interpolate(point(first)?, point(first + 1)?, window.start, is_counter);
    }
    let mut right = point(last)?.1;
    if is_smoothed && last > 0 && point(last)?.0 > window.end {
        right = interpolate(point(last - 1)?, point(last)?, window.end, is_counter);
    }
    Some((left, right))
}

/// The value at `time` on the line through two points (ms, value). A counter that fell began at zero.
#[expect(clippy::cast_precision_loss, reason = "ms within a window are below 2^53")]
pub(super) fn interpolate(from: (i64, f64), to: (i64, f64), time: i64, is_counter: bool) -> f64 {
    let start = if is_counter && to.1 < from.1 { 0.0 } else { from.1 };
    start + (to.1 - start) * time.saturating_sub(from.0) as f64 / to.0.saturating_sub(from.0) as f64
}

/// As [`interpolate`], of histograms.
#[expect(clippy::cast_precision_loss, reason = "ms within a window are below 2^53")]
pub(super) fn interpolate_histograms(
    (from_time, from): (i64, &Arc<Histogram>),
    (to_time, to): (i64, &Arc<Histogram>),
    time: i64,
    is_counter: bool,
    context: &mut Context<'_>,
) -> Result<Histogram, Incompatible> {
    if time == from_time {
        return Ok(from.as_ref().clone());
    }
    if time == to_time {
        return Ok(to.as_ref().clone());
    }
    let fraction = time.saturating_sub(from_time) as f64 / to_time.saturating_sub(from_time) as f64;
    if is_counter && is_reset(to, from) {
        let mut part = to.as_ref().clone();
        multiply(&mut part, fraction);
        return Ok(part);
    }
    let (mut part, joined) = subtract(to, from)?;
    if joined.bounds_reconciled {
        context.note(Note::BoundsReconciled(Operation::Subtraction));
    }
    multiply(&mut part, fraction);
    let (sum, joined) = add(&part, from)?;
    if joined.bounds_reconciled {
        context.note(Note::BoundsReconciled(Operation::Addition));
    }
    Ok(sum)
}

/// Notes that histograms did not combine.
pub(super) fn note_interpolation(context: &mut Context<'_>) {
    context.note_metric(Note::MixedSchemas);
}

fn histogram_increase(
    call: &RangeCall,
    window: &Window<'_>,
    is_counter: bool,
    context: &mut Context<'_>,
) -> Option<Histogram> {
    let edges = EdgeRows::find(call, window, window.histogram_times)?;
    let within = window.histograms.get(edges.first..=edges.last)?;
    let is_gauge = |h: &Histogram| h.reset_hint == ResetHint::Gauge;
    let custom = is_custom(within.first()?);
    for histogram in within {
        if is_custom(histogram) != custom {
            context.note_metric(Note::MixedSchemas);
            return None;
        }
        if is_counter && is_gauge(histogram) {
            context.note_metric(Note::NotCounter);
        }
    }
    let Ok((left, right)) = histogram_edges(edges, window, is_counter, context)? else {
        note_interpolation(context);
        return None;
    };
    if !is_counter && (!is_gauge(&left) || !is_gauge(&right)) {
        context.note_metric(Note::NotGauge);
    }
    let mut increase = right.clone();
    if !subtract_into(&mut increase, &left, context) {
        return None;
    }
    if is_counter && !add_lost(&mut increase, edges, window, (&left, &right), context)? {
        return None;
    }
    if call.function == Function::Rate {
        divide(&mut increase, call.seconds());
    }
    increase.reset_hint = ResetHint::Gauge;
    compact(&mut increase);
    Some(increase)
}

type EdgeHistograms = Result<(Histogram, Histogram), Incompatible>;

fn histogram_edges(
    edges: EdgeRows,
    window: &Window<'_>,
    is_counter: bool,
    context: &mut Context<'_>,
) -> Option<EdgeHistograms> {
    let point =
        |i: usize| Some((to_millis(*window.histogram_times.get(i)?), window.histograms.get(i)?));
    let EdgeRows { first, last, is_smoothed } = edges;
    let left = if is_smoothed && point(first)?.0 < window.start {
        let next = point(first + 1)?;
        interpolate_histograms(point(first)?, next, window.start, is_counter, context)
    } else {
        Ok(point(first)?.1.as_ref().clone())
    };
    let right = if is_smoothed && last > 0 && point(last)?.0 > window.end {
        let previous = point(last - 1)?;
        interpolate_histograms(previous, point(last)?, window.end, is_counter, context)
    } else {
        Ok(point(last)?.1.as_ref().clone())
    };
    Some(left.and_then(|left| Ok((left, right?))))
}

/// Adds what was counted before each reset. Some(false) where layouts do not combine.
fn add_lost(
    increase: &mut Histogram,
    edges: EdgeRows,
    window: &Window<'_>,
    (left, right): (&Histogram, &Histogram),
    context: &mut Context<'_>,
) -> Option<bool> {
    let EdgeRows { first, last, is_smoothed } = edges;
    let mut begin = first + 1;
    let mut previous: &Histogram = left;
    let starts_before =
        window.histogram_times.get(first).is_some_and(|t| to_millis(*t) < window.start);
    if is_smoothed && starts_before {
        let (one, two) = (window.histograms.get(first)?, window.histograms.get(first + 1)?);
        if is_reset(two, one) {
            // The left edge was interpolated over this reset and has made up for it.
            previous = two;
            begin += 1;
        }
    }
    if begin > last {
        return Some(true);
    }
    let mut lost: Option<Histogram> = None;
    let between = window.histograms.get(begin..last).unwrap_or_default();
    for current in between.iter().map(AsRef::as_ref).chain([right]) {
        if is_reset(current, previous) {
            match &mut lost {
                None => lost = Some(previous.clone()),
                Some(lost) => {
                    if !add_into(lost, previous, context) {
                        return Some(false);
                    }
                }
            }
        }
        previous = current;
    }
    Some(lost.is_none_or(|lost| add_into(increase, &lost, context)))
}

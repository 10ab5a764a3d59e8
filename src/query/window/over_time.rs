//! `*_over_time`: aggregations of the rows of a window.

use std::sync::Arc;

use query_lang::Function;

use super::call::{Context, RangeCall, Window, for_each_window};
use super::slide;
use crate::math::histogram::{HistogramSum, Incompatible};
use crate::math::{quantile, variance};
use crate::model::{Histogram, ResetHint};
use crate::query::annotations::{Note, Operation};
use crate::query::matrix::Row;
use crate::query::rows::SeriesRows;
use crate::query::steps::to_millis;

/// Evaluates at every step. Functions that are none of these leave the row empty.
#[expect(clippy::cast_precision_loss, reason = "rows of a window are fewer than 2^53")]
pub(super) fn evaluate(
    call: &RangeCall,
    rows: &SeriesRows,
    context: &mut Context<'_>,
    out: &mut Row,
) {
    match call.function {
        Function::CountOverTime => {
            for_each_window(call, rows, |window| out.set(window.step, window.len() as f64));
        }
        Function::PresentOverTime | Function::AbsentOverTime => {
            for_each_window(call, rows, |window| out.set(window.step, 1.0));
        }
        Function::FirstOverTime => for_each_window(call, rows, |window| first(&window, out)),
        Function::LastOverTime => for_each_window(call, rows, |window| last(&window, out)),
        Function::TsOfFirstOverTime | Function::TsOfLastOverTime => {
            stamp(call, rows, out);
        }
        Function::SumOverTime | Function::AvgOverTime => total(call, rows, context, out),
        Function::MinOverTime | Function::MaxOverTime => {
            note_ignored(call, rows, context);
            slide::extremes(call, rows, out);
        }
        Function::TsOfMinOverTime | Function::TsOfMaxOverTime => {
            note_ignored(call, rows, context);
            for_each_window(call, rows, |window| {
                if let Some(time) = time_of_extreme(&window, call.function) {
                    out.set(window.step, to_millis(time) as f64 / 1000.0);
                }
            });
        }
        Function::StddevOverTime => {
            floats(call, rows, context, out, |_, values| variance(values.iter().copied()).sqrt());
        }
        Function::StdvarOverTime => {
            floats(call, rows, context, out, |_, values| variance(values.iter().copied()));
        }
        Function::QuantileOverTime => quantiles(call, rows, context, out),
        Function::MadOverTime => {
            let mut sorted = Vec::new();
            floats(call, rows, context, out, |_, values| median_deviation(values, &mut sorted));
        }
        _ => {}
    }
}

/// Evaluates over the floats of each window; histograms beside them are ignored, with a note.
fn floats(
    call: &RangeCall,
    rows: &SeriesRows,
    context: &mut Context<'_>,
    out: &mut Row,
    mut each: impl FnMut(&Window<'_>, &[f64]) -> f64,
) {
    for_each_window(call, rows, |window| {
        if window.times.is_empty() {
            return;
        }
        if window.is_mixed() {
            context.note_metric(Note::HistogramsIgnoredInRange);
        }
        out.set(window.step, each(&window, window.values));
    });
}

fn note_ignored(call: &RangeCall, rows: &SeriesRows, context: &mut Context<'_>) {
    if rows.histogram_times.is_empty() {
        return;
    }
    for_each_window(call, rows, |window| {
        if window.is_mixed() {
            context.note_metric(Note::HistogramsIgnoredInRange);
        }
    });
}

fn first(window: &Window<'_>, out: &mut Row) {
    match (window.times.first(), window.histogram_times.first().zip(window.histograms.first())) {
        (float, Some((time, histogram))) if float.is_none_or(|float| time <= float) => {
            out.set_histogram(window.step, Arc::clone(histogram));
        }
        _ => {
            if let Some(value) = window.values.first() {
                out.set(window.step, *value);
            }
        }
    }
}

fn last(window: &Window<'_>, out: &mut Row) {
    match (window.times.last(), window.histogram_times.last().zip(window.histograms.last())) {
        (float, Some((time, histogram))) if float.is_none_or(|float| time >= float) => {
            out.set_histogram(window.step, Arc::clone(histogram));
        }
        _ => {
            if let Some(value) = window.values.last() {
                out.set(window.step, *value);
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "times in ms are below 2^53")]
fn stamp(call: &RangeCall, rows: &SeriesRows, out: &mut Row) {
    for_each_window(call, rows, |window| {
        let time = if call.function == Function::TsOfFirstOverTime {
            window.times.first().into_iter().chain(window.histogram_times.first()).min()
        } else {
            window.times.last().into_iter().chain(window.histogram_times.last()).max()
        };
        if let Some(time) = time {
            out.set(window.step, to_millis(*time) as f64 / 1000.0);
        }
    });
}

/// The time of the last least or greatest value; NaN is beaten by all.
fn time_of_extreme(window: &Window<'_>, function: Function) -> Option<i64> {
    let mut best = (*window.times.first()?, *window.values.first()?);
    for (time, value) in window.times.iter().zip(window.values) {
        let wins =
            if function == Function::TsOfMaxOverTime { *value >= best.1 } else { *value <= best.1 };
        if wins || best.1.is_nan() {
            best = (*time, *value);
        }
    }
    Some(best.0)
}

fn quantiles(call: &RangeCall, rows: &SeriesRows, context: &mut Context<'_>, out: &mut Row) {
    for_each_window(call, rows, |window| {
        let q = call.scalars.first().and_then(|values| values.get(window.step));
        let q = q.copied().unwrap_or(f64::NAN);
        if !window.times.is_empty() && !(0.0..=1.0).contains(&q) {
            context.note(Note::InvalidQuantile(q));
        }
    });
    note_ignored(call, rows, context);
    slide::quantiles(call, rows, out);
}

/// The median of the distances to the median; NaN where any value is.
fn median_deviation(values: &[f64], sorted: &mut Vec<f64>) -> f64 {
    if values.iter().any(|value| value.is_nan()) {
        return f64::NAN;
    }
    sorted.clear();
    sorted.extend_from_slice(values);
    let median = quantile(0.5, sorted);
    for value in sorted.iter_mut() {
        *value = (*value - median).abs();
    }
    quantile(0.5, sorted)
}

/// Sums and means, of floats or of histograms, not of both.
fn total(call: &RangeCall, rows: &SeriesRows, context: &mut Context<'_>, out: &mut Row) {
    if !rows.histogram_times.is_empty() {
        let mut mixed = false;
        for_each_window(call, rows, |window| {
            if window.is_mixed() {
                context.note_metric(Note::MixedRange);
                mixed = true;
            } else if window.times.is_empty() {
                let is_mean = call.function == Function::AvgOverTime;
                match total_of_histograms(window.histograms, is_mean, context) {
                    Ok(histogram) => out.set_histogram(window.step, Arc::new(histogram)),
                    Err(Incompatible) => context.note_metric(Note::MixedSchemas),
                }
            }
        });
        if mixed || !rows.times.is_empty() {
            for_each_window(call, rows, |window| {
                if window.histogram_times.is_empty() {
                    out.set(window.step, slide::total_of(window.values, call.function));
                }
            });
        }
        return;
    }
    slide::totals(call, rows, out);
}

fn total_of_histograms(
    histograms: &[Arc<Histogram>],
    is_mean: bool,
    context: &mut Context<'_>,
) -> Result<Histogram, Incompatible> {
    let (mut resets, mut no_resets, mut reconciled) = (false, false, false);
    let mut mean = HistogramMean::default();
    for histogram in histograms {
        resets |= histogram.reset_hint == ResetHint::Reset;
        no_resets |= histogram.reset_hint == ResetHint::NoReset;
        reconciled |= mean.add(histogram, is_mean)?;
    }
    if resets && no_resets {
        context.note(Note::ResetCollision(Operation::Aggregation));
    }
    if reconciled {
        context.note(Note::BoundsReconciled(Operation::Aggregation));
    }
    Ok(mean.finish(is_mean))
}

/// A running sum of histograms that becomes a running mean before it overflows.
#[derive(Clone, Debug, Default)]
pub(crate) struct HistogramMean {
    sum: Option<HistogramSum>,
    count: f64,
    is_incremental: bool,
}

impl HistogramMean {
    /// Adds one; whether custom bounds had to be reconciled.
    pub(crate) fn add(
        &mut self,
        histogram: &Histogram,
        is_mean: bool,
    ) -> Result<bool, Incompatible> {
        self.count += 1.0;
        let Some(sum) = &mut self.sum else {
            self.sum = Some(HistogramSum::new(histogram));
            return Ok(false);
        };
        if !is_mean {
            return Ok(sum.add(histogram)?.bounds_reconciled);
        }
        if !self.is_incremental {
            let mut longer = sum.clone();
            let joined = longer.add(histogram)?;
            if !longer.overflows() {
                *sum = longer;
                return Ok(joined.bounds_reconciled);
            }
            self.is_incremental = true;
            sum.divide(self.count - 1.0);
        }
        sum.scale((self.count - 1.0) / self.count);
        let mut part = HistogramSum::new(histogram);
        part.divide(self.count);
        Ok(sum.merge(part)?.bounds_reconciled)
    }

    /// Adds the histograms that another was made of.
    pub(crate) fn merge(&mut self, other: Self, is_mean: bool) -> Result<(), Incompatible> {
        let Some(mut theirs) = other.sum else { return Ok(()) };
        let Some(mine) = &mut self.sum else {
            *self = Self { sum: Some(theirs), ..other };
            return Ok(());
        };
        let count = self.count + other.count;
        if is_mean && (self.is_incremental || other.is_incremental) {
            // Both as shares of the mean of all.
            mine.scale(if self.is_incremental { self.count / count } else { 1.0 / count });
            theirs.scale(if other.is_incremental { other.count / count } else { 1.0 / count });
            self.is_incremental = true;
        }
        self.count = count;
        mine.merge(theirs).map(|_| ())
    }

    /// The sum or the mean.
    pub(crate) fn finish(self, is_mean: bool) -> Histogram {
        let Some(mut sum) = self.sum else { return Histogram::default() };
        if is_mean && !self.is_incremental {
            sum.divide(self.count);
        }
        sum.finish()
    }
}

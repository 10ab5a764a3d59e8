//! Functions over windows, of buckets and the rows behind them.

use std::sync::Arc;

use query_lang::{Edges, Function};

use super::fold::{Total, Windows};
use super::zones::{Moved, Zones};
use crate::math::histogram::{add, compact, divide, is_custom, multiply, subtract};
use crate::math::{line, variance_of};
use crate::model::{Facts, FloatPartial, Histogram, HistogramPartial, ResetHint};
use crate::query::annotations::Note;
use crate::query::error::Error;
use crate::query::matrix::Row;
use crate::query::rows::SeriesRows;
use crate::query::steps::to_millis;
use crate::query::window::{Context, Gain, RangeCall, Sampled, evaluate as evaluate_rows};

/// Evaluates the function at every step: over rows where a window lies behind all buckets, else over
/// what buckets say.
///
/// # Errors
/// [`Error::NeedsRaw`] where buckets do not tell; an argument that the function refuses.
pub(crate) fn evaluate(
    call: &RangeCall,
    rows: &SeriesRows,
    zones: &Zones,
    context: &mut Context<'_>,
    out: &mut Row,
) -> Result<(), Error> {
    let moved = |step: usize| zones.move_window(call.windows.end(step), call.windows.length);
    // Windows rise: those over buckets come first.
    let is_behind = |step: usize| moved(step).is_none();
    let last = call.steps.count.saturating_sub(1);
    if is_behind(last) {
        evaluate_rows(call, rows, context, out)?;
    }
    if is_behind(0) {
        return Ok(());
    }
    check(call, rows, zones)?;
    let mut windows = Windows::new(rows);
    for step in 0..call.steps.count {
        let Some(window) = moved(step) else { break };
        out.unset(step);
        let total = windows.total(window);
        if total.count() > 0 {
            let at = At { call, step, window };
            at.value(&total, context, out);
        }
    }
    if let Some(note) = zones.note(true) {
        context.note(note);
    }
    Ok(())
}

/// What of buckets a function looks at.
pub(crate) fn facts(function: Function) -> Facts {
    use Function::{
        AbsentOverTime, AvgOverTime, Changes, CountOverTime, Delta, FirstOverTime, Increase,
        LastOverTime, MaxOverTime, MinOverTime, PresentOverTime, Rate, Resets, SumOverTime,
        TsOfFirstOverTime, TsOfLastOverTime,
    };
    let ends = Facts::FIRST.and(Facts::LAST);
    match function {
        CountOverTime | PresentOverTime | AbsentOverTime => Facts::COUNT,
        SumOverTime | AvgOverTime => Facts::SUM,
        MinOverTime => Facts::MIN,
        MaxOverTime => Facts::MAX,
        FirstOverTime | LastOverTime | TsOfFirstOverTime | TsOfLastOverTime => ends,
        Rate | Increase | Delta | Resets => ends.and(Facts::STARTS).and(Facts::RESETS),
        Changes => ends.and(Facts::CHANGES),
        _ => Facts::ALL,
    }
}

fn check(call: &RangeCall, rows: &SeriesRows, zones: &Zones) -> Result<(), Error> {
    use Function::{
        AbsentOverTime, AvgOverTime, Changes, CountOverTime, Delta, Deriv, FirstOverTime, Increase,
        LastOverTime, MaxOverTime, MinOverTime, PredictLinear, PresentOverTime, Rate, Resets,
        StddevOverTime, StdvarOverTime, SumOverTime, TsOfFirstOverTime, TsOfLastOverTime,
    };
    let edges = match call.edges {
        Edges::Plain => None,
        Edges::Anchored => Some("anchored"),
        Edges::Smoothed => Some("smoothed"),
    };
    if let Some(edges) = edges {
        return Err(zones.refuse(edges));
    }
    let is_told = match call.function {
        Deriv | PredictLinear | StddevOverTime | StdvarOverTime => {
            !rows.buckets.floats.lacks_spread
        }
        AbsentOverTime | AvgOverTime | Changes | CountOverTime | Delta | FirstOverTime
        | Increase | LastOverTime | MaxOverTime | MinOverTime | PresentOverTime | Rate | Resets
        | SumOverTime | TsOfFirstOverTime | TsOfLastOverTime => true,
        _ => false,
    };
    if is_told { Ok(()) } else { Err(zones.refuse(&format!("{}()", call.function.name()))) }
}

/// One step.
pub(super) struct At<'a> {
    pub(super) call: &'a RangeCall,
    pub(super) step: usize,
    pub(super) window: Moved,
}

impl At<'_> {
    #[expect(clippy::cast_precision_loss, reason = "as all counts and times in floats")]
    pub(super) fn value(&self, total: &Total, context: &mut Context<'_>, out: &mut Row) {
        let step = self.step;
        let seconds = |nanos: i64| to_millis(nanos) as f64 / 1000.0;
        match self.call.function {
            Function::CountOverTime => out.set(step, total.count() as f64),
            Function::PresentOverTime | Function::AbsentOverTime => out.set(step, 1.0),
            Function::FirstOverTime => self.end(total, true, out),
            Function::LastOverTime => self.end(total, false, out),
            Function::TsOfFirstOverTime => {
                if let Some(time) = end_time(total, true) {
                    out.set(step, seconds(time));
                }
            }
            Function::TsOfLastOverTime => {
                if let Some(time) = end_time(total, false) {
                    out.set(step, seconds(time));
                }
            }
            Function::SumOverTime | Function::AvgOverTime => self.total(total, context, out),
            Function::Rate | Function::Increase | Function::Delta => {
                self.increase(total, context, out);
            }
            Function::Resets | Function::Changes => self.happened(total, out),
            _ => {
                let Some(floats) = &total.floats else { return };
                if total.is_mixed() {
                    context.note_metric(Note::HistogramsIgnoredInRange);
                }
                self.of_floats(floats, out);
            }
        }
    }

    /// Functions that look at floats alone.
    fn of_floats(&self, floats: &FloatPartial, out: &mut Row) {
        let value = match self.call.function {
            Function::MinOverTime => floats.min,
            Function::MaxOverTime => floats.max,
            Function::StddevOverTime => variance_of(floats).sqrt(),
            Function::StdvarOverTime => variance_of(floats),
            Function::Deriv if floats.count > 1 => line(floats, to_millis(floats.first.time)).0,
            Function::PredictLinear if floats.count > 1 => {
                let ahead = self.call.scalars.first().and_then(|values| values.get(self.step));
                let (slope, now) = line(floats, self.call.steps.time(self.step));
                slope * ahead.copied().unwrap_or(f64::NAN) + now
            }
            _ => return,
        };
        out.set(self.step, value);
    }

    fn end(&self, total: &Total, is_first: bool, out: &mut Row) {
        let time = end_time(total, is_first);
        let float = total.floats.map(|it| if is_first { it.first } else { it.last });
        let histogram = total.histograms.as_ref();
        let histogram = histogram.map(|it| if is_first { &it.first } else { &it.last });
        match (float, histogram) {
            (_, Some(row)) if Some(row.time) == time => {
                out.set_histogram(self.step, Arc::clone(&row.value));
            }
            (Some(row), _) => out.set(self.step, row.value),
            (None, _) => {}
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "as all counts in floats")]
    fn total(&self, total: &Total, context: &mut Context<'_>, out: &mut Row) {
        let is_mean = self.call.function == Function::AvgOverTime;
        if total.is_mixed() {
            context.note_metric(Note::MixedRange);
        } else if let Some(floats) = &total.floats {
            out.set(self.step, if is_mean { floats.mean } else { floats.sum + floats.rest });
        } else if let Some(histograms) = &total.histograms {
            let Some(sum) = &histograms.sum else {
                context.note_metric(Note::MixedSchemas);
                return;
            };
            let mut sum = sum.as_ref().clone();
            if is_mean {
                divide(&mut sum, histograms.count as f64);
            }
            out.set_histogram(self.step, Arc::new(sum));
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "as all counts in floats")]
    fn happened(&self, total: &Total, out: &mut Row) {
        let is_resets = self.call.function == Function::Resets;
        let floats = total.floats.map_or(0, |it| if is_resets { it.resets } else { it.changes });
        let histograms = total
            .histograms
            .as_ref()
            .map_or(0, |it| if is_resets { it.resets } else { it.changes });
        out.set(self.step, floats.saturating_add(histograms) as f64);
    }

    fn increase(&self, total: &Total, context: &mut Context<'_>, out: &mut Row) {
        if total.is_mixed() {
            context.note_metric(Note::MixedRange);
        } else if let Some(floats) = &total.floats {
            if let Some(value) = self.float_increase(floats) {
                out.set(self.step, value);
            }
        } else if let Some(histograms) = &total.histograms
            && let Some(value) = self.histogram_increase(histograms, context)
        {
            out.set_histogram(self.step, Arc::new(value));
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "ms within a window are below 2^53")]
    fn gain(&self) -> Gain {
        let length = self.window.end.saturating_sub(self.window.start) as f64 / 1000.0;
        Gain {
            start: self.window.start,
            end: self.window.end,
            is_counter: self.call.function != Function::Delta,
            per: (self.call.function == Function::Rate).then_some(length),
        }
    }

    fn float_increase(&self, floats: &FloatPartial) -> Option<f64> {
        let gain = self.gain();
        let mut increase = floats.last.value - floats.first.value;
        if gain.is_counter && floats.resets > 0 {
            increase += floats.lost;
        }
        let mut sampled = Sampled::of(&floats.first, &floats.last, floats.count);
        let factor = sampled.factor_of_float(gain, floats.first.value, &mut increase)?;
        Some(increase * factor)
    }

    fn histogram_increase(
        &self,
        of: &HistogramPartial,
        context: &mut Context<'_>,
    ) -> Option<Histogram> {
        let gain = self.gain();
        let (first, last) = (&of.first.value, &of.last.value);
        let is_gauge = |h: &Histogram| h.reset_hint == ResetHint::Gauge;
        if gain.is_counter && (is_gauge(first) || is_gauge(last)) {
            context.note_metric(Note::NotCounter);
        } else if !gain.is_counter && (!is_gauge(first) || !is_gauge(last)) {
            context.note_metric(Note::NotGauge);
        }
        let mut increase = None;
        if of.count > 1 {
            increase = risen(of, gain.is_counter);
            if increase.is_none() {
                context.note_metric(Note::MixedSchemas);
                return None;
            }
        }
        let mut sampled = Sampled::of(&of.first, &of.last, of.count);
        let factor = sampled.factor_of_histogram(gain, first, &mut increase, context)?;
        let mut increase = increase?;
        multiply(&mut increase, factor);
        Some(increase)
    }
}

/// What lies between the first and the last row, with what resets of a counter lost in between. None
/// where their layouts do not go together.
fn risen(of: &HistogramPartial, is_counter: bool) -> Option<Histogram> {
    let (first, last) = (&of.first.value, &of.last.value);
    if of.sum.is_none() || is_custom(first) != is_custom(last) {
        return None;
    }
    let (mut increase, _) = subtract(last, first).ok()?;
    if let Some(before_resets) = of.lost.as_ref().filter(|_| is_counter) {
        increase = add(&increase, before_resets).ok()?.0;
    }
    increase.reset_hint = ResetHint::Gauge;
    compact(&mut increase);
    Some(increase)
}

/// The time of the first or the last row of both kinds.
fn end_time(total: &Total, is_first: bool) -> Option<i64> {
    let float = total.floats.map(|it| if is_first { it.first.time } else { it.last.time });
    let histogram =
        total.histograms.as_ref().map(|it| if is_first { it.first.time } else { it.last.time });
    let times = float.into_iter().chain(histogram);
    if is_first { times.min() } else { times.max() }
}

//! Functions over all steps of a question: of each series, whatever windows lie below.
//!
//! `MetricsQL`'s. A gap is a step without a float; NaN counts as one. Histograms are left out.

use query_lang::Function;

use super::call::arg;
use crate::math::{quantile, variance};
use crate::query::error::Error;
use crate::query::evaluate::Evaluator;
use crate::query::matrix::{Matrix, bit, clear_bit, set_bit};
use crate::query::plan::Call;
use crate::query::steps::Steps;
use crate::query::window::{gain, quantile_of, sum};

/// Whether a function is one of these.
pub(super) fn spans_steps(function: Function) -> bool {
    use Function as F;
    range_of(function).is_some()
        || matches!(
            function,
            F::RangeQuantile
                | F::RangeNormalize
                | F::RangeLinearRegression
                | F::RangeZscore
                | F::RangeTrimOutliers
                | F::RangeTrimSpikes
                | F::RangeTrimZscore
                | F::RunningAvg
                | F::RunningMax
                | F::RunningMin
                | F::RunningSum
                | F::RemoveResets
                | F::SmoothExponential
                | F::Interpolate
                | F::KeepLastValue
                | F::KeepNextValue
                | F::DropEmptySeries
        )
}

/// What one number says of all steps of a series.
fn range_of(function: Function) -> Option<fn(&[f64]) -> f64> {
    use Function as F;
    Some(match function {
        F::RangeAvg => mean,
        F::RangeFirst => |values| values.first().copied().unwrap_or(f64::NAN),
        F::RangeLast => |values| values.last().copied().unwrap_or(f64::NAN),
        F::RangeMax => |values| values.iter().copied().fold(f64::NAN, f64::max),
        F::RangeMin => |values| values.iter().copied().fold(f64::NAN, f64::min),
        F::RangeSum => |values| sum(values.iter().copied()),
        F::RangeMedian => |values| quantile(0.5, &mut values.to_vec()),
        F::RangeStddev => |values| variance(values.iter().copied()).sqrt(),
        F::RangeStdvar => |values| variance(values.iter().copied()),
        F::RangeMad => deviation,
        _ => return None,
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
pub(super) fn mean(values: &[f64]) -> f64 {
    sum(values.iter().copied()) / values.len() as f64
}

/// The median absolute deviation.
pub(super) fn deviation(values: &[f64]) -> f64 {
    let mut sorted = Vec::new();
    let median = quantile_of(0.5, values, &mut sorted);
    let mut distances: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
    quantile(0.5, &mut distances)
}

/// One series: a float a step, and whether it is there.
struct Line<'a> {
    values: &'a mut [f64],
    floats: &'a mut [u64],
}

impl Line<'_> {
    fn get(&self, step: usize) -> Option<f64> {
        let value = self.values.get(step).copied().filter(|value| !value.is_nan())?;
        bit(self.floats, step).then_some(value)
    }

    fn set(&mut self, step: usize, value: Option<f64>) {
        match (value, self.values.get_mut(step)) {
            (Some(value), Some(cell)) => {
                *cell = value;
                set_bit(self.floats, step);
            }
            _ => clear_bit(self.floats, step),
        }
    }

    /// The steps with a value, and the values.
    fn points(&self) -> Vec<(usize, f64)> {
        (0..self.values.len()).filter_map(|step| Some((step, self.get(step)?))).collect()
    }

    /// Changes each value there is, in order.
    fn change(&mut self, mut change: impl FnMut(usize, f64) -> Option<f64>) {
        for (step, value) in self.points() {
            self.set(step, change(step, value));
        }
    }
}

/// The value of a function at each step.
///
/// # Errors
/// What its arguments refused.
pub(super) fn evaluate(
    evaluator: &mut Evaluator<'_>,
    call: &Call,
    steps: Steps,
) -> Result<Matrix, Error> {
    use Function as F;
    let takes_number_first = matches!(
        call.function,
        F::RangeQuantile | F::RangeTrimOutliers | F::RangeTrimSpikes | F::RangeTrimZscore
    );
    let numbers = if takes_number_first {
        evaluator.scalar(arg(call, 0), steps)?
    } else if call.args.len() > 1 {
        evaluator.scalar(arg(call, 1), steps)?
    } else {
        Vec::new()
    };
    let mut matrix = evaluator.vector(arg(call, usize::from(takes_number_first)), steps)?;
    for row in 0..matrix.len() {
        evaluator.budget.check()?;
        if call.function != F::DropEmptySeries {
            matrix.histograms_mut(row).iter_mut().for_each(|histogram| *histogram = None);
        }
        let (values, floats) = matrix.row_mut(row);
        evaluate_line(call.function, &mut Line { values, floats }, &numbers, steps);
    }
    if drops_name(call.function) {
        matrix.drop_names();
    }
    Ok(matrix.drop_empty())
}

/// As in `MetricsQL`, functions that yield what might be values of the metric keep its name.
fn drops_name(function: Function) -> bool {
    use Function as F;
    matches!(
        function,
        F::RangeSum
            | F::RangeMad
            | F::RangeStddev
            | F::RangeStdvar
            | F::RangeZscore
            | F::RunningSum
    )
}

fn evaluate_line(function: Function, line: &mut Line<'_>, numbers: &[f64], steps: Steps) {
    use Function as F;
    let points = line.points();
    let Some((_, first)) = points.first().copied() else {
        if function != F::DropEmptySeries {
            line.floats.fill(0);
        }
        return;
    };
    let values: Vec<f64> = points.iter().map(|(_, value)| *value).collect();
    let number = numbers.first().copied().unwrap_or(f64::NAN);
    if let Some(of) = range_of(function) {
        return fill(line, of(&values));
    }
    match function {
        F::RangeQuantile => fill(line, quantile(number, &mut values.clone())),
        F::RangeNormalize => {
            let least = values.iter().copied().fold(f64::NAN, f64::min);
            let span = values.iter().copied().fold(f64::NAN, f64::max) - least;
            line.change(|_, value| Some((value - least) / span));
        }
        F::RangeZscore => {
            let (mean, deviation) = (mean(&values), variance(values.iter().copied()).sqrt());
            line.change(|_, value| Some((value - mean) / deviation));
        }
        F::RangeLinearRegression => regression(line, &points, steps),
        F::RangeTrimOutliers => {
            let (most, median) = (number * deviation(&values), quantile(0.5, &mut values.clone()));
            line.change(|_, value| Some(value).filter(|_| (value - median).abs() <= most));
        }
        F::RangeTrimZscore => {
            let (mean, deviation) = (mean(&values), variance(values.iter().copied()).sqrt());
            let is_within = |value: f64| (value - mean).abs() / deviation <= number.abs();
            // Where all values are one, none is far from it.
            line.change(|_, value| Some(value).filter(|_| deviation == 0.0 || is_within(value)));
        }
        F::RangeTrimSpikes => {
            let mut sorted = values.clone();
            let greatest = quantile(1.0 - number / 2.0, &mut sorted);
            let least = quantile(number / 2.0, &mut sorted);
            line.change(|_, value| Some(value).filter(|_| value >= least && value <= greatest));
        }
        F::SmoothExponential => smooth(line, numbers),
        F::Interpolate => interpolate(line, &points),
        F::KeepLastValue => keep(line, 0..steps.count),
        F::KeepNextValue => keep(line, (0..steps.count).rev()),
        _ => running(function, line, first),
    }
}

/// One value at every step, gaps included.
fn fill(line: &mut Line<'_>, value: f64) {
    (0..line.values.len()).for_each(|step| line.set(step, Some(value)));
}

fn running(function: Function, line: &mut Line<'_>, first: f64) {
    use Function as F;
    let (mut so_far, mut count, mut before, mut gained) = (first, 0.0, first, first);
    line.change(|_, value| {
        count += 1.0;
        if count > 1.0 {
            so_far = match function {
                F::RunningAvg => so_far + (value - so_far) / count,
                F::RunningMax => so_far.max(value),
                F::RunningMin => so_far.min(value),
                F::RunningSum => so_far + value,
                _ => value,
            };
            gained += gain(before, value);
            before = value;
        }
        Some(if function == F::RemoveResets { gained } else { so_far })
    });
}

#[expect(clippy::cast_precision_loss, reason = "times in ms are below 2^53")]
fn regression(line: &mut Line<'_>, points: &[(usize, f64)], steps: Steps) {
    let at = |step: usize| (steps.time(step) - steps.start) as f64 / 1000.0;
    let count = points.len() as f64;
    let mean_time = sum(points.iter().map(|(step, _)| at(*step))) / count;
    let mean_value = sum(points.iter().map(|(_, value)| *value)) / count;
    let spread = sum(points.iter().map(|(step, _)| (at(*step) - mean_time).powi(2)));
    let joint =
        sum(points.iter().map(|(step, value)| (at(*step) - mean_time) * (value - mean_value)));
    let slope = if spread > 0.0 { joint / spread } else { 0.0 };
    (0..steps.count)
        .for_each(|step| line.set(step, Some(mean_value + slope * (at(step) - mean_time))));
}

/// Infinite values become what was before.
fn smooth(line: &mut Line<'_>, factors: &[f64]) {
    let mut so_far = None;
    line.change(|step, value| {
        let factor = factors.get(step).copied().filter(|factor| !factor.is_nan()).unwrap_or(1.0);
        let factor = factor.clamp(0.0, 1.0);
        so_far = match so_far {
            _ if value.is_infinite() => so_far,
            None => Some(value),
            Some(before) => Some(before * (1.0 - factor) + value * factor),
        };
        so_far
    });
}

#[expect(clippy::cast_precision_loss, reason = "steps are few")]
fn interpolate(line: &mut Line<'_>, points: &[(usize, f64)]) {
    for pair in points.windows(2) {
        let [(from, a), (to, b)] = pair else { continue };
        for step in from + 1..*to {
            let share = (step - from) as f64 / (to - from) as f64;
            line.set(step, Some(a + (b - a) * share));
        }
    }
}

fn keep(line: &mut Line<'_>, steps: impl Iterator<Item = usize>) {
    let mut kept = None;
    for step in steps {
        kept = line.get(step).or(kept);
        line.set(step, kept);
    }
}

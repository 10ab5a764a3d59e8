//! Functions of the floats of a window alone, as `MetricsQL` names them.

use query_lang::Function;

use super::call::{Context, RangeCall, Window, for_each_window};
use crate::math::{Compensated, quantile};
use crate::model::is_stale;
use crate::query::annotations::Note;
use crate::query::matrix::Row;
use crate::query::rows::SeriesRows;
use crate::query::steps::to_millis;

/// Evaluates at every step; false where the function is none of these.
pub(super) fn evaluate(
    call: &RangeCall,
    rows: &SeriesRows,
    context: &mut Context<'_>,
    out: &mut Row,
) -> bool {
    if !is_one(call.function) {
        return false;
    }
    let mut sorted = Vec::new();
    for_each_window(call, rows, |window| {
        if window.is_mixed() {
            context.note_metric(Note::HistogramsIgnoredInRange);
        }
        let number = call.scalars.first().and_then(|values| values.get(window.step));
        let number = number.copied().unwrap_or(f64::NAN);
        if let Some(value) = value(call, &window, number, &mut sorted) {
            out.set(window.step, value);
        }
    });
    true
}

fn is_one(function: Function) -> bool {
    use Function as F;
    matches!(
        function,
        F::MedianOverTime
            | F::ModeOverTime
            | F::RangeOverTime
            | F::DistinctOverTime
            | F::GeomeanOverTime
            | F::Sum2OverTime
            | F::RateOverSum
            | F::DurationOverTime
            | F::StaleSamplesOverTime
            | F::CountEqOverTime
            | F::CountNeOverTime
            | F::CountGtOverTime
            | F::CountLeOverTime
            | F::ShareEqOverTime
            | F::ShareGtOverTime
            | F::ShareLeOverTime
            | F::SumEqOverTime
            | F::SumGtOverTime
            | F::SumLeOverTime
            | F::OutlierIqrOverTime
            | F::DefaultRollup
            | F::TimestampWithName
    )
}

#[expect(clippy::cast_precision_loss, reason = "counts and times in ms are below 2^53")]
fn value(call: &RangeCall, window: &Window<'_>, number: f64, sorted: &mut Vec<f64>) -> Option<f64> {
    use Function as F;
    let values = window.values;
    let last = *values.last()?;
    let count = values.len() as f64;
    let counted = |test: fn(f64, f64) -> bool| {
        values.iter().filter(|value| test(**value, number)).count() as f64
    };
    let total = |test: fn(f64, f64) -> bool| {
        sum(values.iter().copied().filter(|value| test(*value, number)))
    };
    Some(match call.function {
        F::MedianOverTime => quantile_of(0.5, values, sorted),
        F::ModeOverTime => mode(values, sorted)?,
        F::RangeOverTime => {
            let (least, greatest) = extremes(values);
            greatest - least
        }
        F::DistinctOverTime => distinct(values, sorted),
        F::GeomeanOverTime => values.iter().product::<f64>().powf(1.0 / count),
        F::Sum2OverTime => sum(values.iter().map(|value| value * value)),
        F::RateOverSum => sum(values.iter().copied()) / call.seconds(),
        F::DurationOverTime => duration(window.times, number),
        F::StaleSamplesOverTime => values.iter().filter(|value| is_stale(**value)).count() as f64,
        F::CountEqOverTime => counted(|value, x| value == x),
        F::CountNeOverTime => counted(|value, x| value != x),
        F::CountGtOverTime => counted(|value, x| value > x),
        F::CountLeOverTime => counted(|value, x| value <= x),
        F::ShareEqOverTime => counted(|value, x| value == x) / count,
        F::ShareGtOverTime => counted(|value, x| value > x) / count,
        F::ShareLeOverTime => counted(|value, x| value <= x) / count,
        F::SumEqOverTime => total(|value, x| value == x),
        F::SumGtOverTime => total(|value, x| value > x),
        F::SumLeOverTime => total(|value, x| value <= x),
        F::OutlierIqrOverTime => outlier(last, values, sorted)?,
        F::DefaultRollup => Some(last).filter(|last| !is_stale(*last))?,
        F::TimestampWithName => to_millis(*window.times.last()?) as f64 / 1000.0,
        _ => return None,
    })
}

/// The compensated sum.
pub(crate) fn sum(values: impl Iterator<Item = f64>) -> f64 {
    let mut sum = Compensated::default();
    values.for_each(|value| sum.add(value));
    sum.value()
}

/// The least and the greatest; NaN where there is no other.
pub(crate) fn extremes(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::NAN, f64::NAN), |(least, greatest), value| {
        (value.min(least), value.max(greatest))
    })
}

/// A quantile of values that stay as they are; NaN values are not among them.
pub(crate) fn quantile_of(q: f64, values: &[f64], sorted: &mut Vec<f64>) -> f64 {
    sorted.clear();
    sorted.extend(values.iter().copied().filter(|value| !value.is_nan()));
    quantile(q, sorted)
}

/// The most frequent value; of several the least.
pub(crate) fn mode(values: &[f64], sorted: &mut Vec<f64>) -> Option<f64> {
    sorted.clear();
    sorted.extend(values.iter().copied().filter(|value| !value.is_nan()));
    sorted.sort_unstable_by(f64::total_cmp);
    let runs = sorted.chunk_by(|a, b| a == b);
    // Of equal lengths `max_by_key` gives the last, so the runs are turned around.
    let runs: Vec<&[f64]> = runs.collect();
    runs.into_iter().rev().max_by_key(|run| run.len())?.first().copied()
}

/// How many values differ.
#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
pub(crate) fn distinct(values: &[f64], sorted: &mut Vec<f64>) -> f64 {
    sorted.clear();
    sorted.extend_from_slice(values);
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.chunk_by(|a, b| a == b || a.is_nan() && b.is_nan()).count() as f64
}

/// The seconds between neighbours that are at most `most` seconds apart.
#[expect(clippy::cast_precision_loss, reason = "times in ms are below 2^53")]
fn duration(times: &[i64], most: f64) -> f64 {
    let distances = times.windows(2).map(|pair| match pair {
        [a, b] => (to_millis(*b) - to_millis(*a)) as f64 / 1000.0,
        _ => 0.0,
    });
    distances.filter(|distance| *distance <= most).sum()
}

/// The value where it is an outlier among `values`.
fn outlier(value: f64, values: &[f64], sorted: &mut Vec<f64>) -> Option<f64> {
    let (low, high) = (values.len() > 1).then(|| iqr_bounds(values, sorted))?;
    (value < low || value > high).then_some(value)
}

/// 1.5 interquartile ranges from the quartiles.
pub(crate) fn iqr_bounds(values: &[f64], sorted: &mut Vec<f64>) -> (f64, f64) {
    let low = quantile_of(0.25, values, sorted);
    let high = quantile_of(0.75, values, sorted);
    let range = 1.5 * (high - low);
    (low - range, high + range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mode_of_equals_is_the_least() {
        let mut sorted = Vec::new();
        assert_eq!(mode(&[3.0, 1.0, 3.0, 1.0, 2.0], &mut sorted), Some(1.0));
        assert_eq!(mode(&[f64::NAN], &mut sorted), None);
    }

    #[test]
    fn distances_beyond_the_most_are_no_duration() {
        let seconds = |seconds: i64| seconds * 1_000_000_000;
        assert_eq!(duration(&[0, seconds(10), seconds(40)], 20.0), 10.0);
    }
}

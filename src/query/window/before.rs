//! Functions that look at the row before the window as well, not older than the lookback.
//!
//! `MetricsQL`'s: nothing is extrapolated, and what changed between that row and the first of the
//! window counts.

use query_lang::Function;

use super::call::{Context, RangeCall, Window, for_each_window};
use super::values::sum;
use crate::math::variance;
use crate::query::annotations::Note;
use crate::query::matrix::Row;
use crate::query::rows::SeriesRows;
use crate::query::steps::{last_nano, to_millis};

/// Whether the function looks at the row before.
pub(super) fn looks_before(function: Function) -> bool {
    use Function as F;
    matches!(
        function,
        F::IncreasePure
            | F::DerivFast
            | F::Ideriv
            | F::Integrate
            | F::Lag
            | F::Lifetime
            | F::ScrapeInterval
            | F::IncreasesOverTime
            | F::DecreasesOverTime
            | F::AscentOverTime
            | F::DescentOverTime
            | F::TlastChangeOverTime
            | F::ZscoreOverTime
            | F::Rollup
            | F::RollupRate
            | F::RollupIncrease
            | F::RollupDelta
            | F::RollupDeriv
            | F::RollupScrapeInterval
            | F::RollupCandlestick
    )
}

/// The rows of a window, and the one before it.
pub(super) struct Reached<'a> {
    /// ms and value.
    pub before: Option<(i64, f64)>,
    /// ns.
    pub times: &'a [i64],
    pub values: &'a [f64],
    /// The ms before the window.
    pub start: i64,
    /// Its last ms.
    pub end: i64,
}

impl<'a> Reached<'a> {
    /// Of a window that reaches back a lookback further than the function's.
    pub(super) fn new(call: &RangeCall, window: &Window<'a>) -> Self {
        let (start, end) = (call.windows.start(window.step), call.windows.end(window.step));
        let split = window.times.partition_point(|time| *time <= last_nano(start));
        let (older, times) = window.times.split_at_checked(split).unwrap_or((&[], &[]));
        let (old_values, values) = window.values.split_at_checked(split).unwrap_or((&[], &[]));
        let before = older.last().zip(old_values.last());
        Self {
            before: before.map(|(time, value)| (to_millis(*time), *value)),
            times,
            values,
            start,
            end,
        }
    }

    /// Rows in ms, the one before the window first.
    pub(super) fn points(&self) -> Vec<(i64, f64)> {
        let within =
            self.times.iter().map(|time| to_millis(*time)).zip(self.values.iter().copied());
        self.before.into_iter().chain(within).collect()
    }
}

/// Evaluates at every step; false where the function is none of these.
pub(super) fn evaluate(
    call: &RangeCall,
    rows: &SeriesRows,
    context: &mut Context<'_>,
    out: &mut Row,
) -> bool {
    if !looks_before(call.function) {
        return false;
    }
    for_each_window(call, rows, |window| {
        if window.is_mixed() {
            context.note_metric(Note::HistogramsIgnoredInRange);
        }
        if let Some(value) = value(call.function, &Reached::new(call, &window)) {
            out.set(window.step, value);
        }
    });
    true
}

#[expect(clippy::cast_precision_loss, reason = "times in ms are below 2^53")]
fn seconds(millis: i64) -> f64 {
    millis as f64 / 1000.0
}

fn value(function: Function, reached: &Reached<'_>) -> Option<f64> {
    use Function as F;
    let points = reached.points();
    let (first, last) = (*points.first()?, *points.last()?);
    let is_empty = reached.values.is_empty();
    let differences = || points.windows(2).filter_map(difference);
    Some(match function {
        F::IncreasePure => {
            let from = reached.before.map_or(0.0, |(_, value)| value);
            increase(from, reached.values)
        }
        F::Ideriv | F::Lifetime | F::ScrapeInterval if is_empty || points.len() < 2 => return None,
        F::DerivFast if points.len() < 2 => return (is_empty).then_some(0.0),
        F::DerivFast => (last.1 - first.1) / seconds(last.0 - first.0),
        F::Ideriv => {
            let (time, value) = *points.get(points.len() - 2)?;
            (last.1 - value) / seconds(last.0 - time)
        }
        F::Integrate => integral(&points, reached),
        F::Lag => seconds(reached.end - last.0),
        F::Lifetime => seconds(last.0 - first.0),
        F::ScrapeInterval => scrape_interval(first.0, last.0, points.len()),
        F::IncreasesOverTime => count(differences(), |change| change > 0.0),
        F::DecreasesOverTime => count(differences(), |change| change < 0.0),
        F::AscentOverTime => sum(differences().filter(|change| *change > 0.0)),
        F::DescentOverTime => sum(differences().filter(|change| *change < 0.0).map(|it| -it)),
        F::TlastChangeOverTime => return last_change(&points, reached),
        F::ZscoreOverTime => return zscore(&points, reached),
        _ => return None,
    })
}

fn difference(pair: &[(i64, f64)]) -> Option<f64> {
    match pair {
        [(_, from), (_, to)] if is_change(*from, *to) => Some(to - from),
        _ => None,
    }
}

/// Less than a rounding error is none.
fn is_change(from: f64, to: f64) -> bool {
    from != to && (to - from).abs() >= 1e-12 * to.abs()
}

#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
fn count(changes: impl Iterator<Item = f64>, counts: impl Fn(f64) -> bool) -> f64 {
    changes.filter(|change| counts(*change)).count() as f64
}

#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
fn scrape_interval(first: i64, last: i64, points: usize) -> f64 {
    seconds(last - first) / (points - 1) as f64
}

/// What a counter gains from `from` on.
fn increase(from: f64, values: &[f64]) -> f64 {
    let mut before = from;
    sum(values.iter().map(|value| {
        let gain = gain(before, *value);
        before = *value;
        gain
    }))
}

/// What a counter gains from one row to the next. A fall is a reset to zero, but a small one (an
/// eighth) is taken for a counter that went on a little lower.
pub(crate) fn gain(from: f64, to: f64) -> f64 {
    if to >= from {
        to - from
    } else if (from - to) * 8.0 < from {
        0.0
    } else {
        to
    }
}

/// Each value holds until the next, the last to the end of the window.
fn integral(points: &[(i64, f64)], reached: &Reached<'_>) -> f64 {
    let from = points.iter().map(|(time, value)| ((*time).max(reached.start), *value));
    let until = points.iter().skip(1).map(|(time, _)| *time).chain([reached.end]);
    sum(from.zip(until).map(|((from, value), until)| value * seconds(until - from)))
}

fn last_change(points: &[(i64, f64)], reached: &Reached<'_>) -> Option<f64> {
    let last = points.last()?.1;
    let at = points.iter().rposition(|(_, value)| *value != last);
    let change = match (at, reached.before) {
        (Some(at), _) => points.get(at + 1)?.0,
        (None, None) => points.first()?.0,
        (None, Some(_)) => return None,
    };
    (!reached.values.is_empty()).then(|| seconds(change))
}

/// None where the newest row is older than rows are apart: the series has ended.
fn zscore(points: &[(i64, f64)], reached: &Reached<'_>) -> Option<f64> {
    let (first, last) = (points.first()?, points.last()?);
    if reached.values.is_empty() || points.len() < 2 {
        return None;
    }
    let apart = scrape_interval(first.0, last.0, points.len());
    if seconds(reached.end - last.0) > apart {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
    let mean = sum(reached.values.iter().copied()) / reached.values.len() as f64;
    let distance = last.1 - mean;
    if distance == 0.0 {
        return Some(0.0);
    }
    Some(distance / variance(reached.values.iter().copied()).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached<'a>(before: Option<(i64, f64)>, times: &'a [i64], values: &'a [f64]) -> Reached<'a> {
        Reached { before, times, values, start: 0, end: 10_000 }
    }

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn a_counter_counts_from_the_row_before_and_from_zero_without_one() {
        let times = [SECOND, 2 * SECOND];
        let values = [5.0, 2.0];
        let with = reached(Some((-1000, 3.0)), &times, &values);
        assert_eq!(value(Function::IncreasePure, &with), Some(4.0));
        let without = reached(None, &times, &values);
        assert_eq!(value(Function::IncreasePure, &without), Some(7.0));
    }

    #[test]
    fn values_hold_until_the_next() {
        let times = [4 * SECOND];
        let one = reached(Some((-1000, 1.0)), &times, &[2.0]);
        assert_eq!(value(Function::Integrate, &one), Some(4.0 + 12.0));
    }

    #[test]
    fn a_change_is_one_from_the_row_before_too() {
        let times = [SECOND, 2 * SECOND];
        let same = reached(Some((-1000, 3.0)), &times, &[3.0, 3.0]);
        assert_eq!(value(Function::TlastChangeOverTime, &same), None);
        let other = reached(Some((-1000, 4.0)), &times, &[3.0, 3.0]);
        assert_eq!(value(Function::TlastChangeOverTime, &other), Some(1.0));
    }
}

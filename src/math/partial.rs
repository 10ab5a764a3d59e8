//! What is known of a span of rows, and of two spans that follow each other.
//!
//! Sums keep what rounding lost, spread is Welford's, and both it and the line through the rows are
//! merged by distances to the means (Chan, Golub and `LeVeque`, 1979): nothing is taken from a large sum.

use std::sync::Arc;

use super::histogram::{HistogramSum, add, equal, is_custom, is_reset};
use super::{Compensated, Mean, StartedAt, is_start_reset, variance};
use crate::model::{Facts, FloatPartial, Histogram, HistogramPartial, TierRow};

const NANOS_IN_MILLI: i64 = 1_000_000;

/// The ms that a time is in.
fn millis(nanos: i64) -> i64 {
    nanos.div_euclid(NANOS_IN_MILLI)
}

fn started<V>(row: &TierRow<V>) -> StartedAt {
    StartedAt { start: millis(row.start), time: millis(row.time) }
}

/// Whether a counter began anew between two rows that follow each other.
pub fn is_float_reset(before: &TierRow<f64>, now: &TierRow<f64>) -> bool {
    now.value < before.value || is_start_reset(started(before), started(now))
}

fn is_change(before: f64, now: f64) -> bool {
    now != before && !(now.is_nan() && before.is_nan())
}

#[expect(clippy::cast_precision_loss, reason = "as all counts and times in floats")]
fn float(number: i128) -> f64 {
    number as f64
}

/// What is known of rows by time, none of them stale and no two in one ms; `starts` may be empty.
/// None where there is no row.
pub fn float_partial(times: &[i64], values: &[f64], starts: &[i64]) -> Option<FloatPartial> {
    let row = |i: usize| {
        let start = starts.get(i).copied().unwrap_or(0);
        Some(TierRow { time: *times.get(i)?, start, value: *values.get(i)? })
    };
    let (first, last) = (row(0)?, row(times.len().checked_sub(1)?)?);
    let mut partial = empty(first, last, values.len());
    let (mut sum, mut mean) = (Compensated::default(), None::<Mean>);
    let mut before = None::<TierRow<f64>>;
    for i in 0..values.len() {
        let Some(now) = row(i) else { break };
        sum.add(now.value);
        match &mut mean {
            Some(mean) => mean.add(now.value),
            None => mean = Some(Mean::new(now.value)),
        }
        (partial.min, partial.max) = (less(partial.min, now.value), more(partial.max, now.value));
        if let Some(before) = &before {
            follow(&mut partial, before, &now);
        }
        let x = i128::from(millis(now.time)) - i128::from(millis(first.time));
        partial.time_sum += x;
        partial.time_squares += x * x;
        before = Some(now);
    }
    (partial.sum, partial.rest) = normal(sum);
    partial.mean = mean.map_or(f64::NAN, Mean::value);
    partial.squares = variance(values.iter().copied()) * float(i128::from(partial.count));
    partial.products = products(times, values, &partial);
    Some(partial)
}

/// As [`float_partial`], of what is asked for and no spread: what nobody looks at is not computed.
pub fn float_partial_of(
    times: &[i64],
    values: &[f64],
    starts: &[i64],
    facts: Facts,
) -> Option<FloatPartial> {
    let row = |i: usize| {
        let start = starts.get(i).copied().unwrap_or(0);
        Some(TierRow { time: *times.get(i)?, start, value: *values.get(i)? })
    };
    let (first, last) = (row(0)?, row(values.len().checked_sub(1)?)?);
    let mut partial = empty(first, last, values.len());
    partial.has_spread = false;
    if facts.has(Facts::MIN) {
        partial.min = values.iter().fold(f64::NAN, |old, new| less(old, *new));
    }
    if facts.has(Facts::MAX) {
        partial.max = values.iter().fold(f64::NAN, |old, new| more(old, *new));
    }
    if facts.has(Facts::SUM) {
        let mut mean = Mean::new(first.value);
        let mut sum = Compensated::default();
        values.iter().for_each(|value| sum.add(*value));
        values.iter().skip(1).for_each(|value| mean.add(*value));
        (partial.sum, partial.rest) = normal(sum);
        partial.mean = mean.value();
    }
    if facts.has(Facts::RESETS) || facts.has(Facts::CHANGES) {
        for i in 1..values.len() {
            if let (Some(before), Some(now)) = (row(i - 1), row(i)) {
                follow(&mut partial, &before, &now);
            }
        }
    }
    Some(partial)
}

fn empty(first: TierRow<f64>, last: TierRow<f64>, count: usize) -> FloatPartial {
    FloatPartial {
        count: count as u64,
        sum: 0.0,
        rest: 0.0,
        min: f64::NAN,
        max: f64::NAN,
        first,
        last,
        lost: 0.0,
        resets: 0,
        changes: 0,
        has_spread: true,
        mean: 0.0,
        squares: 0.0,
        time_sum: 0,
        time_squares: 0,
        products: 0.0,
    }
}

/// A sum whose rest is less than its last digit.
fn normal(sum: Compensated) -> (f64, f64) {
    let value = sum.value();
    if !value.is_finite() {
        return (value, 0.0);
    }
    (value, (sum.sum - value) + sum.rest)
}

/// The first of the least values; NaN is beaten by all.
fn less(old: f64, new: f64) -> f64 {
    if old.is_nan() || new < old { new } else { old }
}

fn more(old: f64, new: f64) -> f64 {
    if old.is_nan() || new > old { new } else { old }
}

/// Counts what happens from one row to the next.
fn follow(partial: &mut FloatPartial, before: &TierRow<f64>, now: &TierRow<f64>) {
    if is_float_reset(before, now) {
        partial.resets += 1;
        partial.lost += before.value;
    }
    partial.changes += u64::from(is_change(before.value, now.value));
}

fn products(times: &[i64], values: &[f64], partial: &FloatPartial) -> f64 {
    if partial.min == partial.max && !partial.sum.is_nan() {
        // A constant has no slope, whatever rounding makes of its mean.
        return 0.0;
    }
    let first = millis(partial.first.time);
    let time_mean = time_mean(partial);
    let mut sum = Compensated::default();
    for (time, value) in times.iter().zip(values) {
        let x = float(i128::from(millis(*time)) - i128::from(first));
        sum.add((x - time_mean) * (value - partial.mean));
    }
    sum.value()
}

/// The mean time, ms after the first.
fn time_mean(partial: &FloatPartial) -> f64 {
    float(partial.time_sum) / float(i128::from(partial.count))
}

/// Makes `partial` that of its rows and of `later`'s, which follow them.
pub fn merge_floats(partial: &mut FloatPartial, later: &FloatPartial) {
    partial.has_spread &= later.has_spread;
    if partial.has_spread {
        merge_spread(partial, later);
    }
    let (mine, theirs) = (float(i128::from(partial.count)), float(i128::from(later.count)));
    let count = mine + theirs;
    let mut sum = Compensated { sum: partial.sum, rest: partial.rest };
    sum.merge(Compensated { sum: later.sum, rest: later.rest });
    (partial.sum, partial.rest) = normal(sum);
    partial.mean = if partial.sum.is_infinite() && partial.mean.is_finite() {
        // The sum left the floats; the mean need not.
        partial.mean * (mine / count) + later.mean * (theirs / count)
    } else {
        partial.sum / count + partial.rest / count
    };
    let last = partial.last;
    follow(partial, &last, &later.first);
    partial.lost += later.lost;
    partial.resets = partial.resets.wrapping_add(later.resets);
    partial.changes = partial.changes.wrapping_add(later.changes);
    (partial.min, partial.max) = (less(partial.min, later.min), more(partial.max, later.max));
    partial.count = partial.count.saturating_add(later.count);
    partial.last = later.last;
}

/// Merges spread and line, before anything else is merged: wide sums, and half of the work.
fn merge_spread(partial: &mut FloatPartial, later: &FloatPartial) {
    let (mine, theirs) = (float(i128::from(partial.count)), float(i128::from(later.count)));
    let distance = i128::from(millis(later.first.time)) - i128::from(millis(partial.first.time));
    let between_times = float(distance) + time_mean(later) - time_mean(partial);
    let between = later.mean - partial.mean;
    let weight = mine * theirs / (mine + theirs);
    partial.squares += later.squares + between * between * weight;
    partial.products += later.products + between_times * between * weight;
    partial.time_squares = later
        .time_sum
        .wrapping_mul(2)
        .wrapping_mul(distance)
        .wrapping_add(later.time_squares)
        .wrapping_add(i128::from(later.count).wrapping_mul(distance.wrapping_mul(distance)))
        .wrapping_add(partial.time_squares);
    let moved = i128::from(later.count).wrapping_mul(distance).wrapping_add(later.time_sum);
    partial.time_sum = partial.time_sum.wrapping_add(moved);
}

/// The variance of the whole population.
pub fn variance_of(partial: &FloatPartial) -> f64 {
    partial.squares / float(i128::from(partial.count))
}

/// Slope per second and value at `origin` (ms) of the line of least squares. As
/// [`super::linear_regression`]: a constant has slope 0 exactly, an infinite one none.
pub fn line(partial: &FloatPartial, origin: i64) -> (f64, f64) {
    if partial.min == partial.max && !partial.sum.is_nan() {
        let level = partial.min;
        return if level.is_infinite() { (f64::NAN, f64::NAN) } else { (0.0, level) };
    }
    let count = i128::from(partial.count);
    let squares = count
        .wrapping_mul(partial.time_squares)
        .wrapping_sub(partial.time_sum.wrapping_mul(partial.time_sum));
    let slope = partial.products / (float(squares) / float(count));
    let ahead = float(i128::from(origin) - i128::from(millis(partial.first.time)));
    (slope * 1000.0, partial.mean + slope * (ahead - time_mean(partial)))
}

/// What is known of histograms by time, none of them stale. None where there is none.
pub fn histogram_partial(rows: &[TierRow<Arc<Histogram>>]) -> Option<HistogramPartial> {
    let mut rows = rows.iter().map(|row| HistogramPartial {
        count: 1,
        sum: Some(Arc::clone(&row.value)),
        first: row.clone(),
        last: row.clone(),
        lost: None,
        resets: 0,
        changes: 0,
    });
    let mut all = rows.next()?;
    // The sum is made at once: a copy for each row would cost more than the rows.
    let mut sum = all.sum.take().map(|first| HistogramSum::new(&first));
    for row in rows {
        let fits = sum.as_mut().is_some_and(|sum| sum.add(&row.first.value).is_ok());
        sum = sum.filter(|_| fits);
        merge_histograms(&mut all, &row);
    }
    all.sum = sum.map(|sum| Arc::new(sum.finish()));
    Some(all)
}

/// Makes `partial` that of its rows and of `later`'s, which follow them.
pub fn merge_histograms(partial: &mut HistogramPartial, later: &HistogramPartial) {
    let (before, now) = (&partial.last, &later.first);
    partial.changes += later.changes + u64::from(!equal(&now.value, &before.value));
    let resets =
        is_start_reset(started(before), started(now)) || is_reset(&now.value, &before.value);
    let mut lost = partial.lost.take();
    let mut fits = is_custom(&now.value) == is_custom(&before.value);
    if resets {
        partial.resets += 1;
        fits &= grow(&mut lost, &before.value);
    }
    if let Some(later) = &later.lost {
        fits &= grow(&mut lost, later);
    }
    partial.lost = lost;
    partial.resets = partial.resets.wrapping_add(later.resets);
    partial.sum = match (partial.sum.take(), &later.sum) {
        (Some(mine), Some(theirs)) if fits => add_compensated(&mine, theirs),
        _ => None,
    };
    partial.count = partial.count.saturating_add(later.count);
    partial.last = later.last.clone();
}

fn add_compensated(left: &Histogram, right: &Histogram) -> Option<Arc<Histogram>> {
    let mut sum = HistogramSum::new(left);
    sum.add(right).ok()?;
    Some(Arc::new(sum.finish()))
}

/// Adds to what was lost. False where layouts do not combine.
fn grow(lost: &mut Option<Arc<Histogram>>, more: &Arc<Histogram>) -> bool {
    let Some(old) = lost else {
        *lost = Some(Arc::clone(more));
        return true;
    };
    let Ok((sum, _)) = add(old, more) else { return false };
    *lost = Some(Arc::new(sum));
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::math::linear_regression;

    fn near(left: f64, right: f64, scale: f64) -> bool {
        (left - right).abs() <= 1e-9 * (1.0 + scale) || (left.is_nan() && right.is_nan())
    }

    proptest! {
        #[test]
        fn merged_spans_are_what_one_span_is(
            rows in prop::collection::vec((1..60_000i64, -1e6..1e6f64), 2..60), cut in 1usize..59,
        ) {
            let mut time = 1_700_000_000_000;
            let times: Vec<i64> =
                rows.iter().map(|row| { time += row.0; time * NANOS_IN_MILLI }).collect();
            let values: Vec<f64> = rows.iter().map(|row| row.1.round()).collect();
            let cut = cut.min(values.len() - 1);
            let whole = float_partial(&times, &values, &[]).unwrap();
            let mut left = float_partial(&times[..cut], &values[..cut], &[]).unwrap();
            let right = float_partial(&times[cut..], &values[cut..], &[]).unwrap();
            merge_floats(&mut left, &right);
            let exact = |p: &FloatPartial| {
                (p.count, p.min, p.max, p.first, p.last, p.resets, p.changes, p.sum, p.lost)
            };
            prop_assert_eq!(exact(&left), exact(&whole));
            prop_assert_eq!((left.time_sum, left.time_squares), (whole.time_sum, whole.time_squares));
            prop_assert!(near(variance_of(&left), variance_of(&whole), 1e12));
            let points = || times.iter().map(|t| millis(*t)).zip(values.iter().copied());
            let origin = time + 1000;
            let (slope, at) = linear_regression(points(), origin);
            let (found, found_at) = line(&left, origin);
            prop_assert!(near(found, slope, slope.abs() * 1e3), "{found} {slope}");
            prop_assert!(near(found_at, at, 1e6 + at.abs() * 1e3), "{found_at} {at}");
        }
    }

    #[test]
    fn a_mean_of_spans_survives_a_sum_that_overflows() {
        let times = [0, 1, 2, 3].map(|i| i * NANOS_IN_MILLI);
        let mut left = float_partial(&times[..2], &[f64::MAX, 1.0], &[]).unwrap();
        let right = float_partial(&times[2..], &[f64::MAX, 1.0], &[]).unwrap();
        merge_floats(&mut left, &right);
        assert!(left.sum.is_infinite());
        assert!((left.mean / (f64::MAX / 2.0) - 1.0).abs() < 1e-12);
    }
}

//! Single operations on histograms: sum, difference, multiples, coarser layouts, equality.

use super::bounds::{coarser_index, is_custom};
use super::buckets::{indexed, to_spans};
use super::sum::{HistogramSum, Incompatible, Joined, join_hints};
use crate::model::{Histogram, ResetHint, Span};

/// `left + right`.
///
/// # Errors
/// [`Incompatible`] layouts.
pub fn add(left: &Histogram, right: &Histogram) -> Result<(Histogram, Joined), Incompatible> {
    if let Some(joined) = combine_alike(left, right, |a, b| a + b) {
        return Ok(joined);
    }
    let mut sum = HistogramSum::new(left);
    let joined = sum.add(right)?;
    Ok((sum.finish_plain(), joined))
}

/// `left - right`. The hint is joined as in a sum; who wants a gauge says so.
///
/// # Errors
/// [`Incompatible`] layouts.
pub fn subtract(left: &Histogram, right: &Histogram) -> Result<(Histogram, Joined), Incompatible> {
    if let Some(joined) = combine_alike(left, right, |a, b| a - b) {
        return Ok(joined);
    }
    let mut sum = HistogramSum::new(left);
    let joined = sum.subtract(right)?;
    Ok((sum.finish_plain(), joined))
}

/// Bucket by bucket, where both have the same buckets: neighbours of one series nearly always do.
fn combine_alike(
    left: &Histogram,
    right: &Histogram,
    combine: impl Fn(f64, f64) -> f64,
) -> Option<(Histogram, Joined)> {
    let is_alike = left.schema == right.schema
        && left.zero_threshold == right.zero_threshold
        && left.positive_spans == right.positive_spans
        && left.negative_spans == right.negative_spans
        && left.positive.len() == right.positive.len()
        && left.negative.len() == right.negative.len()
        && left.custom_values == right.custom_values;
    if !is_alike {
        return None;
    }
    let (reset_hint, hints_collide) = join_hints(left.reset_hint, right.reset_hint);
    let mut result = Histogram { is_integer: false, reset_hint, ..left.clone() };
    let change = |value: &mut f64, other: &f64| *value = combine(*value, *other);
    change(&mut result.zero_count, &right.zero_count);
    change(&mut result.count, &right.count);
    change(&mut result.sum, &right.sum);
    result.positive.iter_mut().zip(&right.positive).for_each(|(v, o)| change(v, o));
    result.negative.iter_mut().zip(&right.negative).for_each(|(v, o)| change(v, o));
    Some((result, Joined { hints_collide, bounds_reconciled: false }))
}

/// Every count and the sum times `factor`. A negative factor makes a gauge.
pub fn multiply(histogram: &mut Histogram, factor: f64) {
    each(histogram, |value| *value *= factor);
    if factor < 0.0 {
        histogram.reset_hint = ResetHint::Gauge;
    }
}

/// Every count and the sum by `divisor`. A negative one makes a gauge, zero leaves no bucket.
pub fn divide(histogram: &mut Histogram, divisor: f64) {
    each(histogram, |value| *value /= divisor);
    if divisor == 0.0 {
        histogram.positive_spans.clear();
        histogram.negative_spans.clear();
        histogram.positive.clear();
        histogram.negative.clear();
    }
    if divisor < 0.0 {
        histogram.reset_hint = ResetHint::Gauge;
    }
}

fn each(histogram: &mut Histogram, change: impl Fn(&mut f64)) {
    histogram.is_integer = false;
    let buckets = histogram.positive.iter_mut().chain(&mut histogram.negative);
    [&mut histogram.zero_count, &mut histogram.count, &mut histogram.sum]
        .into_iter()
        .chain(buckets)
        .for_each(change);
}

/// Leaves empty buckets out.
pub fn compact(histogram: &mut Histogram) {
    compact_side(&mut histogram.positive_spans, &mut histogram.positive);
    compact_side(&mut histogram.negative_spans, &mut histogram.negative);
}

fn compact_side(spans: &mut Vec<Span>, counts: &mut Vec<f64>) {
    if counts.contains(&0.0) || spans.iter().skip(1).any(|span| span.offset == 0) {
        let populated = indexed(spans, counts).filter(|(_, count)| *count != 0.0);
        (*spans, *counts) = to_spans(populated);
    }
}

/// A copy in a coarser schema; a plain copy where `schema` is not coarser, or bounds are custom.
pub fn to_schema(histogram: &Histogram, schema: i8) -> Histogram {
    if schema >= histogram.schema || is_custom(histogram) {
        return histogram.clone();
    }
    let side = |spans: &[Span], counts: &[f64]| {
        let mut merged: Vec<(i32, f64)> = Vec::with_capacity(counts.len());
        for (index, count) in indexed(spans, counts) {
            let index = coarser_index(index, histogram.schema, schema);
            match merged.last_mut() {
                Some(last) if last.0 == index => last.1 += count,
                _ => merged.push((index, count)),
            }
        }
        to_spans(merged)
    };
    let (positive_spans, positive) = side(&histogram.positive_spans, &histogram.positive);
    let (negative_spans, negative) = side(&histogram.negative_spans, &histogram.negative);
    Histogram {
        reset_hint: ResetHint::Unknown,
        schema,
        positive_spans,
        negative_spans,
        positive,
        negative,
        ..histogram.clone()
    }
}

/// Whether both are the same data: the same buckets, empty ones included, bit for bit.
pub fn equal(left: &Histogram, right: &Histogram) -> bool {
    let bits = |a: f64, b: f64| a.to_bits() == b.to_bits();
    let sides = |(spans_a, a): (&[Span], &[f64]), (spans_b, b): (&[Span], &[f64])| {
        a.len() == b.len()
            && indexed(spans_a, a)
                .zip(indexed(spans_b, b))
                .all(|((i, x), (j, y))| i == j && bits(x, y))
    };
    left.schema == right.schema
        && bits(left.count, right.count)
        && bits(left.sum, right.sum)
        && (!is_custom(left) || left.custom_values == right.custom_values)
        && left.zero_threshold == right.zero_threshold
        && bits(left.zero_count, right.zero_count)
        && sides((&left.negative_spans, &left.negative), (&right.negative_spans, &right.negative))
        && sides((&left.positive_spans, &left.positive), (&right.positive_spans, &right.positive))
}

//! Whether the counts of a histogram began anew since the one before it.

use super::bounds::{coarser_index, custom, exponential, is_custom};
use super::buckets::indexed;
use super::sum::HistogramSum;
use crate::model::{Histogram, ResetHint, Span};

/// Whether a count fell, a populated bucket vanished, or the layout became finer.
///
/// A hint that says so, or says not, is believed.
pub fn is_reset(current: &Histogram, previous: &Histogram) -> bool {
    match current.reset_hint {
        ResetHint::Reset => return true,
        ResetHint::NoReset => return false,
        ResetHint::Unknown | ResetHint::Gauge => {}
    }
    if current.count < previous.count {
        return true;
    }
    if is_custom(current) {
        if !is_custom(previous) {
            return true;
        }
        if current.custom_values != previous.custom_values {
            return is_reset_between_bounds(current, previous);
        }
    }
    if current.schema > previous.schema
        || current.zero_threshold < previous.zero_threshold
        || is_custom(previous) != is_custom(current)
    {
        return true;
    }
    if !is_custom(current) {
        let (zero, threshold) = HistogramSum::new(previous).zero_for(current.zero_threshold);
        // Else the threshold lies within a populated bucket: only a new counter has that.
        if threshold != current.zero_threshold || current.zero_count < zero.sum {
            return true;
        }
    }
    is_side_reset(current, previous, |h| (&h.positive_spans, &h.positive))
        || is_side_reset(current, previous, |h| (&h.negative_spans, &h.negative))
}

fn is_side_reset(
    current: &Histogram,
    previous: &Histogram,
    side: impl Fn(&Histogram) -> (&Vec<Span>, &Vec<f64>),
) -> bool {
    let buckets = |histogram: &Histogram| {
        let (spans, counts) = side(histogram);
        let mut merged: Vec<(i32, f64)> = Vec::with_capacity(counts.len());
        for (mut index, count) in indexed(spans, counts) {
            if !is_custom(histogram) {
                if exponential(index, histogram.schema) <= current.zero_threshold {
                    continue;
                }
                index = coarser_index(index, histogram.schema, current.schema);
            }
            match merged.last_mut() {
                Some(last) if last.0 == index => last.1 += count,
                _ => merged.push((index, count)),
            }
        }
        merged
    };
    let now = buckets(current);
    let mut now = now.iter().peekable();
    buckets(previous).into_iter().any(|(index, count)| {
        while now.next_if(|(i, _)| *i < index).is_some() {}
        match now.peek() {
            Some((i, now)) if *i == index => *now < count,
            _ => count != 0.0,
        }
    })
}

/// Compares what lies between the custom bounds that both have.
fn is_reset_between_bounds(current: &Histogram, previous: &Histogram) -> bool {
    let shared = current
        .custom_values
        .iter()
        .copied()
        .filter(|bound| previous.custom_values.contains(bound))
        .chain([f64::INFINITY]);
    let mut now = Rollup::new(current);
    let mut before = Rollup::new(previous);
    shared.into_iter().any(|bound| now.up_to(bound) < before.up_to(bound))
}

/// Sums custom buckets from bound to bound.
struct Rollup<'a, I: Iterator<Item = (i32, f64)>> {
    bounds: &'a [f64],
    buckets: std::iter::Peekable<I>,
}

impl<'a> Rollup<'a, Box<dyn Iterator<Item = (i32, f64)> + 'a>> {
    fn new(histogram: &'a Histogram) -> Self {
        let buckets: Box<dyn Iterator<Item = (i32, f64)> + 'a> =
            Box::new(indexed(&histogram.positive_spans, &histogram.positive));
        Self { bounds: &histogram.custom_values, buckets: buckets.peekable() }
    }

    fn up_to(&mut self, bound: f64) -> f64 {
        let mut sum = 0.0;
        while let Some((_, count)) =
            self.buckets.next_if(|(index, _)| custom(*index, self.bounds) <= bound)
        {
            sum += count;
        }
        sum
    }
}

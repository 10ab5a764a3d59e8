//! Buckets as people see them: bounds and counts, from the lowest to the highest.

use super::bounds::{custom, exponential, is_custom};
use crate::model::{Histogram, Span};

/// A bucket with its bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// The lower bound.
    pub lower: f64,
    /// The upper bound.
    pub upper: f64,
    /// Whether an observation at the lower bound is in it.
    pub includes_lower: bool,
    /// Whether an observation at the upper bound is in it.
    pub includes_upper: bool,
    /// Observations in it.
    pub count: f64,
}

impl Bucket {
    /// The share of the bucket's width that lies below `value`, which is within finite bounds.
    ///
    /// Linear, or on a logarithmic scale, on which exponential buckets are equally wide.
    pub fn fraction_below(&self, value: f64, is_linear: bool) -> f64 {
        if is_linear {
            return (value - self.lower) / (self.upper - self.lower);
        }
        let [lower, upper, value_log] = [self.lower, self.upper, value].map(|x| x.abs().log2());
        if value > 0.0 {
            (value_log - lower) / (upper - lower)
        } else {
            1.0 - (value_log - upper) / (lower - upper)
        }
    }
}

/// Index and count of each bucket of one side. Ends where spans or counts do, whichever is first.
pub(super) fn indexed<'a>(
    spans: &'a [Span],
    counts: &'a [f64],
) -> impl Iterator<Item = (i32, f64)> + 'a {
    indexes(spans).zip(counts.iter().copied())
}

fn indexes(spans: &[Span]) -> impl Iterator<Item = i32> + '_ {
    spans
        .iter()
        .scan(0_i32, |next, span| {
            let start = next.saturating_add(span.offset);
            *next = start.saturating_add(i32::try_from(span.length).unwrap_or(i32::MAX));
            Some(start..*next)
        })
        .flatten()
}

/// Spans and counts of buckets with rising index.
pub(super) fn to_spans(buckets: impl IntoIterator<Item = (i32, f64)>) -> (Vec<Span>, Vec<f64>) {
    let (mut spans, mut counts) = (Vec::<Span>::new(), Vec::new());
    let mut next = 0_i32;
    for (index, count) in buckets {
        match spans.last_mut() {
            Some(span) if index == next => span.length += 1,
            _ => spans.push(Span { offset: index.saturating_sub(next), length: 1 }),
        }
        next = index.saturating_add(1);
        counts.push(count);
    }
    (spans, counts)
}

/// The bucket `index` above zero (or of custom bounds), with its own bounds.
pub(super) fn positive_bucket(histogram: &Histogram, index: i32, count: f64) -> Bucket {
    if is_custom(histogram) {
        let bound = |index| custom(index, &histogram.custom_values);
        return Bucket {
            lower: bound(index.saturating_sub(1)),
            upper: bound(index),
            includes_lower: index == 0,
            includes_upper: true,
            count,
        };
    }
    Bucket {
        lower: exponential(index.saturating_sub(1), histogram.schema),
        upper: exponential(index, histogram.schema),
        includes_lower: false,
        includes_upper: true,
        count,
    }
}

/// The bucket `index` below zero.
pub(super) fn negative_bucket(histogram: &Histogram, index: i32, count: f64) -> Bucket {
    let mirror = positive_bucket(histogram, index, count);
    Bucket {
        lower: -mirror.upper,
        upper: -mirror.lower,
        includes_lower: true,
        includes_upper: false,
        count,
    }
}

/// Buckets above zero by rising bounds, empty ones too.
pub fn positive_buckets(histogram: &Histogram) -> impl Iterator<Item = Bucket> + '_ {
    indexed(&histogram.positive_spans, &histogram.positive)
        .map(|(index, count)| positive_bucket(histogram, index, count))
}

/// Buckets below zero, from zero downwards, empty ones too.
pub fn negative_buckets(histogram: &Histogram) -> impl Iterator<Item = Bucket> + '_ {
    indexed(&histogram.negative_spans, &histogram.negative)
        .map(|(index, count)| negative_bucket(histogram, index, count))
}

/// The zero bucket.
pub fn zero_bucket(histogram: &Histogram) -> Bucket {
    Bucket {
        lower: -histogram.zero_threshold,
        upper: histogram.zero_threshold,
        includes_lower: true,
        includes_upper: true,
        count: histogram.zero_count,
    }
}

/// All buckets by rising bounds; the zero bucket if it is populated, its neighbours cut at its edge.
pub fn all_buckets(histogram: &Histogram) -> Vec<Bucket> {
    let edge = histogram.zero_threshold;
    let mut buckets: Vec<Bucket> = negative_buckets(histogram).collect();
    buckets.reverse();
    if histogram.zero_count > 0.0 && !is_custom(histogram) {
        buckets.push(zero_bucket(histogram));
    }
    buckets.extend(positive_buckets(histogram));
    for bucket in &mut buckets {
        if bucket.upper < 0.0 && bucket.upper > -edge {
            bucket.upper = -edge;
        } else if bucket.lower > 0.0 && bucket.lower < edge {
            bucket.lower = edge;
        }
    }
    buckets
}

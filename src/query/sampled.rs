//! Values gathered in a native histogram.

use crate::model::{Histogram, Span};

/// Bounds grow by 2^(1/16), 4.4 % a bucket.
const SCHEMA: i8 = 4;
const BUCKETS_A_DOUBLING: f64 = 16.0;

/// The histogram of values; None where there is none that can be put in a bucket.
pub(crate) fn histogram_of(values: &[f64]) -> Option<Histogram> {
    let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    if finite.is_empty() {
        return None;
    }
    let mut histogram = Histogram { schema: SCHEMA, ..Histogram::default() };
    let mut positive = Vec::new();
    let mut negative = Vec::new();
    for value in finite {
        histogram.count += 1.0;
        histogram.sum += value;
        if value == 0.0 {
            histogram.zero_count += 1.0;
        } else if value > 0.0 {
            positive.push(bucket(value));
        } else {
            negative.push(bucket(-value));
        }
    }
    (histogram.positive_spans, histogram.positive) = counted(positive);
    (histogram.negative_spans, histogram.negative) = counted(negative);
    Some(histogram)
}

/// The number of the bucket: that of `2^(n/16)` holds what is greater than the bound before.
#[expect(clippy::cast_possible_truncation, reason = "logarithms of floats are small")]
fn bucket(value: f64) -> i32 {
    (value.log2() * BUCKETS_A_DOUBLING).ceil() as i32
}

/// Runs of buckets and their counts.
fn counted(mut buckets: Vec<i32>) -> (Vec<Span>, Vec<f64>) {
    buckets.sort_unstable();
    let (mut spans, mut counts): (Vec<Span>, Vec<f64>) = (Vec::new(), Vec::new());
    let mut next = 0_i32;
    for run in buckets.chunk_by(|a, b| a == b) {
        let Some(number) = run.first() else { continue };
        match spans.last_mut() {
            Some(span) if *number == next => span.length += 1,
            _ => spans.push(Span { offset: number - next, length: 1 }),
        }
        next = number + 1;
        #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
        counts.push(run.len() as f64);
    }
    (spans, counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::histogram::quantile;

    #[test]
    fn quantiles_of_the_histogram_are_near_those_of_the_values() {
        let values: Vec<f64> = (1..=1000).map(f64::from).collect();
        let histogram = histogram_of(&values).unwrap();
        assert_eq!((histogram.count, histogram.sum), (1000.0, 500_500.0));
        let (median, _) = quantile(0.5, &histogram);
        assert!((median / 500.0 - 1.0).abs() < 0.05, "{median}");
    }

    #[test]
    fn signs_and_zeros_have_buckets_of_their_own() {
        let histogram = histogram_of(&[-2.0, 0.0, 1.0, 1.0, f64::NAN, f64::INFINITY]).unwrap();
        assert_eq!(histogram.zero_count, 1.0);
        assert_eq!((histogram.positive, histogram.negative), (vec![2.0], vec![1.0]));
        assert_eq!(histogram.positive_spans, [Span { offset: 0, length: 1 }]);
        assert_eq!(histogram.negative_spans, [Span { offset: 16, length: 1 }]);
    }
}

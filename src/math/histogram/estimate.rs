//! What native histograms say of their observations: quantiles, shares, spread.
//!
//! Within an exponential bucket observations are taken to be spread so that finer buckets would be
//! equally full; within the zero bucket and custom ones, evenly.

use super::bounds::is_custom;
use super::buckets::{Bucket, all_buckets};
use crate::math::{Compensated, quantile::outside};
use crate::model::Histogram;

/// What observations of NaN did to an estimate. They are in the count and in no bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NanEffect {
    /// The rank lies among them, the estimate is NaN.
    Result,
    /// They took the highest ranks, the estimate is skewed.
    Skew,
}

/// The quantile `q`, and what NaN observations did to it.
pub fn quantile(q: f64, histogram: &Histogram) -> (f64, Option<NanEffect>) {
    if let Some(outside) = outside(q) {
        return (outside, None);
    }
    if histogram.count == 0.0 {
        return (f64::NAN, None);
    }
    // NaN observations are in no bucket, so ranks count from below where there may be some.
    let has_nan = histogram.sum.is_nan();
    let from_below = has_nan || q < 0.5;
    let mut buckets = all_buckets(histogram);
    let mut rank = q * histogram.count;
    if !from_below {
        buckets.reverse();
        rank = (1.0 - q) * histogram.count;
    }
    let mut buckets = buckets.into_iter();
    let mut bucket =
        Bucket { lower: 0.0, upper: 0.0, includes_lower: false, includes_upper: false, count: 0.0 };
    let mut count = 0.0;
    for next in buckets.by_ref() {
        bucket = next;
        if bucket.count == 0.0 {
            continue;
        }
        count += bucket.count;
        if count >= rank {
            break;
        }
    }
    if let Some(bound) = settle_edges(&mut bucket, histogram) {
        return (bound, None);
    }
    // Rounding may have made the buckets more than the count.
    count = count.min(histogram.count);
    if count < rank {
        return if has_nan { (f64::NAN, Some(NanEffect::Result)) } else { (bucket.upper, None) };
    }
    rank = if from_below { rank - (count - bucket.count) } else { count - rank };
    let in_buckets = count + buckets.map(|bucket| bucket.count).sum::<f64>();
    let effect = (has_nan && in_buckets < histogram.count).then_some(NanEffect::Skew);
    (within(&bucket, rank / bucket.count, histogram), effect)
}

/// Gives open buckets an edge at zero; the estimate itself where the bucket is infinite.
fn settle_edges(bucket: &mut Bucket, histogram: &Histogram) -> Option<f64> {
    if is_custom(histogram) {
        if bucket.lower == f64::NEG_INFINITY {
            if bucket.upper <= 0.0 {
                return Some(bucket.upper);
            }
            bucket.lower = 0.0;
        } else if bucket.upper == f64::INFINITY {
            return Some(bucket.lower);
        }
    } else if bucket.lower < 0.0 && bucket.upper > 0.0 {
        narrow_zero(bucket, histogram);
    }
    None
}

/// Cuts the zero bucket at zero where all other buckets are on one side.
fn narrow_zero(bucket: &mut Bucket, histogram: &Histogram) {
    match (histogram.negative.is_empty(), histogram.positive.is_empty()) {
        (true, false) => bucket.lower = 0.0,
        (false, true) => bucket.upper = 0.0,
        _ => {}
    }
}

/// The value so far into a bucket.
fn within(bucket: &Bucket, fraction: f64, histogram: &Histogram) -> f64 {
    let Bucket { lower, upper, .. } = *bucket;
    if is_custom(histogram) || (lower <= 0.0 && upper >= 0.0) {
        return lower + (upper - lower) * fraction;
    }
    let [lower_log, upper_log] = [lower, upper].map(|bound| bound.abs().log2());
    if lower > 0.0 {
        (lower_log + (upper_log - lower_log) * fraction).exp2()
    } else {
        -(upper_log + (lower_log - upper_log) * (1.0 - fraction)).exp2()
    }
}

/// The share of observations between two values, and whether observations of NaN are left out of it.
pub fn fraction(lower: f64, upper: f64, histogram: &Histogram) -> (f64, bool) {
    if histogram.count == 0.0 || lower.is_nan() || upper.is_nan() {
        return (f64::NAN, false);
    }
    if lower >= upper {
        return (0.0, false);
    }
    let buckets = all_buckets(histogram);
    let mut count = histogram.count;
    let mut has_nan = false;
    if histogram.sum.is_nan() {
        count = buckets.iter().map(|bucket| bucket.count).sum();
        has_nan = count < histogram.count;
    }
    let rank = |value| rank_of(value, &buckets, histogram).map_or(count, |rank| rank.min(count));
    ((rank(upper) - rank(lower)) / histogram.count, has_nan)
}

/// How many observations are below `value`; None where it is above all buckets.
fn rank_of(value: f64, buckets: &[Bucket], histogram: &Histogram) -> Option<f64> {
    let mut rank = 0.0;
    for bucket in buckets {
        let mut bucket = *bucket;
        let is_zero = bucket.lower <= 0.0 && bucket.upper >= 0.0;
        if is_zero {
            narrow_zero(&mut bucket, histogram);
        }
        if bucket.lower >= value {
            return Some(rank);
        }
        if bucket.upper > value {
            let is_linear = is_custom(histogram) || is_zero;
            return Some(if is_linear && bucket.lower == f64::NEG_INFINITY {
                // An infinite bucket gives nothing to interpolate on.
                bucket.count
            } else {
                rank + bucket.count * bucket.fraction_below(value, is_linear)
            });
        }
        rank += bucket.count;
    }
    None
}

/// The variance, each bucket taken at its middle.
pub fn variance(histogram: &Histogram) -> f64 {
    let mean = histogram.sum / histogram.count;
    let mut squares = Compensated::default();
    for bucket in all_buckets(histogram).into_iter().filter(|bucket| bucket.count != 0.0) {
        let Bucket { lower, upper, count, .. } = bucket;
        let middle = if is_custom(histogram) {
            f64::midpoint(lower, upper)
        } else if lower <= 0.0 && upper >= 0.0 {
            0.0
        } else if upper < 0.0 {
            -(upper * lower).sqrt()
        } else {
            (upper * lower).sqrt()
        };
        let delta = middle - mean;
        squares.add(count * delta * delta);
    }
    squares.value() / histogram.count
}

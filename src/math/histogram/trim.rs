//! Buckets cut above or below a value: the operators `</` and `>/`.

use super::arithmetic::compact;
use super::bounds::is_custom;
use super::buckets::{Bucket, negative_buckets, positive_buckets, zero_bucket};
use crate::model::Histogram;

/// Which observations stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Those below the value.
    Below,
    /// Those above it.
    Above,
}

/// Which side of zero, or custom.
#[derive(Clone, Copy)]
struct Kind {
    is_positive: bool,
    is_custom: bool,
}

/// Cuts a histogram at `bound`. The bucket that holds it is split by interpolation, and where anything
/// was cut, count and sum are made from what is left: each bucket at its middle.
pub fn trim(histogram: &mut Histogram, bound: f64, keep: Keep) {
    let custom = is_custom(histogram);
    let mut left = Left::default();
    let positive: Vec<Bucket> = positive_buckets(histogram).collect();
    let negative: Vec<Bucket> = negative_buckets(histogram).collect();
    let is_populated = |side: &[Bucket]| side.iter().any(|bucket| bucket.count != 0.0);
    let (has_positive, has_negative) = (is_populated(&positive), is_populated(&negative));
    for (buckets, counts, is_positive) in
        [(&positive, &mut histogram.positive, true), (&negative, &mut histogram.negative, false)]
    {
        let kind = Kind { is_positive, is_custom: custom };
        for (bucket, count) in buckets.iter().zip(counts).filter(|(b, _)| b.count != 0.0) {
            let (kept, middle) = cut(bucket, bound, keep, kind);
            left.take(count, kept, middle);
        }
    }
    if histogram.zero_count > 0.0 && !custom {
        let mut zero = zero_bucket(histogram);
        match (has_negative, has_positive) {
            (true, false) => zero.upper = 0.0,
            (false, true) => zero.lower = 0.0,
            _ => {}
        }
        let (kept, middle) = cut_zero(&zero, bound, keep);
        left.take(&mut histogram.zero_count, kept, middle);
    }
    if left.is_less {
        histogram.is_integer = false;
        histogram.count = left.count;
        histogram.sum = left.sum;
        compact(histogram);
    }
}

/// What is left, bucket by bucket.
#[derive(Default)]
struct Left {
    count: f64,
    sum: f64,
    is_less: bool,
}

impl Left {
    fn take(&mut self, count: &mut f64, kept: f64, middle: f64) {
        self.count += kept;
        self.sum += middle * kept;
        self.is_less |= *count != kept;
        *count = kept;
    }
}

/// What a bucket keeps, and the middle of that.
fn cut(bucket: &Bucket, bound: f64, keep: Keep, kind: Kind) -> (f64, f64) {
    let Bucket { lower, upper, count, .. } = *bucket;
    let (is_whole, is_split) = match keep {
        Keep::Below => (upper <= bound, lower < bound),
        Keep::Above => (lower >= bound, upper > bound),
    };
    if is_whole {
        return (count, middle(lower, upper, kind));
    }
    if !is_split {
        return (0.0, 0.0);
    }
    if lower == f64::NEG_INFINITY || upper == f64::INFINITY {
        return cut_infinite(bucket, bound, keep);
    }
    let below = if bound <= lower {
        0.0
    } else if bound >= upper {
        count
    } else {
        count * bucket.fraction_below(bound, kind.is_custom)
    };
    match keep {
        Keep::Below => (below, middle(lower, bound, kind)),
        Keep::Above => (count - below, middle(bound, upper, kind)),
    }
}

/// A bucket without an end cannot be interpolated; one of custom bounds from -Inf counts from zero.
fn cut_infinite(bucket: &Bucket, bound: f64, keep: Keep) -> (f64, f64) {
    let Bucket { lower, upper, count, .. } = *bucket;
    let finite = |x: f64| if x.is_infinite() { 0.0 } else { x };
    if lower == f64::NEG_INFINITY {
        let has_end = upper != f64::INFINITY;
        return match keep {
            Keep::Below if bound >= upper => (count, 0.0),
            Keep::Below if bound > 0.0 && upper > 0.0 && has_end => {
                (count * bound / upper, bound / 2.0)
            }
            Keep::Below if upper <= 0.0 => (count, bound),
            Keep::Above if bound <= lower => (count, 0.0),
            Keep::Above if bound >= 0.0 && upper > bound && has_end => {
                (count * (1.0 - bound / upper), f64::midpoint(bound, upper))
            }
            Keep::Below | Keep::Above => (0.0, finite(upper)),
        };
    }
    match keep {
        Keep::Above if bound >= lower => (count, bound),
        Keep::Below | Keep::Above => (0.0, finite(lower)),
    }
}

fn cut_zero(zero: &Bucket, bound: f64, keep: Keep) -> (f64, f64) {
    let Bucket { lower, upper, count, .. } = *zero;
    let whole = (count, f64::midpoint(lower, upper));
    match keep {
        Keep::Below if bound <= lower => (0.0, 0.0),
        Keep::Below if bound >= upper => whole,
        Keep::Below => (count * ((bound - lower) / (upper - lower)), f64::midpoint(lower, bound)),
        Keep::Above if bound <= lower => whole,
        Keep::Above if bound >= upper => (0.0, 0.0),
        Keep::Above => (count * ((upper - bound) / (upper - lower)), f64::midpoint(bound, upper)),
    }
}

fn middle(lower: f64, upper: f64, kind: Kind) -> f64 {
    match (lower.is_infinite(), upper.is_infinite()) {
        (true, true) => 0.0,
        (true, false) if upper > 0.0 => upper / 2.0,
        (true, false) => upper,
        (false, true) => lower,
        (false, false) if kind.is_custom => f64::midpoint(lower, upper),
        (false, false) => {
            let middle = (lower * upper).abs().sqrt();
            if kind.is_positive { middle } else { -middle }
        }
    }
}

//! Where a bucket begins and ends.

use super::powers::POWERS;
use crate::model::{CUSTOM_BUCKETS_SCHEMA, Histogram};

/// The finest exponential schema, whose bounds the table holds.
const FINEST_SCHEMA: i8 = 8;

/// Whether bounds are listed in the histogram.
pub fn is_custom(histogram: &Histogram) -> bool {
    histogram.schema == CUSTOM_BUCKETS_SCHEMA
}

/// The upper bound of the exponential bucket `index` above zero.
///
/// Bounds are 2^(index * 2^-schema). The last bucket of numbers ends at the greatest number, so that
/// only infinity is in the bucket above.
pub(super) fn exponential(index: i32, schema: i8) -> f64 {
    let fine = i64::from(index) << (FINEST_SCHEMA - schema.clamp(-4, FINEST_SCHEMA));
    let exponent = fine >> FINEST_SCHEMA;
    let fraction = usize::try_from(fine & 0xff).ok().and_then(|i| POWERS.get(i)).copied();
    let fraction = fraction.unwrap_or(1.0);
    if exponent == 1024 && fraction == 1.0 {
        return f64::MAX;
    }
    scale_by_power(fraction, exponent)
}

/// `fraction * 2^exponent`, where `fraction` is in [1, 2).
fn scale_by_power(fraction: f64, exponent: i64) -> f64 {
    match exponent {
        1024.. => f64::INFINITY,
        -1022..1024 => fraction * power_of_two(exponent),
        // Two steps into the subnormal numbers, so that rounding happens once.
        -1080..-1022 => fraction * power_of_two(exponent + 100) * power_of_two(-100),
        _ => 0.0,
    }
}

/// 2^exponent for exponents of normal numbers.
fn power_of_two(exponent: i64) -> f64 {
    f64::from_bits(u64::try_from(exponent + 1023).unwrap_or(0) << 52)
}

/// The upper bound of the custom bucket `index`.
pub(super) fn custom(index: i32, bounds: &[f64]) -> f64 {
    match usize::try_from(index) {
        Ok(index) => bounds.get(index).copied().unwrap_or(f64::INFINITY),
        Err(_) => f64::NEG_INFINITY,
    }
}

/// The index of the bucket of a coarser schema that a bucket falls in.
pub(super) fn coarser_index(index: i32, schema: i8, target: i8) -> i32 {
    let shift = u32::from(schema.saturating_sub(target).unsigned_abs()).min(31);
    (index.saturating_sub(1) >> shift).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_grow_by_the_schema() {
        assert_eq!(exponential(0, 0), 1.0);
        assert_eq!(exponential(3, 0), 8.0);
        assert_eq!(exponential(1, 1), std::f64::consts::SQRT_2);
        assert_eq!(exponential(1, -2), 16.0);
        assert_eq!(exponential(-1, -2), 0.0625);
    }

    #[test]
    fn the_last_bucket_of_numbers_ends_at_the_greatest() {
        assert_eq!(exponential(1024, 0), f64::MAX);
        assert_eq!(exponential(1025, 0), f64::INFINITY);
        assert_eq!(exponential(-1074, 0), 5e-324);
        assert_eq!(exponential(i32::MAX, 8), f64::INFINITY);
        assert_eq!(exponential(i32::MIN, -4), 0.0);
    }

    #[test]
    fn coarser_buckets_swallow_their_parts() {
        assert_eq!([1, 2, 3, 4].map(|i| coarser_index(i, 1, 0)), [1, 1, 2, 2]);
        assert_eq!([0, -1].map(|i| coarser_index(i, 1, 0)), [0, 0]);
    }
}

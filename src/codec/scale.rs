//! The divisor that all numbers of a column share: nanoseconds that are whole milliseconds,
//! bytes that are whole pages, decimals that are whole quarters.
//!
//! Common ones are three bits of the tag; others follow it as a varint.

use super::Error;
use super::encoding::Tag;
use super::varint::{decode_varint, encode_varint, varint_bytes};

/// Divisors that the tag names by their place here; 0 stands for "no divisor yet has this place".
const COMMON: [u64; 7] = [1, 1_000, 1_000_000, 1_000_000_000, 1 << 10, 1 << 12, 0];
/// The place that says: a varint follows.
const OTHER: u8 = 7;
/// Powers of ten are looked for first and kept, coarsest first: they leave the smallest tag.
const POWERS: [(u8, u64); 3] = [(3, COMMON[3]), (2, COMMON[2]), (1, COMMON[1])];

/// A divisor, not 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scale {
    aside: u8,
    divisor: u64,
}

impl Scale {
    pub(super) const ONE: Self = Self { aside: 0, divisor: 1 };

    /// The best divisor of all `values`.
    pub(super) fn of(values: &[i64]) -> Self {
        let ends = [values.first(), values.last()].map(|end| end.copied().unwrap_or(0));
        for (aside, divisor) in POWERS {
            // Written out for each power, the remainder is a multiplication.
            let divides = match aside {
                3 => |value: &i64| value % 1_000_000_000 == 0,
                2 => |value: &i64| value % 1_000_000 == 0,
                _ => |value: &i64| value % 1_000 == 0,
            };
            if ends.iter().all(divides) && values.iter().all(divides) {
                return Self { aside, divisor };
            }
        }
        let divisor = common_divisor(values);
        let place = COMMON.iter().position(|common| *common == divisor);
        let aside = place.and_then(|place| u8::try_from(place).ok()).unwrap_or(OTHER);
        let scale = Self { aside, divisor };
        // A small divisor saves less than a byte in eight rows.
        let saved_bits = divisor.ilog2() as usize * values.len();
        if saved_bits <= scale.bytes() * 8 { Self::ONE } else { scale }
    }

    /// The divisor of a column that is written as these few: only one that takes no byte.
    pub(super) fn of_few(values: &[i64]) -> Self {
        let all_zero = values.iter().all(|value| *value == 0);
        let scale = if all_zero { Self::ONE } else { Self::of(values) };
        if scale.aside == OTHER { Self::ONE } else { scale }
    }

    /// The three bits of the tag.
    pub(super) const fn aside(self) -> u8 {
        self.aside
    }

    /// Bytes behind the tag.
    pub(super) const fn bytes(self) -> usize {
        if self.aside == OTHER { varint_bytes(self.divisor) } else { 0 }
    }

    /// Appends what the tag does not say.
    pub(super) fn encode(self, out: &mut Vec<u8>) {
        if self.aside == OTHER {
            encode_varint(self.divisor, out);
        }
    }

    /// Reads what `tag` and the bytes behind it say, and how many those are.
    #[inline]
    pub(super) fn decode(tag: Tag, behind: &[u8]) -> Result<(Self, usize), Error> {
        let aside = tag.aside;
        if aside == OTHER {
            let (divisor, used) = decode_varint(behind)?;
            return Ok((Self { aside, divisor }, used));
        }
        match COMMON.get(usize::from(aside)) {
            Some(divisor) if *divisor != 0 => Ok((Self { aside, divisor: *divisor }, 0)),
            _ => Err(Error::OutOfRange { what: "scale", found: aside.into(), limit: OTHER.into() }),
        }
    }

    /// The number of divisors in each value.
    pub(super) fn units(self, values: &[i64]) -> Vec<i64> {
        // The division leaves nothing, so it is a shift and a product with the odd part's inverse
        // modulo 2^64, a tenth of a division's time. Each step doubles the bits that are right.
        let shift = self.divisor.trailing_zeros();
        let odd = self.divisor >> shift;
        let mut inverse = odd;
        for _ in 0..5 {
            inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
        }
        let inverse = inverse.cast_signed();
        values.iter().map(|value| (value >> shift).wrapping_mul(inverse)).collect()
    }

    /// The number of divisors in a value.
    pub(super) fn unit(self, value: i64) -> i64 {
        self.units(&[value]).first().copied().unwrap_or(0)
    }

    /// The value of so many units; wraps where they are no writer's.
    #[inline]
    pub(super) const fn value(self, units: i64) -> i64 {
        units.wrapping_mul(self.divisor.cast_signed())
    }

    pub(super) const fn is_one(self) -> bool {
        self.divisor == 1
    }
}

/// The greatest common divisor; 1 where all values are 0.
fn common_divisor(values: &[i64]) -> u64 {
    let mut divisor = 0_u64;
    for value in values {
        let value = value.unsigned_abs();
        let rest = match divisor {
            0 => value,
            1 => return 1,
            _ if divisor.is_power_of_two() => value & (divisor - 1),
            _ => value % divisor,
        };
        if rest != 0 {
            divisor = greatest(divisor, rest);
        }
    }
    divisor.max(1)
}

/// Euclid's.
const fn greatest(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Encoding;
    use super::*;

    proptest! {
        #[test]
        fn units_times_the_scale_are_the_values(
            units in prop::collection::vec(-1000_i64..1000, 1..50),
            divisor in prop_oneof![Just(1_000_000), 1_i64..1_000_000, Just(1 << 50)]
        ) {
            let values: Vec<i64> = units.iter().map(|unit| unit * divisor).collect();
            let scale = Scale::of(&values);
            let back: Vec<i64> = scale.units(&values).into_iter().map(|unit| scale.value(unit)).collect();
            prop_assert_eq!(back, values);
            let tag = Tag::new(Encoding::Raw, scale.aside());
            let mut bytes = Vec::new();
            scale.encode(&mut bytes);
            prop_assert_eq!(bytes.len(), scale.bytes());
            prop_assert_eq!(Scale::decode(tag, &bytes), Ok((scale, bytes.len())));
        }
    }

    #[test]
    fn the_lowest_number_has_a_scale() {
        let values = [i64::MIN, 0, 1 << 40, i64::MIN, 1 << 41, 0, 0, 0];
        let scale = Scale::of(&values);
        assert_eq!(scale.divisor, 1 << 40);
        assert_eq!(scale.value(scale.units(&values)[0]), i64::MIN);
    }

    #[test]
    fn a_scale_without_meaning_is_refused() {
        let tag = Tag::new(Encoding::Raw, 6);
        assert!(matches!(Scale::decode(tag, &[]), Err(Error::OutOfRange { what: "scale", .. })));
    }
}

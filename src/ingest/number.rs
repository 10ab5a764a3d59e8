//! Numbers as text to floats, bit-exact.
//!
//! A decimal of up to 53 bits times a power of ten up to 10^22 is one correctly rounded operation on
//! two exact floats (Clinger, "How to Read Floating Point Numbers Accurately", PLDI 1990). Others go
//! to the standard library.

/// Powers of ten that a float holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// Integers up to here are exact.
const MANTISSA_MAX: u64 = 1 << 53;

/// `mantissa` × 10^-`decimals`, where that is exact in one step.
#[inline]
pub(super) fn scaled(is_negative: bool, mantissa: u64, decimals: usize) -> Option<f64> {
    if mantissa > MANTISSA_MAX {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "at most 2^53")]
    let magnitude = mantissa as f64 / POWERS.get(decimals)?;
    Some(if is_negative { -magnitude } else { magnitude })
}

/// Any decimal; None where it is no number. Beyond the range of floats it is infinite.
pub(super) fn float(text: &[u8]) -> Option<f64> {
    let is_decimal = |byte: &u8| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E');
    if !text.iter().all(is_decimal) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The NaN that Prometheus writes for every NaN in text, so that no text is a staleness marker.
const NAN_BITS: u64 = 0x7ff8_0000_0000_0001;

/// A value in text as Go's `ParseFloat` reads it, without hexadecimal and underscores.
#[inline]
pub(super) fn decimal(text: &[u8]) -> Option<f64> {
    let (is_negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let (mut mantissa, mut decimals, mut count, mut has_point) = (0_u64, 0, 0, false);
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
            count += 1;
            decimals += usize::from(has_point);
        } else if *byte == b'.' && !has_point {
            has_point = true;
        } else {
            return other_decimal(text);
        }
    }
    // 19 digits fit 64 bits.
    if count == 0 || count > 19 {
        return other_decimal(text);
    }
    scaled(is_negative, mantissa, decimals).or_else(|| other_decimal(text))
}

/// Exponents, many digits, infinities, NaN.
#[cold]
fn other_decimal(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    if text.eq_ignore_ascii_case("nan") {
        return Some(f64::from_bits(NAN_BITS));
    }
    let value: f64 = text.parse().ok()?;
    let is_word = text.trim_start_matches(['+', '-']).starts_with(|c: char| c.is_alphabetic());
    // "+nan", which Go does not know, and numbers beyond the range.
    let is_bad = value.is_nan() || (value.is_infinite() && !is_word);
    (!is_bad).then_some(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_short_way_is_bit_equal(negative: bool, mantissa in 0..=MANTISSA_MAX, decimals in 0..23_usize) {
            let sign = if negative { "-" } else { "" };
            let long: f64 = format!("{sign}{mantissa}e-{decimals}").parse().unwrap();
            let short = scaled(negative, mantissa, decimals).unwrap();
            prop_assert_eq!(short.to_bits(), long.to_bits());
        }

        #[test]
        fn any_float_survives(value: f64) {
            let read = decimal(format!("{value:?}").as_bytes()).unwrap();
            prop_assert!(read.to_bits() == value.to_bits() || (read.is_nan() && value.is_nan()));
        }
    }

    #[test]
    fn what_is_not_exact_or_not_decimal_is_left_to_others() {
        assert_eq!(scaled(false, MANTISSA_MAX + 1, 0), None);
        assert_eq!(scaled(false, 1, 23), None);
        for text in ["nan", "inf", "", "-", "1_0", "0x10", "é"] {
            assert_eq!(float(text.as_bytes()), None, "{text}");
        }
        assert_eq!(float(b"1e999"), Some(f64::INFINITY));
        assert_eq!(float(b"-.5e1"), Some(-5.0));
    }

    #[test]
    fn values_are_those_of_go() {
        for (text, expected) in [
            ("1", 1.0),
            ("-0", -0.0),
            ("+5", 5.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("1e3", 1000.0),
            ("1.458255915e9", 1.458_255_915e9),
            ("+Inf", f64::INFINITY),
            ("-inf", f64::NEG_INFINITY),
            ("Infinity", f64::INFINITY),
            ("123456789012345678901", 123_456_789_012_345_680_000.0),
            ("0.1", 0.1),
        ] {
            assert_eq!(
                decimal(text.as_bytes()).map(f64::to_bits),
                Some(expected.to_bits()),
                "{text}"
            );
        }
        assert_eq!(decimal(b"NaN").map(f64::to_bits), Some(NAN_BITS));
        for text in ["", "-", ".", "1_0", "0x10", "0x1p4", "1e", "1e999", "+nan", "a", "1.1.1", "é"]
        {
            assert_eq!(decimal(text.as_bytes()), None, "{text}");
        }
    }
}

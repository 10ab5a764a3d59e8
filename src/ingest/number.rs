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
}

//! Values and times as these formats spell them.

use crate::ingest::number::scaled;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// The NaN that Prometheus writes for every NaN in text, so that no text is a staleness marker.
const NAN_BITS: u64 = 0x7ff8_0000_0000_0001;

/// A value as Go's `ParseFloat` reads it, without hexadecimal and underscores.
#[inline]
pub(super) fn value(text: &[u8]) -> Option<f64> {
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
            return other_value(text);
        }
    }
    // 19 digits fit 64 bits.
    if count == 0 || count > 19 {
        return other_value(text);
    }
    scaled(is_negative, mantissa, decimals).or_else(|| other_value(text))
}

/// Exponents, many digits, infinities, NaN.
#[cold]
fn other_value(text: &[u8]) -> Option<f64> {
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

/// Whole milliseconds.
pub(super) fn millis(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Seconds with a fraction, as nanoseconds: exact where they are written plainly, else to the
/// millisecond.
pub(super) fn seconds(text: &[u8]) -> Option<i64> {
    plain_seconds(text).or_else(|| {
        let seconds = value(text)?;
        seconds_of(seconds)
    })
}

/// Seconds of a sample's value, as nanoseconds, to the millisecond; None outside 1677-2262.
pub(super) fn seconds_of(seconds: f64) -> Option<i64> {
    let millis = (seconds * 1e3).round();
    // Nanoseconds reach 9.2e15 ms either way; a NaN is in no range.
    if !(-9.2e12..9.2e12).contains(&millis) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole and within range")]
    let millis = millis as i64;
    millis.checked_mul(1_000_000)
}

fn plain_seconds(text: &[u8]) -> Option<i64> {
    let (is_negative, digits) =
        text.strip_prefix(b"-").map_or((false, text), |digits| (true, digits));
    let point = digits.iter().position(|byte| *byte == b'.').unwrap_or(digits.len());
    let (whole, fraction) = digits.split_at_checked(point)?;
    let fraction = fraction.get(1..).unwrap_or_default();
    let is_plain =
        |digits: &[u8], most| digits.len() <= most && digits.iter().all(u8::is_ascii_digit);
    if whole.is_empty() || !is_plain(whole, 10) || !is_plain(fraction, 9) {
        return None;
    }
    let number = |digits: &[u8]| {
        digits.iter().fold(0_i64, |number, digit| number * 10 + i64::from(*digit - b'0'))
    };
    let scale = (fraction.len()..9).fold(1, |scale, _| scale * 10);
    let nanos =
        number(whole).checked_mul(NANOS_PER_SECOND)?.checked_add(number(fraction) * scale)?;
    Some(if is_negative { -nanos } else { nanos })
}

/// A bound or quantile as a label's value: `1` becomes `1.0`, so that all formats give one series.
///
/// Go's `%g` with the fewest digits that read back, and `.0` behind a whole number.
pub(super) fn label_value(bound: f64) -> String {
    if bound.is_nan() {
        return "NaN".into();
    }
    if bound.is_infinite() {
        return if bound > 0.0 { "+Inf" } else { "-Inf" }.into();
    }
    let scientific = format!("{bound:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if bound != 0.0 && !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs());
    }
    let plain = format!("{bound}");
    if plain.contains('.') { plain } else { plain + ".0" }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
                value(text.as_bytes()).map(f64::to_bits),
                Some(expected.to_bits()),
                "{text}"
            );
        }
        assert_eq!(value(b"NaN").map(f64::to_bits), Some(NAN_BITS));
        for text in ["", "-", ".", "1_0", "0x10", "0x1p4", "1e", "1e999", "+nan", "a", "1.1.1", "é"]
        {
            assert_eq!(value(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn times_are_exact_where_they_are_written_plainly() {
        assert_eq!(seconds(b"1520879607.789"), Some(1_520_879_607_789_000_000));
        assert_eq!(seconds(b"1520879607.789123456"), Some(1_520_879_607_789_123_456));
        assert_eq!(seconds(b"-1.5"), Some(-1_500_000_000));
        assert_eq!(seconds(b"1.395066363e9"), Some(1_395_066_363_000_000_000));
        assert_eq!(seconds(b"0"), Some(0));
        for text in ["NaN", "+Inf", "", "1e30", "9999999999999"] {
            assert_eq!(seconds(text.as_bytes()), None, "{text}");
        }
        assert_eq!(millis(b"-7"), Some(-7));
        for text in ["", "-", "1.5", "1e3", "99999999999999999999"] {
            assert_eq!(millis(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn bounds_are_spelled_as_prometheus_does() {
        for (bound, text) in [
            (1.0, "1.0"),
            (0.0, "0.0"),
            (0.005, "0.005"),
            (2.5, "2.5"),
            (100_000.0, "100000.0"),
            (1e6, "1e+06"),
            (1_234_567.0, "1.234567e+06"),
            (0.0001, "0.0001"),
            (0.000_01, "1e-05"),
            (-1.5e-7, "-1.5e-07"),
            (1e100, "1e+100"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(label_value(bound), text);
        }
    }

    proptest! {
        #[test]
        fn any_float_survives(value_in: f64) {
            let text = format!("{value_in:?}");
            let read = value(text.as_bytes()).unwrap();
            prop_assert!(read.to_bits() == value_in.to_bits() || (read.is_nan() && value_in.is_nan()));
            let bound: f64 = label_value(value_in).parse().unwrap();
            prop_assert!(bound == value_in || value_in.is_nan());
        }
    }
}

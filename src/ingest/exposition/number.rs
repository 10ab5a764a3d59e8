//! Values and times as these formats spell them.

use crate::ingest::number::decimal;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

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
pub(in crate::ingest) fn seconds(text: &[u8]) -> Option<i64> {
    plain_seconds(text).or_else(|| {
        let seconds = decimal(text)?;
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
        fn any_bound_survives(bound_in: f64) {
            let bound: f64 = label_value(bound_in).parse().unwrap();
            prop_assert!(bound == bound_in || bound_in.is_nan());
        }
    }
}

//! Numbers as text, as Go writes them: labels and annotations that users compare with Prometheus'.

use std::fmt::Write;

/// The exponent from which Go's shortest `%g` writes one.
const EXPONENT_END: usize = 6;

/// Go's `%g`: shortest digits that read back, with an exponent below 1e-4 and from 1e+06 on.
pub fn general(value: f64) -> String {
    if let Some(text) = special(value) {
        return text.to_owned();
    }
    let (digits, exponent, sign) = shortest(value);
    layout(&digits, exponent, sign, EXPONENT_END)
}

/// Go's `%.{precision}g`: at most so many digits.
pub fn general_rounded(value: f64, precision: usize) -> String {
    if let Some(text) = special(value) {
        return text.to_owned();
    }
    let text = format!("{:.*e}", precision.max(1) - 1, value.abs());
    let (mut digits, exponent) = split(&text);
    while digits.len() > 1 && digits.ends_with('0') {
        digits.pop();
    }
    layout(&digits, exponent, if value.is_sign_negative() { "-" } else { "" }, precision.max(1))
}

/// Go's `FormatFloat(v, 'f', -1, 64)`: shortest digits, never an exponent.
pub fn plain(value: f64) -> String {
    if let Some(text) = special(value) {
        return text.to_owned();
    }
    // Only large values can lie halfway between two texts.
    if value.abs() < HALFWAY_FROM {
        return format!("{value}");
    }
    let (digits, exponent, sign) = shortest(value);
    layout(&digits, exponent, sign, usize::MAX)
}

/// As OpenMetrics writes bounds: like [`general`], and whole numbers get `.0`.
pub fn open_metrics(value: f64) -> String {
    let mut text = general(value);
    if value.is_finite() && !text.contains(['e', '.']) {
        text.push_str(".0");
    }
    text
}

fn special(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        Some("NaN")
    } else if value == f64::INFINITY {
        Some("+Inf")
    } else if value == f64::NEG_INFINITY {
        Some("-Inf")
    } else {
        None
    }
}

fn shortest(value: f64) -> (String, i32, &'static str) {
    let (mut digits, exponent) = split(&format!("{:e}", value.abs()));
    if let Some(even) = even_digits(value.abs(), &digits, exponent) {
        digits = even;
    }
    (digits, exponent, if value.is_sign_negative() { "-" } else { "" })
}

/// Below, a float that has one digit more than its shortest text has fifteen at most, and is that text.
const HALFWAY_FROM: f64 = 1e14;
/// Digits that any float has at most.
const DIGITS_MAX: usize = 770;

/// The digits that are one less, where both texts are as near and read back: of two, Go takes the even
/// one, and Rust the upper. 1678795252447729.25 is …729.2 for Go.
fn even_digits(value: f64, digits: &str, exponent: i32) -> Option<String> {
    let last = digits.bytes().last().filter(|last| last % 2 == 1)?;
    if value < HALFWAY_FROM {
        return None;
    }
    let mut lower = digits.get(..digits.len() - 1)?.to_owned();
    lower.push(char::from(last - 1));
    let (exact, _) = split(&format!("{value:.DIGITS_MAX$e}"));
    let rest = exact.strip_prefix(lower.as_str())?.strip_prefix('5')?;
    let reads_back = || {
        let shift = i32::try_from(lower.len()).map_or(0, |length| exponent + 1 - length);
        format!("{lower}e{shift}").parse() == Ok(value)
    };
    (rest.bytes().all(|digit| digit == b'0') && reads_back()).then_some(lower)
}

/// Digits without a point, and the exponent of the first one.
fn split(text: &str) -> (String, i32) {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    (mantissa.replace('.', ""), exponent.parse().unwrap_or(0))
}

fn layout(digits: &str, exponent: i32, sign: &str, exponent_end: usize) -> String {
    let mut text = String::from(sign);
    let end = i32::try_from(exponent_end).unwrap_or(i32::MAX);
    if exponent < -4 || exponent >= end {
        let (first, others) = digits.split_at(1);
        text.push_str(first);
        if !others.is_empty() {
            text.push('.');
            text.push_str(others);
        }
        let direction = if exponent < 0 { '-' } else { '+' };
        // Writing to a String cannot fail.
        let _ = write!(text, "e{direction}{:02}", exponent.abs());
    } else if exponent < 0 {
        text.push_str("0.");
        (1..-exponent).for_each(|_| text.push('0'));
        text.push_str(digits);
    } else {
        let whole = usize::try_from(exponent).unwrap_or(0) + 1;
        text.push_str(digits.get(..whole.min(digits.len())).unwrap_or(digits));
        (digits.len()..whole).for_each(|_| text.push('0'));
        if let Some(others) = digits.get(whole..).filter(|others| !others.is_empty()) {
            text.push('.');
            text.push_str(others);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Found by asking `count_values` beside Prometheus: labels differed in the last digit.
    #[expect(clippy::excessive_precision, reason = "these lie between two texts")]
    #[test]
    fn of_two_texts_that_are_as_near_the_even_one_is_taken() {
        let cases: [(f64, &str, &str); 4] = [
            (1_678_795_252_447_729.25, "1678795252447729.2", "1.6787952524477292e+15"),
            (1_678_795_252_447_729.75, "1678795252447729.8", "1.6787952524477298e+15"),
            (-1_678_795_252_447_729.25, "-1678795252447729.2", "-1.6787952524477292e+15"),
            (1_678_795_252_447_729.5, "1678795252447729.5", "1.6787952524477295e+15"),
        ];
        for (value, expected, expected_general) in cases {
            assert_eq!(plain(value), expected);
            assert_eq!(general(value), expected_general);
        }
        assert_eq!(plain(1e300), format!("1{}", "0".repeat(300)));
        assert_eq!(plain(9_007_199_254_740_993.0), "9007199254740992");
    }

    #[test]
    fn general_is_short_and_has_an_exponent_at_both_ends() {
        let cases: [(f64, &str); 12] = [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (1.5, "1.5"),
            (100_000.0, "100000"),
            (1_000_000.0, "1e+06"),
            (123_456_789.0, "1.23456789e+08"),
            (0.0001, "0.0001"),
            (0.000_01, "1e-05"),
            (-2.5e-10, "-2.5e-10"),
            (f64::INFINITY, "+Inf"),
            (f64::NAN, "NaN"),
        ];
        for (value, text) in cases {
            assert_eq!(general(value), text);
        }
    }

    #[test]
    fn rounding_drops_zeros_at_the_end() {
        assert_eq!(general_rounded(2.0, 2), "2");
        assert_eq!(general_rounded(0.123, 2), "0.12");
        assert_eq!(general_rounded(123.0, 2), "1.2e+02");
    }

    #[test]
    fn plain_never_has_an_exponent() {
        assert_eq!(plain(1e21), "1000000000000000000000");
        assert_eq!(plain(1e-7), "0.0000001");
    }

    #[test]
    fn bounds_are_floats() {
        assert_eq!(open_metrics(1.0), "1.0");
        assert_eq!(open_metrics(0.95), "0.95");
    }
}

//! Numbers as text: the shortest digits that read back to the same bits.
//!
//! Notation is that of Go's `strconv` as the Prometheus API uses it: plain where
//! 1e-6 <= |x| < 1e21, else an exponent of at least two digits (`1e-07`, `1e+21`).

use std::io::Write;

/// Largest integer whose neighbours are all exact: below it, digits of a scaled value are its own.
const EXACT_MAX: f64 = 1e15;

/// Decimal places that are tried by scaling before the general way. Most measured values have two or
/// three; a try costs a multiplication and a division.
const PLACES_MAX: u32 = 6;

/// Appends an integer.
pub fn write_integer(value: i64, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    write_digits(value.unsigned_abs(), 1, out);
}

/// Appends the shortest text of `value`; `NaN`, `+Inf`, `-Inf`, `-0`.
pub fn write_float(value: f64, out: &mut Vec<u8>) {
    if value.is_nan() {
        out.extend_from_slice(b"NaN");
        return;
    }
    if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { b"+Inf" } else { b"-Inf" });
        return;
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    let size = value.abs();
    if !write_decimal(size, out) {
        write_shortest(size, out);
    }
}

/// Writes values of few decimal places; false, and nothing written, where there are more.
fn write_decimal(size: f64, out: &mut Vec<u8>) -> bool {
    let mut power = 1_u64;
    for places in 0..=PLACES_MAX {
        #[expect(clippy::cast_precision_loss, reason = "powers of ten up to 1e6 are exact")]
        let scale = power as f64;
        let scaled = (size * scale).round();
        if scaled >= EXACT_MAX {
            return false;
        }
        // Both are exact and below 2^53, so the quotient is what a parser makes of these digits.
        if scaled / scale == size {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a whole number from 0 to 1e15"
            )]
            let whole = scaled as u64;
            if places == 0 {
                write_digits(whole, 1, out);
                return true;
            }
            // Values under 1e-6 have an exponent; they have more places than are tried, except 1e-6.
            write_digits(whole / power, 1, out);
            out.push(b'.');
            write_digits(whole % power, places as usize, out);
            return true;
        }
        power *= 10;
    }
    false
}

/// Writes `value` with zeros in front up to `width` digits.
fn write_digits(mut value: u64, width: usize, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    for digit in digits.iter_mut().rev() {
        let last = (value % 10) as u8;
        *digit = b'0' + last;
        value /= 10;
        start -= 1;
        if value == 0 {
            break;
        }
    }
    let start = start.min(digits.len() - width.min(digits.len()));
    out.extend_from_slice(digits.get(start..).unwrap_or_default());
}

/// The general way: the standard library finds the digits, we place the point.
fn write_shortest(size: f64, out: &mut Vec<u8>) {
    let mut buffer = [0_u8; 32];
    let mut rest = buffer.as_mut_slice();
    if write!(rest, "{size:e}").is_err() {
        return;
    }
    let unused = rest.len();
    let text = buffer.get(..buffer.len() - unused).unwrap_or_default();
    let (mantissa, exponent) = split_exponent(text);
    let (first, others) = mantissa.split_at(1.min(mantissa.len()));
    let others = others.get(1..).unwrap_or_default();
    if !(-6..21).contains(&exponent) {
        out.extend_from_slice(mantissa);
        out.push(b'e');
        out.push(if exponent < 0 { b'-' } else { b'+' });
        write_digits(u64::from(exponent.unsigned_abs()), 2, out);
    } else if exponent < 0 {
        out.extend_from_slice(b"0.");
        out.resize(out.len() + (exponent.unsigned_abs() as usize - 1), b'0');
        out.extend_from_slice(first);
        out.extend_from_slice(others);
    } else {
        let whole = exponent.unsigned_abs() as usize;
        out.extend_from_slice(first);
        if others.len() > whole {
            let (before, after) = others.split_at(whole);
            out.extend_from_slice(before);
            out.push(b'.');
            out.extend_from_slice(after);
        } else {
            out.extend_from_slice(others);
            out.resize(out.len() + whole - others.len(), b'0');
        }
    }
}

/// `1.25e-7` as `1.25` and -7.
fn split_exponent(text: &[u8]) -> (&[u8], i32) {
    let at = text.iter().position(|byte| *byte == b'e').unwrap_or(text.len());
    let (mantissa, exponent) = text.split_at(at);
    let exponent = exponent.get(1..).and_then(|digits| std::str::from_utf8(digits).ok());
    (mantissa, exponent.and_then(|digits| digits.parse().ok()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(value: f64) -> String {
        let mut out = Vec::new();
        write_float(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn notation_is_that_of_the_prometheus_api() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (0.1, "0.1"),
            (123_456.789, "123456.789"),
            (0.000_001, "0.000001"),
            (0.000_001_5, "0.0000015"),
            (1e-7, "1e-07"),
            (1.25e-10, "1.25e-10"),
            (1e20, "100000000000000000000"),
            (123_456_789_012_345_680.0, "123456789012345680"),
            (1e21, "1e+21"),
            (1.5e300, "1.5e+300"),
            (f64::MAX, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
            (9_007_199_254_740_993.0, "9007199254740992"),
            (1.0 / 3.0, "0.3333333333333333"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ] {
            assert_eq!(text(value), expected);
        }
    }

    #[test]
    fn integers_reach_both_ends() {
        let mut out = Vec::new();
        for value in [0, -7, i64::MAX, i64::MIN] {
            write_integer(value, &mut out);
            out.push(b' ');
        }
        assert_eq!(out, b"0 -7 9223372036854775807 -9223372036854775808 ");
    }

    proptest! {
        #[test]
        fn text_reads_back_to_the_same_bits(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(!value.is_nan());
            prop_assert_eq!(text(value).parse::<f64>().unwrap().to_bits(), value.to_bits());
        }

        #[test]
        fn decimals_are_as_short_as_the_general_way_makes_them(cents in -1_000_000_000_i64..1_000_000_000, power in 0_i32..8) {
            #[expect(clippy::cast_precision_loss, reason = "small")]
            let value = cents as f64 / 10_f64.powi(power);
            prop_assume!(value == 0.0 || value.abs() >= 1e-6);
            prop_assert_eq!(text(value), format!("{value}"));
        }
    }
}

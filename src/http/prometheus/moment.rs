//! Instants and durations as parameters of the Prometheus API write them.
//!
//! An instant is Unix seconds with a fraction, or RFC 3339; a duration is seconds with a fraction, or
//! `1h30m`. Fractions are rounded to milliseconds. Source: Prometheus `web/api/v1/api.go`,
//! `parseTime` and `parseDuration`.

use crate::http::{Error, params::Params};
use crate::model::TimeSpan;

/// What Prometheus prints for the earliest and the latest time it knows; dashboards send them back.
const TIME_MIN: &str = "-292273086-05-16T16:47:06Z";
const TIME_MAX: &str = "292277025-08-18T07:12:54.999999999Z";

/// The instant of parameter `name` in milliseconds; None where it is not there.
///
/// # Errors
/// Where it is no instant.
pub(super) fn time(params: &Params, name: &'static str) -> Result<Option<i64>, Error> {
    let Some(text) = params.get(name) else { return Ok(None) };
    let bad = || Error::Parameter {
        name,
        why: format!("cannot parse {:?} to a valid timestamp", shown(text)),
    };
    parse_time(text).ok_or_else(bad).map(Some)
}

/// The duration of parameter `name` in milliseconds; None where it is not there.
///
/// # Errors
/// Where it is no duration.
pub(super) fn duration(params: &Params, name: &'static str) -> Result<Option<i64>, Error> {
    let Some(text) = params.get(name) else { return Ok(None) };
    let bad = || Error::Parameter {
        name,
        why: format!("cannot parse {:?} to a valid duration", shown(text)),
    };
    parse_duration(text).ok_or_else(bad).map(Some)
}

fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

/// Milliseconds since 1970; what lies beyond the range of `i64` is its end.
pub fn parse_time(text: &str) -> Option<i64> {
    if let Some(seconds) = number(text) {
        return Some(millis(seconds));
    }
    match text {
        TIME_MIN => Some(i64::MIN),
        TIME_MAX => Some(i64::MAX),
        _ => rfc3339(text),
    }
}

/// Milliseconds.
pub fn parse_duration(text: &str) -> Option<i64> {
    if let Some(seconds) = number(text) {
        let millis = seconds * 1000.0;
        // Go's duration ends at 2^63 ns.
        return (millis.abs() < 9.2e12).then(|| rounded(millis));
    }
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    text.parse::<TimeSpan>().ok().map(|span| sign * span.millis())
}

fn number(text: &str) -> Option<f64> {
    // Rust reads "nan" and "infinity" as numbers; as times they are none.
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

fn millis(seconds: f64) -> i64 {
    let (whole, fraction) = (seconds.trunc(), seconds.fract());
    rounded(whole * 1000.0).saturating_add(rounded(fraction * 1000.0))
}

#[expect(clippy::cast_possible_truncation, reason = "saturates, and that is meant")]
fn rounded(value: f64) -> i64 {
    value.round() as i64
}

/// `2026-11-23T08:30:00.5+01:00`.
fn rfc3339(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let digits = |from: usize, to: usize| -> Option<i64> {
        let part = bytes.get(from..to)?;
        part.iter().try_fold(0, |sum, byte| {
            byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0'))
        })
    };
    let is = |at: usize, set: &[u8]| bytes.get(at).is_some_and(|byte| set.contains(byte));
    let marks = is(4, b"-") && is(7, b"-") && is(10, b"Tt") && is(13, b":") && is(16, b":");
    if !marks {
        return None;
    }
    let (year, month, day) = (digits(0, 4)?, digits(5, 7)?, digits(8, 10)?);
    let (hour, minute, second) = (digits(11, 13)?, digits(14, 16)?, digits(17, 19)?);
    let valid = (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !valid {
        return None;
    }
    let (fraction_ms, zone) = fraction(bytes.get(19..)?)?;
    let offset_s = offset(zone)?;
    let seconds = days_before(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    Some((seconds - offset_s) * 1000 + fraction_ms)
}

/// Milliseconds of `.123456`, and what follows. Digits past the third are cut off, as Go does.
fn fraction(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let Some(digits) = bytes.strip_prefix(b".") else { return Some((0, bytes)) };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 {
        return None;
    }
    let (digits, rest) = digits.split_at(count);
    let millis = digits
        .iter()
        .copied()
        .chain(std::iter::repeat(b'0'))
        .take(3)
        .fold(0, |sum, byte| sum * 10 + i64::from(byte - b'0'));
    Some((millis, rest))
}

/// Seconds east of Greenwich.
fn offset(zone: &[u8]) -> Option<i64> {
    match zone {
        b"Z" | b"z" => Some(0),
        [sign @ (b'+' | b'-'), a, b, b':', c, d]
            if [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()) =>
        {
            let pair = |a: &u8, b: &u8| i64::from(a - b'0') * 10 + i64::from(b - b'0');
            let (hours, minutes) = (pair(a, b), pair(c, d));
            let seconds = hours * 3600 + minutes * 60;
            (hours < 24 && minutes < 60).then_some(if *sign == b'+' { seconds } else { -seconds })
        }
        _ => None,
    }
}

fn days_in(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar. Howard Hinnant, `days_from_civil`.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn instants_are_seconds_or_rfc_3339() {
        for (text, expected) in [
            ("0", Some(0)),
            ("1435781451.781", Some(1_435_781_451_781)),
            ("1.0006", Some(1_001)),
            ("-1.5", Some(-1_500)),
            ("1e9", Some(1_000_000_000_000)),
            ("1e300", Some(i64::MAX)),
            ("-9e18", Some(i64::MIN)),
            ("2015-07-01T20:10:51.781Z", Some(1_435_781_451_781)),
            ("2015-06-02T13:21:14+02:00", Some(1_433_244_074_000)),
            ("1969-12-31T23:59:59.999Z", Some(-1)),
            ("2000-02-29T00:00:00Z", Some(951_782_400_000)),
            (TIME_MIN, Some(i64::MIN)),
            (TIME_MAX, Some(i64::MAX)),
            ("2001-02-29T00:00:00Z", None),
            ("2015-07-01T20:10:51", None),
            ("2015-07-01 20:10:51Z", None),
            ("NaN", None),
            ("-Inf", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(parse_time(text), expected, "{text}");
        }
    }

    #[test]
    fn durations_are_seconds_or_units_in_order() {
        for (text, expected) in [
            ("15", Some(15_000)),
            ("0.001", Some(1)),
            ("-5", Some(-5_000)),
            ("1h30m", Some(5_400_000)),
            ("1d12h5ms", Some(129_600_005)),
            ("-5m", Some(-300_000)),
            ("1y", Some(31_536_000_000)),
            ("30m1h", None),
            ("1m1m", None),
            ("5x", None),
            ("m", None),
            ("1.5h", None),
            ("1e300", None),
            ("Inf", None),
            ("", None),
            ("300y", None),
        ] {
            assert_eq!(parse_duration(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_time_or_none(text: String) {
            let _ = (parse_time(&text), parse_duration(&text));
        }

        #[test]
        fn days_follow_each_other(year in 1_i64..9999, month in 1_i64..=12) {
            let last = days_before(year, month, days_in(year, month));
            let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
            prop_assert_eq!(days_before(year, month, 1), last + 1);
        }
    }
}

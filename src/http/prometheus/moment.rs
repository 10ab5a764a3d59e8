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

/// The same where it may be left out: Prometheus names such a parameter twice.
///
/// # Errors
/// Where it is no instant.
pub(super) fn optional_time(params: &Params, name: &'static str) -> Result<Option<i64>, Error> {
    time(params, name).map_err(|error| match error {
        Error::Parameter { name, why } => {
            Error::Parameter { name, why: format!("invalid time value for '{name}': {why}") }
        }
        other => other,
    })
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

/// `2026-11-23T08:30:00.5+01:00`. Digits past the third are cut off, as Go does.
fn rfc3339(text: &str) -> Option<i64> {
    // jiff also reads blanks for the T, leap seconds and times without seconds.
    let bytes = text.as_bytes();
    let is = |at: usize, set: &[u8]| bytes.get(at).is_some_and(|byte| set.contains(byte));
    let is_strict = is(4, b"-") && is(10, b"Tt") && is(13, b":") && is(16, b":") && !is(17, b"6");
    let time = is_strict.then(|| text.parse::<jiff::Timestamp>().ok())??;
    i64::try_from(time.as_nanosecond().div_euclid(1_000_000)).ok()
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
    }
}

//! Durations, sizes and times as people type them.

use std::time::Duration;

use crate::http::{parse_duration, parse_time};

/// `90s`, `5m`, `1h30m`, `30d`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let millis = parse_duration(text).and_then(|millis| u64::try_from(millis).ok());
    millis.map(Duration::from_millis).ok_or_else(|| "write it like 90s, 5m, 1h30m or 30d".into())
}

/// `site=home`.
pub(super) fn label(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it like site=home")?;
    if name.is_empty() || value.is_empty() {
        return Err("a label has a name and a value, like site=home".into());
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// `64MiB`, `1GB`, `512`.
pub(super) fn size(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 10] = [
        ("", 1),
        ("b", 1),
        ("kib", 1 << 10),
        ("mib", 1 << 20),
        ("gib", 1 << 30),
        ("tib", 1 << 40),
        ("kb", 1_000),
        ("mb", 1_000_000),
        ("gb", 1_000_000_000),
        ("tb", 1_000_000_000_000),
    ];
    let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(at);
    let unit = unit.trim().to_ascii_lowercase();
    let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
    let size = digits.parse::<u64>().ok().zip(factor).and_then(|(n, factor)| n.checked_mul(factor));
    size.ok_or_else(|| "write it like 64MiB, 2GiB or 500MB".into())
}

/// Milliseconds of `now`, `now-1h`, `-1h`, `2026-11-23`, RFC 3339, or Unix seconds.
pub(super) fn time(text: &str, now_ms: i64) -> Result<i64, String> {
    let bad = || {
        format!(
            "{text:?} is no time: write now-1h, -1h, 2026-11-23, 2026-11-23T08:30:00Z or seconds"
        )
    };
    if text == "now" {
        return Ok(now_ms);
    }
    let relative = text.strip_prefix("now").unwrap_or(text);
    // "-90" is an instant before 1970, "-90s" is a minute and a half ago.
    let is_relative = relative.len() < text.len() || relative.parse::<f64>().is_err();
    if is_relative && let Some(span) = relative.strip_prefix(['-', '+']) {
        let span = parse_duration(span).ok_or_else(bad)?;
        let sign = if relative.starts_with('-') { -1 } else { 1 };
        return Ok(now_ms.saturating_add(sign * span));
    }
    let day = (text.len() == 10 && text.contains('-')).then(|| format!("{text}T00:00:00Z"));
    parse_time(day.as_deref().unwrap_or(text)).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_of_both_kinds() {
        for (text, expected) in [
            ("512", Some(512)),
            ("64MiB", Some(64 << 20)),
            ("2 GiB", Some(2 << 30)),
            ("500mb", Some(500_000_000)),
            ("MiB", None),
            ("1.5GiB", None),
            ("-1", None),
            ("99999999999TiB", None),
        ] {
            assert_eq!(size(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn times_are_relative_or_absolute() {
        let now = 1_700_000_000_000;
        for (text, expected) in [
            ("now", Some(now)),
            ("now-1h", Some(now - 3_600_000)),
            ("-1h30m", Some(now - 5_400_000)),
            ("now+5m", Some(now + 300_000)),
            ("-90", Some(-90_000)),
            ("1970-01-02", Some(86_400_000)),
            ("1970-01-01T00:00:01Z", Some(1000)),
            ("yesterday", None),
            ("now-", None),
        ] {
            assert_eq!(time(text, now).ok(), expected, "{text}");
        }
    }

    #[test]
    fn durations_do_not_go_backwards() {
        assert_eq!(duration("5m"), Ok(Duration::from_mins(5)));
        assert!(duration("-5m").is_err());
        assert!(duration("soon").is_err());
    }
}

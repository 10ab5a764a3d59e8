//! Durations, sizes and times as people type them.

use crate::http::{parse_duration, parse_time};

pub(super) use crate::app::duration;

/// `site=home`.
pub(super) fn label(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it like site=home")?;
    if name.is_empty() || value.is_empty() {
        return Err("a label has a name and a value, like site=home".into());
    }
    Ok((name.to_owned(), value.to_owned()))
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
}

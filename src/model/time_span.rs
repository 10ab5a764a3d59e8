//! Lengths of time as configurations write them.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const UNITS: [(&str, i64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// A length of time in whole milliseconds, written like `1h30m` or `15s`: units from large to small,
/// each once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeSpan {
    millis: i64,
}

impl TimeSpan {
    /// That many seconds.
    pub const fn from_secs(seconds: u32) -> Self {
        Self { millis: seconds as i64 * 1000 }
    }

    /// Milliseconds, from 0.
    pub fn millis(self) -> i64 {
        self.millis
    }

    /// Nanoseconds, from 0.
    pub fn nanos(self) -> i64 {
        self.millis.saturating_mul(1_000_000)
    }

    /// As std has it.
    pub fn duration(self) -> Duration {
        Duration::from_millis(u64::try_from(self.millis).unwrap_or_default())
    }

    /// Whether it is no time at all.
    pub fn is_zero(self) -> bool {
        self.millis == 0
    }
}

/// Not a length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no length of time; write it like 15s or 1h30m")]
pub struct NoTimeSpan(String);

impl FromStr for TimeSpan {
    type Err = NoTimeSpan;

    fn from_str(text: &str) -> Result<Self, NoTimeSpan> {
        let no = || NoTimeSpan(text.chars().take(40).collect());
        if text == "0" {
            return Ok(Self::default());
        }
        let (mut rest, mut sum, mut units) = (text, 0_i64, UNITS.iter());
        while !rest.is_empty() {
            let (millis, after) = term(rest, &mut units).ok_or_else(no)?;
            sum = sum.checked_add(millis).ok_or_else(no)?;
            rest = after;
        }
        // As in Go, a duration is at most 2^63 ns.
        if text.is_empty() || sum >= 9_223_372_036_854 {
            return Err(no());
        }
        Ok(Self { millis: sum })
    }
}

/// The first count with its unit, which is one of those left in `units`; what follows it.
fn term<'a>(
    text: &'a str,
    units: &mut std::slice::Iter<'_, (&str, i64)>,
) -> Option<(i64, &'a str)> {
    let at = text.find(|c: char| !c.is_ascii_digit()).filter(|at| *at > 0)?;
    let (count, after) = text.split_at_checked(at)?;
    let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
    let (unit, after) = after.split_at_checked(end)?;
    let (_, millis) = units.find(|(name, _)| *name == unit)?;
    Some((count.parse::<i64>().ok()?.checked_mul(*millis)?, after))
}

/// As Prometheus prints it: large units only where nothing is left over.
impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.millis;
        if rest == 0 {
            return f.write_str("0s");
        }
        for (name, millis) in UNITS {
            let is_whole_only = matches!(name, "y" | "w" | "d");
            if rest == 0 || (is_whole_only && rest % millis != 0) {
                continue;
            }
            if rest >= millis {
                write!(f, "{}{name}", rest / millis)?;
                rest %= millis;
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for TimeSpan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl Serialize for TimeSpan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spans_are_printed_as_prometheus_prints_them() {
        for (text, expected) in [
            ("15s", "15s"),
            ("90s", "1m30s"),
            ("60m", "1h"),
            ("24h", "1d"),
            ("25h", "25h"),
            ("7d", "1w"),
            ("8d", "8d"),
            ("365d", "1y"),
            ("1m500ms", "1m500ms"),
            ("0", "0s"),
        ] {
            assert_eq!(text.parse::<TimeSpan>().unwrap().to_string(), expected);
        }
        for text in ["", "15", "1.5s", "s", "1s1m", "-1s", "300y", "1é"] {
            assert!(text.parse::<TimeSpan>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn printing_undoes_reading(millis in 0_i64..9_223_372_036_854) {
            let span = TimeSpan { millis };
            prop_assert_eq!(span.to_string().parse::<TimeSpan>(), Ok(span));
        }

        #[test]
        fn any_text_is_a_span_or_none(text: String) {
            let _ = text.parse::<TimeSpan>();
        }
    }
}

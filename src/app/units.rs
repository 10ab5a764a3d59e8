//! Durations and sizes as people write them, read and printed.

use std::{fmt::Write as _, time::Duration};

use crate::http::parse_duration;

/// `90s`, `5m`, `1h30m`, `30d`.
///
/// # Errors
/// How to write one.
pub fn duration(text: &str) -> Result<Duration, String> {
    let millis = parse_duration(text).and_then(|millis| u64::try_from(millis).ok());
    millis.map(Duration::from_millis).ok_or_else(|| "write it like 90s, 5m, 1h30m or 30d".into())
}

const SIZES: [(&str, u64); 10] = [
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

/// `64MiB`, `1GB`, `512`.
///
/// # Errors
/// How to write one.
pub fn size(text: &str) -> Result<u64, String> {
    let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(at);
    let unit = unit.trim().to_ascii_lowercase();
    let factor = SIZES.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
    let size = digits.parse::<u64>().ok().zip(factor).and_then(|(n, factor)| n.checked_mul(factor));
    size.ok_or_else(|| "write it like 64MiB, 2GiB or 500MB".into())
}

/// The shortest text that [`duration`] reads as this.
pub(super) fn show_duration(time: Duration) -> String {
    const UNITS: [(&str, u128); 5] =
        [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
    let mut left = time.as_millis();
    let mut out = String::new();
    for (unit, millis) in UNITS {
        if left >= millis {
            // Writing into a String cannot fail.
            let _ = write!(out, "{}{unit}", left / millis);
            left %= millis;
        }
    }
    if out.is_empty() { "0s".into() } else { out }
}

/// The shortest text that [`size`] reads as this.
pub(super) fn show_size(bytes: u64) -> String {
    const UNITS: [(&str, u32); 4] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let fits = |(_, bits): &&(&str, u32)| bytes > 0 && bytes.trailing_zeros() >= *bits;
    match UNITS.iter().find(fits) {
        Some((unit, bits)) => format!("{}{unit}", bytes >> bits),
        None => bytes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
    fn durations_do_not_go_backwards() {
        assert_eq!(duration("5m"), Ok(Duration::from_mins(5)));
        assert!(duration("-5m").is_err());
        assert!(duration("soon").is_err());
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(bytes: u64, millis in 0_u64..1 << 42) {
            prop_assert_eq!(size(&show_size(bytes)), Ok(bytes));
            let time = Duration::from_millis(millis);
            prop_assert_eq!(duration(&show_duration(time)), Ok(time));
        }
    }
}

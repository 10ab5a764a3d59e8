//! Times as text: RFC 3339 in UTC, with as many decimals as there are.

use crate::export::write_integer;

/// How a time is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeForm {
    /// `2026-11-25T03:04:05.006Z`.
    #[default]
    Rfc3339,
    /// Seconds since 1970, with decimals.
    Seconds,
    /// Whole milliseconds since 1970, floored.
    Millis,
    /// Nanoseconds since 1970.
    Nanos,
}

impl TimeForm {
    /// The form of a name, as import of CSV knows them too.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "rfc3339" | "iso" => Self::Rfc3339,
            "unix_s" => Self::Seconds,
            "unix_ms" => Self::Millis,
            "unix_ns" => Self::Nanos,
            _ => return None,
        })
    }

    /// Appends a time in ns.
    pub fn write(self, time: i64, out: &mut Vec<u8>) {
        match self {
            Self::Rfc3339 => write_rfc3339(time, out),
            Self::Seconds => {
                if time < 0 {
                    out.push(b'-');
                }
                let size = time.unsigned_abs();
                write_integer(i64::try_from(size / SECOND).unwrap_or(i64::MAX), out);
                write_fraction(size % SECOND, out);
            }
            Self::Millis => write_integer(time.div_euclid(1_000_000), out),
            Self::Nanos => write_integer(time, out),
        }
    }
}

const SECOND: u64 = 1_000_000_000;

/// Appends a time in ns since 1970.
fn write_rfc3339(time: i64, out: &mut Vec<u8>) {
    // Any count of ns lies within what a calendar holds, and prints without zeros at the end.
    let time = jiff::Timestamp::from_nanosecond(time.into()).unwrap_or_default();
    out.extend_from_slice(time.to_string().as_bytes());
}

/// Appends nanoseconds as decimals, without zeros at the end.
fn write_fraction(nanos: u64, out: &mut Vec<u8>) {
    if nanos == 0 {
        return;
    }
    out.push(b'.');
    let digits = format!("{nanos:09}");
    out.extend_from_slice(digits.trim_end_matches('0').as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_decimals_they_need() {
        for (form, time, expected) in [
            ("rfc3339", 0, "1970-01-01T00:00:00Z"),
            ("rfc3339", 1_700_000_000_015_000_000, "2023-11-14T22:13:20.015Z"),
            ("rfc3339", -1, "1969-12-31T23:59:59.999999999Z"),
            ("rfc3339", i64::MIN, "1677-09-21T00:12:43.145224192Z"),
            ("rfc3339", i64::MAX, "2262-04-11T23:47:16.854775807Z"),
            ("unix_s", 1_500_000_000, "1.5"),
            ("unix_s", -1_500_000_000, "-1.5"),
            ("unix_ms", -1, "-1"),
            ("unix_ns", 7, "7"),
        ] {
            let mut out = Vec::new();
            TimeForm::named(form).unwrap().write(time, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
        assert_eq!(TimeForm::named("unix"), None);
    }
}

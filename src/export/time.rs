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
const DAY_SECONDS: i64 = 86_400;

/// Appends a time in ns since 1970.
fn write_rfc3339(time: i64, out: &mut Vec<u8>) {
    let (seconds, nanos) = (time.div_euclid(1_000_000_000), time.rem_euclid(1_000_000_000));
    let (year, month, day) = civil(seconds.div_euclid(DAY_SECONDS));
    let rest = seconds.rem_euclid(DAY_SECONDS);
    write_padded(year, 4, out);
    for (before, number) in
        [(b'-', month), (b'-', day), (b'T', rest / 3600), (b':', rest / 60 % 60), (b':', rest % 60)]
    {
        out.push(before);
        write_padded(number, 2, out);
    }
    write_fraction(nanos.unsigned_abs(), out);
    out.push(b'Z');
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

fn write_padded(number: i64, width: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{number:0width$}").as_bytes());
}

/// Year, month and day of a day since 1970 (Howard Hinnant, "chrono-compatible low-level date
/// algorithms", `civil_from_days`).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
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

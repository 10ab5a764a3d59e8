//! Times by a layout of Go: the instant Mon Jan 2 15:04:05 MST 2006 written as times shall be read.
//!
//! Source: golang.org/pkg/time, "Layout". Zones are numbers, or the words UTC and GMT: what other
//! names mean depends on where one asks.

use jiff::{civil::DateTime, tz::Offset};

/// Characters of a layout.
const LENGTH_MAX: usize = 128;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const LONG_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const LONG_DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// A layout taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout(Vec<Part>);

/// Why a layout is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// Nothing in it is a time.
    #[error("{0:?} names no part of Mon Jan 2 15:04:05 MST 2006")]
    Empty(String),
    /// Too long.
    #[error("layout is longer than {LENGTH_MAX} bytes")]
    Long,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(u8),
    Year,
    ShortYear,
    Month,
    MonthName(bool),
    Day,
    DayName(bool),
    Hour,
    Hour12,
    Minute,
    Second,
    Fraction,
    HalfDay,
    /// With a colon; with `Z` for UTC.
    Zone(bool, bool),
    ZoneName,
}

/// What layouts are made of, the longest first where one begins another.
const PARTS: [(&str, Part); 30] = [
    ("2006", Part::Year),
    ("January", Part::MonthName(true)),
    ("Jan", Part::MonthName(false)),
    ("Monday", Part::DayName(true)),
    ("Mon", Part::DayName(false)),
    ("MST", Part::ZoneName),
    ("Z07:00", Part::Zone(true, true)),
    ("Z0700", Part::Zone(false, true)),
    ("-07:00", Part::Zone(true, false)),
    ("-0700", Part::Zone(false, false)),
    ("01", Part::Month),
    ("02", Part::Day),
    ("03", Part::Hour12),
    ("04", Part::Minute),
    ("05", Part::Second),
    ("06", Part::ShortYear),
    ("15", Part::Hour),
    ("_2", Part::Day),
    ("PM", Part::HalfDay),
    ("pm", Part::HalfDay),
    (".000000000", Part::Fraction),
    (".000000", Part::Fraction),
    (".000", Part::Fraction),
    (".999999999", Part::Fraction),
    (".999999", Part::Fraction),
    (".999", Part::Fraction),
    ("1", Part::Month),
    ("2", Part::Day),
    ("3", Part::Hour12),
    ("4", Part::Minute),
];

/// A time as far as it was read.
struct Read {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    nanos: i64,
    is_afternoon: Option<bool>,
    zone_s: i64,
}

impl Layout {
    pub(super) fn parse(text: &str) -> Result<Self, LayoutError> {
        if text.len() > LENGTH_MAX {
            return Err(LayoutError::Long);
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.bytes().next() {
            let known = PARTS.iter().find(|(name, _)| rest.starts_with(name));
            let (part, size) = match known {
                Some((name, part)) => (part.clone(), name.len()),
                None if rest.starts_with('5') => (Part::Second, 1),
                None => (Part::Text(first), 1),
            };
            parts.push(part);
            // Parts are ASCII; a byte of text may be one of several of a character.
            rest = rest.get(size..).unwrap_or_else(|| {
                let next = rest.chars().next().map_or(0, char::len_utf8);
                parts.pop();
                parts.extend(rest.bytes().take(next).map(Part::Text));
                rest.get(next..).unwrap_or_default()
            });
        }
        if parts.iter().all(|part| matches!(part, Part::Text(_))) {
            return Err(LayoutError::Empty(text.to_owned()));
        }
        Ok(Self(parts))
    }

    /// Nanoseconds since 1970; None where the text has another form, or no such day exists.
    pub(super) fn read(&self, text: &[u8]) -> Option<i64> {
        let mut read = Read {
            year: 0,
            month: 1,
            day: 1,
            hour: 0,
            minute: 0,
            second: 0,
            nanos: 0,
            is_afternoon: None,
            zone_s: 0,
        };
        let mut rest = text;
        for part in &self.0 {
            rest = read.take(part, rest)?;
        }
        if rest.is_empty() { read.nanos() } else { None }
    }
}

impl Read {
    fn take<'a>(&mut self, part: &Part, text: &'a [u8]) -> Option<&'a [u8]> {
        match part {
            Part::Text(byte) => {
                text.split_first().filter(|(first, _)| *first == byte).map(|(_, rest)| rest)
            }
            Part::Year => digits(text, 4..=4, &mut self.year),
            Part::ShortYear => {
                let rest = digits(text, 2..=2, &mut self.year)?;
                self.year += if self.year >= 69 { 1900 } else { 2000 };
                Some(rest)
            }
            Part::Month => digits(text, 1..=2, &mut self.month),
            Part::MonthName(is_long) => {
                let names = if *is_long { LONG_MONTHS } else { MONTHS };
                let (index, rest) = name(text, &names)?;
                self.month = index + 1;
                Some(rest)
            }
            Part::Day => {
                let text = text.strip_prefix(b" ").unwrap_or(text);
                digits(text, 1..=2, &mut self.day)
            }
            Part::DayName(is_long) => {
                let names = if *is_long { LONG_DAYS } else { DAYS };
                name(text, &names).map(|(_, rest)| rest)
            }
            Part::Hour | Part::Hour12 => digits(text, 1..=2, &mut self.hour),
            Part::Minute => digits(text, 1..=2, &mut self.minute),
            // Go reads a fraction behind seconds although the layout has none.
            Part::Second => {
                let rest = digits(text, 1..=2, &mut self.second)?;
                Some(self.fraction(rest))
            }
            Part::Fraction => Some(self.fraction(text)),
            Part::HalfDay => {
                let (half, rest) = text.split_at_checked(2)?;
                self.is_afternoon = match half {
                    b"AM" | b"am" => Some(false),
                    b"PM" | b"pm" => Some(true),
                    _ => return None,
                };
                Some(rest)
            }
            Part::ZoneName => [b"UTC", b"GMT"].iter().find_map(|word| text.strip_prefix(&word[..])),
            Part::Zone(has_colon, has_z) => self.zone(text, *has_colon, *has_z),
        }
    }

    fn zone<'a>(&mut self, text: &'a [u8], has_colon: bool, has_z: bool) -> Option<&'a [u8]> {
        if has_z && let Some(rest) = text.strip_prefix(b"Z") {
            return Some(rest);
        }
        let (sign, rest) = match text.split_first()? {
            (b'+', rest) => (1, rest),
            (b'-', rest) => (-1, rest),
            _ => return None,
        };
        let (mut hours, mut minutes) = (0, 0);
        let rest = digits(rest, 2..=2, &mut hours)?;
        let rest = if has_colon { rest.strip_prefix(b":")? } else { rest };
        let rest = digits(rest, 2..=2, &mut minutes)?;
        self.zone_s = sign * (hours * 3600 + minutes * 60);
        (hours < 24 && minutes < 60).then_some(rest)
    }

    /// Digits behind a point, if there are any; those past the ninth are cut off.
    fn fraction<'a>(&mut self, text: &'a [u8]) -> &'a [u8] {
        let Some(rest) = text.strip_prefix(b".").or_else(|| text.strip_prefix(b",")) else {
            return text;
        };
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 {
            return text;
        }
        let (digits, rest) = rest.split_at_checked(count).unwrap_or((rest, &[]));
        let digits = digits.iter().copied().chain(std::iter::repeat(b'0')).take(9);
        self.nanos = digits.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
        rest
    }

    fn nanos(&self) -> Option<i64> {
        let hour = match self.is_afternoon {
            None => self.hour,
            Some(_) if !(1..=12).contains(&self.hour) => return None,
            Some(is_afternoon) => self.hour % 12 + if is_afternoon { 12 } else { 0 },
        };
        let part = |number: i64| i8::try_from(number).ok();
        let time = DateTime::new(
            i16::try_from(self.year).ok()?,
            part(self.month)?,
            part(self.day)?,
            part(hour)?,
            part(self.minute)?,
            part(self.second)?,
            0,
        );
        let seconds = Offset::UTC.to_timestamp(time.ok()?).ok()?.as_second() - self.zone_s;
        seconds.checked_mul(1_000_000_000)?.checked_add(self.nanos)
    }
}

/// Reads digits, at least and at most so many, and gives what follows.
fn digits<'a>(
    text: &'a [u8],
    count: std::ops::RangeInclusive<usize>,
    into: &mut i64,
) -> Option<&'a [u8]> {
    let found = text.iter().take(*count.end()).take_while(|byte| byte.is_ascii_digit()).count();
    if found < *count.start() {
        return None;
    }
    let (digits, rest) = text.split_at_checked(found)?;
    *into = digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    Some(rest)
}

fn name<'a>(text: &'a [u8], names: &[&str]) -> Option<(i64, &'a [u8])> {
    (0..).zip(names).find_map(|(index, name)| {
        let (word, rest) = text.split_at_checked(name.len())?;
        word.eq_ignore_ascii_case(name.as_bytes()).then_some((index, rest))
    })
}

//! Lines as `InfluxDB` 1 reads them, errors included.
//!
//! Follows `models/points.go` (scanLine, scanKey, scanFields, scanTime) byte by byte in what it takes
//! and says; it adds the carriage return before a line's end, which is left out here, and unsigned
//! fields, which are always on.

use std::borrow::Cow;

use super::field::{Field, Line};
use crate::ingest::number::float;

/// What is wrong with a line, in the words of `InfluxDB`.
pub(super) type Fault = Cow<'static, str>;

/// The line that starts at `start`: up to a newline outside of quoted text. Gives its end, and where
/// the next one starts.
pub(super) fn line_of(body: &[u8], start: usize) -> (usize, usize) {
    let (mut at, mut in_fields, mut is_quoted) = (start, false, false);
    let (mut equals, mut commas) = (0_usize, 0_usize);
    while let Some(byte) = body.get(at) {
        match byte {
            b'\\' => at += 1,
            b' ' => in_fields = true,
            b'=' if in_fields && !is_quoted => equals += 1,
            b',' if in_fields && !is_quoted => commas += 1,
            b'"' if in_fields && equals > commas => is_quoted = !is_quoted,
            b'\n' if !is_quoted => break,
            _ => {}
        }
        at += 1;
    }
    let next = (at + 1).min(body.len());
    let mut end = at.min(body.len());
    if end > start && body.get(end - 1) == Some(&b'\r') {
        end -= 1;
    }
    (end, next)
}

/// Reads `line`, which starts at `start` of the body without blanks before it.
pub(super) fn read(line: &[u8], start: usize, fields: &mut Vec<Field>) -> Result<Line, Fault> {
    fields.clear();
    let head_end = head(line)?;
    check_twice(line.get(..head_end).unwrap_or_default())?;
    let mut scan = Scan { line, start, fields, strings: 0 };
    let at = scan.fields(head_end)?;
    let strings = scan.strings;
    let time = time(line, at)?;
    Ok(Line { head_start: start, head_end: start + head_end, time, strings, next: 0 })
}

fn is(line: &[u8], at: usize, byte: u8) -> bool {
    line.get(at) == Some(&byte)
}

/// Whether `line[at]` is `byte` and no backslash stands before it.
fn is_bare(line: &[u8], at: usize, byte: u8) -> bool {
    is(line, at, byte) && !(at > 0 && is(line, at - 1, b'\\'))
}

/// Where measurement and tags end: at a bare blank.
fn head(line: &[u8]) -> Result<usize, Fault> {
    if line.is_empty() || is(line, 0, b',') {
        return Err("missing measurement".into());
    }
    let mut at = 1;
    loop {
        if at >= line.len() {
            return Err("missing fields".into());
        }
        if is_bare(line, at, b' ') {
            return Ok(at);
        }
        if is_bare(line, at, b',') {
            break;
        }
        at += 1;
    }
    loop {
        at = tag_key(line, at + 1)?;
        at = tag_value(line, at)?;
        if is(line, at, b' ') {
            return Ok(at);
        }
    }
}

/// The place after `=`.
fn tag_key(line: &[u8], mut at: usize) -> Result<usize, Fault> {
    if at >= line.len() || matches!(line.get(at), Some(b' ' | b',' | b'=')) {
        return Err("missing tag key".into());
    }
    loop {
        at += 1;
        if at >= line.len() || is_bare(line, at, b' ') || is_bare(line, at, b',') {
            return Err("missing tag value".into());
        }
        if is_bare(line, at, b'=') {
            return Ok(at + 1);
        }
    }
}

/// The place of the comma or blank behind it.
fn tag_value(line: &[u8], mut at: usize) -> Result<usize, Fault> {
    if at >= line.len() || matches!(line.get(at), Some(b' ' | b',')) {
        return Err("missing tag value".into());
    }
    loop {
        at += 1;
        if at >= line.len() {
            return Err("missing fields".into());
        }
        if is_bare(line, at, b'=') {
            return Err("invalid tag format".into());
        }
        if is_bare(line, at, b',') || is_bare(line, at, b' ') {
            return Ok(at);
        }
    }
}

/// No tag name may stand twice, as it is written.
fn check_twice(head: &[u8]) -> Result<(), Fault> {
    let mut names: Vec<&[u8]> = Tags::of(head).map(|(name, _)| name).collect();
    names.sort_unstable();
    let is_twice = names.iter().zip(names.iter().skip(1)).any(|(left, right)| left == right);
    if is_twice { Err("duplicate tags".into()) } else { Ok(()) }
}

/// Names and values of a good head, as they are written.
pub(super) struct Tags<'a> {
    rest: &'a [u8],
}

impl<'a> Tags<'a> {
    pub(super) fn of(head: &'a [u8]) -> Self {
        let (_, rest) = measurement(head);
        Self { rest }
    }
}

impl<'a> Iterator for Tags<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.strip_prefix(b",")?;
        let name_end = (0..rest.len()).find(|at| is_bare(rest, *at, b'='))?;
        let value = rest.get(name_end + 1..).unwrap_or_default();
        let value_end =
            (0..value.len()).find(|at| is_bare(value, *at, b',')).unwrap_or(value.len());
        self.rest = value.get(value_end..).unwrap_or_default();
        Some((rest.get(..name_end)?, value.get(..value_end)?))
    }
}

/// The measurement of a good head, and what follows.
pub(super) fn measurement(head: &[u8]) -> (&[u8], &[u8]) {
    let end = (1..head.len()).find(|at| is_bare(head, *at, b',')).unwrap_or(head.len());
    head.split_at_checked(end).unwrap_or((head, &[]))
}

/// The section of fields.
struct Scan<'a> {
    line: &'a [u8],
    start: usize,
    fields: &'a mut Vec<Field>,
    strings: u64,
}

impl Scan<'_> {
    /// Where the section ends.
    fn fields(&mut self, head_end: usize) -> Result<usize, Fault> {
        let line = self.line;
        let mut at = skip_blanks(line, head_end);
        let mut name_start = at;
        let (mut is_quoted, mut equals, mut commas) = (false, 0_usize, 0_usize);
        while let Some(byte) = line.get(at) {
            match byte {
                b'\\' if at + 1 < line.len() => at += 1,
                b'"' if equals > commas => is_quoted = !is_quoted,
                b'=' if !is_quoted => {
                    equals += 1;
                    self.check_assignment(at)?;
                    if is(line, at + 1, b'"') {
                        self.strings += 1;
                    } else {
                        let (value, end) = scalar(line, at + 1)?;
                        self.push(name_start, at, value)?;
                        at = end;
                        continue;
                    }
                }
                b',' if !is_quoted => {
                    commas += 1;
                    name_start = at + 1;
                }
                b' ' if !is_quoted => break,
                _ => {}
            }
            at += 1;
        }
        if is_quoted {
            return Err("unbalanced quotes".into());
        }
        // Also where text goes on behind a quote, or a value stands after a value.
        if equals == 0 || commas != equals - 1 {
            return Err("invalid field format".into());
        }
        Ok(at.min(line.len()))
    }

    /// A name stands before `=` and something after it.
    fn check_assignment(&self, at: usize) -> Result<(), Fault> {
        let line = self.line;
        let is_escaped = at >= 2 && is(line, at - 2, b'\\');
        if (is(line, at - 1, b' ') || is(line, at - 1, b',')) && !is_escaped {
            return Err("missing field key".into());
        }
        if matches!(line.get(at + 1), None | Some(b',' | b' ')) {
            return Err("missing field value".into());
        }
        Ok(())
    }

    fn push(&mut self, name_start: usize, name_end: usize, value: f64) -> Result<(), Fault> {
        let place = |at: usize| {
            u32::try_from(self.start + at).map_err(|_| Fault::from("body is over 4 GiB"))
        };
        let (name_start, name_end) = (place(name_start)?, place(name_end)?);
        self.fields.push(Field { name_start, name_end, value });
        Ok(())
    }
}

pub(super) fn skip_blanks(line: &[u8], mut at: usize) -> usize {
    while matches!(line.get(at), Some(b' ' | b'\t' | 0)) {
        at += 1;
    }
    at
}

/// A value that is no text, and where it ends.
fn scalar(line: &[u8], start: usize) -> Result<(f64, usize), Fault> {
    let rest = line.get(start..).unwrap_or_default();
    let size = rest.iter().position(|byte| matches!(byte, b',' | b' ')).unwrap_or(rest.len());
    let text = rest.get(..size).unwrap_or_default();
    let value = match text.first() {
        Some(b'0'..=b'9' | b'.' | b'-' | b'N' | b'n') => number(text)?,
        _ => boolean(text).ok_or_else(|| Fault::from("invalid boolean"))?,
    };
    Ok((value, start + size))
}

pub(super) fn boolean(text: &[u8]) -> Option<f64> {
    match text {
        b"t" | b"T" | b"true" | b"True" | b"TRUE" => Some(1.0),
        b"f" | b"F" | b"false" | b"False" | b"FALSE" => Some(0.0),
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "samples are floats")]
fn number(text: &[u8]) -> Result<f64, Fault> {
    let invalid = || Fault::from("invalid number");
    let is_integer = |digits: &[u8]| {
        let digits = digits.strip_prefix(b"-").unwrap_or(digits);
        !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
    };
    let parsed = |digits: &[u8], kind, reader| {
        let shown = String::from_utf8_lossy(digits).into_owned();
        Fault::from(format!("unable to parse {kind} {shown}: {}", out_of_range(reader, &shown)))
    };
    if let Some(digits) = text.strip_suffix(b"i") {
        let text = std::str::from_utf8(digits).map_err(|_| invalid())?;
        return match text.parse::<i64>() {
            Ok(value) if is_integer(digits) => Ok(value as f64),
            Err(_) if is_integer(digits) => Err(parsed(digits, "integer", "strconv.ParseInt")),
            _ => Err(invalid()),
        };
    }
    if let Some(digits) = text.strip_suffix(b"u") {
        let text = std::str::from_utf8(digits).map_err(|_| invalid())?;
        return match text.parse::<u64>() {
            Ok(value) if is_integer(digits) => Ok(value as f64),
            Err(_) if is_integer(digits) && !text.starts_with('-') => {
                Err(parsed(digits, "unsigned", "strconv.ParseUint"))
            }
            _ => Err(invalid()),
        };
    }
    match float(text) {
        Some(value) if value.is_finite() => Ok(value),
        Some(_) => Err("invalid float".into()),
        None if is_scientific(text) => Err("invalid float".into()),
        None => Err(invalid()),
    }
}

/// Digits, signs and at most one point around an exponent, in whatever order.
fn is_scientific(text: &[u8]) -> bool {
    let is_sign_right = |at: usize| at == 0 || matches!(text.get(at - 1), Some(b'e' | b'E'));
    let is_right = |(at, byte): (usize, &u8)| match byte {
        b'0'..=b'9' | b'.' | b'e' | b'E' => true,
        b'-' | b'+' => is_sign_right(at),
        _ => false,
    };
    text.iter().skip(1).any(|byte| matches!(byte, b'e' | b'E'))
        && memchr::memchr_iter(b'.', text).count() <= 1
        && text.iter().enumerate().all(is_right)
}

fn out_of_range(reader: &str, digits: &str) -> String {
    format!("{reader}: parsing \"{digits}\": value out of range")
}

/// The timestamp behind the fields, if there is one; nothing but blanks behind it.
fn time(line: &[u8], fields_end: usize) -> Result<Option<i64>, Fault> {
    let start = skip_blanks(line, fields_end);
    let rest = line.get(start..).unwrap_or_default();
    let size = rest.iter().position(|byte| matches!(byte, b' ' | b'\n')).unwrap_or(rest.len());
    let (text, behind) = rest.split_at_checked(size).unwrap_or((rest, &[]));
    if text.is_empty() {
        return Ok(None);
    }
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err("bad timestamp".into());
    }
    let text = String::from_utf8_lossy(text);
    if digits.is_empty() {
        return Err(format!("strconv.ParseInt: parsing \"{text}\": invalid syntax").into());
    }
    let time = text.parse().map_err(|_| out_of_range("strconv.ParseInt", &text))?;
    if behind.iter().any(|byte| *byte != b' ') {
        return Err("point is invalid".into());
    }
    Ok(Some(time))
}

//! Lines as senders write them, in one pass: no escapes, no quoted text, nothing wrong.
//!
//! What is not so is None, and means nothing but "ask the strict reader".

use super::field::{Field, Line};
use super::strict::boolean;
use crate::ingest::number::{float, scaled};

/// The line that starts at `start`, no blank before it; its numeric fields in `fields`, emptied
/// first. The body is at most 4 GiB.
#[inline]
pub(super) fn read(body: &[u8], start: usize, fields: &mut Vec<Field>) -> Option<Line> {
    fields.clear();
    let rest = body.get(start..)?;
    let mut at = start + memchr::memchr3(b' ', b'\\', b'\n', rest)?;
    if at == start || body.get(at) != Some(&b' ') {
        return None;
    }
    let head_end = at;
    // Blanks of other kinds before the first name are no part of it.
    if matches!(body.get(at + 1), Some(b'\t' | 0)) {
        return None;
    }
    let mut strings = 0;
    loop {
        let (name_start, name_end) = name(body, at + 1)?;
        if body.get(name_end + 1) == Some(&b'"') {
            at = string(body, name_end + 2)?;
            strings += 1;
        } else {
            let (value, end) = value(body, name_end + 1)?;
            fields.push(Field {
                name_start: u32::try_from(name_start).ok()?,
                name_end: u32::try_from(name_end).ok()?,
                value,
            });
            at = end;
        }
        if body.get(at) != Some(&b',') {
            break;
        }
    }
    let (time, at) = match body.get(at) {
        Some(b' ') => time(body, at + 1)?,
        _ => (None, at),
    };
    let next = line_end(body, at)?;
    Some(Line { head_start: start, head_end, time, strings, next })
}

/// A field's name: at least a byte, up to `=`.
#[inline]
fn name(body: &[u8], start: usize) -> Option<(usize, usize)> {
    let rest = body.get(start..)?;
    for (size, byte) in rest.iter().enumerate() {
        match byte {
            b'=' if size > 0 => return Some((start, start + size)),
            b'=' | b' ' | b',' | b'\\' | b'"' | b'\n' => return None,
            _ => {}
        }
    }
    None
}

/// Where text ends: behind the quote after `start`.
fn string(body: &[u8], start: usize) -> Option<usize> {
    let end = start + memchr::memchr2(b'"', b'\\', body.get(start..)?)?;
    (body.get(end) == Some(&b'"') && is_value_end(body, end + 1)).then_some(end + 1)
}

/// A number and where it ends.
#[inline]
fn value(body: &[u8], start: usize) -> Option<(f64, usize)> {
    let is_negative = body.get(start) == Some(&b'-');
    let digits_start = start + usize::from(is_negative);
    let (whole, whole_end) = digits(body, digits_start, 0);
    let (mantissa, end, decimals) = match body.get(whole_end) {
        Some(b'.') => {
            let (mantissa, end) = digits(body, whole_end + 1, whole);
            (mantissa, end, end - whole_end - 1)
        }
        _ => (whole, whole_end, 0),
    };
    let digit_count = whole_end - digits_start + decimals;
    // 19 digits fit 64 bits.
    if digit_count == 0 || digit_count > 19 {
        return slow_value(body, start);
    }
    match body.get(end) {
        None | Some(b',' | b' ' | b'\n' | b'\r') => match scaled(is_negative, mantissa, decimals) {
            Some(value) => Some((value, end)),
            None => Some((float(body.get(start..end)?)?, end)),
        },
        Some(b'i') if end == whole_end => {
            let magnitude = i64::try_from(mantissa).ok()?;
            #[expect(clippy::cast_precision_loss, reason = "samples are floats")]
            let value = if is_negative { -magnitude } else { magnitude } as f64;
            is_value_end(body, end + 1).then_some((value, end + 1))
        }
        _ => slow_value(body, start),
    }
}

/// Longer values are left to the strict reader.
const VALUE_BYTES_MAX: usize = 400;

/// A number with many digits, an exponent or an odd end, or a boolean.
#[cold]
#[expect(clippy::cast_precision_loss, reason = "samples are floats")]
fn slow_value(body: &[u8], start: usize) -> Option<(f64, usize)> {
    let rest = body.get(start..)?;
    let rest = rest.get(..VALUE_BYTES_MAX).unwrap_or(rest);
    let size = match rest.iter().position(|byte| matches!(byte, b',' | b' ' | b'\n' | b'\r')) {
        Some(size) => size,
        None if rest.len() < VALUE_BYTES_MAX => rest.len(),
        None => return None,
    };
    let text = rest.get(..size)?;
    let value = match text {
        [b'0'..=b'9', .., b'u'] => {
            let digits = text.get(..size - 1)?;
            let digits = std::str::from_utf8(digits).ok()?;
            digits.parse::<u64>().ok()? as f64
        }
        [b'0'..=b'9' | b'.' | b'-', ..] => float(text)?,
        _ => boolean(text)?,
    };
    value.is_finite().then_some((value, start + size))
}

#[inline]
fn is_value_end(body: &[u8], at: usize) -> bool {
    matches!(body.get(at), None | Some(b',' | b' ' | b'\n' | b'\r'))
}

/// Digits from `at` on behind those of `number`; wraps where they are too many.
#[inline]
fn digits(body: &[u8], at: usize, mut number: u64) -> (u64, usize) {
    let mut end = at;
    while let Some(byte) = body.get(end) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
        end += 1;
    }
    (number, end)
}

/// A timestamp and where it ends; None in it where only blanks are left.
#[inline]
fn time(body: &[u8], mut start: usize) -> Option<(Option<i64>, usize)> {
    while body.get(start) == Some(&b' ') {
        start += 1;
    }
    let is_negative = body.get(start) == Some(&b'-');
    let digits_start = start + usize::from(is_negative);
    let (number, mut end) = digits(body, digits_start, 0);
    let time = match end - digits_start {
        0 if is_negative => return None,
        0 => None,
        1..=18 => Some(if is_negative { -number.cast_signed() } else { number.cast_signed() }),
        19 if !is_negative => Some(i64::try_from(number).ok()?),
        _ => return None,
    };
    while body.get(end) == Some(&b' ') {
        end += 1;
    }
    Some((time, end))
}

/// Where the next line starts, if this one ends at `at`.
#[inline]
fn line_end(body: &[u8], at: usize) -> Option<usize> {
    match (body.get(at), body.get(at + 1)) {
        (None, _) => Some(at),
        (Some(b'\n'), _) => Some(at + 1),
        (Some(b'\r'), None | Some(b'\n')) => Some((at + 2).min(body.len())),
        _ => None,
    }
}

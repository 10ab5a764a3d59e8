//! Literals: what numbers, durations and quoted texts mean.
//!
//! Numbers are Go's (`strconv.ParseInt` with base 0, then `ParseFloat`), durations those of
//! `prometheus/common`, escapes those of Go without its special case for single quotes.

use nom::bytes::complete::take_while1;
use nom::character::complete::digit1;
use nom::combinator::all_consuming;
use nom::multi::many1;
use nom::{IResult, Parser as _};

use super::number_scan::{fractional, scaled};
use crate::duration::seconds_of;
use crate::error::Code;
use crate::go;

/// A kind of problem and its text; the caller knows the place.
pub(super) type Complaint = (Code, String);

/// The value of a number, or the seconds of a duration.
pub(super) fn value(text: &str, is_duration: bool, is_extended: bool) -> Result<f64, Complaint> {
    let extended = match (is_extended, is_duration) {
        (true, true) => fractional(text),
        (true, false) => scaled(text),
        (false, _) => None,
    };
    match extended {
        Some(value) => Ok(value),
        None if is_duration => duration(text),
        None => number(text),
    }
}

/// The value of a number.
pub(super) fn number(text: &str) -> Result<f64, Complaint> {
    let complain = |what: &str| {
        let text = go::quote(text);
        let message = format!("error parsing number: strconv.ParseFloat: parsing {text}: {what}");
        Err((Code::BadNumber, message))
    };
    if !underscores_separate_digits(text) {
        return complain("invalid syntax");
    }
    let digits = text.replace('_', "");
    if let Some(integer) = integer(&digits) {
        return Ok(integer);
    }
    match digits.parse::<f64>() {
        Ok(value) if value.is_infinite() && !digits.eq_ignore_ascii_case("inf") => {
            complain("value out of range")
        }
        Ok(value) => Ok(value),
        Err(_) => complain("invalid syntax"),
    }
}

/// A whole number in hexadecimal, octal or decimal, if it fits 64 bits.
#[expect(clippy::cast_precision_loss, reason = "Prometheus loses the same digits")]
fn integer(digits: &str) -> Option<f64> {
    let hexadecimal = digits.strip_prefix("0x").or(digits.strip_prefix("0X"));
    let (digits, radix) = match (hexadecimal, digits.strip_prefix('0')) {
        (Some(digits), _) => (digits, 16),
        (None, Some(digits)) if !digits.is_empty() => (digits, 8),
        (None, _) => (digits, 10),
    };
    i64::from_str_radix(digits, radix).ok().map(|integer| integer as f64)
}

/// Underscores may stand between digits, and between a base's prefix and a digit.
fn underscores_separate_digits(text: &str) -> bool {
    let is_hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    let body = if is_hexadecimal { text.get(2..).unwrap_or_default() } else { text };
    let is_digit = |character: Option<char>| match character {
        Some(character) => {
            character.is_ascii_digit() || is_hexadecimal && character.is_ascii_hexdigit()
        }
        None => false,
    };
    body.char_indices().filter(|&(_, character)| character == '_').all(|(at, _)| {
        let before = body.get(..at).and_then(|before| before.chars().next_back());
        let after = body.get(at + 1..).and_then(|after| after.chars().next());
        (is_digit(before) || at == 0 && is_hexadecimal) && is_digit(after)
    })
}

/// Units from the longest, as they must follow each other, with their nanoseconds.
const UNITS: [(&str, u64); 7] = [
    ("y", 365 * 24 * 3_600_000_000_000),
    ("w", 7 * 24 * 3_600_000_000_000),
    ("d", 24 * 3_600_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
];

/// The seconds of a duration as `1h30m`.
pub(super) fn duration(text: &str) -> Result<f64, Complaint> {
    let invalid =
        || (Code::BadDuration, format!("not a valid duration string: {}", go::quote(text)));
    let too_long = || (Code::BadDuration, "duration out of range".to_owned());
    let (_, parts) = all_consuming(many1((digit1, unit))).parse(text).map_err(|_| invalid())?;
    let mut total = 0_i64;
    let mut units_left = UNITS.as_slice();
    for (count, unit) in parts {
        let count: u64 = count.parse().map_err(|_| invalid())?;
        if !UNITS.iter().any(|(name, _)| *name == unit) {
            let (unit, text) = (go::quote(unit), go::quote(text));
            return Err((Code::BadDuration, format!("unknown unit {unit} in duration {text}")));
        }
        let at = units_left.iter().position(|(name, _)| *name == unit).ok_or_else(invalid)?;
        let (here, shorter) = units_left.split_at(at + 1);
        let nanoseconds = here.last().map_or(0, |(_, nanoseconds)| *nanoseconds);
        units_left = shorter;
        total = count
            .checked_mul(nanoseconds)
            .and_then(|part| total.checked_add_unsigned(part))
            .ok_or_else(too_long)?;
    }
    Ok(seconds_of(total))
}

fn unit(text: &str) -> IResult<&str, &str> {
    take_while1(|character: char| !character.is_ascii_digit()).parse(text)
}

/// The length of the quoted text that `text` starts with, quotes included.
pub(super) fn quoted_length(text: &str) -> Result<usize, Complaint> {
    let mut rest = text.chars();
    let quote = rest.next();
    let is_raw = quote == Some('`');
    loop {
        match rest.next() {
            None | Some('\n') if !is_raw => {
                return Err((Code::Unclosed, "unterminated quoted string".to_owned()));
            }
            None => return Err((Code::Unclosed, "unterminated raw string".to_owned())),
            Some(char::REPLACEMENT_CHARACTER) => {
                return Err((Code::InvalidUtf8, "invalid UTF-8 rune".to_owned()));
            }
            Some('\\') if !is_raw => {
                let (_, behind) = escape(rest.as_str(), quote)?;
                rest = behind.chars();
            }
            character if character == quote => return Ok(text.len() - rest.as_str().len()),
            Some(_) => {}
        }
    }
}

/// What a quoted text says. It is one that [`quoted_length`] has measured.
pub(super) fn unquote(text: &str) -> String {
    let mut rest = text.chars();
    let quote = rest.next();
    rest.next_back();
    if quote == Some('`') {
        return rest.as_str().to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    while let Some(character) = rest.next() {
        let escaped = (character == '\\').then(|| escape(rest.as_str(), quote));
        match escaped {
            Some(Ok((Escaped::Byte(byte), behind))) => {
                bytes.push(byte);
                rest = behind.chars();
            }
            Some(Ok((Escaped::Character(character), behind))) => {
                bytes.extend(character.encode_utf8(&mut [0; 4]).bytes());
                rest = behind.chars();
            }
            Some(Err(_)) | None => bytes.extend(character.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    valid_text(&bytes)
}

/// The bytes as text, with U+FFFD for each that is no UTF-8, as Go's JSON has it.
pub(super) fn valid_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}

/// What an escape stands for.
enum Escaped {
    Byte(u8),
    Character(char),
}

/// Reads what follows a backslash; gives what it stands for, and the text behind.
fn escape(text: &str, quote: Option<char>) -> Result<(Escaped, &str), Complaint> {
    let unfinished = || (Code::BadEscape, "escape sequence not terminated".to_owned());
    let character = text.chars().next().ok_or_else(unfinished)?;
    let behind = text.get(character.len_utf8()..).unwrap_or_default();
    let byte = |byte| Ok((Escaped::Byte(byte), behind));
    match character {
        'a' => byte(7),
        'b' => byte(8),
        'f' => byte(12),
        'n' => byte(b'\n'),
        'r' => byte(b'\r'),
        't' => byte(b'\t'),
        'v' => byte(11),
        '\\' => byte(b'\\'),
        '0'..='7' => numeric_escape(text, 3, 8),
        'x' => numeric_escape(behind, 2, 16),
        'u' => numeric_escape(behind, 4, 16),
        'U' => numeric_escape(behind, 8, 16),
        _ if Some(character) == quote => Ok((Escaped::Character(character), behind)),
        _ => {
            Err((Code::BadEscape, format!("unknown escape sequence {}", go::code_point(character))))
        }
    }
}

/// Reads `length` digits. Up to three are a byte, more are a character.
fn numeric_escape(text: &str, length: usize, radix: u32) -> Result<(Escaped, &str), Complaint> {
    let complain = |message: String| Err((Code::BadEscape, message));
    let mut rest = text.chars();
    let mut value = 0_u32;
    for _ in 0..length {
        let Some(character) = rest.next() else {
            return complain("escape sequence not terminated".to_owned());
        };
        let Some(digit) = character.to_digit(radix) else {
            let character = go::code_point(character);
            return complain(format!("illegal character {character} in escape sequence"));
        };
        value = value.wrapping_mul(radix).wrapping_add(digit);
    }
    let escaped = if length < 4 {
        u8::try_from(value).ok().map(Escaped::Byte)
    } else {
        char::from_u32(value).map(Escaped::Character)
    };
    match escaped {
        Some(escaped) => Ok((escaped, rest.as_str())),
        None => complain("escape sequence is an invalid Unicode code point".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_mean_what_go_makes_of_them() {
        let cases = [
            ("0xC", 12.0),
            ("0755", 493.0),
            ("089", 89.0),
            ("1_000.5", 1000.5),
            ("0x_1F", 31.0),
            ("1e-3", 0.001),
            ("3.", 3.0),
            (".5", 0.5),
            ("9223372036854775808", 9_223_372_036_854_775_808.0),
            ("iNf", f64::INFINITY),
        ];
        for (text, expected) in cases {
            assert_eq!(number(text), Ok(expected), "{text}");
        }
        assert!(number("NaN").unwrap().is_nan());
    }

    #[test]
    fn numbers_that_are_none_say_why() {
        let text = |text| number(text).unwrap_err().1;
        assert_eq!(
            text("1e999"),
            "error parsing number: strconv.ParseFloat: parsing \"1e999\": value out of range"
        );
        assert_eq!(
            text("0x"),
            "error parsing number: strconv.ParseFloat: parsing \"0x\": invalid syntax"
        );
    }

    #[test]
    fn durations_fall_from_unit_to_unit() {
        assert_eq!(duration("1h30m"), Ok(5400.0));
        assert_eq!(duration("1s5ms"), Ok(1.005));
        assert_eq!(duration("1y1w"), Ok(f64::from(372 * 86_400)));
        let text = |text| duration(text).unwrap_err().1;
        assert_eq!(text("5m1h"), "not a valid duration string: \"5m1h\"");
        assert_eq!(text("1.5h"), "unknown unit \".\" in duration \"1.5h\"");
        assert_eq!(text("300y"), "duration out of range");
    }

    #[test]
    fn quoted_texts_end_at_their_quote_and_are_unescaped() {
        let cases = [
            (r#""a\"b" c"#, "a\"b"),
            (r"'\'\x41\101\u00fc\U0001F600'", "'AAü😀"),
            ("`a\\n\n`", "a\\n\n"),
            (r#""\xc3\xbc \xff""#, "ü \u{fffd}"),
        ];
        for (text, expected) in cases {
            let length = quoted_length(text).unwrap();
            assert_eq!(unquote(&text[..length]), expected, "{text}");
        }
    }

    #[test]
    fn quoted_texts_that_are_none_say_why() {
        let cases = [
            ("\"a\nb\"", "unterminated quoted string"),
            ("`a", "unterminated raw string"),
            (r#""\"#, "escape sequence not terminated"),
            (r#""\q""#, "unknown escape sequence U+0071 'q'"),
            (r#""\x4""#, "illegal character U+0022 '\"' in escape sequence"),
            (r#""\777""#, "escape sequence is an invalid Unicode code point"),
            (r#""\ud800""#, "escape sequence is an invalid Unicode code point"),
        ];
        for (text, expected) in cases {
            assert_eq!(quoted_length(text).unwrap_err().1, expected, "{text}");
        }
    }
}

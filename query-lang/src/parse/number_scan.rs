//! Where a number or a duration ends.
//!
//! A scan by hand, rule for rule that of Prometheus (`scanNumber` in `promql/parser/lex.go`):
//! how far it gets before it fails is part of the error's text.

use super::token::Kind;

/// Kind and length of the number or duration that `text` starts with.
///
/// # Errors
/// How many bytes were read until it was none.
pub(super) fn scan_number_or_duration(text: &str) -> Result<(Kind, usize), usize> {
    let mut scan = Scan { bytes: text.as_bytes(), at: 0 };
    if scan.number() {
        return Ok((Kind::Number, scan.at));
    }
    if scan.duration() {
        return Ok((Kind::Duration, scan.at));
    }
    // A character that is no ASCII is never read, so this is a boundary.
    Err(scan.at)
}

/// Kind and length of a number with a suffix, or a duration with fractions or steps, as `1.5h`, `5i`.
pub(super) fn scan_extended(text: &str) -> Option<(Kind, usize)> {
    let is_of_word = |character: char| character.is_ascii_alphanumeric() || ".".contains(character);
    let length = text.find(|character| !is_of_word(character)).unwrap_or(text.len());
    let word = text.get(..length)?;
    if scaled(word).is_some() {
        return Some((Kind::Number, length));
    }
    let is_written = fractional(word).is_some() || steps(word).is_some();
    is_written.then_some((Kind::Duration, length))
}

/// The suffixes of numbers and what they multiply by.
const SUFFIXES: [(&str, f64); 16] = [
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("TiB", 1_099_511_627_776.0),
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("KB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
    ("K", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
];

/// The value of a number with a suffix: `1.5Ki` is 1536.
pub(super) fn scaled(word: &str) -> Option<f64> {
    let (digits, factor) =
        SUFFIXES.iter().find_map(|(suffix, factor)| Some((word.strip_suffix(suffix)?, factor)))?;
    Some(decimal(digits)? * factor)
}

/// A plain decimal number.
fn decimal(text: &str) -> Option<f64> {
    let is_plain = text.starts_with(|first: char| first.is_ascii_digit())
        && text.chars().all(|character| character.is_ascii_digit() || character == '.');
    text.parse().ok().filter(|_| is_plain)
}

/// The steps of a duration as `5i`.
pub(super) fn steps(word: &str) -> Option<f64> {
    decimal(word.strip_suffix('i')?)
}

/// The seconds of a duration with fractions, as `1.5h` or `1h1.5m`.
pub(super) fn fractional(word: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 7] = [
        ("ms", 0.001),
        ("s", 1.0),
        ("m", 60.0),
        ("h", 3600.0),
        ("d", 86_400.0),
        ("w", 604_800.0),
        ("y", 31_536_000.0),
    ];
    if !word.contains('.') {
        return None;
    }
    let (mut rest, mut seconds) = (word, 0.0);
    let mut below = f64::INFINITY;
    while !rest.is_empty() {
        let end = rest.find(|character: char| character.is_ascii_alphabetic())?;
        let count = decimal(rest.get(..end)?)?;
        rest = rest.get(end..)?;
        let end = rest.find(|character: char| character.is_ascii_digit()).unwrap_or(rest.len());
        let (_, size) = UNITS.iter().find(|(unit, _)| Some(*unit) == rest.get(..end))?;
        if *size >= below {
            return None;
        }
        below = *size;
        rest = rest.get(end..)?;
        seconds += count * size;
    }
    Some(seconds)
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

const DIGITS: &[u8] = b"0123456789";
const HEXADECIMAL_DIGITS: &[u8] = b"0123456789abcdefABCDEF";

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn is(&self, set: &[u8]) -> bool {
        self.peek().is_some_and(|byte| set.contains(&byte))
    }

    fn accept(&mut self, set: &[u8]) -> bool {
        let accepted = self.is(set);
        self.at += usize::from(accepted);
        accepted
    }

    fn accept_run(&mut self, set: &[u8]) {
        while self.accept(set) {}
    }

    fn at_word_end(&self) -> bool {
        !self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    }

    fn number(&mut self) -> bool {
        let is_hexadecimal = self.accept(b"0") && self.accept(b"xX");
        let digits = if is_hexadecimal { HEXADECIMAL_DIGITS } else { DIGITS };
        if is_hexadecimal {
            self.accept(b"_");
        }
        self.accept(b".");
        self.accept(digits);
        let mut has_dot = false;
        let mut has_exponent = false;
        while self.is(digits) || self.is(b"._eE") {
            if self.is(b".") && has_dot || self.is(b"eE") && has_exponent {
                self.at += 1;
                return false;
            }
            if self.accept(b".") {
                has_dot = true;
                if self.accept(b"_.") || is_hexadecimal {
                    return false;
                }
            } else if self.accept(b"eE") {
                has_exponent = true;
                self.accept(b"+-");
                if self.accept(b"._eE") || self.peek().is_none() {
                    return false;
                }
            } else if self.accept(b"_") {
                if self.accept(b"._eE") || self.peek().is_none() {
                    return false;
                }
            } else {
                self.accept_run(digits);
            }
        }
        self.at > 0 && self.at_word_end()
    }

    /// The rest of a duration, behind its first number. Bad units as `hs` are noticed later.
    fn duration(&mut self) -> bool {
        if !self.accept(b"smhdwy") {
            return false;
        }
        self.accept(b"s");
        while self.accept(DIGITS) {
            self.accept_run(DIGITS);
            if !self.accept(b"smhdw") {
                return false;
            }
            self.accept(b"s");
        }
        let ends = self.at_word_end();
        self.at += usize::from(!ends);
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_fractions_and_steps_are_read() {
        let cases = [
            ("1.5Ki)", Some((Kind::Number, 5))),
            ("1M", Some((Kind::Number, 2))),
            ("1m", None),
            ("1.5h]", Some((Kind::Duration, 4))),
            ("1h1.5m]", Some((Kind::Duration, 6))),
            ("1.5m1h", None),
            ("5i]", Some((Kind::Duration, 2))),
            ("1e3K", None),
            ("1.5", None),
            ("1Kib", None),
        ];
        for (text, expected) in cases {
            assert_eq!(scan_extended(text), expected, "{text}");
        }
        assert_eq!(scaled("1.5Ki"), Some(1536.0));
        assert_eq!(fractional("1h1.5m"), Some(3690.0));
    }

    #[test]
    fn numbers_and_durations_end_where_the_word_does() {
        let cases = [
            ("1)", Ok((Kind::Number, 1))),
            ("1e-3 ", Ok((Kind::Number, 4))),
            ("0xAe5]", Ok((Kind::Number, 5))),
            ("1h30m ", Ok((Kind::Duration, 5))),
            ("5y1hs]", Ok((Kind::Duration, 5))),
            ("5mm]", Err(3)),
            ("5m1]", Err(3)),
            ("1e", Err(2)),
            ("100..4", Err(5)),
            ("0deadbeef", Err(3)),
        ];
        for (text, expected) in cases {
            assert_eq!(scan_number_or_duration(text), expected, "{text}");
        }
    }
}

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

//! Regular expressions, as far as a text can be judged by them: their syntax, and whether they
//! match the empty text, which a series without the label has.
//!
//! The syntax is RE2's with Perl's classes, the error texts are those of Go's `regexp/syntax`.
//! One pass with a stack of open groups, so that nesting costs no stack of ours. Names of Unicode
//! classes are left to whoever matches.

/// Why a text is no regular expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("error parsing regexp: {problem}: `{text}`")]
pub(crate) struct RegexError {
    problem: &'static str,
    text: String,
}

/// Whether `pattern` matches the empty text.
///
/// # Errors
/// [`RegexError`] where it is none.
pub(crate) fn matches_empty(pattern: &str) -> Result<bool, RegexError> {
    let mut scan = Scan { whole: pattern, rest: pattern, groups: vec![Group::default()] };
    while scan.step()? {}
    match scan.groups.as_slice() {
        [group] => Ok(group.matches_empty()),
        _ => Err(error("missing closing )", pattern)),
    }
}

/// Levels of groups; Go allows as many.
const DEPTH_MAX: usize = 1000;

/// The most repetitions, nested ones multiplied.
const REPEAT_MAX: u32 = 1000;

/// A group that is open, or the whole.
struct Group {
    /// An alternative before matches the empty text.
    earlier: bool,
    /// All of this alternative but its last piece does.
    current: bool,
    /// The last piece, which an operator may repeat.
    last: Option<Piece>,
    /// The most repetitions of a piece within.
    repeats: u32,
    /// The text from the last operator of repetition on, if nothing is behind that.
    repeated_from: Option<usize>,
}

/// What an operator of repetition applies to.
#[derive(Clone, Copy)]
struct Piece {
    matches_empty: bool,
    repeats: u32,
}

impl Default for Group {
    fn default() -> Self {
        Self { earlier: false, current: true, last: None, repeats: 1, repeated_from: None }
    }
}

impl Group {
    fn matches_empty(&self) -> bool {
        self.earlier || self.current && self.last.is_none_or(|last| last.matches_empty)
    }

    fn push(&mut self, piece: Piece) {
        self.current &= self.last.is_none_or(|last| last.matches_empty);
        self.repeats = self.repeats.max(piece.repeats);
        self.last = Some(piece);
        self.repeated_from = None;
    }

    fn alternative(&mut self) {
        self.earlier = self.matches_empty();
        self.current = true;
        self.last = None;
        self.repeated_from = None;
    }
}

struct Scan<'a> {
    whole: &'a str,
    rest: &'a str,
    groups: Vec<Group>,
}

fn error(problem: &'static str, text: &str) -> RegexError {
    RegexError { problem, text: text.to_owned() }
}

impl<'a> Scan<'a> {
    /// What was read since `rest` was `start`.
    fn since(&self, start: &'a str) -> &'a str {
        start.get(..start.len() - self.rest.len()).unwrap_or_default()
    }

    fn next(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let character = characters.next();
        self.rest = characters.as_str();
        character
    }

    fn accept(&mut self, text: &str) -> bool {
        let behind = self.rest.strip_prefix(text);
        self.rest = behind.unwrap_or(self.rest);
        behind.is_some()
    }

    fn piece(&mut self, matches_empty: bool) {
        if let Some(group) = self.groups.last_mut() {
            group.push(Piece { matches_empty, repeats: 1 });
        }
    }

    /// Reads on by one piece or operator; false at the end.
    fn step(&mut self) -> Result<bool, RegexError> {
        let start = self.rest;
        match self.next() {
            None => return Ok(false),
            Some('(') => self.open(start)?,
            Some(')') => self.close()?,
            Some('|') => {
                if let Some(group) = self.groups.last_mut() {
                    group.alternative();
                }
            }
            Some('*' | '?') => self.repeat(start, 0, None)?,
            Some('+') => self.repeat(start, 1, None)?,
            Some('{') => match self.counts() {
                Some((least, most)) => self.repeat_counted(start, least, most)?,
                None => self.piece(false),
            },
            Some('^' | '$') => self.piece(true),
            Some('[') => {
                self.class(start)?;
                self.piece(false);
            }
            Some('\\') => self.escape(start)?,
            Some(_) => self.piece(false),
        }
        Ok(true)
    }

    fn open(&mut self, start: &'a str) -> Result<(), RegexError> {
        if self.groups.len() > DEPTH_MAX {
            return Err(error("expression nests too deeply", self.whole));
        }
        if self.accept("?P<") || self.accept("?<") {
            let name = self.rest.split_once('>').map(|(name, _)| name);
            let name = name.ok_or_else(|| error("invalid named capture", start))?;
            self.rest = self.rest.get(name.len() + 1..).unwrap_or_default();
            let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
            if name.is_empty() || !name.chars().all(is_word) {
                return Err(error("invalid named capture", self.since(start)));
            }
        } else if self.accept("?") && !self.flags(start)? {
            return Ok(());
        }
        self.groups.push(Group::default());
        Ok(())
    }

    /// Reads `i`, `i-s` and the like up to `:`, or `)` where no group is opened: then false.
    fn flags(&mut self, start: &'a str) -> Result<bool, RegexError> {
        let mut negative = false;
        let mut has_flag = false;
        loop {
            match self.next() {
                Some('i' | 'm' | 's' | 'U') => has_flag = true,
                Some('-') if !negative => {
                    negative = true;
                    has_flag = false;
                }
                Some(end @ (':' | ')')) if has_flag || !negative => return Ok(end == ':'),
                None => return Err(error("missing argument to repetition operator", "?")),
                Some(_) => {
                    return Err(error("invalid or unsupported Perl syntax", self.since(start)));
                }
            }
        }
    }

    fn close(&mut self) -> Result<(), RegexError> {
        if self.groups.len() < 2 {
            return Err(error("unexpected )", self.whole));
        }
        let closed = self.groups.pop().unwrap_or_default();
        if let Some(group) = self.groups.last_mut() {
            let matches_empty = closed.matches_empty();
            group.push(Piece { matches_empty, repeats: closed.repeats });
        }
        Ok(())
    }

    /// `n}`, `n,}` or `n,m}`; anything else makes the brace before it a character.
    fn counts(&mut self) -> Option<(u32, Option<u32>)> {
        let (counts, behind) = self.rest.split_once('}')?;
        let (least, most) = match counts.split_once(',') {
            None => (count(counts)?, Some(count(counts)?)),
            Some((least, "")) => (count(least)?, None),
            Some((least, most)) => (count(least)?, Some(count(most)?)),
        };
        self.rest = behind;
        Some((least, most))
    }

    fn repeat_counted(
        &mut self,
        start: &'a str,
        least: u32,
        most: Option<u32>,
    ) -> Result<(), RegexError> {
        if least.max(most.unwrap_or(0)) > REPEAT_MAX || most.is_some_and(|most| most < least) {
            return Err(error("invalid repeat count", self.since(start)));
        }
        self.repeat(start, least, Some(most.unwrap_or(least)))
    }

    /// Applies an operator that was read since `start` to the last piece.
    fn repeat(
        &mut self,
        start: &'a str,
        minimum: u32,
        most: Option<u32>,
    ) -> Result<(), RegexError> {
        self.accept("?");
        let operator = self.since(start);
        let at = self.whole.len() - start.len();
        let Some(group) = self.groups.last_mut() else { return Ok(()) };
        if let Some(from) = group.repeated_from {
            let end = at + operator.len();
            let operators = self.whole.get(from..end).unwrap_or_default();
            return Err(error("invalid nested repetition operator", operators));
        }
        let Some(last) = &mut group.last else {
            return Err(error("missing argument to repetition operator", operator));
        };
        last.matches_empty |= minimum == 0;
        if let Some(most) = most {
            last.repeats = if most == 0 { 1 } else { last.repeats.saturating_mul(most) };
            if last.repeats > REPEAT_MAX {
                return Err(error("invalid repeat count", operator));
            }
            group.repeats = group.repeats.max(last.repeats);
        }
        group.repeated_from = Some(at);
        Ok(())
    }

    fn escape(&mut self, start: &'a str) -> Result<(), RegexError> {
        match self.rest.chars().next() {
            None => Err(error("trailing backslash at end of expression", "")),
            Some('Q') => {
                self.next();
                let (text, behind) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
                self.rest = behind;
                text.chars().for_each(|_| self.piece(false));
                Ok(())
            }
            Some(assertion @ ('A' | 'z' | 'B' | 'b')) => {
                self.next();
                // There is no word in the empty text, so no boundary of one.
                self.piece(assertion != 'b');
                Ok(())
            }
            Some(_) => {
                if !self.class_escape(start)? {
                    self.character_escape(start)?;
                }
                self.piece(false);
                Ok(())
            }
        }
    }

    /// `\d`, `\pL`, `\p{Greek}` and the like, behind the backslash; false if it is another escape.
    fn class_escape(&mut self, start: &'a str) -> Result<bool, RegexError> {
        let mut ahead = self.rest.chars();
        match ahead.next() {
            Some('d' | 'D' | 's' | 'S' | 'w' | 'W') => {
                self.next();
                Ok(true)
            }
            Some('p' | 'P') => {
                self.next();
                match self.next() {
                    Some('{') => match self.rest.split_once('}') {
                        Some((_, behind)) => self.rest = behind,
                        None => return Err(error("invalid character class range", start)),
                    },
                    Some(_) => {}
                    None => return Err(error("invalid character class range", start)),
                }
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// The character of an escape, behind the backslash.
    fn character_escape(&mut self, start: &'a str) -> Result<u32, RegexError> {
        let Some(character) = self.next() else {
            return Err(error("trailing backslash at end of expression", ""));
        };
        let value = match character {
            '1'..='7' if !self.rest.starts_with(|next| matches!(next, '0'..='7')) => None,
            '0'..='7' => Some(self.octal(character)),
            'x' => self.hexadecimal(),
            'a' => Some(7),
            'f' => Some(12),
            'n' => Some(10),
            'r' => Some(13),
            't' => Some(9),
            'v' => Some(11),
            _ if character.is_ascii() && !character.is_ascii_alphanumeric() => {
                Some(u32::from(character))
            }
            _ => None,
        };
        value.ok_or_else(|| error("invalid escape sequence", self.since(start)))
    }

    /// Up to three octal digits, the first of which was read.
    fn octal(&mut self, first: char) -> u32 {
        let mut value = first.to_digit(8).unwrap_or_default();
        for _ in 0..2 {
            let Some(digit) = self.rest.chars().next().and_then(|next| next.to_digit(8)) else {
                break;
            };
            self.next();
            value = value * 8 + digit;
        }
        value
    }

    /// Two digits, or any number of them in braces.
    fn hexadecimal(&mut self) -> Option<u32> {
        if !self.accept("{") {
            let high = self.next()?.to_digit(16)?;
            return Some(high * 16 + self.next()?.to_digit(16)?);
        }
        let mut value = None;
        loop {
            match self.next()? {
                '}' => return value,
                digit => {
                    let next = value.unwrap_or(0) * 16 + digit.to_digit(16)?;
                    value = Some(next).filter(|next| *next <= u32::from(char::MAX));
                    value?;
                }
            }
        }
    }

    /// A class in brackets, behind the first.
    fn class(&mut self, start: &'a str) -> Result<(), RegexError> {
        self.accept("^");
        let mut is_first = true;
        while is_first || !self.accept("]") {
            is_first = false;
            if self.named_class()? {
                continue;
            }
            let from = self.rest;
            if self.accept("\\") {
                if self.class_escape(from)? {
                    continue;
                }
                self.rest = from;
            }
            let low = self.class_character(start)?;
            let is_range = self.rest.starts_with('-') && !self.rest.starts_with("-]");
            if is_range && self.rest != "-" {
                self.next();
                if self.class_character(start)? < low {
                    return Err(error("invalid character class range", self.since(from)));
                }
            }
        }
        Ok(())
    }

    /// `[:alpha:]` and the like, where one is next.
    fn named_class(&mut self) -> Result<bool, RegexError> {
        const NAMES: [&str; 14] = [
            "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print",
            "punct", "space", "upper", "word", "xdigit",
        ];
        let start = self.rest;
        let inner = start.strip_prefix("[:").and_then(|inner| inner.split_once(":]"));
        let Some((name, behind)) = inner else { return Ok(false) };
        self.rest = behind;
        if NAMES.contains(&name.strip_prefix('^').unwrap_or(name)) {
            Ok(true)
        } else {
            Err(error("invalid character class range", self.since(start)))
        }
    }

    fn class_character(&mut self, class: &'a str) -> Result<u32, RegexError> {
        let start = self.rest;
        match self.next() {
            None => Err(error("missing closing ]", class)),
            Some('\\') => self.character_escape(start),
            Some(character) => Ok(u32::from(character)),
        }
    }
}

/// A number without leading zeros; one that is too great is only known to be.
fn count(text: &str) -> Option<u32> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = is_number && (text.len() == 1 || !text.starts_with('0'));
    is_number.then(|| text.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests;

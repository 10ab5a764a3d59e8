//! JSON read where it lies: no tree, nothing copied but text with escapes.

use std::borrow::Cow;

/// What is wrong.
pub(super) type What = Cow<'static, str>;

/// How deep what is stepped over may nest.
const DEPTH_MAX: usize = 32;

/// What is left of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Json<'a> {
    rest: &'a [u8],
}

impl<'a> Json<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { rest: text }
    }

    /// The next byte that is no blank.
    pub(super) fn peek(&mut self) -> Option<u8> {
        self.rest = self.rest.trim_ascii_start();
        self.rest.first().copied()
    }

    pub(super) fn step_over(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        if is_next {
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
        is_next
    }

    pub(super) fn expect(&mut self, byte: u8) -> Result<(), What> {
        if self.step_over(byte) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("{:?}", char::from(byte))))
        }
    }

    #[cold]
    pub(super) fn unexpected(&self, wanted: &str) -> What {
        let beginning = String::from_utf8_lossy(self.rest.get(..16).unwrap_or(self.rest));
        match beginning.chars().take(8).collect::<String>() {
            shown if shown.is_empty() => format!("expected {wanted}, found the end").into(),
            shown => format!("expected {wanted}, found {shown:?}").into(),
        }
    }

    /// Goes through an object: `take` reads the value of each key.
    pub(super) fn object(
        &mut self,
        mut take: impl FnMut(&mut Self, Cow<'a, str>) -> Result<(), What>,
    ) -> Result<(), What> {
        self.expect(b'{')?;
        if self.step_over(b'}') {
            return Ok(());
        }
        loop {
            let key = self.text()?;
            self.expect(b':')?;
            take(self, key)?;
            if !self.step_over(b',') {
                return self.expect(b'}');
            }
        }
    }

    /// Goes through a list: `take` reads each item.
    #[inline]
    pub(super) fn list(
        &mut self,
        mut take: impl FnMut(&mut Self) -> Result<(), What>,
    ) -> Result<(), What> {
        self.expect(b'[')?;
        if self.step_over(b']') {
            return Ok(());
        }
        loop {
            take(self)?;
            if !self.step_over(b',') {
                return self.expect(b']');
            }
        }
    }

    /// A text with its escapes undone.
    pub(super) fn text(&mut self) -> Result<Cow<'a, str>, What> {
        let raw = self.raw_text()?;
        let utf8 = |bytes| std::str::from_utf8(bytes).map_err(|_| What::from("text is not UTF-8"));
        if memchr::memchr(b'\\', raw).is_none() {
            return Ok(Cow::Borrowed(utf8(raw)?));
        }
        let mut quoted = Vec::with_capacity(raw.len() + 2);
        quoted.push(b'"');
        quoted.extend_from_slice(raw);
        quoted.push(b'"');
        serde_json::from_slice(&quoted)
            .map(Cow::Owned)
            .map_err(|error| format!("text has a bad escape: {error}").into())
    }

    /// What stands between quotes.
    fn raw_text(&mut self) -> Result<&'a [u8], What> {
        if !self.step_over(b'"') {
            return Err(self.unexpected("a text"));
        }
        let inside = self.rest;
        let mut at = 0;
        loop {
            let rest = inside.get(at..).unwrap_or_default();
            let Some(size) = memchr::memchr2(b'"', b'\\', rest) else {
                return Err("text is not closed".into());
            };
            at += size;
            if inside.get(at) == Some(&b'"') {
                break;
            }
            at += 2;
        }
        self.rest = inside.get(at + 1..).unwrap_or_default();
        Ok(inside.get(..at).unwrap_or_default())
    }

    /// The bytes of a number or a word.
    #[inline]
    pub(super) fn token(&mut self) -> &'a [u8] {
        self.rest = self.rest.trim_ascii_start();
        let is_end = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\r');
        let size = self.rest.iter().position(is_end).unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at_checked(size).unwrap_or((self.rest, &[]));
        self.rest = rest;
        token
    }

    /// Steps over a value of any kind, and gives its bytes.
    pub(super) fn skip(&mut self) -> Result<&'a [u8], What> {
        self.peek();
        let start = self.rest;
        let mut depth = 0;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.raw_text()?;
                }
                Some(b'{' | b'[') => {
                    depth += 1;
                    if depth > DEPTH_MAX {
                        return Err(format!("value is nested deeper than {DEPTH_MAX}").into());
                    }
                    self.rest = self.rest.get(1..).unwrap_or_default();
                    continue;
                }
                Some(b'}' | b']') if depth > 0 => {
                    depth -= 1;
                    self.rest = self.rest.get(1..).unwrap_or_default();
                }
                Some(b',' | b':') if depth > 0 => {
                    self.rest = self.rest.get(1..).unwrap_or_default();
                    continue;
                }
                Some(b',' | b':' | b'}' | b']') | None => return Err(self.unexpected("a value")),
                Some(_) => {
                    if self.skip_word().is_empty() {
                        return Err(self.unexpected("a value"));
                    }
                }
            }
            if depth == 0 {
                return Ok(start.get(..start.len() - self.rest.len()).unwrap_or_default());
            }
        }
    }

    fn skip_word(&mut self) -> &'a [u8] {
        let is_part =
            |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
        let size = self.rest.iter().take_while(is_part).count();
        let (word, rest) = self.rest.split_at_checked(size).unwrap_or((self.rest, &[]));
        self.rest = rest;
        word
    }
}

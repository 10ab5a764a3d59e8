//! The text of a series: `name{label="value",…}`, or `{"any name",label="value",…}`.

use std::borrow::Cow;

use super::parser::What;
use crate::model::MetricKind;

/// A label's name and value, escapes undone; text that was not looked at yet.
pub type Pair<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

/// A series taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesText<'a> {
    /// The metric's name, never empty.
    pub name: Cow<'a, [u8]>,
    /// The other labels in their order, empty values among them.
    pub labels: Vec<Pair<'a>>,
}

impl<'a> SeriesText<'a> {
    /// Reads the bytes of a series as a [`Parser`](super::Parser) cut them out.
    ///
    /// The bounds of a classic histogram and the quantiles of a summary are spelled as every other
    /// format spells them, so `kind` is what the metric was said to be.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &'a [u8], kind: MetricKind, is_loose: bool) -> Result<Self, What> {
        let mut items = Items::of(text, is_loose)?;
        let mut name = items.name.map(Cow::Borrowed);
        let mut labels = Vec::new();
        while let Some(item) = items.next()? {
            let (text, value) = match item {
                Item::Name(quoted) if name.is_none() => {
                    name = Some(unescape(quoted));
                    continue;
                }
                Item::Name(_) => return Err("metric name stands there twice".into()),
                Item::Label(text, value) => (unescape(text), unescape(value)),
            };
            let value = if is_number(kind, &text) { canonical(value) } else { value };
            labels.push((text, value));
        }
        match name {
            Some(name) if !name.is_empty() => Ok(Self { name, labels }),
            _ => Err("series has no metric name".into()),
        }
    }
}

/// The labels of an exemplar: in braces, none of them a metric's name.
pub(super) fn exemplar_labels(text: &[u8]) -> Result<Vec<Pair<'_>>, What> {
    let mut items = Items::of(text, false)?;
    let mut labels = Vec::new();
    while let Some(item) = items.next()? {
        match item {
            Item::Label(name, value) => labels.push((unescape(name), unescape(value))),
            Item::Name(_) => return Err("label of an exemplar has no value".into()),
        }
    }
    Ok(labels)
}

/// Whether the label is a number by another name.
pub(super) fn is_number(kind: MetricKind, label: &[u8]) -> bool {
    match kind {
        MetricKind::Histogram => label == b"le",
        MetricKind::Summary => label == b"quantile",
        _ => false,
    }
}

fn canonical(value: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    match super::number::value(&value) {
        Some(number) => Cow::Owned(super::number::label_value(number).into_bytes()),
        None => value,
    }
}

/// What stands in braces, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item<'a> {
    /// A quoted metric name, without its quotes.
    Name(&'a [u8]),
    /// A label's name and value, without quotes.
    Label(&'a [u8], &'a [u8]),
}

/// The items of a series one by one; nothing is allocated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Items<'a> {
    /// The name before the braces.
    pub(super) name: Option<&'a [u8]>,
    rest: &'a [u8],
    /// Blanks may stand between tokens, commas may be missing: Prometheus reads text so.
    is_loose: bool,
}

impl<'a> Items<'a> {
    pub(super) fn of(text: &'a [u8], is_loose: bool) -> Result<Self, What> {
        let size = word_size(text, |byte| byte == b':');
        let (name, rest) = text.split_at_checked(size).unwrap_or((text, &[]));
        let name = (size > 0).then_some(name);
        let rest = if is_loose { rest.trim_ascii() } else { rest };
        if rest.is_empty() {
            return Ok(Self { name, rest, is_loose });
        }
        let inside = rest.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}"));
        match inside {
            Some(rest) => Ok(Self { name, rest, is_loose }),
            None if rest.starts_with(b"{") => Err("braces of labels are not closed".into()),
            None => Err(bad_start(name.is_some(), rest)),
        }
    }

    pub(super) fn next(&mut self) -> Result<Option<Item<'a>>, What> {
        self.skip_blanks();
        let Some(first) = self.rest.first() else { return Ok(None) };
        let is_quoted = *first == b'"';
        let name = if is_quoted { self.quoted()? } else { self.word()? };
        self.skip_blanks();
        if self.step_over(b'=') {
            self.skip_blanks();
            if self.rest.first() != Some(&b'"') {
                return Err(expected("a quoted value after the label's =", self.rest));
            }
            let value = self.quoted()?;
            self.separator()?;
            return Ok(Some(Item::Label(name, value)));
        }
        if !is_quoted {
            return Err(expected("'=' after a label's name", self.rest));
        }
        self.separator()?;
        Ok(Some(Item::Name(name)))
    }

    fn separator(&mut self) -> Result<(), What> {
        self.skip_blanks();
        if self.rest.is_empty() || self.step_over(b',') || self.is_loose {
            return Ok(());
        }
        Err(expected("',' or '}' after a label", self.rest))
    }

    fn word(&mut self) -> Result<&'a [u8], What> {
        match word_size(self.rest, |_| false) {
            0 => Err(expected("a label's name", self.rest)),
            size => {
                let (word, rest) = self.rest.split_at_checked(size).unwrap_or((self.rest, &[]));
                self.rest = rest;
                Ok(word)
            }
        }
    }

    /// What stands between quotes, the first of which comes next.
    fn quoted(&mut self) -> Result<&'a [u8], What> {
        let inside = self.rest.get(1..).unwrap_or_default();
        let mut at = 0;
        loop {
            match inside.get(at) {
                Some(b'"') => break,
                Some(b'\\') => at += 2,
                Some(_) => at += 1,
                None => return Err("quotes are not closed".into()),
            }
        }
        self.rest = inside.get(at + 1..).unwrap_or_default();
        Ok(inside.get(..at).unwrap_or_default())
    }

    fn step_over(&mut self, byte: u8) -> bool {
        match self.rest.split_first() {
            Some((first, rest)) if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn skip_blanks(&mut self) {
        if self.is_loose {
            self.rest = self.rest.trim_ascii_start();
        }
    }
}

/// Letters, digits but for the first, underscores, and what else `is_more` takes.
fn word_size(text: &[u8], is_more: impl Fn(u8) -> bool) -> usize {
    let is_part = |(at, byte): (usize, &u8)| {
        byte.is_ascii_alphabetic()
            || *byte == b'_'
            || is_more(*byte)
            || (at > 0 && byte.is_ascii_digit())
    };
    text.iter().enumerate().take_while(|it| is_part(*it)).count()
}

#[cold]
fn bad_start(has_name: bool, rest: &[u8]) -> What {
    let what = if has_name { "'{' or a blank after the metric's name" } else { "a metric's name" };
    expected(what, rest)
}

#[cold]
pub(super) fn expected(what: &str, rest: &[u8]) -> What {
    if rest.is_empty() {
        return format!("expected {what}, found the end").into();
    }
    let beginning = String::from_utf8_lossy(rest.get(..16).unwrap_or(rest));
    let shown: String = beginning.chars().take(8).collect();
    format!("expected {what}, found {shown:?}").into()
}

/// Undoes `\\`, `\"` and `\n`; other backslashes stand for themselves.
pub(super) fn unescape(text: &[u8]) -> Cow<'_, [u8]> {
    unescape_all(text, b"\\\"")
}

/// [`unescape`], of a help text of 0.0.4, in which quotes are not escaped.
pub(super) fn unescape_help(text: &[u8]) -> Cow<'_, [u8]> {
    unescape_all(text, b"\\")
}

fn unescape_all<'a>(text: &'a [u8], plain: &[u8]) -> Cow<'a, [u8]> {
    if memchr::memchr(b'\\', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        rest = match rest {
            [b'\\', b'n', rest @ ..] => {
                out.push(b'\n');
                rest
            }
            [b'\\', byte, rest @ ..] if plain.contains(byte) => {
                out.push(*byte);
                rest
            }
            [byte, rest @ ..] => {
                out.push(*byte);
                rest
            }
            [] => return Cow::Owned(out),
        };
    }
}

//! Text taken apart line by line: what stands there, without asking what series it is.

use std::borrow::Cow;

use super::series::{SeriesText, exemplar_labels, expected};
use super::{Format, Pair, number, text};
use crate::model::MetricKind;

/// What is wrong with a line.
pub type What = Cow<'static, str>;

/// Bytes of a line that a fault repeats.
const SHOWN_BYTES_MAX: usize = 200;

/// A line that cannot be read. The parser goes on with the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Counted from 1.
    pub line: usize,
    /// The line, shortened.
    pub text: String,
    /// What is wrong.
    pub what: What,
}

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Entry<'a> {
    /// A line of HELP, TYPE or UNIT.
    Metadata(MetadataText<'a>),
    /// A line of a sample.
    Sample(Sample<'a>),
}

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetadataText<'a> {
    /// The metric's name, without quotes, as it is written.
    pub metric: &'a [u8],
    /// Which line it was, and what it says.
    pub says: Says<'a>,
}

/// One of the three lines of metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says<'a> {
    /// A type.
    Kind(MetricKind),
    /// A help text, as it is written.
    Help(&'a [u8]),
    /// A unit.
    Unit(&'a [u8]),
}

/// A sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample<'a> {
    /// Name and labels, as they are written.
    pub series: &'a [u8],
    /// What the last TYPE line said.
    pub kind: MetricKind,
    /// Its value.
    pub value: f64,
    /// Nanoseconds since 1970, if it has a time of its own.
    pub time: Option<i64>,
    /// A pointer to a trace.
    pub exemplar: Option<ExemplarText<'a>>,
}

/// An exemplar behind a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExemplarText<'a> {
    /// In braces, as they are written.
    text: &'a [u8],
    /// Its value.
    pub value: f64,
    /// Nanoseconds since 1970, if it has a time of its own.
    pub time: Option<i64>,
}

impl<'a> ExemplarText<'a> {
    /// Its labels.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn labels(&self) -> Result<Vec<Pair<'a>>, What> {
        exemplar_labels(self.text)
    }
}

/// Reads a body of text; an iterator of entries and faults.
#[derive(Clone, Debug)]
pub struct Parser<'a> {
    body: &'a [u8],
    at: usize,
    /// Of the entry given last.
    line: usize,
    kind: MetricKind,
    is_open_metrics: bool,
    is_ended: bool,
}

impl<'a> Parser<'a> {
    /// Of text in `format`, which is not protobuf.
    pub fn new(body: &'a [u8], format: Format) -> Self {
        let is_open_metrics = format == Format::OpenMetrics;
        Self { body, at: 0, line: 0, kind: MetricKind::Unknown, is_open_metrics, is_ended: false }
    }

    /// The number of the line given last, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Takes a series apart that one of its samples has.
    ///
    /// # Errors
    /// The line as a fault. The series that are asked for are those of the line given last.
    pub fn series(&self, sample: &Sample<'a>) -> Result<SeriesText<'a>, Fault> {
        SeriesText::parse(sample.series, sample.kind, !self.is_open_metrics)
            .map_err(|what| self.fault(sample.series, what))
    }

    /// Steps to the next line; None at the end, and where the line says nothing.
    #[inline]
    fn step(&mut self) -> Result<Option<Entry<'a>>, What> {
        let rest = self.body.get(self.at..).unwrap_or_default();
        let mut line = Line { rest, is_strict: self.is_open_metrics };
        line.skip_free_blanks();
        match line.rest.first() {
            None | Some(b'\n') if !self.is_open_metrics => {}
            Some(b'\r') if line.rest.get(1) == Some(&b'\n') && !self.is_open_metrics => {
                line.rest = line.rest.get(1..).unwrap_or_default();
            }
            Some(b'#') => return self.comment(line),
            _ => {
                let sample = line.sample(self.kind)?;
                self.end(line)?;
                return Ok(Some(Entry::Sample(sample)));
            }
        }
        self.end(line)?;
        Ok(None)
    }

    #[cold]
    fn comment(&mut self, line: Line<'a>) -> Result<Option<Entry<'a>>, What> {
        let end = memchr::memchr(b'\n', line.rest).unwrap_or(line.rest.len());
        let bytes = line.rest.get(..end).unwrap_or_default();
        let after = Line { rest: line.rest.get(end..).unwrap_or_default(), ..line };
        let comment = text::comment(bytes, self.is_open_metrics)?;
        if comment == text::Comment::Eof {
            self.is_ended = true;
            let behind = after.rest.strip_prefix(b"\n").unwrap_or(after.rest);
            self.at = self.body.len();
            return if behind.is_empty() { Ok(None) } else { Err("text follows # EOF".into()) };
        }
        self.end(after)?;
        let text::Comment::Metadata(metadata) = comment else { return Ok(None) };
        if let Says::Kind(kind) = metadata.says {
            self.kind = kind;
        }
        Ok(Some(Entry::Metadata(metadata)))
    }

    /// Steps over the line's end, before which `line` stands.
    #[inline]
    fn end(&mut self, line: Line<'a>) -> Result<(), What> {
        match line.rest {
            [b'\n', rest @ ..] => {
                self.at = self.body.len() - rest.len();
                Ok(())
            }
            [] if !self.is_open_metrics => {
                self.at = self.body.len();
                Ok(())
            }
            [b'\r', b'\n', rest @ ..] if !self.is_open_metrics => {
                self.at = self.body.len() - rest.len();
                Ok(())
            }
            [] => Err("text does not end with # EOF".into()),
            rest => Err(expected("the end of the line", rest)),
        }
    }

    #[cold]
    fn skip_line(&mut self, start: usize) {
        let rest = self.body.get(start..).unwrap_or_default();
        self.at = memchr::memchr(b'\n', rest).map_or(self.body.len(), |size| start + size + 1);
    }

    #[cold]
    fn fault(&self, line: &[u8], what: What) -> Fault {
        let end = memchr::memchr(b'\n', line).unwrap_or(line.len());
        let line = line.get(..end).unwrap_or_default();
        let text = crate::ingest::labels::shown_up_to(SHOWN_BYTES_MAX, line);
        Fault { line: self.line, text, what }
    }
}

impl<'a> Iterator for Parser<'a> {
    type Item = Result<Entry<'a>, Fault>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        while self.at < self.body.len() {
            let start = self.at;
            self.line += 1;
            match self.step() {
                Ok(Some(entry)) => return Some(Ok(entry)),
                Ok(None) => {}
                Err(what) => {
                    let fault = self.fault(self.body.get(start..).unwrap_or_default(), what);
                    if !self.is_ended {
                        self.skip_line(start);
                    }
                    // A last line without its end was told; that nothing follows need not be.
                    self.is_ended |= self.at >= self.body.len();
                    return Some(Err(fault));
                }
            }
        }
        if self.is_open_metrics && !self.is_ended {
            self.is_ended = true;
            self.line += 1;
            return Some(Err(self.fault(b"", "text does not end with # EOF".into())));
        }
        None
    }
}

/// What is left of a line, and of those behind it.
#[derive(Clone, Copy)]
struct Line<'a> {
    rest: &'a [u8],
    /// One blank between tokens and none elsewhere.
    is_strict: bool,
}

impl<'a> Line<'a> {
    #[inline]
    fn sample(&mut self, kind: MetricKind) -> Result<Sample<'a>, What> {
        let series = self.series()?;
        let Some(token) = self.token() else {
            return Err(expected("a value after the series", self.rest));
        };
        let value = number::value(token).ok_or_else(|| expected("a number as value", token))?;
        let mut sample = Sample { series, kind, value, time: None, exemplar: None };
        if self.is_strict && self.rest.starts_with(b" # {") {
            sample.exemplar = Some(self.exemplar()?);
            return Ok(sample);
        }
        if let Some(token) = self.token() {
            sample.time = Some(self.time(token)?);
            if self.is_strict && self.rest.starts_with(b" # {") {
                sample.exemplar = Some(self.exemplar()?);
            }
        }
        self.skip_free_blanks();
        Ok(sample)
    }

    /// Name and labels, up to the blank or brace that ends them.
    #[inline]
    fn series(&mut self) -> Result<&'a [u8], What> {
        let is_end = |byte: &u8| matches!(byte, b'{' | b' ' | b'\t' | b'\n' | b'\r');
        let size = self.rest.iter().position(is_end).unwrap_or(self.rest.len());
        let mut end = size;
        if !self.is_strict {
            while matches!(self.rest.get(end), Some(b' ' | b'\t')) {
                end += 1;
            }
        }
        let size =
            if self.rest.get(end) == Some(&b'{') { braces_end(self.rest, end)? } else { size };
        if size == 0 {
            return Err(expected("a metric's name", self.rest));
        }
        let (series, rest) = self.rest.split_at_checked(size).unwrap_or((self.rest, &[]));
        self.rest = rest;
        Ok(series)
    }

    /// What comes next between blanks. None at the line's end.
    #[inline]
    fn token(&mut self) -> Option<&'a [u8]> {
        let start = if self.is_strict {
            self.rest.strip_prefix(b" ")?
        } else {
            let blanks = self.rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            self.rest.get(blanks..)?
        };
        let is_end = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let size = start.iter().position(is_end).unwrap_or(start.len());
        let (token, rest) = start.split_at_checked(size)?;
        if token.is_empty() {
            return None;
        }
        self.rest = rest;
        Some(token)
    }

    fn time(&self, token: &[u8]) -> Result<i64, What> {
        let time = if self.is_strict {
            number::seconds(token)
        } else {
            number::millis(token).and_then(|millis| millis.checked_mul(1_000_000))
        };
        time.ok_or_else(|| {
            let unit = if self.is_strict { "seconds" } else { "milliseconds" };
            expected(&format!("{unit} between 1677 and 2262 as time"), token)
        })
    }

    /// `" # {…} value [time]"`
    #[cold]
    fn exemplar(&mut self) -> Result<ExemplarText<'a>, What> {
        let rest = self.rest.get(3..).unwrap_or_default();
        let size = braces_end(rest, 0)?;
        let (text, rest) = rest.split_at_checked(size).unwrap_or((rest, &[]));
        exemplar_labels(text)?;
        self.rest = rest;
        let Some(token) = self.token() else {
            return Err(expected("a value after the exemplar's labels", self.rest));
        };
        let value =
            number::value(token).ok_or_else(|| expected("a number as exemplar's value", token))?;
        let time = match self.token() {
            None => None,
            Some(token) => Some(self.time(token)?),
        };
        Ok(ExemplarText { text, value, time })
    }

    #[inline]
    fn skip_free_blanks(&mut self) {
        if !self.is_strict {
            while let [b' ' | b'\t', rest @ ..] = self.rest {
                self.rest = rest;
            }
        }
    }
}

/// The place behind the brace that closes the one at `open`.
#[inline]
fn braces_end(line: &[u8], open: usize) -> Result<usize, What> {
    let mut at = open + 1;
    loop {
        let rest = line.get(at..).unwrap_or_default();
        let Some(size) = memchr::memchr3(b'"', b'}', b'\n', rest) else {
            return Err("braces of labels are not closed".into());
        };
        at += size;
        match line.get(at) {
            Some(b'}') => return Ok(at + 1),
            Some(b'"') => at = quotes_end(line, at + 1)?,
            _ => return Err("braces of labels are not closed in their line".into()),
        }
    }
}

/// The place behind the quote that closes text which starts at `at`.
#[inline]
fn quotes_end(line: &[u8], mut at: usize) -> Result<usize, What> {
    loop {
        let rest = line.get(at..).unwrap_or_default();
        let Some(size) = memchr::memchr3(b'"', b'\\', b'\n', rest) else {
            return Err("quotes are not closed".into());
        };
        at += size;
        match line.get(at) {
            Some(b'"') => return Ok(at + 1),
            // The byte behind a backslash is text, but no line's end.
            Some(b'\\') if line.get(at + 1) != Some(&b'\n') => at += 2,
            _ => return Err("quotes are not closed in their line".into()),
        }
    }
}

//! Lines to a batch.

use std::borrow::Cow;

use super::format::Column;
use super::{Format, FormatError};
use crate::ingest::config::IMPORT_LINE_OPTION;
use crate::ingest::labels::{limit, shown_up_to};
use crate::ingest::lookup::{Found, Lookup};
use crate::ingest::number::decimal;
use crate::ingest::time::Bounds;
use crate::ingest::{Error, ExtraLabels, Intake, Pair, Place, Reason, Report, Session};
use crate::model::{Batch, Door, METRIC_NAME, Timestamp};

/// Bytes of a line that an error repeats.
const SHOWN_BYTES_MAX: usize = 200;

/// What a request says beside its body.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Which column is what.
    pub format: &'a Format,
    /// What stands between columns.
    pub delimiter: u8,
    /// The time of lines that have none.
    pub now: Timestamp,
    /// Added to every series.
    pub extra: Option<&'a ExtraLabels>,
}

impl Ask<'_> {
    /// The byte of a parameter `delimiter`; a comma where there is none.
    ///
    /// # Errors
    /// Where it is more than a byte, or one that has a meaning of its own.
    pub fn delimiter(parameter: Option<&str>) -> Result<u8, FormatError> {
        match parameter.map(str::as_bytes) {
            None => Ok(b','),
            Some([byte]) if byte.is_ascii() && !matches!(byte, b'"' | b'\'' | b'\n' | b'\r') => {
                Ok(*byte)
            }
            Some(b"\\t") => Ok(b'\t'),
            Some(other) => Err(FormatError::Delimiter(
                String::from_utf8_lossy(other).chars().take(8).collect(),
            )),
        }
    }
}

/// Decodes an inflated `body` into `batch`, which is emptied first.
///
/// Lines that cannot be read are left out and told in the report.
///
/// # Errors
/// [`Error::Registry`] where series cannot be registered now. The batch is empty then.
pub fn decode(
    body: &[u8],
    ask: &Ask<'_>,
    session: &mut Session,
    intake: &Intake<'_>,
    batch: &mut Batch,
) -> Result<Report, Error> {
    let bounds = intake.begin(session, batch);
    let lookup = Lookup {
        session,
        intake,
        door: Door::Columns,
        relabel: ask.extra.and_then(ExtraLabels::as_relabel),
        scope: ask.extra.map_or(&[], ExtraLabels::scope),
    };
    let report = Report::default();
    let mut lines = Lines { ask, lookup, batch, report, bounds };
    let decoded = lines.decode(body);
    let report = lines.report;
    match decoded {
        Ok(()) => Ok(Report { samples: batch.rows.len() as u64, ..report }),
        Err(error) => {
            batch.clear();
            Err(error)
        }
    }
}

struct Lines<'l> {
    ask: &'l Ask<'l>,
    lookup: Lookup<'l>,
    batch: &'l mut Batch,
    report: Report,
    bounds: Bounds,
}

/// What a line holds, by the columns of the format.
type Fields<'a> = Vec<Cow<'a, [u8]>>;

impl Lines<'_> {
    fn decode(&mut self, body: &[u8]) -> Result<(), Error> {
        for (index, line) in body.split(|byte| *byte == b'\n').enumerate() {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                continue;
            }
            let number = index + 1;
            let size_max = self.lookup.intake.config.import_line_bytes_max;
            let taken = limit("line size", line.len(), size_max, IMPORT_LINE_OPTION)
                .and_then(|()| self.fields(line));
            match taken {
                Ok(fields) => self.take(number, line, &fields)?,
                Err(reason) => self.refuse(number, reason),
            }
        }
        Ok(())
    }

    /// The fields that the format names, in its order.
    fn fields<'a>(&self, line: &'a [u8]) -> Result<Fields<'a>, Reason> {
        let unreadable = |what: Cow<'static, str>| unreadable(line, what);
        let mut fields = Fields::new();
        let mut columns = self.ask.format.columns.iter().peekable();
        let mut rest = Some(line);
        let mut position = 0;
        while columns.peek().is_some() {
            let Some(text) = rest else {
                let wanted = columns.map(|(position, _)| position + 1).max().unwrap_or_default();
                return Err(unreadable(
                    format!("line has {position} columns, the format names column {wanted}").into(),
                ));
            };
            let (field, after) = field(text, self.ask.delimiter).map_err(unreadable)?;
            while columns.next_if(|(wanted, _)| *wanted == position).is_some() {
                fields.push(field.clone());
            }
            rest = after;
            position += 1;
        }
        Ok(fields)
    }

    fn take(&mut self, number: usize, line: &[u8], fields: &Fields<'_>) -> Result<(), Error> {
        let columns = &self.ask.format.columns;
        let time = match self.time(line, fields) {
            Ok(time) => time,
            Err(reason) => {
                self.refuse(number, reason);
                return Ok(());
            }
        };
        for ((_, column), field) in columns.iter().zip(fields) {
            let Column::Metric(name) = column else { continue };
            if field.is_empty() {
                continue;
            }
            let Some(value) = decimal(field) else {
                let shown = shown_up_to(24, field);
                let what = format!("{shown:?} of the metric {name:?} is no number");
                self.refuse(number, unreadable(line, what.into()));
                continue;
            };
            match self.find(name, fields)? {
                Ok(Found::Series(series)) => {
                    self.batch.rows.push(time, value);
                    self.batch.rows.end_run(series);
                }
                Ok(Found::Dropped) => {}
                Err(reason) => self.refuse(number, reason),
            }
        }
        Ok(())
    }

    fn time(&self, line: &[u8], fields: &Fields<'_>) -> Result<i64, Reason> {
        let columns = self.ask.format.columns.iter().zip(fields);
        let clock = columns.into_iter().find_map(|((_, column), field)| match column {
            Column::Time(clock) => Some((clock, field)),
            Column::Label(_) | Column::Metric(_) => None,
        });
        let time = match clock {
            None => self.ask.now.nanos(),
            Some((clock, field)) => clock.read(field).ok_or_else(|| {
                let shown = shown_up_to(40, field);
                unreadable(line, format!("{shown:?} is no time of the format").into())
            })?,
        };
        self.bounds.nanos(time)
    }

    fn find(&mut self, name: &str, fields: &Fields<'_>) -> Result<Result<Found, Reason>, Error> {
        let columns = &self.ask.format.columns;
        let labels = || {
            columns.iter().zip(fields).filter_map(|((_, column), field)| match column {
                Column::Label(label) => Some((label, field)),
                Column::Metric(_) | Column::Time(_) => None,
            })
        };
        let format = &self.ask.format.text;
        let key = self.lookup.key(|bytes| {
            for text in [format.as_bytes(), name.as_bytes()] {
                bytes.extend_from_slice(&text.len().to_le_bytes());
                bytes.extend_from_slice(text);
            }
            for (_, value) in labels() {
                bytes.extend_from_slice(&value.len().to_le_bytes());
                bytes.extend_from_slice(value);
            }
        });
        if let Some(found) = self.lookup.find(key) {
            return Ok(Ok(found));
        }
        // A column may hold the metric's name, as our own export has it.
        let own = labels().find(|(label, value)| *label == METRIC_NAME && !value.is_empty());
        let mut pairs: Vec<Pair<'_>> = labels()
            .filter(|(label, _)| *label != METRIC_NAME)
            .map(|(name, value)| (Cow::Borrowed(name.as_bytes()), Cow::Borrowed(&value[..])))
            .collect();
        let name = own.map_or(name.as_bytes(), |(_, value)| &value[..]);
        pairs.push((Cow::Borrowed(METRIC_NAME.as_bytes()), Cow::Borrowed(name)));
        self.lookup.register(key, None, &pairs)
    }

    #[cold]
    fn refuse(&mut self, number: usize, reason: Reason) {
        self.report.refuse(self.lookup.intake.config, 1, || (Place::TextLine(number), reason));
    }
}

fn unreadable(line: &[u8], what: Cow<'static, str>) -> Reason {
    Reason::Unreadable { text: shown_up_to(SHOWN_BYTES_MAX, line), what }
}

/// A field and what follows its delimiter; None where nothing does.
type Split<'a> = (Cow<'a, [u8]>, Option<&'a [u8]>);

/// The first field: plain, or in quotes of either kind, which stand for themselves where doubled.
fn field(text: &[u8], delimiter: u8) -> Result<Split<'_>, Cow<'static, str>> {
    let quote = match text.first() {
        Some(quote @ (b'"' | b'\'')) => *quote,
        _ => {
            return Ok(match memchr::memchr(delimiter, text) {
                Some(size) => {
                    (Cow::Borrowed(text.get(..size).unwrap_or_default()), text.get(size + 1..))
                }
                None => (Cow::Borrowed(text), None),
            });
        }
    };
    let inside = text.get(1..).unwrap_or_default();
    let mut end = 0;
    let mut is_doubled = false;
    loop {
        let rest = inside.get(end..).unwrap_or_default();
        let Some(size) = memchr::memchr(quote, rest) else {
            return Err("quotes are not closed in their line".into());
        };
        end += size;
        if inside.get(end + 1) != Some(&quote) {
            break;
        }
        is_doubled = true;
        end += 2;
    }
    let field = inside.get(..end).unwrap_or_default();
    let field = if is_doubled { Cow::Owned(undouble(field, quote)) } else { Cow::Borrowed(field) };
    match inside.get(end + 1..).unwrap_or_default() {
        [] => Ok((field, None)),
        [byte, rest @ ..] if *byte == delimiter => Ok((field, Some(rest))),
        _ => Err("text follows a closing quote".into()),
    }
}

fn undouble(text: &[u8], quote: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut is_second = false;
    for byte in text {
        is_second = *byte == quote && !is_second;
        if *byte != quote || is_second {
            out.push(*byte);
        }
    }
    out
}

//! Lines to a batch.

use super::field::{Field, Line};
use super::series::Lookup;
use super::{Precision, quick, strict};
use crate::ingest::config::{BODY_OPTION, LINE_OPTION};
use crate::ingest::labels::{limit, shown_up_to};
use crate::ingest::time::Bounds;
use crate::ingest::{Error, Intake, Place, Reason, Report, Session};
use crate::model::{Batch, Timestamp};

/// Bytes of a line that an error repeats.
const SHOWN_BYTES_MAX: usize = 500;

/// What a request says beside its body.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ask<'a> {
    /// The unit of its timestamps.
    pub precision: Precision,
    /// The time of lines that have none.
    pub now: Timestamp,
    /// The database or bucket it names; empty where it names none.
    pub db: &'a str,
}

/// Decodes an inflated `body` into `batch`, which is emptied first.
///
/// Lines that cannot be taken are left out and told in the report, in the words of `InfluxDB` 1.
/// Fields that are text are left out and counted.
///
/// # Errors
/// [`Error::Limit`] where the body is over 4 GiB, [`Error::Registry`] where series cannot be
/// registered now. The batch is empty then.
pub fn decode(
    body: &[u8],
    ask: &Ask<'_>,
    session: &mut Session,
    intake: &Intake<'_>,
    batch: &mut Batch,
) -> Result<Report, Error> {
    let bounds = intake.begin(session, batch);
    if u32::try_from(body.len()).is_err() {
        let what = "length in bytes of a body of lines is";
        return Err(Error::Limit { what, limit: u32::MAX as usize, option: BODY_OPTION });
    }
    let mut fields = std::mem::take(&mut session.fields);
    let db = if intake.config.is_db_label { ask.db } else { "" };
    let lookup = Lookup::new(body, db, session, intake);
    let mut lines = Lines { body, ask, bounds, lookup, batch, report: Report::default() };
    let decoded = lines.decode(&mut fields);
    let report = lines.report;
    fields.shrink_to(FIELDS_KEPT);
    session.fields = fields;
    match decoded {
        Ok(()) => Ok(Report { samples: batch.rows.len() as u64, ..report }),
        Err(error) => {
            batch.clear();
            Err(error)
        }
    }
}

/// Fields of a line for which a connection keeps space.
const FIELDS_KEPT: usize = 1024;

struct Lines<'l> {
    body: &'l [u8],
    ask: &'l Ask<'l>,
    bounds: Bounds,
    lookup: Lookup<'l>,
    batch: &'l mut Batch,
    report: Report,
}

impl Lines<'_> {
    fn decode(&mut self, fields: &mut Vec<Field>) -> Result<(), Error> {
        let mut at = 0;
        while at < self.body.len() {
            let start = strict::skip_blanks(self.body, at);
            at = match self.body.get(start) {
                None => break,
                Some(b'\n' | b'\r') => start + 1,
                Some(b'#') => {
                    let rest = self.body.get(start..).unwrap_or_default();
                    memchr::memchr(b'\n', rest).map_or(self.body.len(), |size| start + size + 1)
                }
                Some(_) => match quick::read(self.body, start, fields) {
                    Some(line) => {
                        self.take(&line, fields, false)?;
                        line.next
                    }
                    None => self.read_strictly(start, fields)?,
                },
            };
        }
        Ok(())
    }

    /// Gives where the next line starts.
    #[cold]
    fn read_strictly(&mut self, start: usize, fields: &mut Vec<Field>) -> Result<usize, Error> {
        let (end, next) = strict::line_of(self.body, start);
        let bytes = self.body.get(start..end).unwrap_or_default();
        if let Err(reason) = self.check_size(bytes.len()) {
            self.refuse(start, 1, |_| reason);
            return Ok(next);
        }
        match strict::read(bytes, start, fields) {
            Ok(line) => self.take(&Line { next, ..line }, fields, true)?,
            Err(what) => self.refuse(start, 1, |lines| lines.unreadable(start, what)),
        }
        Ok(next)
    }

    /// Takes a line that was read; `is_strict` where by the strict reader, which looks at tags, too.
    #[inline]
    fn take(&mut self, line: &Line, fields: &[Field], is_strict: bool) -> Result<(), Error> {
        let taken = self
            .check_size(line.next - line.head_start)
            .and_then(|()| self.time(line))
            .map(|time| (time, self.lookup.find(line, fields)));
        let (time, found) = match taken {
            Ok((time, Some(found))) => (time, found),
            Ok((time, None)) => match self.register(line, fields, is_strict)? {
                Some(found) => (time, found),
                None => return Ok(()),
            },
            Err(reason) => {
                let rows = (fields.len() as u64).max(1);
                self.refuse(line.head_start, rows, |_| reason);
                return Ok(());
            }
        };
        self.report.strings += line.strings;
        let rows = &mut self.batch.rows;
        for (index, field) in fields.iter().enumerate() {
            rows.push(time, field.value);
            rows.end_run(self.lookup.series(found, index));
        }
        Ok(())
    }

    /// None where the line was refused.
    #[cold]
    fn register(
        &mut self,
        line: &Line,
        fields: &[Field],
        is_strict: bool,
    ) -> Result<Option<super::series::Found>, Error> {
        let start = line.head_start;
        if !is_strict {
            let (end, _) = strict::line_of(self.body, start);
            let bytes = self.body.get(start..end).unwrap_or_default();
            if let Err(what) = strict::read(bytes, start, &mut Vec::new()) {
                self.refuse(start, 1, |lines| lines.unreadable(start, what));
                return Ok(None);
            }
        }
        match self.lookup.register(line, fields)? {
            Ok(found) => Ok(Some(found)),
            Err(reason) => {
                let rows = (fields.len() as u64).max(1);
                let what = |lines: &Self| lines.unreadable(start, reason.to_string().into());
                self.refuse(start, rows, what);
                Ok(None)
            }
        }
    }

    #[inline]
    fn check_size(&self, size: usize) -> Result<(), Reason> {
        limit("line size", size, self.lookup.intake.config.line_bytes_max, LINE_OPTION)
    }

    /// The line's time in nanoseconds, if rows of that time are taken.
    #[inline]
    fn time(&self, line: &Line) -> Result<i64, Reason> {
        let unit = self.ask.precision.nanos();
        let Some(time) = line.time else {
            let now = self.ask.now.nanos();
            return self.bounds.nanos(now.saturating_sub(now.rem_euclid(unit)));
        };
        let unit = if self.ask.precision == Precision::Auto {
            self.ask.precision.of(time).nanos()
        } else {
            unit
        };
        match time.checked_mul(unit) {
            Some(time) if (TIME_MIN..=TIME_MAX).contains(&time) => self.bounds.nanos(time),
            _ => Err(self.outside(line.head_start)),
        }
    }

    #[cold]
    fn outside(&self, start: usize) -> Reason {
        self.unreadable(start, format!("time outside range {TIME_MIN} - {TIME_MAX}").into())
    }

    fn unreadable(&self, start: usize, what: strict::Fault) -> Reason {
        let (end, _) = strict::line_of(self.body, start);
        let line = self.body.get(start..end).unwrap_or_default();
        Reason::Line { line: shown_up_to(SHOWN_BYTES_MAX, line), what }
    }

    /// Counts `rows` of the line at `start` as refused; `why` is asked only if it is told.
    fn refuse(&mut self, start: usize, rows: u64, why: impl FnOnce(&Self) -> Reason) {
        let mut report = std::mem::take(&mut self.report);
        report.refuse(self.lookup.intake.config, rows, || {
            let before = self.body.get(..start).unwrap_or_default();
            (Place::Line(memchr::memchr_iter(b'\n', before).count() + 1), why(self))
        });
        self.report = report;
    }
}

/// The first and last instant of `InfluxDB`, which keeps the outermost for itself.
const TIME_MIN: i64 = i64::MIN + 2;
const TIME_MAX: i64 = i64::MAX - 1;

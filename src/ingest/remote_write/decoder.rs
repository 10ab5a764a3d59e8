//! What both messages do with a series: find it, register it, take its rows.

use super::shapes::{REQUEST, WRITE_REQUEST};
use super::{exemplar, histogram, labels, message::Message, replica::Filter, sample};
use crate::ingest::check::{Shape, check};
use crate::ingest::time::Bounds;
use crate::ingest::wire::{Malformed, Value, Wire};
use crate::ingest::{Error, Intake, Place, Reason, Report, Session};
use crate::model::{self, Batch, HistogramRow, SeriesKey, SeriesRef};

/// Why one thing was not taken: it alone is bad, or the whole body is.
pub(in crate::ingest) enum Fault {
    Refused(Reason),
    Malformed(Malformed),
}

impl From<Reason> for Fault {
    fn from(reason: Reason) -> Self {
        Self::Refused(reason)
    }
}

impl From<Malformed> for Fault {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

/// One request on its way into a batch.
pub(super) struct Decoder<'d> {
    pub(super) intake: &'d Intake<'d>,
    pub(super) session: &'d mut Session,
    pub(super) batch: &'d mut Batch,
    pub(super) report: Report,
    pub(super) body: Wire<'d>,
    bounds: Bounds,
    message: Message,
    is_checked: bool,
    /// Leaves out what replicas say twice.
    pub(super) replicas: Option<Filter<'d>>,
}

/// A time series within its request.
#[derive(Clone, Copy)]
pub(super) struct Series<'s> {
    pub(super) index: usize,
    pub(super) labels: Source<'s>,
    pub(super) rows: Rows<'s>,
    /// Milliseconds; the start of rows that name none. 0 = unknown.
    pub(super) created: i64,
}

/// Where the labels of a series are read from, when they have to be.
#[derive(Clone, Copy)]
pub(super) enum Source<'s> {
    /// Label fields of message 1.
    Fields(&'s [u8]),
    /// A series of message 2, with references to symbols.
    Referring(Wire<'s>),
}

/// The rows of a series.
#[derive(Clone, Copy)]
pub(super) struct Rows<'s> {
    /// They stand here, maybe among other fields.
    pub(super) fields: Wire<'s>,
    pub(super) count: u64,
    /// The last sample: where the count is 1, all there is. Most series are so.
    pub(super) sample: Option<Wire<'s>>,
}

impl<'d> Decoder<'d> {
    pub(super) fn new(
        message: Message,
        body: &'d [u8],
        session: &'d mut Session,
        intake: &'d Intake<'d>,
        batch: &'d mut Batch,
    ) -> Self {
        let bounds = intake.begin(session, batch);
        let body = Wire::new(body);
        let report = Report::default();
        let (is_checked, replicas) = (false, None);
        Self { intake, session, batch, report, body, bounds, message, is_checked, replicas }
    }

    pub(super) fn finish(self) -> Report {
        Report {
            samples: self.report.samples + self.batch.rows.len() as u64,
            histograms: self.report.histograms + self.batch.histograms.len() as u64,
            exemplars: self.report.exemplars + self.batch.exemplars.len() as u64,
            ..self.report
        }
    }

    /// Takes the rows of the series of `key`. Only what makes the whole body worthless is an error.
    #[inline]
    pub(super) fn take(&mut self, key: SeriesKey, series: &Series<'_>) -> Result<(), Error> {
        if self.replicas.is_some() && !self.is_elected(series)? {
            return Ok(());
        }
        let found = match self.session.find(key, self.intake.registry) {
            Some(found) => found,
            None => match self.register(key, series)? {
                Ok(registered) => registered,
                Err(reason) => {
                    self.refuse(series, series.rows.count, reason);
                    return Ok(());
                }
            },
        };
        match series.rows {
            Rows { count: 1, sample: Some(row), .. } => self.take_sample(series, row)?,
            rows => self.take_rows(series, rows.fields, found)?,
        }
        self.batch.rows.end_run(found);
        Ok(())
    }

    #[cold]
    fn register(
        &mut self,
        key: SeriesKey,
        series: &Series<'_>,
    ) -> Result<Result<SeriesRef, Reason>, Error> {
        self.check_body()?;
        let mut spelled = Vec::new();
        let fields = match series.labels {
            Source::Fields(fields) => Ok(fields),
            Source::Referring(message) => self.spell(message, &mut spelled).map(|()| &spelled[..]),
        };
        let parsed = fields.and_then(|fields| labels::parse(Wire::new(fields), self.intake.config));
        let labels = match parsed {
            Ok(labels) => self.without_replica(labels),
            Err(Fault::Refused(reason)) => return Ok(Err(reason)),
            Err(Fault::Malformed(malformed)) => return Err(malformed.into()),
        };
        if !self.has_row_in_time(series)? {
            // No row will be taken; each is refused for its time.
            return Ok(Ok(SeriesRef::default()));
        }
        let registered = match self.intake.register(&labels)? {
            Ok(registered) => registered,
            Err(reason) => return Ok(Err(reason)),
        };
        self.intake.registry.bind(key, registered);
        self.session.learn(key, registered);
        Ok(Ok(registered))
    }

    fn check_body(&mut self) -> Result<(), Malformed> {
        if !self.is_checked {
            check(self.body, self.shape())?;
            self.is_checked = true;
        }
        Ok(())
    }

    fn shape(&self) -> &'static Shape {
        match self.message {
            Message::WriteRequest => &WRITE_REQUEST,
            Message::Request => &REQUEST,
        }
    }

    fn has_row_in_time(&self, series: &Series<'_>) -> Result<bool, Malformed> {
        let mut rows = series.rows.fields;
        while let Some((number, value)) = rows.field()? {
            let Value::Bytes(row) = value else { continue };
            let time = match self.kind(number) {
                Some(Kind::Sample) => sample::read(row)?.time,
                Some(Kind::Histogram) => histogram::time(row)?,
                Some(Kind::Exemplar) => exemplar::time(row)?,
                None => continue,
            };
            if self.bounds.millis(time).is_ok() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn take_rows(
        &mut self,
        series: &Series<'_>,
        mut rows: Wire<'_>,
        found: SeriesRef,
    ) -> Result<(), Malformed> {
        while let Some((number, value)) = rows.field()? {
            let Value::Bytes(row) = value else { continue };
            match self.kind(number) {
                Some(Kind::Sample) => self.take_sample(series, row)?,
                Some(Kind::Histogram) => self.take_histogram(series, row, found)?,
                Some(Kind::Exemplar) => self.take_exemplar(series, row, found)?,
                None => {}
            }
        }
        Ok(())
    }

    #[inline]
    fn take_sample(&mut self, series: &Series<'_>, row: Wire<'_>) -> Result<(), Malformed> {
        let sample = sample::read(row)?;
        let start = if sample.start == 0 { series.created } else { sample.start };
        match self.bounds.millis(sample.time) {
            Ok(time) if start == 0 => self.batch.rows.push(time, sample.value),
            Ok(time) => self.batch.rows.push_started(time, start_nanos(start), sample.value),
            Err(reason) => self.refuse(series, 1, reason),
        }
        Ok(())
    }

    #[cold]
    fn take_histogram(
        &mut self,
        series: &Series<'_>,
        row: Wire<'_>,
        found: SeriesRef,
    ) -> Result<(), Malformed> {
        let taken = histogram::read(row, self.intake.config)
            .and_then(|read| Ok((self.bounds.millis(read.time)?, read)));
        match taken {
            Ok((time, read)) => {
                let start = if read.start == 0 { series.created } else { read.start };
                let start = start_nanos(start);
                self.batch.histograms.push(HistogramRow {
                    series: found,
                    time,
                    start,
                    value: read.value,
                });
            }
            Err(Fault::Refused(reason)) => self.refuse(series, 1, reason),
            Err(Fault::Malformed(malformed)) => return Err(malformed),
        }
        Ok(())
    }

    #[cold]
    fn take_exemplar(
        &mut self,
        series: &Series<'_>,
        row: Wire<'_>,
        found: SeriesRef,
    ) -> Result<(), Malformed> {
        match self.read_exemplar(row) {
            Ok(mut exemplar) => {
                exemplar.series = found;
                self.batch.exemplars.push(exemplar);
            }
            Err(Fault::Refused(reason)) => self.refuse(series, 1, reason),
            Err(Fault::Malformed(malformed)) => return Err(malformed),
        }
        Ok(())
    }

    fn read_exemplar(&self, row: Wire<'_>) -> Result<model::Exemplar, Fault> {
        let mut read = exemplar::read(row)?;
        if read.time == 0 {
            // The protocol calls 0 "not set": it belongs to the sample before it.
            read.time = self.last_time().ok_or(Reason::ExemplarWithoutTime)?;
        } else {
            read.time = self.bounds.millis(read.time)?;
        }
        let labels = match self.message {
            Message::WriteRequest => exemplar::spelled(row, self.intake.config)?,
            Message::Request => self.exemplar_labels(row)?,
        };
        Ok(model::Exemplar {
            series: SeriesRef::default(),
            time: read.time,
            value: read.value,
            labels,
        })
    }

    /// Of the row last taken, if it belongs to the series at hand.
    fn last_time(&self) -> Option<i64> {
        let closed = self.batch.rows.ends().last().copied().unwrap_or(0) as usize;
        self.batch.rows.times().get(closed..)?.last().copied()
    }

    #[cold]
    pub(super) fn refuse(&mut self, series: &Series<'_>, rows: u64, reason: Reason) {
        let mut report = std::mem::take(&mut self.report);
        report.refuse(self.intake.config, rows, || {
            let labels = match series.labels {
                Source::Fields(fields) => labels::shown(fields),
                Source::Referring(message) => {
                    let mut spelled = Vec::new();
                    // What cannot be spelled is shown up to there.
                    let _ = self.spell(message, &mut spelled);
                    labels::shown(&spelled)
                }
            };
            (Place::Series { index: series.index, labels }, reason)
        });
        self.report = report;
    }

    /// What a field of a time series holds, if it is a row.
    #[inline]
    pub(super) fn kind(&self, number: u32) -> Option<Kind> {
        match (number, self.message) {
            (2, _) => Some(Kind::Sample),
            (4, Message::WriteRequest) | (3, Message::Request) => Some(Kind::Histogram),
            (3, Message::WriteRequest) | (4, Message::Request) => Some(Kind::Exemplar),
            _ => None,
        }
    }
}

/// A kind of row.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Sample,
    Histogram,
    Exemplar,
}

/// A start that nanoseconds cannot say is not known.
fn start_nanos(millis: i64) -> i64 {
    millis.checked_mul(1_000_000).unwrap_or(0)
}

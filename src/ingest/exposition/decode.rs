//! An exposition to a batch.

use super::created::Created;
use super::parser::{Entry, ExemplarText, Fault, MetadataText, Parser, Sample, Says, What};
use super::series::{unescape, unescape_help};
use super::{Format, families};
use crate::ingest::exemplar::finish as finish_exemplar;
use crate::ingest::lookup::{Found, Lookup};
use crate::ingest::metadata::Told;
use crate::ingest::time::Bounds;
use crate::ingest::{Error, Intake, Place, Reason, Relabel, Report, Session};
use crate::model::{Batch, Door, Exemplar, MetricKind, SeriesKey, SeriesRef, Timestamp};

/// What a request or a scrape says beside its body.
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of a scrape")]
pub struct Ask<'a> {
    /// The format of the body.
    pub format: Format,
    /// The time of samples that have none.
    pub now: Timestamp,
    /// Whether the times of samples count; where not, all have `now`.
    pub honor_timestamps: bool,
    /// Whether series whose samples have times of their own end like others.
    pub tracks_timestamps: bool,
    /// Whether the first line that cannot be read, or series that cannot be taken, makes all of it
    /// worthless. Where not, such lines are left out and told. A sample whose time is not taken now
    /// never does that: it is the clock's fault, not the target's.
    pub is_whole: bool,
    /// Whether the rows `_created` are series too, beside being starts.
    pub keep_created: bool,
    /// Whether the buckets of a histogram are taken that also came in native form.
    pub classic_histograms: bool,
    /// Whether native histograms are left out.
    pub ignore_native_histograms: bool,
    /// Changes labels. One that changes them otherwise needs another `scope`.
    pub relabel: Option<&'a dyn Relabel>,
    /// Names what changes labels: a series is known by these bytes and its own.
    pub scope: &'a [u8],
}

impl Default for Ask<'_> {
    fn default() -> Self {
        Self {
            format: Format::Text,
            now: Timestamp(0),
            honor_timestamps: true,
            tracks_timestamps: false,
            is_whole: false,
            keep_created: true,
            classic_histograms: false,
            ignore_native_histograms: false,
            relabel: None,
            scope: &[],
        }
    }
}

/// Decodes an inflated `body` into `batch`, which is emptied first.
///
/// The series whose samples have the time `now` are left in [`Session::present`], in order of rows,
/// those of histograms last.
///
/// # Errors
/// [`Error::Protobuf`] where a protobuf body is damaged, [`Error::Refused`] where a line is bad and
/// [`Ask::is_whole`], [`Error::Registry`] where series cannot be registered now. The batch is empty
/// then.
pub fn decode(
    body: &[u8],
    ask: &Ask<'_>,
    session: &mut Session,
    intake: &Intake<'_>,
    batch: &mut Batch,
) -> Result<Report, Error> {
    let bounds = intake.begin(session, batch);
    session.present.clear();
    let (relabel, scope) = (ask.relabel, ask.scope);
    let lookup = Lookup { session, intake, door: Door::Exposition, relabel, scope };
    let report = Report::default();
    let mut rows = Decoder { lookup, ask, batch, report, bounds };
    let decoded = match ask.format {
        Format::Protobuf => families::decode(&mut rows, body),
        Format::Text | Format::OpenMetrics => rows.decode(body),
    };
    let report = Report {
        samples: rows.batch.rows.len() as u64,
        histograms: rows.batch.histograms.len() as u64,
        exemplars: rows.batch.exemplars.len() as u64,
        ..rows.report
    };
    if decoded.is_err() {
        batch.clear();
        session.present.clear();
        session.forget();
    }
    decoded.map(|()| report)
}

/// One exposition on its way into a batch.
pub(super) struct Decoder<'d> {
    pub(super) lookup: Lookup<'d>,
    pub(super) ask: &'d Ask<'d>,
    pub(super) batch: &'d mut Batch,
    pub(super) report: Report,
    pub(super) bounds: Bounds,
}

impl Decoder<'_> {
    fn decode(&mut self, body: &[u8]) -> Result<(), Error> {
        let mut parser = Parser::new(body, self.ask.format);
        let mut created = Created::of(body);
        let mut told = Pending::default();
        let mut is_checked = !self.ask.is_whole;
        while let Some(entry) = parser.next() {
            match entry {
                Ok(Entry::Sample(sample)) => {
                    self.take(&sample, &parser, &mut created, &mut is_checked)?;
                }
                Ok(Entry::Metadata(metadata)) => {
                    created.forget();
                    if told.metric != metadata.metric {
                        self.tell(&told)?;
                        told = Pending::of(parser.line(), metadata.metric);
                    }
                    told.add(&metadata);
                }
                Err(fault) => self.fault(fault)?,
            }
        }
        self.tell(&told)
    }

    #[inline]
    fn take<'a>(
        &mut self,
        sample: &Sample<'a>,
        parser: &Parser<'a>,
        created: &mut Created<'a>,
        is_checked: &mut bool,
    ) -> Result<(), Error> {
        if created.is_start(sample, &mut self.batch.rows) && !self.ask.keep_created {
            return Ok(());
        }
        let time = match self.time(sample.time) {
            Ok(time) => time,
            Err(reason) => return self.refuse_sample(sample, parser, reason),
        };
        let is_number = matches!(sample.kind, MetricKind::Histogram | MetricKind::Summary);
        let key = self.lookup.key(|bytes| {
            bytes.push(if is_number { sample.kind as u8 } else { 0 });
            bytes.extend_from_slice(sample.series);
        });
        let found = match self.lookup.find(key) {
            Some(found) => found,
            None => self.register(key, sample, parser, is_checked)?,
        };
        let Found::Series(series) = found else {
            self.report.dropped += 1;
            return Ok(());
        };
        created.note(sample, self.batch.rows.len());
        self.batch.rows.push(time, sample.value);
        self.batch.rows.end_run(series);
        self.see(series, sample.time.is_some());
        match sample.exemplar {
            None => Ok(()),
            Some(exemplar) => self.take_exemplar(sample, &exemplar, (series, time), parser),
        }
    }

    /// What is refused and told counts as not wanted.
    #[cold]
    fn register(
        &mut self,
        key: SeriesKey,
        sample: &Sample<'_>,
        parser: &Parser<'_>,
        is_checked: &mut bool,
    ) -> Result<Found, Error> {
        if !*is_checked {
            check(parser.clone())?;
            *is_checked = true;
        }
        let text = match parser.series(sample) {
            Ok(text) => text,
            Err(fault) => return self.fault(fault).map(|()| Found::Dropped),
        };
        match self.lookup.register(key, Some(&text.name), &text.labels)? {
            Ok(found) => Ok(found),
            Err(reason) => {
                self.refuse_sample(sample, parser, reason)?;
                Ok(Found::Dropped)
            }
        }
    }

    #[cold]
    fn take_exemplar(
        &mut self,
        sample: &Sample<'_>,
        exemplar: &ExemplarText<'_>,
        (series, time): (SeriesRef, i64),
        parser: &Parser<'_>,
    ) -> Result<(), Error> {
        let read = || {
            let pairs = exemplar.labels().map_err(|what| unreadable(sample.series, what))?;
            let pairs: Vec<(&[u8], &[u8])> =
                pairs.iter().map(|(name, value)| (&name[..], &value[..])).collect();
            let labels = finish_exemplar(&pairs, self.lookup.intake.config)?;
            let time = exemplar.time.map_or(Ok(time), |time| self.bounds.nanos(time))?;
            Ok(Exemplar { series, time, value: exemplar.value, labels })
        };
        match read() {
            Ok(exemplar) => self.batch.exemplars.push(exemplar),
            Err(reason) => return self.refuse(1, (Place::TextLine(parser.line()), reason)),
        }
        Ok(())
    }

    /// The time of a sample in nanoseconds, if rows of that time are taken.
    #[inline]
    pub(super) fn time(&self, own: Option<i64>) -> Result<i64, Reason> {
        let ask = self.ask;
        let own = own.filter(|_| ask.honor_timestamps);
        self.bounds.nanos(own.unwrap_or(ask.now.nanos()))
    }

    /// Notes that a series came; those with times of their own end by themselves.
    #[inline]
    pub(super) fn see(&mut self, series: SeriesRef, has_own_time: bool) {
        let ask = self.ask;
        if !has_own_time || !ask.honor_timestamps || ask.tracks_timestamps {
            self.lookup.session.present.push(series);
        }
    }

    fn tell(&mut self, pending: &Pending<'_>) -> Result<(), Error> {
        if pending.metric.is_empty() {
            return Ok(());
        }
        let metric = unescape(pending.metric);
        let help = match self.ask.format {
            Format::Text => unescape_help(pending.help),
            Format::OpenMetrics | Format::Protobuf => unescape(pending.help),
        };
        let kind = pending.kind as u64;
        let told = Told { metric: &metric, kind, unit: pending.unit, help: &help };
        match told.tell(self.lookup.session, self.lookup.intake, self.batch) {
            Ok(()) => {
                self.report.metadata += 1;
                Ok(())
            }
            Err(reason) => self.refuse(1, (Place::TextLine(pending.line), reason)),
        }
    }

    #[cold]
    fn refuse_sample(
        &mut self,
        sample: &Sample<'_>,
        parser: &Parser<'_>,
        reason: Reason,
    ) -> Result<(), Error> {
        let rows = 1 + u64::from(sample.exemplar.is_some());
        self.refuse(rows, (Place::TextLine(parser.line()), reason))
    }

    #[cold]
    fn fault(&mut self, fault: Fault) -> Result<(), Error> {
        let Fault { line, text, what } = fault;
        self.refuse(1, (Place::TextLine(line), Reason::Unreadable { text, what }))
    }

    /// Leaves rows out, unless that makes all of it worthless.
    #[cold]
    pub(super) fn refuse(
        &mut self,
        rows: u64,
        (place, reason): (Place, Reason),
    ) -> Result<(), Error> {
        if self.ask.is_whole && !reason.is_of_time() {
            return Err(Error::Refused { place, reason });
        }
        self.report.refuse(self.lookup.intake.config, rows, || (place, reason));
        Ok(())
    }
}

/// Whether the rest can be read, before something is registered that outlives it.
#[cold]
fn check(mut parser: Parser<'_>) -> Result<(), Error> {
    while let Some(entry) = parser.next() {
        let fault = match entry {
            Ok(Entry::Metadata(_)) => continue,
            Ok(Entry::Sample(sample)) => match parser.series(&sample) {
                Ok(_) => continue,
                Err(fault) => fault,
            },
            Err(fault) => fault,
        };
        let Fault { line, text, what } = fault;
        let (place, reason) = (Place::TextLine(line), Reason::Unreadable { text, what });
        return Err(Error::Refused { place, reason });
    }
    Ok(())
}

fn unreadable(text: &[u8], what: What) -> Reason {
    Reason::Unreadable { text: crate::ingest::labels::shown(text), what }
}

/// Metadata of one metric, line by line.
#[derive(Clone, Copy, Debug, Default)]
struct Pending<'a> {
    line: usize,
    metric: &'a [u8],
    kind: MetricKind,
    unit: &'a [u8],
    help: &'a [u8],
}

impl<'a> Pending<'a> {
    fn of(line: usize, metric: &'a [u8]) -> Self {
        Self { line, metric, ..Self::default() }
    }

    fn add(&mut self, metadata: &MetadataText<'a>) {
        match metadata.says {
            Says::Kind(kind) => self.kind = kind,
            Says::Help(help) => self.help = help,
            Says::Unit(unit) => self.unit = unit,
        }
    }
}

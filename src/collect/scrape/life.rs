//! The life of one target: when it is due, what a body means, what is stale.
//!
//! Whoever drives it asks [`Life::due_after`], fetches, and tells [`Life::finished`] what came; the
//! batch that it fills is to be written. Nothing here waits or reads a clock.
//!
//! Source: `scrape/scrape.go` of prometheus/prometheus 3, the loop of a target.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::config::{Job, ScrapeProtocol};
use super::gone::difference;
use super::report::{self, Counts, mark};
use super::seen::{Body, Health, Scrape, Seen};
use super::series::Naming;
use super::target::Target;
use crate::ingest::exposition::{Ask, Format, decode};
use crate::ingest::{self, Intake, Report, Session};
use crate::model::{Batch, Error, Metadata, STALE_BITS, SeriesRef, Timestamp};

/// How long a ref may be written to without asking the registry: see `ingest::Session`.
const REF_NANOS_MAX: i64 = 5 * 60 * 1_000_000_000;

/// A scrape that begins this late counts as begun in time, so that times are equally far apart, which
/// costs nothing to store. At most a hundredth of the interval.
const TOLERANCE_NANOS: i64 = 10_000_000;

/// Metrics whose type and help are remembered for people to ask.
const METADATA_MAX: usize = 10_000;

/// What ends a series.
const STALE: f64 = f64::from_bits(STALE_BITS);

const SAMPLE_LIMIT: &str = "sample limit exceeded";

/// A target that is being scraped.
#[derive(Debug)]
pub struct Life {
    /// Its job.
    pub job: Arc<Job>,
    /// What it is.
    pub target: Target,
    /// No other life of this process has it.
    pub number: u64,
    /// When in its interval it is scraped.
    offset_nanos: i64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    session: Session,
    /// Names the keys of its series: another life's labels differ.
    scope: u64,
    /// Series of the last scrape, in its order.
    present: Vec<SeriesRef>,
    /// Series about the scrape itself.
    reports: Vec<SeriesRef>,
    written_at: i64,
    seen: Seen,
    metadata: Vec<Metadata>,
    /// Why it is not scraped at all.
    refusal: Option<String>,
    is_over: bool,
}

impl Life {
    pub(super) fn new(job: Arc<Job>, target: Target, number: u64, seed: u64) -> Self {
        let mut identity = target.labels.to_string();
        identity.push_str(&target.url);
        let hash = xxhash_rust::xxh3::xxh3_64_with_seed(identity.as_bytes(), seed);
        let interval = u64::try_from(target.interval.nanos()).unwrap_or(1).max(1);
        let offset = i64::try_from(hash % interval).unwrap_or_default();
        // Whole milliseconds take less room, and are all that a query shows.
        let offset_nanos = offset - offset % 1_000_000;
        let state = State { scope: number, ..State::default() };
        Self { job, target, number, offset_nanos, state: Mutex::new(state) }
    }

    /// Goes on where `before`, the same target under an older configuration, is; which ends.
    pub(super) fn inherit(&self, before: &Self) {
        let mut old = std::mem::take(&mut *before.state());
        before.state().is_over = true;
        let same = self.job.metric_relabel == before.job.metric_relabel
            && self.job.honor_labels == before.job.honor_labels
            && self.job.limits == before.job.limits;
        if !same {
            old.session.forget();
            old.scope = self.number;
        }
        *self.state() = old;
    }

    /// The next time that it is due.
    pub fn due_after(&self, now: Timestamp) -> Timestamp {
        let interval = self.target.interval.nanos().max(1);
        let into = (now.nanos().saturating_sub(self.offset_nanos)).rem_euclid(interval);
        Timestamp(now.nanos().saturating_add(interval - into))
    }

    /// What was last seen of it.
    pub fn seen(&self) -> Seen {
        self.state().seen.clone()
    }

    /// What its metrics are.
    pub fn metadata(&self) -> Vec<Metadata> {
        self.state().metadata.clone()
    }

    /// Why it is not to be asked now.
    pub fn refusal(&self) -> Option<String> {
        self.state().refusal.clone()
    }

    pub(super) fn refuse(&self, why: Option<String>) {
        self.state().refusal = why;
    }

    /// What was written last is not kept: series have to be found anew.
    pub fn forget(&self) {
        let mut state = self.state();
        state.session.forget();
        state.present.clear();
        state.reports.clear();
    }

    /// Takes what a scrape brought; `batch` is what to write then. Empty where another life has taken
    /// over.
    ///
    /// # Errors
    /// What the registry says where series about the scrape cannot be had. Nothing is to be written
    /// then.
    pub fn finished(
        &self,
        scrape: &Scrape<'_>,
        intake: &Intake<'_>,
        batch: &mut Batch,
    ) -> Result<(), Error> {
        let state = &mut *self.state();
        batch.clear();
        if state.is_over {
            return Ok(());
        }
        let at = self.time(scrape);
        if at.nanos().saturating_sub(state.written_at) > REF_NANOS_MAX {
            state.present.clear();
            state.reports.clear();
        }
        let mut counts = Counts::default();
        let done = match scrape.got {
            Ok(body) => self.take(state, (body, at), intake, (batch, &mut counts)),
            Err(why) => Err(why.to_owned()),
        };
        if done.is_err() {
            batch.clear();
            mark(&state.present, (at, STALE), batch);
            state.present.clear();
        }
        state.remember(scrape, done.err());
        state.learn(&batch.metadata);
        let is_up = state.seen.health == Health::Up;
        let report = report::Report { at, took: scrape.took, is_up, counts };
        report.write((&self.job, &self.target), &mut state.reports, intake.registry, batch)?;
        state.written_at = at.nanos();
        Ok(())
    }

    /// Stale markers for all its series, at `at`: it is not scraped any more.
    pub fn ended(&self, at: Timestamp) -> Batch {
        let mut state = self.state();
        let mut batch = Batch::default();
        if !state.is_over && at.nanos().saturating_sub(state.written_at) <= REF_NANOS_MAX {
            mark(&state.present, (at, STALE), &mut batch);
            mark(&state.reports, (at, STALE), &mut batch);
        }
        state.is_over = true;
        batch
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time that samples get.
    fn time(&self, scrape: &Scrape<'_>) -> Timestamp {
        let late = scrape.began.nanos().saturating_sub(scrape.due.nanos());
        let tolerance = TOLERANCE_NANOS.min(self.target.interval.nanos() / 100);
        if (0..=tolerance).contains(&late) {
            return scrape.due;
        }
        Timestamp::from_millis_saturating(scrape.began.millis())
    }

    /// Puts the samples of `body` into the batch, and marks what is gone.
    fn take(
        &self,
        state: &mut State,
        (body, at): (Body<'_>, Timestamp),
        intake: &Intake<'_>,
        (batch, counts): (&mut Batch, &mut Counts),
    ) -> Result<(), String> {
        counts.bytes = body.bytes.len();
        let naming = Naming::new(&self.job, &self.target.labels);
        let format = self.format(body.content_type)?;
        if let Some(count) = self.too_many_lines(format, body.bytes) {
            (counts.scraped, counts.kept) = (count, count);
            return Err(SAMPLE_LIMIT.into());
        }
        let scope = state.scope.to_le_bytes();
        let ask = Ask {
            format,
            now: at,
            honor_timestamps: self.job.honor_timestamps,
            tracks_timestamps: self.job.track_timestamps_staleness,
            is_whole: true,
            keep_created: true,
            classic_histograms: self.job.classic_histograms,
            ignore_native_histograms: self.job.ignores_native_histograms,
            relabel: Some(&naming),
            scope: &scope,
        };
        let decoded = decode(body.bytes, &ask, &mut state.session, intake, batch);
        let taken = decoded.map_err(|error| error_text(&error)).and_then(|report| {
            counts.kept = report.samples + report.histograms;
            counts.scraped = counts.kept + report.dropped;
            self.judge(&report, &naming, batch)
        });
        if taken.is_err() {
            // What the naming dropped for the limits' sake was learned as not wanted.
            state.session.forget();
            return taken;
        }
        let (gone, added) = difference(&state.present, state.session.present());
        counts.added = added;
        mark(&gone, (at, STALE), batch);
        state.present.clear();
        state.present.extend_from_slice(state.session.present());
        Ok(())
    }

    /// The samples of a body of text, where they are more than are taken: then no series is
    /// registered for it, which would outlive the scrape.
    fn too_many_lines(&self, format: Format, bytes: &[u8]) -> Option<u64> {
        let limit = self.job.limits.samples;
        if limit == 0 || !self.job.metric_relabel.is_empty() || format == Format::Protobuf {
            return None;
        }
        let lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_start);
        let count = lines.filter(|line| !line.is_empty() && !line.starts_with(b"#")).count() as u64;
        (count > limit).then_some(count)
    }

    /// Whether limits are kept.
    fn judge(&self, report: &Report, naming: &Naming<'_>, batch: &Batch) -> Result<(), String> {
        if let Some(fault) = naming.fault() {
            return Err(fault.to_owned());
        }
        let limits = &self.job.limits;
        if limits.samples != 0 && report.samples + report.histograms > limits.samples {
            return Err(SAMPLE_LIMIT.into());
        }
        let buckets = batch
            .histograms
            .iter()
            .map(|row| (row.value.positive.len() + row.value.negative.len()) as u64);
        if limits.buckets != 0 && buckets.max().unwrap_or(0) > limits.buckets {
            return Err("histogram bucket limit exceeded".into());
        }
        Ok(())
    }

    fn format(&self, content_type: &str) -> Result<Format, String> {
        if let Some(format) = Format::from_content_type(content_type) {
            return Ok(format);
        }
        match self.job.fallback {
            Some(ScrapeProtocol::PrometheusProto) => Ok(Format::Protobuf),
            Some(ScrapeProtocol::PrometheusText0_0_4 | ScrapeProtocol::PrometheusText1_0_0) => {
                Ok(Format::Text)
            }
            Some(ScrapeProtocol::OpenMetricsText0_0_1 | ScrapeProtocol::OpenMetricsText1_0_0) => {
                Ok(Format::OpenMetrics)
            }
            None if content_type.is_empty() => Err("non-compliant scrape target sending blank \
                Content-Type and no fallback_scrape_protocol specified for target"
                .into()),
            None => Err(format!(
                "received unsupported Content-Type {content_type:.100?} and no \
                 fallback_scrape_protocol specified for target"
            )),
        }
    }
}

impl State {
    fn remember(&mut self, scrape: &Scrape<'_>, error: Option<String>) {
        let health = if error.is_none() { Health::Up } else { Health::Down };
        self.seen = Seen {
            health,
            at: Some(scrape.began),
            took: scrape.took,
            error: error.unwrap_or_default(),
        };
    }

    /// Keeps what is new of metrics' types and helps, by name.
    fn learn(&mut self, news: &[Metadata]) {
        for metadata in news {
            match self.metadata.binary_search_by(|it| it.metric.cmp(&metadata.metric)) {
                Ok(index) => {
                    if let Some(known) = self.metadata.get_mut(index).filter(|it| *it != metadata) {
                        known.clone_from(metadata);
                    }
                }
                Err(index) if self.metadata.len() < METADATA_MAX => {
                    self.metadata.insert(index, metadata.clone());
                }
                Err(_) => {}
            }
        }
    }
}

/// An error and its causes, in a line.
fn error_text(error: &ingest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

//! The life of one target: when it is due, what a body means, what is stale.
//!
//! Whoever drives it asks [`Life::due_after`], fetches, and tells [`Life::finished`] what came; the
//! batch that it fills is to be written. Nothing here waits or reads a clock.
//!
//! Source: `scrape/scrape.go` of prometheus/prometheus 3, the loop of a target.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::config::{Job, ScrapeProtocol};
use super::gone::difference;
use super::series::Naming;
use super::target::Target;
use crate::ingest::exposition::{Ask, Format, decode};
use crate::ingest::{self, Intake, Report, Session};
use crate::model::{
    Batch, Error, Label, LabelBuilder, METRIC_NAME, Metadata, Registry, STALE_BITS, SeriesRef,
    Timestamp,
};

/// How long a ref may be written to without asking the registry: see `ingest::Session`.
const REF_NANOS_MAX: i64 = 5 * 60 * 1_000_000_000;

/// A scrape that begins this late counts as begun in time, so that times are equally far apart, which
/// costs nothing to store. At most a hundredth of the interval.
const TOLERANCE_NANOS: i64 = 10_000_000;

/// Metrics whose type and help are remembered for people to ask.
const METADATA_MAX: usize = 10_000;

/// Whether a target answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// Not asked yet.
    #[default]
    Unknown,
    /// The last scrape was taken.
    Up,
    /// It was not.
    Down,
}

impl Health {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// What was last seen of a target.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Whether it answers.
    pub health: Health,
    /// When it was last asked.
    pub at: Option<Timestamp>,
    /// How long that took.
    pub took: Duration,
    /// Why the scrape failed; empty where it did not.
    pub error: String,
}

/// One scrape, done.
#[derive(Clone, Copy, Debug)]
pub struct Scrape<'a> {
    /// When it was due.
    pub due: Timestamp,
    /// When it began.
    pub began: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// What came, or why nothing did.
    pub got: Result<Body<'a>, &'a str>,
}

/// The body of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Body<'a> {
    /// Its `Content-Type`.
    pub content_type: &'a str,
    /// Unpacked.
    pub bytes: &'a [u8],
}

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

/// What a scrape counted.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    scraped: u64,
    kept: u64,
    added: usize,
    bytes: usize,
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
        let stale = f64::from_bits(STALE_BITS);
        if done.is_err() {
            batch.clear();
            mark(&state.present, (at, stale), batch);
            state.present.clear();
        }
        state.remember(scrape, done.err());
        state.learn(&batch.metadata);
        self.report(state, (at, scrape.took, counts), intake.registry, batch)?;
        state.written_at = at.nanos();
        Ok(())
    }

    /// Stale markers for all its series, at `at`: it is not scraped any more.
    pub fn ended(&self, at: Timestamp) -> Batch {
        let mut state = self.state();
        let mut batch = Batch::default();
        if !state.is_over && at.nanos().saturating_sub(state.written_at) <= REF_NANOS_MAX {
            let stale = f64::from_bits(STALE_BITS);
            mark(&state.present, (at, stale), &mut batch);
            mark(&state.reports, (at, stale), &mut batch);
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
        let scope = state.scope.to_le_bytes();
        let ask = Ask {
            format: self.format(body.content_type)?,
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
        mark(&gone, (at, f64::from_bits(STALE_BITS)), batch);
        state.present.clear();
        state.present.extend_from_slice(state.session.present());
        Ok(())
    }

    /// Whether limits are kept.
    fn judge(&self, report: &Report, naming: &Naming<'_>, batch: &Batch) -> Result<(), String> {
        if let Some(fault) = naming.fault() {
            return Err(fault.to_owned());
        }
        let limits = &self.job.limits;
        if limits.samples != 0 && report.samples + report.histograms > limits.samples {
            return Err("sample limit exceeded".into());
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

    /// `up` and what else is said of the scrape itself.
    fn report(
        &self,
        state: &mut State,
        (at, took, counts): (Timestamp, Duration, Counts),
        registry: &dyn Registry,
        batch: &mut Batch,
    ) -> Result<(), Error> {
        let is_up = state.seen.health == Health::Up;
        let limits = &self.job.limits;
        #[expect(clippy::cast_precision_loss, reason = "samples are floats")]
        let rows = [
            ("up", f64::from(u8::from(is_up))),
            ("scrape_duration_seconds", took.as_secs_f64()),
            ("scrape_samples_scraped", counts.scraped as f64),
            ("scrape_samples_post_metric_relabeling", counts.kept as f64),
            ("scrape_series_added", counts.added as f64),
            ("scrape_timeout_seconds", self.target.timeout.duration().as_secs_f64()),
            ("scrape_sample_limit", limits.samples as f64),
            ("scrape_body_size_bytes", counts.bytes as f64),
        ];
        let count = if self.job.extra_metrics { rows.len() } else { 5 };
        let rows = rows.get(..count).unwrap_or_default();
        if state.reports.len() != rows.len() {
            state.reports.clear();
            for (name, _) in rows {
                let mut labels = LabelBuilder::from(&self.target.labels);
                labels.set(METRIC_NAME, *name);
                let labels: Vec<Label<'_>> = labels.iter().collect();
                registry.register(batch.tenant, &[&labels], &mut state.reports)?;
            }
        }
        for (series, (_, value)) in state.reports.iter().zip(rows) {
            batch.rows.push(at.nanos(), *value);
            batch.rows.end_run(*series);
        }
        Ok(())
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

/// Gives each of `series` one row.
fn mark(series: &[SeriesRef], (at, value): (Timestamp, f64), batch: &mut Batch) {
    for series in series {
        batch.rows.push(at.nanos(), value);
        batch.rows.end_run(*series);
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

//! What every handler may use: the doors of the house, and the limits.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, atomic::AtomicBool},
    time::Duration,
};

use crate::collect::scrape::Scraper;
use axum::body::Body;
use hyper::{Request, Uri, http::uri::PathAndQuery};

use crate::http::{
    Access, AllowedHosts, Control, Counter, Metrics, Operations,
    admission::{Bytes, Questions},
    body::BodyLimit,
    control::NoControl,
    cors::Cors,
    queries::Queries,
};
use crate::ingest::{Elections, otlp, push::SharedGroups};
use crate::model::{Limits, Registry, Sink, Source};
use crate::os::Clock;
use crate::query::Engine;

/// The doors that requests go through.
#[derive(Clone)]
pub struct Doors {
    /// Answers questions.
    pub source: Arc<dyn Source>,
    /// Runs questions.
    pub engine: Arc<Engine>,
    /// Finds and makes series.
    pub registry: Arc<dyn Registry>,
    /// Takes batches.
    pub sink: Arc<dyn Sink>,
    /// What is scraped, for people to see.
    pub scraper: Arc<Scraper>,
    /// Does upkeep.
    pub operations: Arc<dyn Operations>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// What jobs pushed.
    pub pushed: SharedGroups,
}

/// Limits of this floor. Each is an option of `quipu serve`.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes of a body as it comes over the wire: `--ingest-body-max`.
    pub body_bytes_max: u64,
    /// Bytes of bodies held at once: `--ingest-memory-max`.
    pub ingest_bytes_max: u64,
    /// How long a request waits for room before it is sent away.
    pub admission_wait: Duration,
    /// Questions that run at once: `--queries-max`.
    pub queries_max: usize,
    /// How long a question waits for its turn before it is sent away: `--query-queue-wait`.
    pub query_wait: Duration,
    /// Ended questions that are remembered: `--query-stats-kept`.
    pub queries_kept: usize,
    /// Rows that a remote read may answer with at once: `--remote-read-samples-max`.
    pub read_samples_max: u64,
    /// Bytes of a frame of a streamed remote read: `--remote-read-frame-max`.
    pub read_frame_bytes_max: u64,
    /// Origins whose pages may read answers, as a regular expression; none where it is empty:
    /// `--cors-origin`.
    pub cors_origin: String,
    /// How long a question may run: `--query-timeout`.
    pub query_timeout: Duration,
    /// What one question may use up.
    pub query_limits: Limits,
    /// Names of this server, for calls that change it: `--allow-host`.
    pub allowed_hosts: AllowedHosts,
    /// Who speaks for each cluster of remote write senders; None where all are heard.
    pub elections: Option<Arc<Elections>>,
    /// Whether rows are only passed on: then there is nothing to ask.
    pub is_agent: bool,
    /// Formats in: limits of rows and labels.
    pub ingest: crate::ingest::Config,
    /// The path under which others reach the server, without a slash at its end: of
    /// `server.external_url`.
    pub path_prefix: String,
    /// How OTLP becomes rows.
    pub otlp: otlp::Config,
    /// What was set on the command line, shown at `/api/v1/status/flags`.
    pub flags: Vec<(String, String)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            body_bytes_max: 64 << 20,
            ingest_bytes_max: 256 << 20,
            admission_wait: Duration::from_secs(1),
            queries_max: 8,
            query_wait: Duration::from_secs(5),
            queries_kept: 10_000,
            read_samples_max: 50_000_000,
            read_frame_bytes_max: 1 << 20,
            cors_origin: String::new(),
            query_timeout: Duration::from_mins(2),
            query_limits: Limits::default(),
            allowed_hosts: AllowedHosts::default(),
            elections: None,
            is_agent: false,
            ingest: crate::ingest::Config::default(),
            path_prefix: String::new(),
            otlp: otlp::Config::default(),
            flags: Vec::new(),
        }
    }
}

/// Forms of parameters are small; a query of megabytes is a mistake.
const FORM_BYTES_MAX: u64 = 4 << 20;

/// Doors, limits, and what is in use of them. A copy shares what is in use.
#[derive(Clone)]
pub struct Context {
    pub(super) doors: Doors,
    pub(super) options: Options,
    pub(super) metrics: Arc<Metrics>,
    pub(super) bytes: Bytes,
    pub(super) questions: Questions,
    /// Streams that a client reads at its own pace: they must not keep questions waiting.
    pub(super) streams: Questions,
    /// Questions that run, and the last that ended.
    pub(super) queries: Arc<Queries>,
    /// Whether the server is about to end: streams without an end then do.
    pub(super) is_stopping: Arc<AtomicBool>,
    /// Whose pages may read answers.
    pub(super) cors: Arc<Cors>,
    pub(super) remote_write: DoorCounters,
    pub(super) lines: DoorCounters,
    pub(super) otlp: DoorCounters,
    pub(super) otlp_receiver: Arc<otlp::Receiver>,
    pub(super) exposition: DoorCounters,
    pub(super) json_lines: DoorCounters,
    pub(super) csv: DoorCounters,
    pub(super) pushes: DoorCounters,
    /// Databases that somebody created and nobody wrote to yet.
    pub(super) databases: Arc<Mutex<BTreeSet<String>>>,
    pub(super) access: Arc<Access>,
    pub(super) control: Arc<dyn Control>,
    pub(super) started_ms: i64,
}

/// What came in by one door.
#[derive(Clone, Debug)]
pub(super) struct DoorCounters {
    pub(super) rows: Counter,
    pub(super) refused: Counter,
    pub(super) bytes: Counter,
}

impl DoorCounters {
    fn new(metrics: &Metrics, door: &'static str) -> Self {
        let counter = |name, help| metrics.counter(name, help, &[("door", door.into())]);
        Self {
            rows: counter("quipu_ingest_rows_total", "Rows acknowledged, by door."),
            refused: counter("quipu_ingest_rows_refused_total", "Rows refused one by one."),
            bytes: counter("quipu_ingest_bytes_total", "Bytes of bodies as they came."),
        }
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Context").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Context {
    /// A house that is open.
    pub fn new(doors: Doors, options: Options, metrics: Arc<Metrics>) -> Self {
        Self {
            bytes: Bytes::new(options.ingest_bytes_max, options.admission_wait),
            questions: Questions::new(options.queries_max, options.query_wait),
            streams: Questions::new(options.queries_max, options.query_wait),
            queries: Arc::new(Queries::new(Arc::clone(&doors.clock), options.queries_kept)),
            is_stopping: Arc::default(),
            cors: Arc::new(Cors::new(&options.cors_origin)),
            started_ms: doors.clock.now().div_euclid(1_000_000),
            remote_write: DoorCounters::new(&metrics, "remote_write"),
            lines: DoorCounters::new(&metrics, "line"),
            databases: Arc::default(),
            access: Arc::new(Access::open()),
            control: Arc::new(NoControl),
            otlp: DoorCounters::new(&metrics, "otlp"),
            otlp_receiver: Arc::new(otlp::Receiver::new(options.otlp.clone())),
            exposition: DoorCounters::new(&metrics, "exposition"),
            json_lines: DoorCounters::new(&metrics, "json_lines"),
            csv: DoorCounters::new(&metrics, "csv"),
            pushes: DoorCounters::new(&metrics, "push"),
            doors,
            options,
            metrics,
        }
    }

    /// Asks callers who they are.
    #[must_use]
    pub fn with_access(self, access: Arc<Access>) -> Self {
        Self { access, ..self }
    }

    /// Can be reloaded and ended.
    #[must_use]
    pub fn with_control(self, control: Arc<dyn Control>) -> Self {
        Self { control, ..self }
    }

    /// The same house with other limits and another engine. What is held under a limit that stays
    /// goes on counting.
    #[must_use]
    pub fn with_options(self, mut options: Options, engine: Arc<Engine>) -> Self {
        let old = &self.options;
        options.elections.clone_from(&old.elections);
        let room = (options.ingest_bytes_max, options.admission_wait);
        let turns = (options.queries_max, options.query_wait);
        let bytes = if room == (old.ingest_bytes_max, old.admission_wait) {
            self.bytes.clone()
        } else {
            Bytes::new(room.0, room.1)
        };
        let (questions, streams) = if turns == (old.queries_max, old.query_wait) {
            (self.questions.clone(), self.streams.clone())
        } else {
            (Questions::new(turns.0, turns.1), Questions::new(turns.0, turns.1))
        };
        let doors = Doors { engine, ..self.doors.clone() };
        let queries = if options.queries_kept == old.queries_kept {
            Arc::clone(&self.queries)
        } else {
            Arc::new(Queries::new(Arc::clone(&doors.clock), options.queries_kept))
        };
        let cors = Arc::new(Cors::new(&options.cors_origin));
        Self { doors, options, bytes, questions, streams, queries, cors, ..self }
    }

    /// The request as if it had come without the path that stands before all of ours.
    pub(super) fn without_prefix(&self, mut request: Request<Body>) -> Request<Body> {
        let prefix = self.options.path_prefix.as_str();
        let uri = request.uri();
        let rest = uri.path().strip_prefix(prefix).filter(|_| !prefix.is_empty());
        let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with('/')) else {
            return request;
        };
        let path = if rest.is_empty() { "/" } else { rest };
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        // Parts of a URL that was one make one.
        if let Ok(path) = format!("{path}{query}").parse::<PathAndQuery>() {
            let mut parts = uri.clone().into_parts();
            parts.path_and_query = Some(path);
            if let Ok(uri) = Uri::from_parts(parts) {
                *request.uri_mut() = uri;
            }
        }
        request
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.doors.clock.now().div_euclid(1_000_000)
    }

    pub(super) fn body_limit(&self) -> BodyLimit {
        BodyLimit { bytes: self.options.body_bytes_max, option: "raise it with --ingest-body-max" }
    }

    pub(super) fn form_limit() -> BodyLimit {
        BodyLimit { bytes: FORM_BYTES_MAX, option: "ask for less at once" }
    }
}

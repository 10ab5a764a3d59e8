//! The life of a server.

use std::{
    net::SocketAddr,
    path::Path,
    sync::Arc,
    thread::{Builder, JoinHandle, available_parallelism},
    time::Duration,
};

use tokio::{
    runtime::{self, Handle, Runtime},
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};

use crate::app::{
    Error, Options,
    collecting::{Collecting, Into},
    forwarding::{Source, start_forwarding},
    pool::Helpers,
    process::{push_process, raise_files_max},
    replicas::Replicas,
    scraping::{self, Scraping, read_file},
    store::{Keeper, open_store},
};
use crate::collect::scrape::{Job, Scraper};
use crate::http::{self, Context, Doors, Gate, Kind, Metrics, Operations, Sample, Server};
use crate::os::{Clock, SystemClock};
use crate::query::{self, Engine};
use crate::store::{Db, Recovery};

/// Threads that may block on questions, uploads and exports.
const BLOCKING_THREADS_MAX: usize = 128;

/// What is told when the server is ready.
#[derive(Debug)]
pub struct Ready {
    /// Where it listens.
    pub address: SocketAddr,
    /// What the store found.
    pub recovery: Recovery,
}

/// Serves until the process is asked to end. `ready` is called once, when requests are answered.
///
/// # Errors
/// Where the server cannot start.
pub fn serve(options: &Options, ready: impl FnOnce(&Ready)) -> Result<(), Error> {
    if !options.listen.ip().is_loopback() && !options.insecure_no_auth {
        return Err(Error::Exposed { address: options.listen });
    }
    let jobs = options.scrape_config.as_deref().map(read_file).transpose()?;
    raise_files_max();
    without_huge_pages();
    let runtime = start_runtime(options)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let gate = Gate::default();
    let server = runtime
        .block_on(Server::bind(options.listen, gate.clone(), Arc::clone(&clock)))
        .map_err(|source| Error::Listen { address: options.listen, source })?;
    let listening = |source| Error::Listen { address: options.listen, source };
    let address = server.address().map_err(listening)?;
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = runtime.spawn(server.run(async {
        // Dropped without a word where the start fails: the end is meant all the same.
        let _ = stopped.await;
    }));

    let (db, recovery) =
        open_store(&options.data, (true, options.mmap), Arc::clone(&clock), options.store)?;
    for finding in &recovery.findings {
        tracing::warn!("{finding}");
    }
    let house = House::open(options, db, &clock)?;
    let forwarding = start_forwarding(runtime.handle(), options, &house.receivers())?;
    let replicas = Replicas::open(&runtime, options, &house.metrics, clock.now());
    let scraping = start_scraping(options, runtime.handle(), &house, jobs)?;
    let http = http::Options { elections: replicas.elections(), ..options.http.clone() };
    gate.open(Context::new(house.doors.clone(), http, Arc::clone(&house.metrics)));
    // Handlers stand before anyone is told: who is told may send a signal at once.
    let signals = runtime.block_on(async { Signals::new() })?;
    ready(&Ready { address, recovery });

    runtime.block_on(signals.wait());
    if let Some(scraping) = scraping {
        scraping.stop();
    }
    tracing::info!("stopping: requests that run are ended, then the store is closed");
    drop(stop);
    if runtime.block_on(serving).is_err() {
        tracing::error!("the server's socket failed inside");
    }
    runtime.block_on(forwarding.stop());
    replicas.close();
    house.close();
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(())
}

/// Scrapes what `jobs` say, if anything; paths in them are seen from the configuration's folder.
pub(super) fn start_scraping(
    options: &Options,
    runtime: &Handle,
    house: &House,
    jobs: Option<Vec<Job>>,
) -> Result<Option<Arc<Scraping>>, Error> {
    let Some(jobs) = jobs else { return Ok(None) };
    let file = options.scrape_config.as_deref().and_then(Path::parent);
    let into = scraping::Into {
        scraper: Arc::clone(&house.doors.scraper),
        registry: Arc::clone(&house.doors.registry),
        sink: Arc::clone(&house.doors.sink),
        metrics: Arc::clone(&house.metrics),
        clock: Arc::clone(&house.doors.clock),
        ingest: options.http.ingest.clone(),
        addresses: options.addresses,
    };
    let scraping = Scraping::start(runtime.clone(), file.unwrap_or(Path::new(".")), into)
        .map_err(|source| Error::Start { what: "scraping", source })?;
    scraping.apply(jobs);
    Ok(Some(scraping))
}

/// Where the system gives every large allocation huge pages, a fifth more memory is resident than in
/// use. Best effort: an old kernel does not know the call.
pub(super) fn without_huge_pages() {
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

fn start_runtime(options: &Options) -> Result<Runtime, Error> {
    let threads = match options.threads {
        0 => cores().max(2),
        threads => threads,
    };
    runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .thread_name("serve")
        .enable_all()
        .build()
        .map_err(|source| Error::Start { what: "the runtime", source })
}

fn cores() -> usize {
    available_parallelism().map_or(1, std::num::NonZero::get)
}

/// SIGTERM or SIGINT.
pub(super) struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    pub(super) fn new() -> Result<Self, Error> {
        let listen = |kind| {
            signal(kind).map_err(|source| Error::Start { what: "listening to signals", source })
        };
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    pub(super) async fn wait(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// The store with its threads, and the doors to it.
pub(super) struct House {
    db: Arc<Db>,
    pub(super) doors: Doors,
    pub(super) metrics: Arc<Metrics>,
    collecting: Option<Collecting>,
    threads: Vec<JoinHandle<()>>,
}

impl House {
    pub(super) fn open(
        options: &Options,
        db: Arc<Db>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let threads = vec![worker("commit", &db, Db::run_commits)?, worker("upkeep", &db, upkeep)?];
        let metrics = Arc::new(Metrics::default());
        watch(&metrics, &db, clock);
        let doors = doors(&db, clock, options.lookback);
        let collecting = match options.collect_every {
            None => None,
            Some(every) => Some(Collecting::start(
                every,
                Into {
                    registry: Arc::clone(&doors.registry),
                    sink: Arc::clone(&doors.sink),
                    metrics: Arc::clone(&metrics),
                    clock: Arc::clone(clock),
                },
            )?),
        };
        Ok(Self { db, doors, metrics, collecting, threads })
    }

    /// What remote write reads from.
    pub(super) fn receivers(&self) -> Source<'_> {
        Source { db: &self.db, metrics: &self.metrics, clock: &self.doors.clock }
    }

    /// Collects no more.
    pub(super) fn stop_collecting(mut self) -> Self {
        if let Some(collecting) = self.collecting.take() {
            collecting.stop();
        }
        self
    }

    pub(super) fn close(self) {
        let house = self.stop_collecting();
        house.db.close();
        for thread in house.threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the store panicked");
            }
        }
    }
}

/// The doors of a store.
pub(super) fn doors(db: &Arc<Db>, clock: &Arc<dyn Clock>, lookback: Duration) -> Doors {
    let engine = Engine::new(query::Config {
        lookback_ms: i64::try_from(lookback.as_millis()).unwrap_or(i64::MAX),
        pool: Some(Arc::new(Helpers::new(cores()))),
        ..query::Config::default()
    });
    Doors {
        source: Arc::clone(db) as _,
        engine: Arc::new(engine),
        registry: Arc::clone(db) as _,
        sink: Arc::clone(db) as _,
        scraper: Arc::new(Scraper::new(machine_seed())),
        operations: Arc::new(Keeper(Arc::clone(db))),
        clock: Arc::clone(clock),
    }
}

/// Two servers that scrape the same targets do so at different moments.
fn machine_seed() -> u64 {
    xxhash_rust::xxh3::xxh3_64(rustix::system::uname().nodename().to_bytes())
}

fn upkeep(db: &Db) {
    db.run_upkeep(|error| tracing::warn!(%error, "upkeep failed and is tried again later"));
}

fn worker(
    name: &'static str,
    db: &Arc<Db>,
    work: impl FnOnce(&Db) + Send + 'static,
) -> Result<JoinHandle<()>, Error> {
    let db = Arc::clone(db);
    Builder::new()
        .name(name.into())
        .spawn(move || work(&db))
        .map_err(|source| Error::Start { what: "a thread of the store", source })
}

/// Shows what the store counts and what the system says of this process.
fn watch(metrics: &Metrics, db: &Arc<Db>, clock: &Arc<dyn Clock>) {
    let keeper = Keeper(Arc::clone(db));
    metrics.watch(Box::new(move |samples| {
        samples.extend(keeper.counters().into_iter().map(|counter| Sample {
            family: counter.name,
            help: counter.help,
            kind: if counter.is_counter { Kind::Counter } else { Kind::Gauge },
            suffix: "",
            labels: Vec::new(),
            value: counter.value,
        }));
    }));
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 to the microsecond")]
    let started_s = clock.now() as f64 / 1e9;
    metrics.watch(Box::new(move |samples| push_process(started_s, samples)));
}

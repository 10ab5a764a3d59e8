//! The life of a server.

use std::{
    net::SocketAddr,
    path::Path,
    sync::Arc,
    thread::{Builder, JoinHandle, available_parallelism},
    time::Duration,
};

use hyper::Uri;
use tokio::{
    runtime::{self, Handle, Runtime},
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::{self, spawn_blocking},
    time::{MissedTickBehavior, interval},
};

use crate::app::{
    Error, Key, Loaded, Loader, Options, Setting, TokenFile, archive_place,
    archiving::Archiving,
    backups::{BackupThreads, Backups},
    collecting::Into,
    engine::{engine, watch_results},
    forwarding::{Source, start_forwarding},
    process::{push_process, raise_files_max},
    pushing::{self, Pushing},
    replicas::Replicas,
    scraping::{self, Scraping},
    steward::{Steward, watch_reloads},
    store::{Keeper, open_store_with_archive},
};
use crate::collect::scrape::Scraper;
use crate::http::{
    self, Context, Control, Doors, Gate, Kind, Metrics, Operations, Sample, Server, Tls,
};
use crate::ingest::push::SharedGroups;
use crate::os::{Clock, SystemClock};
use crate::store::{Config, Db, Recovery};

/// Threads that may block on questions, uploads and exports.
const BLOCKING_THREADS_MAX: usize = 128;

/// Where exporters of OTLP look for a collector that nobody named: gRPC and HTTP. Each port speaks
/// both.
const COMPAT_PORTS: [u16; 2] = [4317, 4318];

/// What is told when the server is ready.
#[derive(Debug)]
pub struct Ready {
    /// Where it listens.
    pub address: SocketAddr,
    /// Whether it speaks TLS.
    pub has_tls: bool,
    /// Where else.
    pub compat_addresses: Vec<SocketAddr>,
    /// What the store found.
    pub recovery: Recovery,
}

/// Serves until the process is asked to end. `ready` is called once, when requests are answered.
///
/// # Errors
/// Where the server cannot start.
pub fn serve(loader: Loader, ready: impl FnOnce(&Ready)) -> Result<(), Error> {
    let wrong = |faults| Error::Configuration(Box::new(faults));
    let first = loader.load().map_err(wrong)?;
    let options = first.options.clone();
    let folder = loader.folder().to_owned();
    raise_files_max();
    without_huge_pages();
    let runtime = start_runtime(&options)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let gate = Gate::default();
    let http_options = http_options(&first);
    let tokens = TokenFile::open(&options.data, true)?;
    let parts = (gate.clone(), tokens);
    let steward = Arc::new(Steward::new(loader, first, parts, Arc::clone(&clock))?);
    let listeners =
        runtime.block_on(Listeners::open(&options, &gate, &steward.tls, Arc::clone(&clock)))?;

    let (house, recovery) = House::of_server(&options, &clock)?;
    watch_reloads(&house.metrics, &steward);
    let forwarding = start_forwarding(runtime.handle(), &options, &house.receivers())?;
    let replicas = Replicas::open(&runtime, &options, &house.metrics, clock.now());
    let http = http::Options { elections: replicas.elections(), ..http_options };
    let context = Context::new(house.doors.clone(), http, Arc::clone(&house.metrics))
        .with_access(Arc::clone(&steward.access))
        .with_control(Arc::clone(&steward) as Arc<dyn Control>);
    gate.open(context);
    let scraping = start_scraping(&folder, &options, runtime.handle(), &house)?;
    steward.start(house.for_collector(), scraping, Arc::clone(&house.db))?;
    // Handlers stand before anyone is told: who is told may send a signal at once.
    let signals = runtime.block_on(async { Signals::new() })?;
    ready(&listeners.ready(&options, recovery));

    runtime.block_on(signals.wait(&steward));
    tracing::info!("stopping: requests that run are ended, then the store is closed");
    runtime.block_on(listeners.close());
    steward.stop();
    runtime.block_on(forwarding.stop());
    replicas.close();
    house.close();
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(())
}

/// The sockets of a server. They say that it starts until their gate is open.
struct Listeners {
    address: SocketAddr,
    compat_addresses: Vec<SocketAddr>,
    stop: watch::Sender<()>,
    serving: Vec<task::JoinHandle<()>>,
}

impl Listeners {
    async fn open(
        options: &Options,
        gate: &Gate,
        tls: &Tls,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let bind = |address| Server::bind(address, gate.clone(), Arc::clone(&clock));
        let failed = |source| Error::Listen { address: options.listen, source };
        let server = bind(options.listen).await.map_err(failed)?;
        let address = server.address().map_err(failed)?;
        let mut servers = vec![server];
        let compat_addresses = compat_addresses(options);
        for address in &compat_addresses {
            let bound = bind(*address).await;
            servers.push(bound.map_err(|source| Error::CompatPort { address: *address, source })?);
        }
        let (stop, stopped) = watch::channel(());
        let serve = |server: Server| {
            let mut stopped = stopped.clone();
            task::spawn(server.with_tls(tls.clone()).run(async move {
                // Dropped without a word where the start fails: the end is meant all the same.
                let _ = stopped.changed().await;
            }))
        };
        let serving = servers.into_iter().map(serve).collect();
        Ok(Self { address, compat_addresses, stop, serving })
    }

    fn ready(&self, options: &Options, recovery: Recovery) -> Ready {
        Ready {
            address: self.address,
            has_tls: options.tls.cert.is_some(),
            compat_addresses: self.compat_addresses.clone(),
            recovery,
        }
    }

    async fn close(self) {
        drop(self.stop);
        for server in self.serving {
            if server.await.is_err() {
                tracing::error!("the server's socket failed inside");
            }
        }
    }
}

/// What the doors are told: the options, with what follows from them.
pub(super) fn http_options(loaded: &Loaded) -> http::Options {
    let options = &loaded.options;
    let mut http = options.http.clone();
    if http.queries_max == 0 {
        http.queries_max = (cores() * 2).max(4);
    }
    let external = options.external_url.as_deref().and_then(|url| url.parse::<Uri>().ok());
    if let Some(url) = external {
        http.allowed_hosts.0.extend(url.host().map(str::to_owned));
        url.path().trim_end_matches('/').clone_into(&mut http.path_prefix);
    }
    let flag = |setting: &Setting| {
        let key = Key::of_path(setting.path)?;
        Some((key.flag.to_owned(), setting.text.clone()))
    };
    http.flags = loaded.settings.iter().filter_map(flag).collect();
    http
}

/// Paths of the configuration are seen from `folder`.
pub(super) fn start_scraping(
    folder: &Path,
    options: &Options,
    runtime: &Handle,
    house: &House,
) -> Result<Arc<Scraping>, Error> {
    let into = scraping::Into {
        scraper: Arc::clone(&house.doors.scraper),
        registry: Arc::clone(&house.doors.registry),
        sink: Arc::clone(&house.doors.sink),
        metrics: Arc::clone(&house.metrics),
        clock: Arc::clone(&house.doors.clock),
        ingest: options.http.ingest.clone(),
        addresses: options.addresses,
    };
    Scraping::start(runtime.clone(), folder, into)
        .map_err(|source| Error::Start { what: "scraping", source })
}

/// On the same interface as everything else.
fn compat_addresses(options: &Options) -> Vec<SocketAddr> {
    let ports = COMPAT_PORTS.iter().filter(|_| options.compat_ports);
    ports.map(|port| SocketAddr::new(options.listen.ip(), *port)).collect()
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

/// The store's configuration, and what an archive of the log asks of it.
fn store_config(options: &Options) -> Config {
    let backup = &options.backup;
    let is_archived = backup.to.is_some() && backup.log_every.is_some();
    let archive_backlog_max = if is_archived { backup.log_max.max(1) } else { 0 };
    let archive_after = options.archive.after.filter(|_| options.archive.to.is_some());
    Config { archive_backlog_max, archive_after, ..options.store }
}

pub(super) fn cores() -> usize {
    available_parallelism().map_or(1, std::num::NonZero::get)
}

/// How often the file of tokens is looked at.
const TOKENS_EVERY: Duration = Duration::from_secs(1);

/// SIGTERM or SIGINT end, SIGHUP reloads.
pub(super) struct Signals {
    hangup: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    pub(super) fn new() -> Result<Self, Error> {
        let listen = |kind| {
            signal(kind).map_err(|source| Error::Start { what: "listening to signals", source })
        };
        Ok(Self {
            hangup: listen(SignalKind::hangup())?,
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    /// Until the end is asked for by a signal.
    pub(super) async fn end(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Until the end is asked for, by a signal or by its URL.
    async fn wait(mut self, steward: &Arc<Steward>) {
        let quitting = steward.quitting();
        let mut look = interval(TOKENS_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                () = quitting.notified() => return,
                _ = self.hangup.recv() => {
                    let steward = Arc::clone(steward);
                    spawn_blocking(move || steward.reload_by_signal());
                }
                _ = look.tick() => {
                    let steward = Arc::clone(steward);
                    spawn_blocking(move || steward.look_at_tokens());
                }
            }
        }
    }
}

/// The store with its threads, and the doors to it.
pub(super) struct House {
    db: Arc<Db>,
    pub(super) doors: Doors,
    pub(super) metrics: Arc<Metrics>,
    pushing: Pushing,
    backups: BackupThreads,
    archiving: Option<Archiving>,
    threads: Vec<JoinHandle<()>>,
}

impl House {
    /// With the store of `options`, opened; what is damaged in it is told.
    fn of_server(options: &Options, clock: &Arc<dyn Clock>) -> Result<(Self, Recovery), Error> {
        let place = |to: &String| archive_place(to, options.archive.wait_max);
        let archive = options.archive.to.as_ref().map(place).transpose().map_err(Error::Archive)?;
        let (data, store) = (&options.data, (Arc::clone(clock), store_config(options)));
        let (db, recovery) = open_store_with_archive(data, (true, options.mmap), store, archive)?;
        for finding in &recovery.findings {
            tracing::warn!("{finding}");
        }
        // A server without an archive of the log has none; commands leave what waits for it alone.
        let directory = options.data.clone();
        db.forget_waiting().map_err(|source| Error::Store { directory, source })?;
        Ok((Self::open(options, db, clock)?, recovery))
    }

    pub(super) fn open(
        options: &Options,
        db: Arc<Db>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let threads = store_threads(&db)?;
        let metrics = Arc::new(Metrics::default());
        show(&metrics, &db, clock);
        let backups = Backups::new(&db, clock, &options.backup);
        backups.watch(&metrics);
        let doors = Doors {
            operations: Arc::new(Keeper(Arc::clone(&db), Some(Arc::clone(&backups)))),
            pushed: pushing::groups(&options.data, options.push_limits)?,
            ..doors(&db, clock, options)
        };
        watch_results(&metrics, &doors.engine);
        let pushing = Pushing::start(options.push_repeat, doors.clone())?;
        let backups = BackupThreads::start(&backups)?;
        let archiving = Archiving::start(&db, &options.archive, clock)?;
        Ok(Self { db, doors, metrics, pushing, backups, archiving, threads })
    }

    pub(super) fn for_collector(&self) -> Into {
        Into {
            registry: Arc::clone(&self.doors.registry),
            sink: Arc::clone(&self.doors.sink),
            metrics: Arc::clone(&self.metrics),
            clock: Arc::clone(&self.doors.clock),
        }
    }

    /// What remote write reads from.
    pub(super) fn receivers(&self) -> Source<'_> {
        Source { db: &self.db, metrics: &self.metrics, clock: &self.doors.clock }
    }

    pub(super) fn close(self) {
        self.pushing.stop();
        self.backups.stop();
        if let Some(archiving) = self.archiving {
            archiving.stop();
        }
        self.db.close();
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the store panicked");
            }
        }
    }
}

/// The doors of a store.
pub(super) fn doors(db: &Arc<Db>, clock: &Arc<dyn Clock>, options: &Options) -> Doors {
    Doors {
        source: Arc::clone(db) as _,
        engine: Arc::new(engine(options, None)),
        registry: Arc::clone(db) as _,
        sink: Arc::clone(db) as _,
        scraper: Arc::new(Scraper::new(machine_seed())),
        operations: Arc::new(Keeper(Arc::clone(db), None)),
        clock: Arc::clone(clock),
        pushed: SharedGroups::default(),
    }
}

/// Two servers that scrape the same targets do so at different moments.
fn machine_seed() -> u64 {
    xxhash_rust::xxh3::xxh3_64(rustix::system::uname().nodename().to_bytes())
}

/// The threads that commit and keep a store up, until it is closed.
pub(super) fn store_threads(db: &Arc<Db>) -> Result<Vec<JoinHandle<()>>, Error> {
    Ok(vec![worker("commit", db, Db::run_commits)?, worker("upkeep", db, upkeep)?])
}

fn upkeep(db: &Db) {
    db.run_upkeep(
        |error| tracing::warn!(%error, "upkeep failed and is tried again later"),
        |found| tracing::error!(%found, "the scrub found damage: run quipu repair, or restore the file from a backup"),
    );
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
fn show(metrics: &Metrics, db: &Arc<Db>, clock: &Arc<dyn Clock>) {
    let keeper = Keeper(Arc::clone(db), None);
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

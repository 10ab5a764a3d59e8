//! The life of an agent: it collects and takes in as a server does, keeps rows in its log until they are
//! sent, and answers no questions.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use tokio::{runtime, sync::oneshot};

use crate::app::{
    Error, Options,
    collecting::Collecting,
    forwarding::start_forwarding,
    process::raise_files_max,
    serve::{House, Signals, start_scraping, without_huge_pages},
    store::open_store,
};
use crate::collect::scrape::Job;
use crate::http::{self, Context, Gate, Server};
use crate::os::{Clock, SystemClock};
use crate::store::{self, Recovery};

/// Threads that may block: on reading the log, on a sync, on a large body.
const BLOCKING_THREADS_MAX: usize = 8;
/// How long what is left may take to go out at the end.
const FLUSH_WAIT: Duration = Duration::from_secs(3);
/// Bytes of a log segment, at most: what is read is kept until its segment is full.
const SEGMENT_BYTES_MAX: u64 = 4 << 20;
/// Bytes that series and requests may take.
const MEMORY_MAX: u64 = 256 << 20;

/// What is told when the agent is at work.
#[derive(Debug)]
pub struct AgentReady {
    /// Where it takes rows, if it does.
    pub address: Option<SocketAddr>,
    /// What the buffer held.
    pub recovery: Recovery,
}

impl Options {
    /// Those of an agent whose buffer has at most `buffer_bytes_max`.
    pub fn agent(buffer_bytes_max: u64) -> Self {
        let segment_bytes = (buffer_bytes_max / 8).clamp(64 << 10, SEGMENT_BYTES_MAX);
        Self {
            data: "quipu-agent".into(),
            store: store::Config {
                is_log_only: true,
                follow_bytes_max: buffer_bytes_max,
                segment_bytes,
                memory_max: MEMORY_MAX,
                ..store::Config::default()
            },
            http: http::Options {
                ingest_bytes_max: MEMORY_MAX / 4,
                is_agent: true,
                ..http::Options::default()
            },
            ..Self::default()
        }
    }
}

/// Works until the process is asked to end: scrapes `jobs`, whose paths are seen
/// from `folder`, takes rows by HTTP only where `listens`.
/// `ready` is called once, when it is at work.
///
/// # Errors
/// Where it cannot start.
pub fn run_agent(
    options: &Options,
    (jobs, folder): (Vec<Job>, &Path),
    listens: bool,
    ready: impl FnOnce(&AgentReady),
) -> Result<(), Error> {
    if listens && !options.listen.ip().is_loopback() && !options.insecure_no_auth {
        let (address, data) = (options.listen, options.data.clone());
        return Err(Error::Exposed { address, data });
    }
    raise_files_max();
    without_huge_pages();
    // One thread is enough for sockets, and a second would keep memory of its own.
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .enable_all()
        .build()
        .map_err(|source| Error::Start { what: "the runtime", source })?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let (db, recovery) =
        open_store(&options.data, (true, options.mmap), Arc::clone(&clock), options.store)?;
    for finding in &recovery.findings {
        tracing::warn!("{finding}");
    }
    runtime.block_on(async {
        let house = House::open(options, db, &clock)?;
        let forwarding =
            start_forwarding(&runtime::Handle::current(), options, &house.receivers())?;
        let scraping = start_scraping(folder, options, &runtime::Handle::current(), &house)?;
        scraping.apply(jobs);
        let collecting = options
            .is_collecting
            .then(|| Collecting::start(options.collect_interval, Arc::new(house.for_collector())));
        let collecting = collecting.transpose()?;
        let door = if listens { Some(Door::open(options, &house, &clock).await?) } else { None };
        let signals = Signals::new()?;
        ready(&AgentReady { address: door.as_ref().map(|door| door.address), recovery });
        signals.end().await;
        tracing::info!("stopping: what is left is sent, or kept for the next start");
        scraping.stop();
        if let Some(door) = door {
            door.close().await;
        }
        if let Some(collecting) = collecting {
            collecting.stop();
        }
        if !forwarding.flush(FLUSH_WAIT).await {
            tracing::info!("some rows wait in the buffer for the next start");
        }
        forwarding.stop().await;
        house.close();
        Ok(())
    })
}

/// A listener with what it needs to stop.
struct Door {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: tokio::task::JoinHandle<()>,
}

impl Door {
    async fn open(options: &Options, house: &House, clock: &Arc<dyn Clock>) -> Result<Self, Error> {
        let failed = |source| Error::Listen { address: options.listen, source };
        let gate = Gate::default();
        let server = Server::bind(options.listen, gate.clone(), Arc::clone(clock));
        let server = server.await.map_err(failed)?;
        let address = server.address().map_err(failed)?;
        let context =
            Context::new(house.doors.clone(), options.http.clone(), Arc::clone(&house.metrics));
        gate.open(context);
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            server
                .run(async {
                    // Dropped without a word where the start fails: the end is meant all the same.
                    let _ = stopped.await;
                })
                .await;
        });
        Ok(Self { address, stop, serving })
    }

    async fn close(self) {
        drop(self.stop);
        if self.serving.await.is_err() {
            tracing::error!("the agent's socket failed inside");
        }
    }
}

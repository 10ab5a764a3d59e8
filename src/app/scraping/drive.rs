//! A task for each target, started and stopped as the scraper says.

use std::{
    collections::HashMap,
    io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::oneshot,
    task::{AbortHandle, block_in_place},
    time::sleep,
};

use super::fetch::{Clients, Fetcher};
use super::lists;
use super::paths::Tree;
use crate::collect::scrape::{Body, Changes, Health, Job, Life, Scrape, Scraper};
use crate::http::{Counter, Kind, Metrics, Sample};
use crate::ingest::{self, Intake};
use crate::model::{self, Batch, Registry, Sink, TenantId, Timestamp};
use crate::net::AddressPolicy;
use crate::os::Clock;

/// Bodies above this keep a thread of the runtime busy for a millisecond.
const INLINE_BYTES_MAX: usize = 256 << 10;

/// Where it writes, and what it needs for that.
pub(in crate::app) struct Into {
    pub(in crate::app) scraper: Arc<Scraper>,
    pub(in crate::app) registry: Arc<dyn Registry>,
    pub(in crate::app) sink: Arc<dyn Sink>,
    pub(in crate::app) metrics: Arc<Metrics>,
    pub(in crate::app) clock: Arc<dyn Clock>,
    pub(in crate::app) ingest: ingest::Config,
    pub(in crate::app) addresses: AddressPolicy,
}

/// Scraping as long as it is not stopped.
pub(in crate::app) struct Scraping {
    pub(super) into: Into,
    pub(super) clients: Arc<Clients>,
    runtime: Handle,
    counters: Counters,
    tasks: Mutex<Tasks>,
}

#[derive(Default)]
struct Tasks {
    /// By the number of the life.
    lives: HashMap<u64, AbortHandle>,
    /// By the name of the job.
    lists: HashMap<String, Vec<AbortHandle>>,
    is_over: bool,
}

struct Counters {
    taken: Counter,
    failed: Counter,
    unwritten: Counter,
    rows: Counter,
    bytes: Counter,
}

impl Counters {
    fn new(metrics: &Metrics) -> Self {
        let scrapes = |result: &'static str| {
            let help = "Scrapes done, by result: taken, failed, or not written by the store.";
            metrics.counter("quipu_scrapes_total", help, &[("result", result.into())])
        };
        let door = [("door", "scrape".into())];
        Self {
            taken: scrapes("taken"),
            failed: scrapes("failed"),
            unwritten: scrapes("unwritten"),
            rows: metrics.counter("quipu_ingest_rows_total", "Rows acknowledged, by door.", &door),
            bytes: metrics.counter(
                "quipu_ingest_bytes_total",
                "Bytes of bodies as they came.",
                &door,
            ),
        }
    }
}

impl Scraping {
    /// Nothing is scraped before [`Self::apply`]. Paths in configurations are seen from `folder`.
    pub(in crate::app) fn start(
        runtime: Handle,
        folder: &Path,
        into: Into,
    ) -> io::Result<Arc<Self>> {
        let clients = Arc::new(Clients::new(Tree::open(folder)?, into.addresses));
        let counters = Counters::new(&into.metrics);
        watch(&into);
        Ok(Arc::new(Self { into, clients, runtime, counters, tasks: Mutex::default() }))
    }

    /// Scrapes what `jobs` say in place of what was said before.
    pub(in crate::app) fn apply(self: &Arc<Self>, jobs: Vec<Job>) {
        self.clients.forget();
        self.carry_out(self.into.scraper.apply(jobs));
    }

    /// Ends all tasks. What targets showed last stays fresh: a server that starts again goes on.
    pub(in crate::app) fn stop(&self) {
        let mut tasks = self.tasks();
        tasks.is_over = true;
        let lists = std::mem::take(&mut tasks.lists).into_values().flatten();
        for task in std::mem::take(&mut tasks.lives).into_values().chain(lists) {
            task.abort();
        }
    }

    pub(super) fn carry_out(self: &Arc<Self>, changes: Changes) {
        for fault in &changes.faults {
            tracing::warn!("not scraped: {fault}");
        }
        let mut tasks = self.tasks();
        if tasks.is_over {
            return;
        }
        for life in changes.stopped.iter().chain(&changes.replaced) {
            if let Some(task) = tasks.lives.remove(&life.number) {
                task.abort();
            }
        }
        for life in changes.stopped {
            self.runtime.spawn(end(Arc::clone(self), life));
        }
        for life in changes.started {
            let number = life.number;
            let task = self.runtime.spawn(live(Arc::clone(self), life));
            tasks.lives.insert(number, task.abort_handle());
        }
        for job in changes.ended_jobs {
            tasks.lists.remove(&job).into_iter().flatten().for_each(|task| task.abort());
        }
        for job in changes.jobs {
            tasks.lists.remove(&job.name).into_iter().flatten().for_each(|task| task.abort());
            let reading = job.lists().into_iter().map(|list| {
                let reading = lists::read(Arc::clone(self), job.name.clone(), list);
                self.runtime.spawn(reading).abort_handle()
            });
            tasks.lists.insert(job.name.clone(), reading.collect());
        }
    }

    fn tasks(&self) -> MutexGuard<'_, Tasks> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        Timestamp(self.into.clock.now())
    }

    /// Until `time`, as the clock that dates rows has it.
    async fn until(&self, time: Timestamp) {
        let wait = time.nanos().saturating_sub(self.into.clock.now());
        sleep(Duration::from_nanos(u64::try_from(wait).unwrap_or_default())).await;
    }

    /// Writes, and waits until it is safe.
    async fn write(&self, batch: Batch) -> Result<(), model::Error> {
        let (done, waiting) = oneshot::channel();
        self.into.sink.write(
            batch,
            Box::new(move |written| {
                // Nobody listens where the task was ended; the rows are safe all the same.
                let _ = done.send(written);
            }),
        );
        match waiting.await {
            Ok(written) => written.map(|_| ()),
            Err(_) => Err(model::Error::Unavailable("the store is closing".into())),
        }
    }

    /// One scrape, from waiting to written.
    async fn scrape(&self, life: &Life, how: Result<&Fetcher, &String>) {
        let due = life.due_after(self.now());
        self.until(due).await;
        let (began, clock) = (self.now(), &self.into.clock);
        let start = clock.monotonic();
        let fetched = match (life.refusal(), how) {
            (Some(why), _) => Err(why),
            (None, Ok(how)) => how.fetch(life).await,
            (None, Err(why)) => Err(why.clone()),
        };
        let took = clock.monotonic().saturating_sub(start);
        let mut batch = Batch::default();
        let size = fetched.as_ref().map_or(0, |(_, body)| body.len());
        let mut finish = || {
            let got = match &fetched {
                Ok((content_type, bytes)) => Ok(Body { content_type, bytes }),
                Err(why) => Err(why.as_str()),
            };
            let registry = self.into.registry.as_ref();
            let intake =
                Intake { config: &self.into.ingest, registry, tenant: TenantId::default() };
            life.finished(&Scrape { due, began, took, got }, &intake, &mut batch)
        };
        let finished = if size > INLINE_BYTES_MAX { block_in_place(finish) } else { finish() };
        let rows = (batch.rows.len() + batch.histograms.len()) as u64;
        let written = match finished {
            Ok(()) if batch.is_empty() => Ok(()),
            Ok(()) => self.write(batch).await,
            Err(error) => Err(error),
        };
        self.count(life, (rows, size as u64), written);
    }

    fn count(&self, life: &Life, (rows, bytes): (u64, u64), written: Result<(), model::Error>) {
        let seen = life.seen();
        let counter =
            if seen.error.is_empty() { &self.counters.taken } else { &self.counters.failed };
        counter.add(1);
        self.counters.bytes.add(bytes);
        let (job, url) = (&life.job.name, &life.target.url);
        if !seen.error.is_empty() {
            tracing::debug!(job, url, error = seen.error, "a scrape failed");
        }
        match written {
            Ok(()) => self.counters.rows.add(rows),
            Err(error) => {
                life.forget();
                self.counters.unwritten.add(1);
                tracing::warn!(job, url, %error, "a scrape was not written");
            }
        }
    }
}

/// Shows how many targets there are, and how they are.
fn watch(into: &Into) {
    let scraper = Arc::clone(&into.scraper);
    into.metrics.watch(Box::new(move |samples| {
        let mut counts = [(Health::Up, 0_u32), (Health::Down, 0), (Health::Unknown, 0)];
        for life in scraper.pools().iter().flat_map(|pool| &pool.active) {
            let health = life.seen().health;
            for (there, count) in &mut counts {
                *count += u32::from(*there == health);
            }
        }
        samples.extend(counts.map(|(health, count)| Sample {
            family: "quipu_scrape_targets",
            help: "Targets that are scraped, by health.",
            kind: Kind::Gauge,
            suffix: "",
            labels: vec![("health", health.name().into())],
            value: f64::from(count),
        }));
    }));
}

/// Scrapes a target until the task is ended.
async fn live(scraping: Arc<Scraping>, life: Arc<Life>) {
    /// How often certificates are read again.
    const RENEW: Duration = Duration::from_mins(1);
    let clock = &scraping.into.clock;
    let make = || {
        let made = Fetcher::new(&scraping.clients, &life).map_err(|error| error.to_string());
        (made, clock.monotonic())
    };
    let (mut fetcher, mut made_at) = make();
    loop {
        scraping.scrape(&life, fetcher.as_ref()).await;
        if fetcher.is_err() || clock.monotonic().saturating_sub(made_at) > RENEW {
            (fetcher, made_at) = make();
        }
    }
}

/// Marks the series of a target that is gone as ended: two intervals later, so that a target that
/// comes back under another name of its job can go on with them.
async fn end(scraping: Arc<Scraping>, life: Arc<Life>) {
    let at = life.due_after(scraping.now());
    scraping.until(at).await;
    scraping.until(life.due_after(scraping.now())).await;
    if scraping.into.scraper.is_scraped(&life.target.labels) {
        return;
    }
    let batch = life.ended(at);
    if !batch.is_empty()
        && let Err(error) = scraping.write(batch).await
    {
        tracing::warn!(job = life.job.name, %error, "the end of a target was not written");
    }
}

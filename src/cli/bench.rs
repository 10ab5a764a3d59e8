//! `quipu bench`: a bounded load on a server, and what it made of it.

use std::{
    fmt::Write as _,
    io::{self, Write},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::runtime;

use crate::cli::{
    client::{FORM, Remote, form},
    command::{Bench, BenchKind},
    error::Error,
};
use crate::os::{Clock, SystemClock};

/// Rows of one request.
const BATCH_ROWS: usize = 1000;

/// What the connections count together.
#[derive(Default)]
struct Count {
    done: AtomicU64,
    rows: AtomicU64,
    failed: AtomicU64,
    first_failure: Mutex<Option<String>>,
    latencies: Mutex<Vec<Duration>>,
}

pub(super) fn run(bench: &Bench) -> Result<(), Error> {
    let runtime = runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::Failed(error.to_string()))?;
    let clock = SystemClock::new();
    let count = Arc::new(Count::default());
    let took = runtime.block_on(load(bench, clock, Arc::clone(&count)))?;
    report(bench, &count, took)
}

async fn load(bench: &Bench, clock: SystemClock, count: Arc<Count>) -> Result<Duration, Error> {
    let began = clock.monotonic();
    let mut running = Vec::new();
    for lane in 0..bench.connections.clamp(1, 1000) {
        let remote =
            Remote::connect(&bench.against, bench.token.clone().map(|token| token.0)).await?;
        let lane = Lane {
            remote,
            index: lane,
            lanes: bench.connections.clamp(1, 1000),
            kind: bench.what,
            series: bench.series.max(1),
            question: bench.question.clone(),
            clock,
            until: began + bench.length,
        };
        running.push(tokio::spawn(lane.run(Arc::clone(&count))));
    }
    for lane in running {
        lane.await.map_err(|error| Error::Failed(error.to_string()))??;
    }
    Ok(clock.monotonic().saturating_sub(began))
}

/// One connection's share of the load.
struct Lane {
    remote: Remote,
    index: usize,
    lanes: usize,
    kind: BenchKind,
    series: usize,
    question: String,
    clock: SystemClock,
    until: Duration,
}

impl Lane {
    async fn run(mut self, count: Arc<Count>) -> Result<(), Error> {
        let mut round = 0_usize;
        while self.clock.monotonic() < self.until {
            let began = self.clock.monotonic();
            let (got, rows) = match self.kind {
                BenchKind::Ingest => {
                    let (body, rows) = self.lines(round);
                    (self.remote.post("/write", "text/plain", body).await?, rows)
                }
                BenchKind::Query => {
                    let body = form(&[("query", &self.question), ("nocache", "1")]);
                    (self.remote.post("/api/v1/query", FORM, body).await?, 1)
                }
            };
            let took = self.clock.monotonic().saturating_sub(began);
            count.latencies.lock().unwrap_or_else(PoisonError::into_inner).push(took);
            if got.status.is_success() {
                count.done.fetch_add(1, Ordering::Relaxed);
                count.rows.fetch_add(rows, Ordering::Relaxed);
            } else {
                count.failed.fetch_add(1, Ordering::Relaxed);
                let text = String::from_utf8_lossy(&got.body).chars().take(200).collect();
                let mut first = count.first_failure.lock().unwrap_or_else(PoisonError::into_inner);
                first.get_or_insert(text);
            }
            round += 1;
        }
        Ok(())
    }

    /// A thousand rows of this lane's series, the next thousand in the next round.
    fn lines(&self, round: usize) -> (String, u64) {
        let mine = self.series.div_ceil(self.lanes);
        let now = self.clock.now();
        let mut text = String::with_capacity(BATCH_ROWS * 64);
        for i in 0..BATCH_ROWS {
            let series = self.index + self.lanes * ((round * BATCH_ROWS + i) % mine);
            let value = (round * 31 + i) % 1000;
            // Writing into a String cannot fail.
            let _ = writeln!(text, "quipu,id={series} bench={value}.25 {now}");
        }
        (text, BATCH_ROWS as u64)
    }
}

fn report(bench: &Bench, count: &Count, took: Duration) -> Result<(), Error> {
    let mut latencies = count.latencies.lock().unwrap_or_else(PoisonError::into_inner).clone();
    latencies.sort_unstable();
    let at = |percent: usize| {
        let index = (latencies.len() * percent / 100).min(latencies.len().saturating_sub(1));
        latencies.get(index).copied().unwrap_or_default().as_secs_f64() * 1000.0
    };
    #[expect(clippy::cast_precision_loss, reason = "counts of a bounded run")]
    let rate =
        |counter: &AtomicU64| counter.load(Ordering::Relaxed) as f64 / took.as_secs_f64().max(1e-9);
    let what = match bench.what {
        BenchKind::Ingest => "rows",
        BenchKind::Query => "queries",
    };
    let failed = count.failed.load(Ordering::Relaxed);
    let mut out = io::stdout().lock();
    writeln!(out, "{what}/s      {:.0}", rate(&count.rows))?;
    writeln!(out, "requests/s  {:.1}", rate(&count.done))?;
    writeln!(out, "latency     p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms", at(50), at(99), at(100))?;
    writeln!(out, "failed      {failed}")?;
    let first = count.first_failure.lock().unwrap_or_else(PoisonError::into_inner).take();
    match first {
        Some(text) => {
            Err(Error::Failed(format!("{failed} requests failed, the first with: {text}")))
        }
        None => Ok(()),
    }
}

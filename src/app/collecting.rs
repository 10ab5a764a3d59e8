//! This machine and this server, written into the store every few seconds.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::{Builder, JoinHandle},
    time::Duration,
};

use crate::app::Error;
use crate::collect::{Collector, Config, Counter, ThisMachine};
use crate::http::{Kind, Metrics};
use crate::model::{self, Batch, Label, MetricKind, Registry, Sink, Timestamp};
use crate::os::Clock;

/// A thread that collects until it is stopped.
pub(super) struct Collecting {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

/// Where it writes, and what it counts besides the machine.
pub(super) struct Into {
    pub(super) registry: Arc<dyn Registry>,
    pub(super) sink: Arc<dyn Sink>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Collecting {
    pub(super) fn start(every: Duration, into: Arc<Into>) -> Result<Self, Error> {
        let failed = |source| Error::Start { what: "the collector", source };
        let machine = ThisMachine::new().map_err(failed)?;
        let clock = Arc::clone(&into.clock);
        let collector = Collector::new(Box::new(machine), clock, Config::default());
        let (stop, stopped) = channel();
        let thread = Builder::new()
            .name("collect".into())
            .spawn(move || run(collector, every, &into, &stopped))
            .map_err(failed)?;
        Ok(Self { stop, thread })
    }

    pub(super) fn stop(self) {
        // Either way the thread ends: by the word, or because nobody can say it any more.
        let _ = self.stop.send(());
        if self.thread.join().is_err() {
            tracing::error!("the collector panicked");
        }
    }
}

fn run(mut collector: Collector, every: Duration, into: &Into, stopped: &Receiver<()>) {
    // The first round has nothing to compare with, and is written all the same.
    let mut due = into.clock.monotonic();
    loop {
        let wait = due.saturating_sub(into.clock.monotonic());
        match stopped.recv_timeout(wait) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
        }
        if let Err(error) = collect(&mut collector, into) {
            tracing::warn!(%error, "a collection was not written");
        }
        due = (due + every).max(into.clock.monotonic());
    }
}

fn collect(collector: &mut Collector, into: &Into) -> Result<(), model::Error> {
    let now = Timestamp(into.clock.now());
    let mut batch = Batch::default();
    let registry = into.registry.as_ref();
    collector.collect(now, registry, &mut batch)?;
    count(collector, now, into, &mut batch)?;
    into.sink.write(
        batch,
        Box::new(|written| {
            if let Err(error) = written {
                tracing::warn!(%error, "a collection was not written");
            }
        }),
    );
    Ok(())
}

/// The server's own figures, as `/metrics` shows them.
fn count(
    collector: &mut Collector,
    now: Timestamp,
    into: &Into,
    batch: &mut Batch,
) -> Result<(), model::Error> {
    // The collector tells what the system says of this process by itself.
    let samples: Vec<_> = into
        .metrics
        .samples()
        .into_iter()
        .filter(|sample| !sample.family.starts_with("process_"))
        .collect();
    let names: Vec<String> =
        samples.iter().map(|sample| format!("{}{}", sample.family, sample.suffix)).collect();
    let labels: Vec<Vec<Label<'_>>> = samples
        .iter()
        .map(|sample| sample.labels.iter().map(|(name, value)| (*name, value.as_ref())).collect())
        .collect();
    let counters: Vec<Counter<'_>> = samples
        .iter()
        .zip(&names)
        .zip(&labels)
        .map(|((sample, name), labels)| Counter {
            name,
            help: sample.help,
            kind: match sample.kind {
                Kind::Counter => MetricKind::Counter,
                Kind::Gauge => MetricKind::Gauge,
                Kind::Histogram => MetricKind::Histogram,
            },
            labels,
            value: sample.value,
        })
        .collect();
    collector.count(now, &counters, into.registry.as_ref(), batch)
}

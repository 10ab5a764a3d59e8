//! The server's own counters: kept in atomics, shown at `/metrics`, handed to who collects them.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::export::write_float;

/// A name with its value.
pub type Pair = (&'static str, Cow<'static, str>);

/// What a family of samples is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only rises.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Cumulative buckets, a sum, a count.
    Histogram,
}

/// One value at the time of asking.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The family it belongs to.
    pub family: &'static str,
    /// What the family tells.
    pub help: &'static str,
    /// What the family is.
    pub kind: Kind,
    /// After the family's name: `_bucket`, `_sum`, `_count` or nothing.
    pub suffix: &'static str,
    /// Names and values.
    pub labels: Vec<Pair>,
    /// The value.
    pub value: f64,
}

/// A number that only rises.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// Adds `count`.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// The number now.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How long things take: counts by upper bound in seconds.
#[derive(Clone, Debug)]
pub struct Timings(Arc<TimingCells>);

#[derive(Debug)]
struct TimingCells {
    buckets: [AtomicU64; BOUNDS_S.len() + 1],
    sum_ns: AtomicU64,
}

/// 100 µs to 100 s: what is faster is fast, what is slower has met its deadline.
const BOUNDS_S: [f64; 13] =
    [1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0];

impl Timings {
    fn new() -> Self {
        let buckets = std::array::from_fn(|_| AtomicU64::new(0));
        Self(Arc::new(TimingCells { buckets, sum_ns: AtomicU64::new(0) }))
    }

    /// Counts one that took `time`.
    pub fn observe(&self, time: std::time::Duration) {
        let seconds = time.as_secs_f64();
        let bucket = BOUNDS_S.iter().position(|bound| seconds <= *bound).unwrap_or(BOUNDS_S.len());
        if let Some(cell) = self.0.buckets.get(bucket) {
            cell.fetch_add(1, Ordering::Relaxed);
        }
        let time = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.0.sum_ns.fetch_add(time, Ordering::Relaxed);
    }
}

/// Asks others for what they count, at the time of asking.
pub type Watch = Box<dyn Fn(&mut Vec<Sample>) + Send + Sync>;

/// All families.
#[derive(Default)]
pub struct Metrics {
    families: RwLock<BTreeMap<&'static str, Family>>,
    watches: RwLock<Vec<Watch>>,
}

#[derive(Debug)]
struct Family {
    help: &'static str,
    cells: Vec<(Vec<Pair>, Cell)>,
}

#[derive(Clone, Debug)]
enum Cell {
    Counter(Counter),
    Timings(Timings),
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").field("families", &self.families).finish_non_exhaustive()
    }
}

impl Metrics {
    /// The counter of this name with these labels, made where it is new.
    pub fn counter(&self, name: &'static str, help: &'static str, labels: &[Pair]) -> Counter {
        match self.cell(name, help, labels, || Cell::Counter(Counter::default())) {
            Cell::Counter(counter) => counter,
            Cell::Timings(_) => {
                debug_assert!(false, "{name} is a histogram");
                Counter::default()
            }
        }
    }

    /// The histogram of this name with these labels, made where it is new.
    pub fn timings(&self, name: &'static str, help: &'static str, labels: &[Pair]) -> Timings {
        match self.cell(name, help, labels, || Cell::Timings(Timings::new())) {
            Cell::Timings(timings) => timings,
            Cell::Counter(_) => {
                debug_assert!(false, "{name} is a counter");
                Timings::new()
            }
        }
    }

    /// Has `watch` asked whenever samples are.
    pub fn watch(&self, watch: Watch) {
        self.watches.write().unwrap_or_else(PoisonError::into_inner).push(watch);
    }

    /// Every sample now, families together.
    pub fn samples(&self) -> Vec<Sample> {
        let mut samples = Vec::new();
        for (name, family) in self.families.read().unwrap_or_else(PoisonError::into_inner).iter() {
            for (labels, cell) in &family.cells {
                push_cell(name, family.help, labels, cell, &mut samples);
            }
        }
        for watch in self.watches.read().unwrap_or_else(PoisonError::into_inner).iter() {
            watch(&mut samples);
        }
        samples
    }

    fn cell(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &[Pair],
        make: impl Fn() -> Cell,
    ) -> Cell {
        let find = |family: &Family| {
            let found = family.cells.iter().find(|(there, _)| there == labels);
            found.map(|(_, cell)| cell.clone())
        };
        let families = self.families.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(cell) = families.get(name).and_then(find) {
            return cell;
        }
        drop(families);
        let mut families = self.families.write().unwrap_or_else(PoisonError::into_inner);
        let family = families.entry(name).or_insert_with(|| Family { help, cells: Vec::new() });
        if let Some(cell) = find(family) {
            return cell;
        }
        let cell = make();
        family.cells.push((labels.to_vec(), cell.clone()));
        cell
    }
}

fn push_cell(
    family: &'static str,
    help: &'static str,
    labels: &[Pair],
    cell: &Cell,
    samples: &mut Vec<Sample>,
) {
    let mut push = |kind, suffix, labels: Vec<Pair>, value| {
        samples.push(Sample { family, help, kind, suffix, labels, value });
    };
    match cell {
        Cell::Counter(counter) => {
            push(Kind::Counter, "", labels.to_vec(), as_float(counter.value()));
        }
        Cell::Timings(Timings(cells)) => {
            let mut count = 0;
            for (i, bucket) in cells.buckets.iter().enumerate() {
                count += bucket.load(Ordering::Relaxed);
                let mut bound = Vec::new();
                write_float(BOUNDS_S.get(i).copied().unwrap_or(f64::INFINITY), &mut bound);
                let mut labels = labels.to_vec();
                labels.push(("le", String::from_utf8_lossy(&bound).into_owned().into()));
                push(Kind::Histogram, "_bucket", labels, as_float(count));
            }
            let sum = as_float(cells.sum_ns.load(Ordering::Relaxed)) / 1e9;
            push(Kind::Histogram, "_sum", labels.to_vec(), sum);
            push(Kind::Histogram, "_count", labels.to_vec(), as_float(count));
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts above 2^53 lose their last digit only")]
fn as_float(count: u64) -> f64 {
    count as f64
}

/// Appends samples in the Prometheus text format.
pub fn write_text(samples: &[Sample], out: &mut Vec<u8>) {
    let mut family = "";
    for sample in samples {
        if sample.family != family {
            family = sample.family;
            let kind = match sample.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                Kind::Histogram => "histogram",
            };
            let help = sample.help.replace('\\', r"\\").replace('\n', r"\n");
            out.extend_from_slice(
                format!("# HELP {family} {help}\n# TYPE {family} {kind}\n").as_bytes(),
            );
        }
        out.extend_from_slice(family.as_bytes());
        out.extend_from_slice(sample.suffix.as_bytes());
        for (i, (name, value)) in sample.labels.iter().enumerate() {
            let value = value.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n");
            let before = if i == 0 { '{' } else { ',' };
            out.extend_from_slice(format!("{before}{name}=\"{value}\"").as_bytes());
        }
        if !sample.labels.is_empty() {
            out.push(b'}');
        }
        out.push(b' ');
        write_float(sample.value, out);
        out.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn families_are_written_once_with_all_their_samples() {
        let metrics = Metrics::default();
        let rows = |door: &'static str| {
            metrics.counter("quipu_rows_total", "Rows taken.", &[("door", door.into())])
        };
        rows("a").add(2);
        rows("b\"").add(1);
        rows("a").add(3);
        metrics.timings("quipu_query_seconds", "Time.", &[]).observe(Duration::from_millis(2));
        let mut out = Vec::new();
        write_text(&metrics.samples(), &mut out);
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains(
            "# HELP quipu_rows_total Rows taken.\n# TYPE quipu_rows_total counter\n\
             quipu_rows_total{door=\"a\"} 5\nquipu_rows_total{door=\"b\\\"\"} 1\n"
        ));
        assert!(text.contains("quipu_query_seconds_bucket{le=\"0.001\"} 0\n"));
        assert!(text.contains("quipu_query_seconds_bucket{le=\"0.003\"} 1\n"));
        assert!(text.contains("quipu_query_seconds_bucket{le=\"+Inf\"} 1\n"));
        assert!(text.contains("quipu_query_seconds_sum 0.002\nquipu_query_seconds_count 1\n"));
    }
}

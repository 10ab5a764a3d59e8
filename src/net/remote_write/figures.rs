//! What a receiver's queue says of itself, as metrics.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use super::ledger::{Counts, Ledger};

/// One value at the time of asking.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Its name as a metric.
    pub name: &'static str,
    /// What it means.
    pub help: &'static str,
    /// Whether it only rises.
    pub is_counter: bool,
    /// Further labels.
    pub labels: Vec<(&'static str, String)>,
    /// Its value.
    pub value: f64,
}

/// A counter: name, meaning, where it is.
type Row = (&'static str, &'static str, fn(&Counts) -> &AtomicU64);

const COUNTERS: &[Row] = &[
    ("quipu_remote_write_sent_rows_total", "Rows that the receiver took.", |it| &it.rows_sent),
    (
        "quipu_remote_write_sent_metadata_total",
        "Metrics of which the receiver was told what they are.",
        |it| &it.metadata_sent,
    ),
    ("quipu_remote_write_sent_bytes_total", "Bytes of bodies sent.", |it| &it.bytes_sent),
    ("quipu_remote_write_requests_total", "Requests made.", |it| &it.requests),
    ("quipu_remote_write_failed_requests_total", "Requests that failed or were refused.", |it| {
        &it.failures
    }),
    (
        "quipu_remote_write_retried_rows_total",
        "Rows of requests that were to be sent again.",
        |it| &it.rows_retried,
    ),
    (
        "quipu_remote_write_missed_records_total",
        "Records of the log given up before they were read: the buffer was full.",
        |it| &it.records_missed,
    ),
];

/// A reason, and its counter.
type Dropped = (&'static str, fn(&Counts) -> &AtomicU64);

/// Why rows were not sent.
const DROPPED: &[Dropped] = &[
    ("refused", |it| &it.rows_refused),
    ("too_old", |it| &it.rows_too_old),
    ("relabelled", |it| &it.rows_dropped),
    ("unknown_series", |it| &it.rows_unknown),
];

/// Of a receiver, at `now`.
pub(super) fn figures(ledger: &Ledger, now: Duration) -> Vec<Figure> {
    let counts = &ledger.counts;
    let counter = |name, help, labels, counter: &AtomicU64| Figure {
        name,
        help,
        is_counter: true,
        labels,
        value: as_float(counter.load(Relaxed)),
    };
    let rows = COUNTERS.iter().map(|(name, help, of)| counter(name, help, Vec::new(), of(counts)));
    let dropped = DROPPED.iter().map(|(reason, of)| {
        let help = "Rows that were not sent, by reason.";
        let labels = vec![("reason", (*reason).to_owned())];
        counter("quipu_remote_write_dropped_rows_total", help, labels, of(counts))
    });
    rows.chain(dropped).chain(gauges(ledger, now)).collect()
}

fn gauges(ledger: &Ledger, now: Duration) -> impl Iterator<Item = Figure> {
    let gauges = [
        (
            "quipu_remote_write_pending_rows",
            "Rows read from the log and not sent yet.",
            as_float(ledger.waiting() as u64),
        ),
        (
            "quipu_remote_write_pending_records",
            "Records of the log that are not sent yet.",
            as_float(ledger.records_waiting()),
        ),
        (
            "quipu_remote_write_lag_seconds",
            "How long the oldest record that is not sent has been waiting.",
            ledger.lag(now).as_secs_f64(),
        ),
        (
            "quipu_remote_write_shards",
            "Requests that may be under way at once.",
            as_float(ledger.shards().len() as u64),
        ),
    ];
    gauges.into_iter().map(|(name, help, value)| Figure {
        name,
        help,
        is_counter: false,
        labels: Vec::new(),
        value,
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts as floats, as every metric is")]
fn as_float(count: u64) -> f64 {
    count as f64
}

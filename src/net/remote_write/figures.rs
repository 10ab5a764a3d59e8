//! What a receiver's queue says of itself, as metrics.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use super::ledger::Ledger;

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

/// Of a receiver, at `now`.
pub(super) fn figures(ledger: &Ledger, now: Duration) -> Vec<Figure> {
    let mut out = Vec::new();
    let counts = &ledger.counts;
    let mut push = |name, help, is_counter, labels, value| {
        out.push(Figure { name, help, is_counter, labels, value });
    };
    let read = |counter: &AtomicU64| as_float(counter.load(Relaxed));
    let counters = [
        ("quipu_remote_write_sent_rows_total", "Rows that the receiver took.", &counts.rows_sent),
        (
            "quipu_remote_write_sent_metadata_total",
            "Metrics of which the receiver was told what they are.",
            &counts.metadata_sent,
        ),
        ("quipu_remote_write_sent_bytes_total", "Bytes of bodies sent.", &counts.bytes_sent),
        ("quipu_remote_write_requests_total", "Requests made.", &counts.requests),
        (
            "quipu_remote_write_failed_requests_total",
            "Requests that failed or were refused.",
            &counts.failures,
        ),
        (
            "quipu_remote_write_retried_rows_total",
            "Rows of requests that were to be sent again.",
            &counts.rows_retried,
        ),
        (
            "quipu_remote_write_missed_records_total",
            "Records of the log given up before they were read: the buffer was full.",
            &counts.records_missed,
        ),
    ];
    for (name, help, counter) in counters {
        push(name, help, true, Vec::new(), read(counter));
    }
    let dropped = [
        ("refused", &counts.rows_refused),
        ("too_old", &counts.rows_too_old),
        ("relabelled", &counts.rows_dropped),
        ("unknown_series", &counts.rows_unknown),
    ];
    for (reason, counter) in dropped {
        let name = "quipu_remote_write_dropped_rows_total";
        let labels = vec![("reason", reason.to_owned())];
        push(name, "Rows that were not sent, by reason.", true, labels, read(counter));
    }
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
    for (name, help, value) in gauges {
        push(name, help, false, Vec::new(), value);
    }
    out
}

#[expect(clippy::cast_precision_loss, reason = "counts as floats, as every metric is")]
fn as_float(count: u64) -> f64 {
    count as f64
}

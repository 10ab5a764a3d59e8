//! What the store counts of itself.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counters that only rise, and gauges of the last event.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) rows: AtomicU64,
    pub(super) rows_unknown: AtomicU64,
    pub(super) batches: AtomicU64,
    pub(super) groups: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) log_bytes: AtomicU64,
    pub(super) flushes: AtomicU64,
    pub(super) flushed_rows: AtomicU64,
    pub(super) merges: AtomicU64,
    pub(super) seals: AtomicU64,
    pub(super) dropped_files: AtomicU64,
    pub(super) retired_rows: AtomicU64,
    pub(super) scrubbed_bytes: AtomicU64,
    pub(super) scrub_rounds: AtomicU64,
    pub(super) scrub_findings: AtomicU64,
    pub(super) upkeep_failures: AtomicU64,
    pub(super) bulk_rows: AtomicU64,
}

impl Counters {
    /// Adds to a counter.
    pub(super) fn add(counter: &AtomicU64, count: u64) {
        counter.fetch_add(count, Relaxed);
    }

    /// Name, help and value of each.
    pub(super) fn list(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        LIST.iter().map(|(name, help, counter)| (*name, *help, counter(self).load(Relaxed)))
    }
}

/// Name, help and place of a counter.
type Counter = (&'static str, &'static str, fn(&Counters) -> &AtomicU64);

const LIST: &[Counter] = &[
    ("quipu_store_rows_total", "Rows that were made durable.", |it| &it.rows),
    ("quipu_store_rows_unknown_total", "Rows of series that the catalog does not know.", |it| {
        &it.rows_unknown
    }),
    ("quipu_store_batches_total", "Batches that were made durable.", |it| &it.batches),
    ("quipu_wal_groups_total", "Groups of batches that shared a write and a sync.", |it| {
        &it.groups
    }),
    ("quipu_store_refused_batches_total", "Batches that could not be made durable.", |it| {
        &it.refused
    }),
    ("quipu_wal_bytes_total", "Bytes of payload appended to the log.", |it| &it.log_bytes),
    ("quipu_flushes_total", "Heads written as parts.", |it| &it.flushes),
    ("quipu_flushed_rows_total", "Rows written from heads to parts.", |it| &it.flushed_rows),
    ("quipu_merges_total", "Merges of neighbouring parts.", |it| &it.merges),
    ("quipu_seals_total", "Partitions sealed to blocks.", |it| &it.seals),
    ("quipu_retention_files_total", "Files dropped by retention.", |it| &it.dropped_files),
    (
        "quipu_retention_rows_total",
        "Rows of series that a retention rule keeps for less long, dropped one by one.",
        |it| &it.retired_rows,
    ),
    ("quipu_scrub_bytes_total", "Bytes of files that the scrub read and checked.", |it| {
        &it.scrubbed_bytes
    }),
    ("quipu_scrub_rounds_total", "Times the scrub read all files.", |it| &it.scrub_rounds),
    ("quipu_scrub_findings_total", "Damaged files that the scrub found.", |it| &it.scrub_findings),
    (
        "quipu_upkeep_failures_total",
        "Flushes, merges and seals that failed and are tried again.",
        |it| &it.upkeep_failures,
    ),
    ("quipu_bulk_rows_total", "Rows loaded straight into blocks.", |it| &it.bulk_rows),
];

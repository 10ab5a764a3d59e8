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
    pub(super) archived_blocks: AtomicU64,
    pub(super) archived_bytes: AtomicU64,
    pub(super) archive_removed: AtomicU64,
}

impl Counters {
    /// Adds to a counter.
    pub(super) fn add(counter: &AtomicU64, count: u64) {
        counter.fetch_add(count, Relaxed);
    }

    /// Name, help and value of each.
    #[expect(clippy::too_many_lines, reason = "a list of steps, each a line or two")]
    pub(super) fn list(&self) -> Vec<(&'static str, &'static str, u64)> {
        let read = |counter: &AtomicU64| counter.load(Relaxed);
        vec![
            ("quipu_store_rows_total", "Rows that were made durable.", read(&self.rows)),
            (
                "quipu_store_rows_unknown_total",
                "Rows of series that the catalog does not know.",
                read(&self.rows_unknown),
            ),
            ("quipu_store_batches_total", "Batches that were made durable.", read(&self.batches)),
            (
                "quipu_wal_groups_total",
                "Groups of batches that shared a write and a sync.",
                read(&self.groups),
            ),
            (
                "quipu_store_refused_batches_total",
                "Batches that could not be made durable.",
                read(&self.refused),
            ),
            (
                "quipu_wal_bytes_total",
                "Bytes of payload appended to the log.",
                read(&self.log_bytes),
            ),
            ("quipu_flushes_total", "Heads written as parts.", read(&self.flushes)),
            (
                "quipu_flushed_rows_total",
                "Rows written from heads to parts.",
                read(&self.flushed_rows),
            ),
            ("quipu_merges_total", "Merges of neighbouring parts.", read(&self.merges)),
            ("quipu_seals_total", "Partitions sealed to blocks.", read(&self.seals)),
            (
                "quipu_retention_files_total",
                "Files dropped by retention.",
                read(&self.dropped_files),
            ),
            (
                "quipu_retention_rows_total",
                "Rows of series that a retention rule keeps for less long, dropped one by one.",
                read(&self.retired_rows),
            ),
            (
                "quipu_scrub_bytes_total",
                "Bytes of files that the scrub read and checked.",
                read(&self.scrubbed_bytes),
            ),
            (
                "quipu_scrub_rounds_total",
                "Times the scrub read all files.",
                read(&self.scrub_rounds),
            ),
            (
                "quipu_scrub_findings_total",
                "Damaged files that the scrub found.",
                read(&self.scrub_findings),
            ),
            (
                "quipu_upkeep_failures_total",
                "Flushes, merges and seals that failed and are tried again.",
                read(&self.upkeep_failures),
            ),
            ("quipu_bulk_rows_total", "Rows loaded straight into blocks.", read(&self.bulk_rows)),
            (
                "quipu_archive_uploaded_blocks_total",
                "Blocks that were brought to the archive.",
                read(&self.archived_blocks),
            ),
            (
                "quipu_archive_uploaded_bytes_total",
                "Bytes that were stored in the archive and read back.",
                read(&self.archived_bytes),
            ),
            (
                "quipu_archive_removed_blocks_total",
                "Blocks that were removed from the archive.",
                read(&self.archive_removed),
            ),
        ]
    }
}

//! What a receiver's queue was told, in the units of the machine.

use std::time::Duration;

/// Limits and times of a queue.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    /// Rows that may wait in memory, a shard.
    pub(super) capacity: usize,
    pub(super) shards_min: usize,
    pub(super) shards_max: usize,
    /// Rows of one request.
    pub(super) rows_max: usize,
    /// How long rows wait for company.
    pub(super) deadline: Duration,
    pub(super) backoff_min: Duration,
    pub(super) backoff_max: Duration,
    /// Rows older than this are not sent, in ns.
    pub(super) age_max: Option<i64>,
    /// How often message 1 tells what metrics are; None is never.
    pub(super) metadata_every: Option<Duration>,
    /// Metrics that one request tells of.
    pub(super) metadata_max: usize,
}

//! What may be set.

use std::time::Duration;

/// When a batch counts as durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncPolicy {
    /// After a sync that it shares with its neighbours. A power cut loses nothing acknowledged.
    Commit,
    /// When it is written; a sync follows at this interval. A power cut loses at most that much.
    Interval(Duration),
    /// When it is written; the system syncs when it likes. A kill loses nothing, a power cut may.
    None,
}

/// How a store behaves. The defaults suit one machine that does other things too.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// When a batch is acknowledged.
    pub sync: SyncPolicy,
    /// How long rows are kept; None is for ever.
    pub retention: Option<Duration>,
    /// How far ahead of the clock a row may lie.
    pub future_max: Duration,
    /// Bytes that the store may hold in memory; 0 is half of what the machine has.
    pub memory_max: u64,
    /// Rows in memory that call for a flush; bounds the log and what a start replays.
    pub flush_rows: u64,
    /// Age of the oldest row in memory that calls for a flush.
    pub flush_after: Duration,
    /// How long a partition that is over must be quiet before it is sealed.
    pub seal_after: Duration,
    /// How long a series must have no row outside blocks before it is retired.
    pub retire_after: Duration,
    /// Bytes of a log segment.
    pub segment_bytes: u64,
    /// Bytes of full segments that are kept for readers of the log; past it they miss the oldest.
    pub follow_bytes_max: u64,
    /// Whether rows stay in the log until readers have them, and are not kept beyond: no head, no
    /// files, nothing to ask.
    pub is_log_only: bool,
    /// Share of the disk, in percent, that is kept back for upkeep.
    pub reserve_percent: u8,
    /// Bytes of the page cache for files that are not mapped.
    pub page_cache_bytes: usize,
    /// What secrets and ids are made of; None is random. For tests that repeat.
    pub seed: Option<u128>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            sync: SyncPolicy::Commit,
            retention: None,
            future_max: Duration::from_hours(1),
            memory_max: 4 << 30,
            flush_rows: 4_000_000,
            flush_after: Duration::from_mins(10),
            seal_after: Duration::from_mins(10),
            retire_after: Duration::from_hours(1),
            segment_bytes: 64 << 20,
            follow_bytes_max: 1 << 30,
            is_log_only: false,
            reserve_percent: 5,
            page_cache_bytes: 32 << 20,
            seed: None,
        }
    }
}

impl Config {
    /// Small limits, so that a test of few rows meets them all.
    pub fn small() -> Self {
        Self {
            flush_rows: 400,
            segment_bytes: 16 << 10,
            retire_after: Duration::ZERO,
            page_cache_bytes: 1 << 20,
            seed: Some(7),
            ..Self::default()
        }
    }
}

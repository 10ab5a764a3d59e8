//! What may be set.

use std::time::Duration;

use crate::model::{Matcher, Tier};

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

/// Which tiers are written when a partition is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tiers {
    /// Buckets of five minutes.
    pub minutes5: bool,
    /// Buckets of an hour.
    pub hour1: bool,
}

impl Tiers {
    /// None.
    pub const NONE: Self = Self { minutes5: false, hour1: false };

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self == Self::NONE
    }

    /// Those there are, finest first.
    pub fn all(self) -> impl Iterator<Item = Tier> {
        Tier::ALL.into_iter().filter(move |tier| match tier {
            Tier::Minutes5 => self.minutes5,
            Tier::Hour1 => self.hour1,
        })
    }
}

/// How long rows and buckets are kept; None is for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Raw rows.
    pub raw: Option<Duration>,
    /// Buckets of five minutes.
    pub minutes5: Option<Duration>,
    /// Buckets of an hour.
    pub hour1: Option<Duration>,
}

impl Kept {
    /// Of a tier; None: of raw rows.
    pub fn of(self, tier: Option<Tier>) -> Option<Duration> {
        match tier {
            None => self.raw,
            Some(Tier::Minutes5) => self.minutes5,
            Some(Tier::Hour1) => self.hour1,
        }
    }
}

/// Series that are kept for less long than the others. Of several rules for a series the shortest
/// holds; none makes it longer.
#[derive(Clone, Debug, PartialEq)]
pub struct RetentionRule {
    /// Series that match all of these; at least one.
    pub matchers: Vec<Matcher>,
    /// How long; None is as long as the others.
    pub kept: Kept,
}

/// How a store behaves. The defaults suit one machine that does other things too.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// When a batch is acknowledged.
    pub sync: SyncPolicy,
    /// How long raw rows are kept; None is for ever.
    pub retention: Option<Duration>,
    /// How long buckets of five minutes are kept; None is for ever.
    pub retention_5m: Option<Duration>,
    /// How long buckets of an hour are kept; None is for ever.
    pub retention_1h: Option<Duration>,
    /// Which tiers are written; None is the hour where raw rows are not kept for ever. Buckets of a
    /// series with few rows an hour are as large as its rows, so that they pay only as heirs.
    pub tiers: Option<Tiers>,
    /// In what time every byte on disk is read and checked once; None is never.
    pub scrub_every: Option<Duration>,
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
    /// Bytes of log segments and catalog files that are kept until the archive of the log has them; 0:
    /// nothing is archived.
    pub archive_backlog_max: u64,
    /// What secrets and ids are made of; None is random. For tests that repeat.
    pub seed: Option<u128>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            sync: SyncPolicy::Commit,
            retention: None,
            retention_5m: None,
            retention_1h: None,
            tiers: None,
            scrub_every: Some(Duration::from_hours(7 * 24)),
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
            archive_backlog_max: 0,
            seed: None,
        }
    }
}

impl Config {
    /// How long rows and buckets are kept.
    pub fn kept(&self) -> Kept {
        Kept { raw: self.retention, minutes5: self.retention_5m, hour1: self.retention_1h }
    }

    /// The tiers to write.
    pub fn tiers(&self) -> Tiers {
        self.tiers.unwrap_or(Tiers { minutes5: false, hour1: self.retention.is_some() })
    }

    /// Small limits and no tiers, so that a test of few rows meets them all.
    pub fn small() -> Self {
        Self {
            flush_rows: 400,
            segment_bytes: 16 << 10,
            retire_after: Duration::ZERO,
            page_cache_bytes: 1 << 20,
            seed: Some(7),
            tiers: Some(Tiers::NONE),
            scrub_every: None,
            ..Self::default()
        }
    }
}

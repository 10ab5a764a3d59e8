//! What one question may use up, counted as it runs.

use std::sync::{
    Arc,
    atomic::{AtomicU8, AtomicU64, Ordering},
};

use crate::model::Error;

/// Limits of one question.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Series that a selector may match.
    pub series_max: u64,
    /// Rows that may be read.
    pub samples_max: u64,
    /// Bytes that results and state may hold.
    pub memory_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { series_max: 5_000_000, samples_max: 2_000_000_000, memory_max: 1 << 30 }
    }
}

/// A switch that ends a running question from outside: time is over, or the asker went.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicU8>);

impl Stop {
    /// The asker went away.
    pub fn cancel(&self) {
        self.0.store(1, Ordering::Relaxed);
    }

    /// The time allowed is over.
    pub fn time_out(&self) {
        self.0.store(2, Ordering::Relaxed);
    }

    /// # Errors
    /// [`Error::Cancelled`] or [`Error::TimedOut`] once the switch was thrown.
    pub fn check(&self) -> Result<(), Error> {
        match self.0.load(Ordering::Relaxed) {
            0 => Ok(()),
            1 => Err(Error::Cancelled),
            _ => Err(Error::TimedOut),
        }
    }
}

/// Limits and what is used of them. Shared by all threads that work on one question.
#[derive(Debug, Default)]
pub struct Budget {
    limits: Limits,
    stop: Stop,
    samples: AtomicU64,
    memory: AtomicU64,
}

impl Budget {
    /// With nothing used yet.
    pub fn new(limits: Limits, stop: Stop) -> Self {
        Self { limits, stop, ..Self::default() }
    }

    /// Call at least every 1,024 rows.
    ///
    /// # Errors
    /// Once the question was stopped.
    pub fn check(&self) -> Result<(), Error> {
        self.stop.check()
    }

    /// Counts rows read.
    ///
    /// # Errors
    /// Past the limit of rows, or once stopped.
    pub fn use_samples(&self, count: usize) -> Result<(), Error> {
        let count = count as u64;
        let actual = self.samples.fetch_add(count, Ordering::Relaxed) + count;
        within(
            "samples read by the query",
            actual,
            self.limits.samples_max,
            "--query-samples-max",
        )?;
        self.stop.check()
    }

    /// Counts bytes held until the question ends.
    ///
    /// # Errors
    /// Past the limit of memory.
    pub fn use_memory(&self, bytes: usize) -> Result<(), Error> {
        let bytes = bytes as u64;
        let actual = self.memory.fetch_add(bytes, Ordering::Relaxed) + bytes;
        within("bytes held by the query", actual, self.limits.memory_max, "--query-memory-max")
    }

    /// Gives back bytes that [`Self::use_memory`] counted.
    pub fn free_memory(&self, bytes: usize) {
        self.memory.fetch_sub(bytes as u64, Ordering::Relaxed);
    }

    /// Judges how many series a selector matched.
    ///
    /// # Errors
    /// Past the limit of series.
    pub fn allow_series(&self, count: usize) -> Result<(), Error> {
        within(
            "series matched by a selector",
            count as u64,
            self.limits.series_max,
            "--query-series-max",
        )
    }

    /// Bytes held now.
    pub fn memory(&self) -> u64 {
        self.memory.load(Ordering::Relaxed)
    }

    /// Rows read so far.
    pub fn samples(&self) -> u64 {
        self.samples.load(Ordering::Relaxed)
    }
}

fn within(what: &'static str, actual: u64, limit: u64, option: &'static str) -> Result<(), Error> {
    if actual <= limit { Ok(()) } else { Err(Error::Limit { what, actual, limit, option }) }
}

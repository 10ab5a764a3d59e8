//! The doors rows come in by: finding a series, and writing a batch.

use crate::model::{Batch, Error, Label, Position, TenantId, TimeRange};

/// A series of one store: given once, never given again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesRef(pub u64);

/// A keyed 128-bit hash of label bytes as a sender wrote them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SeriesKey(pub u128);

/// Which form the bytes of a [`SeriesKey`] have: two doors may write one text and mean two things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Door {
    /// The label fields of a remote write 1 time series.
    RemoteWrite = 1,
    /// Measurement, tags and one field of a line.
    LineField = 2,
    /// Measurement, tags and all fields of a line: stands for a run of consecutive refs.
    Line = 3,
    /// A series that the server itself writes.
    Own = 4,
    /// A series as a target shows it, behind the name of what changes its labels.
    Exposition = 5,
}

/// Series by their labels. A ref it gave may be used in the next [`Sink::write`] of the same store.
pub trait Registry: Send + Sync {
    /// The key of `bytes`; keyed with a secret of this process, so that senders cannot make two meet.
    fn key(&self, tenant: TenantId, door: Door, bytes: &[u8]) -> SeriesKey;

    /// The series that `key` was bound to. None is no proof that the series is new.
    fn find(&self, key: SeriesKey) -> Option<SeriesRef>;

    /// Refs for label sets (each sorted by name, names unique, no empty value), pushed to `refs` in
    /// order; unknown sets get refs of their own, consecutive where they follow each other.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where memory is short, [`Error::Invalid`] where a set has too many
    /// labels to be kept. Nothing is pushed then.
    fn register(
        &self,
        tenant: TenantId,
        sets: &[&[Label<'_>]],
        refs: &mut Vec<SeriesRef>,
    ) -> Result<(), Error>;

    /// Remembers that `key` stands for `series`. Bounded: old ones may be forgotten.
    fn bind(&self, key: SeriesKey, series: SeriesRef);

    /// The times that a row may have now: older rows are past retention, younger ones too far ahead.
    fn window(&self) -> TimeRange;
}

/// Called once, after the batch is durable or was refused.
pub type SinkDone = Box<dyn FnOnce(Result<Position, Error>) + Send>;

/// Where batches go.
pub trait Sink: Send + Sync {
    /// Returns at once; `done` runs after the sync that the batch shares with its neighbours.
    fn write(&self, batch: Batch, done: SinkDone);
}

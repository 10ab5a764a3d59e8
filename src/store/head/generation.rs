//! All rows since the last flush.

use std::sync::{
    Mutex, PoisonError, RwLock,
    atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
};

use crate::codec;
use crate::model::{Batch, Exemplar};
use crate::store::{catalog::Slot, rows::SeriesRows};

use super::shard::{self, PAGE_SLOTS, Shard};

/// Readers and the one writer meet in a shard; pages go round, so that neighbours do not.
const SHARDS: u32 = 64;
/// Exemplars kept in memory; of more the oldest go.
const EXEMPLARS_MAX: usize = 100_000;

/// Rows of contiguous positions, by slot of the catalog.
#[derive(Debug)]
pub(in crate::store) struct Generation {
    shards: Box<[RwLock<Shard>]>,
    exemplars: Mutex<Vec<(Slot, Exemplar)>>,
    rows: AtomicU64,
    first_time: AtomicI64,
    last_time: AtomicI64,
    /// The position before its first row, and that of its last.
    after: u64,
    position: AtomicU64,
    /// When the first row came: monotonic ns; 0 = no row yet.
    since: AtomicU64,
}

/// Where a slot is: shard, page in the shard, place in the page.
fn place(slot: Slot) -> (usize, u32, u32) {
    let (page, place) = (slot / PAGE_SLOTS, slot % PAGE_SLOTS);
    ((page % SHARDS) as usize, page / SHARDS, place)
}

impl Generation {
    /// Without rows; its rows come behind the position `after`.
    pub(in crate::store) fn new(after: u64) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            exemplars: Mutex::default(),
            rows: AtomicU64::new(0),
            first_time: AtomicI64::new(i64::MAX),
            last_time: AtomicI64::new(i64::MIN),
            after,
            position: AtomicU64::new(after),
            since: AtomicU64::new(0),
        }
    }

    /// Takes the rows of a batch. `slot` gives the slot of each series; rows of unknown ones are left
    /// out, and counted in the answer.
    pub(in crate::store) fn apply(
        &self,
        batch: &Batch,
        position: u64,
        mut slot: impl FnMut(crate::model::SeriesRef) -> Option<Slot>,
    ) -> u64 {
        let rows = &batch.rows;
        let mut unknown = 0;
        let mut held: Option<(usize, std::sync::RwLockWriteGuard<'_, Shard>)> = None;
        for (series, range) in rows.runs() {
            let Some(slot) = slot(series) else {
                unknown += range.len() as u64;
                continue;
            };
            let (number, page, place) = place(slot);
            if held.as_ref().is_none_or(|(holds, _)| *holds != number) {
                drop(held.take());
                held = self.write(number).map(|guard| (number, guard));
            }
            let Some((_, shard)) = &mut held else { continue };
            let times = rows.times().get(range.clone()).unwrap_or_default();
            let values = rows.values().get(range.clone()).unwrap_or_default();
            shard.append(
                (page, place),
                times,
                values,
                rows.starts().get(range).unwrap_or_default(),
            );
        }
        drop(held);
        for row in &batch.histograms {
            let Some(slot) = slot(row.series) else {
                unknown += 1;
                continue;
            };
            let (number, page, place) = place(slot);
            if let Some(mut shard) = self.write(number) {
                shard
                    .append_histogram((page, place), shard::point(row.time, row.start, &row.value));
            }
        }
        self.take_exemplars(batch, &mut slot);
        self.note(batch, position);
        unknown
    }

    fn take_exemplars(
        &self,
        batch: &Batch,
        slot: &mut impl FnMut(crate::model::SeriesRef) -> Option<Slot>,
    ) {
        if batch.exemplars.is_empty() {
            return;
        }
        let mut exemplars = self.exemplars.lock().unwrap_or_else(PoisonError::into_inner);
        for exemplar in &batch.exemplars {
            if let Some(slot) = slot(exemplar.series) {
                exemplars.push((slot, exemplar.clone()));
            }
        }
        let surplus = exemplars.len().saturating_sub(EXEMPLARS_MAX);
        exemplars.drain(..surplus);
    }

    fn note(&self, batch: &Batch, position: u64) {
        let histograms = batch.histograms.iter().map(|row| row.time);
        let times = || batch.rows.times().iter().copied().chain(histograms.clone());
        if let (Some(first), Some(last)) = (times().min(), times().max()) {
            self.first_time.fetch_min(first, Relaxed);
            self.last_time.fetch_max(last, Relaxed);
        }
        self.rows.fetch_add((batch.rows.len() + batch.histograms.len()) as u64, Relaxed);
        self.position.fetch_max(position, Relaxed);
    }

    fn write(&self, number: usize) -> Option<std::sync::RwLockWriteGuard<'_, Shard>> {
        Some(self.shards.get(number)?.write().unwrap_or_else(PoisonError::into_inner))
    }

    fn shard(&self, number: usize) -> Option<std::sync::RwLockReadGuard<'_, Shard>> {
        Some(self.shards.get(number)?.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The rows of a series, into the empty `rows`.
    pub(in crate::store) fn read(
        &self,
        slot: Slot,
        rows: &mut SeriesRows,
    ) -> Result<(), codec::Error> {
        let (number, page, place) = place(slot);
        self.shard(number).map_or(Ok(()), |shard| shard.read(page, place, rows))
    }

    /// Whether a series has a row.
    pub(in crate::store) fn has_rows(&self, slot: Slot) -> bool {
        let (number, page, place) = place(slot);
        self.shard(number).is_some_and(|shard| shard.has_rows(page, place))
    }

    /// The slots below `end` that have a row, rising.
    pub(in crate::store) fn active(&self, end: Slot) -> Vec<Slot> {
        let mut active = Vec::new();
        for first in (0..end).step_by(PAGE_SLOTS as usize) {
            let page = first / PAGE_SLOTS;
            if let Some(shard) = self.shard((page % SHARDS) as usize) {
                active.extend(shard.active(page / SHARDS).map(|place| first + place));
            }
        }
        active
    }

    /// The exemplars of a series, as they came.
    pub(in crate::store) fn exemplars(&self) -> Vec<(Slot, Exemplar)> {
        self.exemplars.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many rows came.
    pub(in crate::store) fn rows(&self) -> u64 {
        self.rows.load(Relaxed)
    }

    /// Whether nothing came that a flush would write.
    pub(in crate::store) fn is_empty(&self) -> bool {
        self.rows() == 0
    }

    /// First and last time of a row, ns; None where there is no row.
    pub(in crate::store) fn times(&self) -> Option<(i64, i64)> {
        let (first, last) = (self.first_time.load(Relaxed), self.last_time.load(Relaxed));
        (first <= last).then_some((first, last))
    }

    /// The position before its first row, and that of its last.
    pub(in crate::store) fn positions(&self) -> (u64, u64) {
        (self.after, self.position.load(Relaxed))
    }

    /// Notes that a record was seen, though it brought no rows.
    pub(in crate::store) fn pass(&self, position: u64) {
        self.position.fetch_max(position, Relaxed);
    }

    /// When the first row came; `now` if that is now. Monotonic ns.
    pub(in crate::store) fn since(&self, now: u64) -> u64 {
        match self.since.compare_exchange(0, now.max(1), Relaxed, Relaxed) {
            Ok(_) => now.max(1),
            Err(since) => since,
        }
    }

    /// Bytes held.
    pub(in crate::store) fn bytes(&self) -> usize {
        (0..self.shards.len()).filter_map(|number| Some(self.shard(number)?.bytes())).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::model::{Histogram, HistogramRow, SeriesRef};

    fn read(generation: &Generation, slot: Slot) -> SeriesRows {
        let mut rows = SeriesRows::default();
        generation.read(slot, &mut rows).unwrap();
        rows
    }

    fn batch(rows: &[(u64, i64, i64, f64)]) -> Batch {
        let mut batch = Batch::default();
        for (series, time, start, value) in rows {
            batch.rows.push_started(*time, *start, *value);
            batch.rows.end_run(SeriesRef(*series));
        }
        batch
    }

    fn slot(series: SeriesRef) -> Option<Slot> {
        Slot::try_from(series.0).ok()
    }

    #[test]
    fn long_streams_are_kept_in_order_over_many_buffers() {
        let generation = Generation::new(0);
        for i in 0..5000_u32 {
            let value = f64::from_bits(
                0x3ff0_0000_0000_0000 ^ u64::from(i).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 12,
            );
            generation.apply(
                &batch(&[(70_000, i64::from(i) * 1_000_000 + i64::from(i % 3), 0, value)]),
                i.into(),
                slot,
            );
        }
        let rows = read(&generation, 70_000);
        assert_eq!(rows.len(), 5000);
        assert!(rows.times.is_sorted_by(|a, b| a < b));
        assert_eq!((generation.active(80_000), generation.rows()), (vec![70_000], 5000));
    }

    #[test]
    fn floats_and_histograms_of_one_time_end_as_the_last_that_came() {
        let generation = Generation::new(0);
        let histogram = |time| {
            let row =
                HistogramRow { series: SeriesRef(1), time, start: 0, value: Histogram::default() };
            Batch { histograms: vec![row], ..Batch::default() }
        };
        generation.apply(&batch(&[(1, 10, 0, 1.0), (1, 20, 0, 2.0)]), 1, slot);
        generation.apply(&histogram(20), 2, slot);
        generation.apply(&histogram(10), 3, slot);
        generation.apply(&batch(&[(1, 10, 0, 3.0)]), 4, slot);
        let rows = read(&generation, 1);
        assert_eq!((&rows.times[..], &rows.values[..]), (&[10][..], &[3.0][..]));
        assert_eq!(rows.histograms.iter().map(|point| point.time).collect::<Vec<_>>(), [20]);
    }

    proptest! {
        #[test]
        fn rows_in_any_order_end_as_in_a_sorted_map(
            rows in proptest::collection::vec((0_u64..3, -40_i64..40, 0_i64..3, -4_i8..4), 0..200), nanos: bool,
        ) {
            let (generation, mut map) = (Generation::new(0), BTreeMap::new());
            for (i, (series, time, start, value)) in rows.iter().enumerate() {
                let time = time * if nanos { 500_000 } else { 1_000_000 };
                generation.apply(&batch(&[(*series, time, *start, f64::from(*value))]), i as u64, slot);
                map.insert((*series, time), (*start, f64::from(*value)));
            }
            for series in 0..3_u32 {
                let found = read(&generation, series);
                let expected: Vec<_> = map.range((series.into(), i64::MIN)..=(series.into(), i64::MAX)).collect();
                prop_assert!(found.times.iter().eq(expected.iter().map(|((_, time), _)| time)));
                prop_assert!(found.values.iter().eq(expected.iter().map(|(_, (_, value))| value)));
                let starts = expected.iter().map(|(_, (start, _))| start);
                prop_assert!(found.starts.is_empty() && starts.clone().all(|it| *it == 0) || found.starts.iter().eq(starts));
            }
        }
    }
}

//! Series in memory: labels to ref and back, and which series have which label.
//!
//! A series has a slot: its place in every array, given in order and given on. Its ref is what files
//! and the log know it by. Only the catalog knows both.

use hashbrown::HashTable;
use roaring::RoaringBitmap;

use crate::model::{Label, Labels, SeriesRef};

use super::{
    pairs::{PairId, Pairs},
    postings::Postings,
    slab::Slab,
};

/// Where a series stands in memory.
pub(in crate::store) type Slot = u32;

/// Where the list of a retired series begins: nowhere.
const RETIRED: u32 = u32::MAX;
/// So that no table is large when it grows.
const SHARDS: usize = 64;

/// Slots whose refs follow each other.
#[derive(Clone, Copy, Debug)]
struct Run {
    slot: Slot,
    series: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u32,
    slot: Slot,
}

/// All series of a store.
#[derive(Debug)]
pub(in crate::store) struct Index {
    seed: u64,
    pairs: Pairs,
    postings: Vec<Postings>,
    /// Each series as its number of pairs, then the pairs by label name.
    lists: Slab,
    /// Where each slot's list begins.
    begins: Vec<u32>,
    runs: Vec<Run>,
    tables: Box<[HashTable<Entry>]>,
    /// Slots whose series were retired: they have no labels, and their refs are not known.
    retired: RoaringBitmap,
    /// Labels that a series may have: lists are short by construction.
    scratch: Vec<PairId>,
}

impl Index {
    /// Without series.
    pub(in crate::store) fn new(seed: u64) -> Self {
        Self {
            seed,
            pairs: Pairs::new(seed),
            postings: Vec::new(),
            lists: Slab::default(),
            begins: Vec::new(),
            runs: Vec::new(),
            tables: (0..SHARDS).map(|_| HashTable::new()).collect(),
            retired: RoaringBitmap::new(),
            scratch: Vec::new(),
        }
    }

    /// How many slots were given.
    pub(in crate::store) fn len(&self) -> Slot {
        Slot::try_from(self.begins.len()).unwrap_or(Slot::MAX)
    }

    /// The pairs of all series.
    pub(in crate::store) fn pairs(&self) -> &Pairs {
        &self.pairs
    }

    /// The ref of a slot.
    pub(in crate::store) fn series(&self, slot: Slot) -> SeriesRef {
        let run = self.runs.partition_point(|run| run.slot <= slot).checked_sub(1);
        let run = run.and_then(|run| self.runs.get(run));
        SeriesRef(run.map_or(0, |run| run.series + u64::from(slot - run.slot)))
    }

    /// The slot of a ref; None where the ref is not known.
    pub(in crate::store) fn slot(&self, series: SeriesRef) -> Option<Slot> {
        let next = self.runs.partition_point(|run| run.series <= series.0);
        let run = self.runs.get(next.checked_sub(1)?)?;
        let end = self.runs.get(next).map_or(self.len(), |run| run.slot);
        let slot = u64::from(run.slot).checked_add(series.0 - run.series)?;
        Slot::try_from(slot).ok().filter(|slot| *slot < end && !self.is_retired(*slot))
    }

    fn is_retired(&self, slot: Slot) -> bool {
        self.begins.get(slot as usize).is_some_and(|begin| *begin == RETIRED)
    }

    /// Slots of series that are known.
    pub(in crate::store) fn slots(&self) -> RoaringBitmap {
        let mut all = RoaringBitmap::new();
        all.insert_range(0..self.len());
        all - &self.retired
    }

    /// Forgets series. Their slots and refs are not given again.
    pub(in crate::store) fn retire(&mut self, gone: &RoaringBitmap) {
        let mut pairs = std::collections::BTreeSet::new();
        for slot in gone {
            let list = self.list(slot);
            let hash = self.hash(list);
            pairs.extend(list.iter().copied());
            let wanted = Entry { hash: tag(hash), slot };
            let table = self.tables.get_mut(shard(hash));
            let found = table
                .and_then(|table| table.find_entry(wanted.key(), |entry| entry.slot == slot).ok());
            if let Some(entry) = found {
                entry.remove();
            }
            if let Some(begin) =
                self.begins.get_mut(slot as usize).filter(|begin| **begin != RETIRED)
            {
                self.lists.release(*begin);
                *begin = RETIRED;
            }
        }
        for pair in pairs {
            if let Some(postings) = self.postings.get_mut(pair as usize) {
                postings.remove(gone);
            }
        }
        self.retired |= gone;
    }

    /// The pairs of a series, by label name.
    pub(in crate::store) fn list(&self, slot: Slot) -> &[PairId] {
        self.begins.get(slot as usize).map_or(&[], |begin| self.lists.get(*begin))
    }

    /// The labels of a series.
    pub(in crate::store) fn labels(&self, slot: Slot) -> Labels {
        let pairs: Vec<Label<'_>> = self.list(slot).iter().map(|id| self.pairs.text(*id)).collect();
        Labels::from_sorted(&pairs)
    }

    /// The slot of a label set, and whether it is new; `series` becomes the ref of a new one.
    /// None where memory for texts or numbers ran out.
    pub(in crate::store) fn insert(
        &mut self,
        labels: &[Label<'_>],
        series: u64,
    ) -> Option<(Slot, bool)> {
        let mut list = std::mem::take(&mut self.scratch);
        list.clear();
        for label in labels {
            list.push(self.intern(*label)?);
        }
        let added = self.insert_list(&list, series);
        self.scratch = list;
        added
    }

    /// The number of a pair, given now if it is new.
    pub(in crate::store) fn intern(&mut self, label: Label<'_>) -> Option<PairId> {
        let id = self.pairs.intern(label)?;
        if id as usize == self.postings.len() {
            self.postings.push(Postings::NONE);
        }
        Some(id)
    }

    /// As [`Self::insert`], with pairs that were interned, by label name.
    pub(in crate::store) fn insert_list(
        &mut self,
        list: &[PairId],
        series: u64,
    ) -> Option<(Slot, bool)> {
        let hash = self.hash(list);
        if let Some(slot) = self.find_list(list, hash) {
            return Some((slot, false));
        }
        let slot = Slot::try_from(self.begins.len()).ok()?;
        let begin = self.lists.push(list)?;
        self.begins.push(begin);
        for id in list {
            if let Some(postings) = self.postings.get_mut(*id as usize) {
                postings.push(slot);
            }
        }
        if self.series(slot).0 != series || self.runs.is_empty() {
            self.runs.push(Run { slot, series });
        }
        let entry = Entry { hash: tag(hash), slot };
        let table = self.tables.get_mut(shard(hash))?;
        table.insert_unique(entry.key(), entry, |entry| entry.key());
        Some((slot, true))
    }

    fn find_list(&self, list: &[PairId], hash: u64) -> Option<Slot> {
        let wanted = Entry { hash: tag(hash), slot: 0 };
        let is_it = |entry: &Entry| entry.hash == wanted.hash && self.list(entry.slot) == list;
        self.tables.get(shard(hash))?.find(wanted.key(), is_it).map(|entry| entry.slot)
    }

    fn hash(&self, list: &[PairId]) -> u64 {
        list.iter().fold(self.seed, |hash, id| {
            let product = u128::from(hash ^ u64::from(*id)) * 0x9e37_79b9_7f4a_7c15;
            (product >> 64) as u64 ^ low(product)
        })
    }

    /// Adds the series that have a pair to `out`.
    pub(in crate::store) fn add_postings(&self, id: PairId, out: &mut RoaringBitmap) {
        if let Some(postings) = self.postings.get(id as usize) {
            postings.add_to(out);
        }
    }

    /// Whether any series that has a pair is wanted.
    pub(in crate::store) fn any_posting(
        &self,
        id: PairId,
        is_wanted: impl FnMut(Slot) -> bool,
    ) -> bool {
        self.postings.get(id as usize).is_some_and(|postings| postings.any(is_wanted))
    }

    /// How many series have a pair.
    pub(in crate::store) fn postings_len(&self, id: PairId) -> u64 {
        self.postings.get(id as usize).map_or(0, Postings::len)
    }

    /// Bytes held.
    pub(in crate::store) fn bytes(&self) -> usize {
        self.pairs.bytes()
            + self.postings.capacity() * size_of::<Postings>()
            + self.postings.iter().map(Postings::bytes).sum::<usize>()
            + self.lists.bytes()
            + self.begins.capacity() * 4
            + self.tables.iter().map(|table| table.capacity() * 10).sum::<usize>()
    }
}

impl Entry {
    /// What the tables hash by: the tag, spread over all bits.
    fn key(self) -> u64 {
        u64::from(self.hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is wanted")]
fn low(product: u128) -> u64 {
    product as u64
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is wanted")]
fn tag(hash: u64) -> u32 {
    hash as u32
}

fn shard(hash: u64) -> usize {
    (hash >> 58) as usize % SHARDS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(index: &Index, labels: &[Label<'_>]) -> Option<Slot> {
        let list: Option<Vec<_>> = labels.iter().map(|label| index.pairs.find(*label)).collect();
        let list = list?;
        index.find_list(&list, index.hash(&list))
    }

    #[test]
    fn series_are_found_by_labels_slot_and_ref() {
        let mut index = Index::new(5);
        for i in 0..3000_u32 {
            let host = format!("h{i}");
            // A gap in the refs, as a retirement leaves it.
            let series = u64::from(if i < 1000 { 10 + i } else { 5000 + i });
            let labels = [("__name__", "up"), ("host", host.as_str())];
            assert_eq!(index.insert(&labels, series), Some((i, true)));
            assert_eq!(index.insert(&labels, 99_999), Some((i, false)));
        }
        assert_eq!(find(&index, &[("__name__", "up"), ("host", "h1500")]), Some(1500));
        assert_eq!(find(&index, &[("__name__", "up")]), None);
        assert_eq!((index.series(999), index.series(1000)), (SeriesRef(1009), SeriesRef(6000)));
        assert_eq!(
            (index.slot(SeriesRef(1009)), index.slot(SeriesRef(6000))),
            (Some(999), Some(1000))
        );
        for unknown in [9, 1010, 5999, 9000] {
            assert_eq!(index.slot(SeriesRef(unknown)), None, "{unknown}");
        }
        assert_eq!(index.labels(2).to_string(), r#"{__name__="up", host="h2"}"#);
        assert_eq!(index.postings_len(index.pairs().find(("__name__", "up")).unwrap()), 3000);
    }

    #[test]
    fn retired_series_are_forgotten_and_come_back_under_new_refs() {
        let mut index = Index::new(5);
        let names: Vec<String> = (0..100).map(|i| format!("h{i}")).collect();
        for (i, name) in names.iter().enumerate() {
            index.insert(&[("host", name)], i as u64 + 1).unwrap();
        }
        index.retire(&(0..100).filter(|slot| slot % 2 == 0).collect());
        assert_eq!((index.slot(SeriesRef(1)), index.slot(SeriesRef(2))), (None, Some(1)));
        assert_eq!(
            (find(&index, &[("host", "h0")]), find(&index, &[("host", "h1")])),
            (None, Some(1))
        );
        assert_eq!((index.slots().len(), index.labels(0).len()), (50, 0));
        assert_eq!(index.insert(&[("host", "h0")], 200), Some((100, true)));
        assert_eq!(index.slot(SeriesRef(200)), Some(100));
    }

    #[test]
    fn the_set_without_labels_is_a_series_too() {
        let mut index = Index::new(5);
        assert_eq!(index.insert(&[], 1), Some((0, true)));
        assert_eq!((find(&index, &[]), index.labels(0).len()), (Some(0), 0));
    }
}

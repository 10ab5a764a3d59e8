//! The catalog as everyone uses it: registering, looking up, what is visible.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU32, Ordering},
    },
};

use roaring::RoaringBitmap;

use crate::model::{Label, Metadata, SeriesRef};

use super::{
    cache::LabelCache,
    index::{Index, Slot},
    order::CatalogOrder,
};

/// Series and metadata, shared by writers and readers.
#[derive(Debug)]
pub(in crate::store) struct Catalog {
    pub(in crate::store) cache: LabelCache,
    index: RwLock<Series>,
    /// Slots below are durable, so readers may see them.
    visible: AtomicU32,
    order: Mutex<Arc<CatalogOrder>>,
    metadata: RwLock<BTreeMap<String, Metadata>>,
}

#[derive(Debug)]
struct Series {
    index: Index,
    next: u64,
}

impl Catalog {
    /// A catalog of the series that were loaded.
    pub(in crate::store) fn new(
        index: Index,
        next: u64,
        metadata: BTreeMap<String, Metadata>,
        cache: LabelCache,
    ) -> Self {
        let visible = AtomicU32::new(index.len());
        Self {
            cache,
            index: RwLock::new(Series { index, next }),
            visible,
            order: Mutex::default(),
            metadata: RwLock::new(metadata),
        }
    }

    /// Refs for label sets, pushed in order. False where numbers or text ran out; nothing is pushed then.
    pub(in crate::store) fn register(
        &self,
        sets: &[&[Label<'_>]],
        refs: &mut Vec<SeriesRef>,
    ) -> bool {
        let before = refs.len();
        let mut guard = self.write();
        let Series { index, next } = &mut *guard;
        for set in sets {
            let Some((slot, is_new)) = index.insert(set, *next) else {
                refs.truncate(before);
                return false;
            };
            if is_new {
                *next += 1;
            }
            refs.push(index.series(slot));
        }
        true
    }

    fn write(&self) -> RwLockWriteGuard<'_, Series> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, Series> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets series; their keys too.
    pub(in crate::store) fn retire(&self, gone: &RoaringBitmap) {
        let mut series = self.write();
        series.index.retire(gone);
        // While no one reads the index: what is made of it from now on knows of the retirement.
        *self.order.lock().unwrap_or_else(PoisonError::into_inner) = Arc::default();
        drop(series);
        self.cache.clear();
    }

    /// All of `index`, which is being looked into, in label order.
    pub(in crate::store) fn order(&self, index: &Index) -> Arc<CatalogOrder> {
        let mut order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        if !order.is_of(index) {
            *order = Arc::new(order.grown(index));
        }
        Arc::clone(&order)
    }

    /// Looks into the index.
    pub(in crate::store) fn with<T>(&self, look: impl FnOnce(&Index) -> T) -> T {
        look(&self.read().index)
    }

    /// The next ref to give.
    pub(in crate::store) fn next_series(&self) -> u64 {
        self.read().next
    }

    /// Slots below this are durable.
    pub(in crate::store) fn visible(&self) -> Slot {
        self.visible.load(Ordering::Acquire)
    }

    /// Lets readers see the slots below `end`.
    pub(in crate::store) fn show(&self, end: Slot) {
        self.visible.fetch_max(end, Ordering::AcqRel);
    }

    /// Which of these say something new.
    pub(in crate::store) fn news<'a>(
        &self,
        metadata: impl IntoIterator<Item = &'a Metadata>,
    ) -> Vec<&'a Metadata> {
        let known = self.metadata.read().unwrap_or_else(PoisonError::into_inner);
        metadata.into_iter().filter(|it| known.get(&it.metric) != Some(it)).collect()
    }

    /// Remembers what metrics are.
    pub(in crate::store) fn note(&self, metadata: impl IntoIterator<Item = Metadata>) {
        let mut known = self.metadata.write().unwrap_or_else(PoisonError::into_inner);
        known.extend(metadata.into_iter().map(|it| (it.metric.clone(), it)));
    }

    /// What metrics are, by name.
    pub(in crate::store) fn metadata(&self) -> RwLockReadGuard<'_, BTreeMap<String, Metadata>> {
        self.metadata.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes held.
    pub(in crate::store) fn bytes(&self) -> usize {
        let order = self.order.lock().unwrap_or_else(PoisonError::into_inner).bytes();
        self.cache.bytes() + self.with(Index::bytes) + order
    }
}

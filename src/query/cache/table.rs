//! What is kept, and how much of it: the least lately used goes first.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use crate::model::{Generation, Scope};
use crate::query::annotations::Annotations;
use crate::query::matrix::Matrix;
use crate::query::steps::Steps;

/// What decides the value of a step, besides rows and its time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) tenant: u64,
    pub(super) table: crate::model::Table,
    /// The question, printed.
    pub(super) text: String,
    /// ms.
    pub(super) step: i64,
    /// What is left of a step's time when whole steps are taken away, ms.
    pub(super) phase: i64,
    /// ms.
    pub(super) lookback: i64,
    /// Of subqueries that name none, ms.
    pub(super) default_step: i64,
}

impl Key {
    pub(super) fn new(scope: Scope, text: String, steps: Steps, times: (i64, i64)) -> Self {
        let (lookback, default_step) = times;
        let phase = steps.start.rem_euclid(steps.step);
        let (tenant, table) = (u64::from(scope.tenant.0), scope.table);
        Self { tenant, table, text, step: steps.step, phase, lookback, default_step }
    }
}

/// The result of a question at some steps in a row.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) matrix: Arc<Matrix>,
    pub(super) steps: Steps,
    /// No row that it depends on had changed after this.
    pub(super) stamp: Generation,
    /// Of which series its sums of several runs are; 0 where there are none.
    pub(super) rounding: u64,
    /// What is to be said, with the steps that it is to be said of.
    pub(super) notes: Annotations,
    /// The question as it was written: notes have places in it.
    pub(super) written: String,
    /// Steps of the longest question it served.
    pub(super) asked_max: usize,
    pub(super) bytes: usize,
}

struct Slot {
    kept: Arc<Kept>,
    used: u64,
}

#[derive(Default)]
struct Table {
    slots: HashMap<Arc<Key>, Slot>,
    /// By when they were used last.
    order: BTreeMap<u64, Arc<Key>>,
    clock: u64,
    bytes: usize,
    bytes_max: usize,
    /// Of keys that began between whole steps.
    seen: HashSet<u64>,
}

/// Keys that are known to have been asked for; 64 KiB.
const SEEN_MAX: usize = 4096;

/// Results that are kept, within a limit of bytes.
pub struct ResultCache {
    table: Mutex<Table>,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    hits: AtomicU64,
    partial_hits: AtomicU64,
    misses: AtomicU64,
    steps_kept: AtomicU64,
    steps_evaluated: AtomicU64,
    evictions: AtomicU64,
}

/// What a cache counted so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResultCounters {
    /// Questions of which every step was kept.
    pub hits: u64,
    /// Questions of which some steps were kept.
    pub partial_hits: u64,
    /// Questions that may be kept and of which no step was.
    pub misses: u64,
    /// Steps that were kept.
    pub steps_kept: u64,
    /// Steps of such questions that had to be evaluated.
    pub steps_evaluated: u64,
    /// Results that went to make room.
    pub evictions: u64,
    /// Results held now.
    pub entries: u64,
    /// Bytes held now.
    pub bytes: u64,
}

impl std::fmt::Debug for ResultCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResultCache").field("counters", &self.counters()).finish_non_exhaustive()
    }
}

impl ResultCache {
    /// Nothing is kept yet, and at most so many bytes ever.
    pub fn new(bytes_max: usize) -> Self {
        let table = Table { bytes_max, ..Table::default() };
        Self { table: Mutex::new(table), counts: Counts::default() }
    }

    /// Keeps at most so many bytes from now on.
    pub fn set_bytes_max(&self, bytes_max: usize) {
        let mut table = self.table();
        table.bytes_max = bytes_max;
        let gone = table.make_room(0);
        self.counts.evictions.fetch_add(gone, Relaxed);
    }

    /// What was counted so far.
    pub fn counters(&self) -> ResultCounters {
        let (entries, bytes) = {
            let table = self.table();
            (table.slots.len() as u64, table.bytes as u64)
        };
        let read = |counter: &AtomicU64| counter.load(Relaxed);
        ResultCounters {
            hits: read(&self.counts.hits),
            partial_hits: read(&self.counts.partial_hits),
            misses: read(&self.counts.misses),
            steps_kept: read(&self.counts.steps_kept),
            steps_evaluated: read(&self.counts.steps_evaluated),
            evictions: read(&self.counts.evictions),
            entries,
            bytes,
        }
    }

    pub(super) fn find(&self, key: &Key) -> Option<Arc<Kept>> {
        let mut guard = self.table();
        let table = &mut *guard;
        table.clock += 1;
        let now = table.clock;
        let (shared, _) = table.slots.get_key_value(key)?;
        let shared = Arc::clone(shared);
        let slot = table.slots.get_mut(key)?;
        table.order.remove(&slot.used);
        slot.used = now;
        table.order.insert(now, shared);
        Some(Arc::clone(&slot.kept))
    }

    /// Keeps a result in place of what was kept under the key. One that would take an eighth of all
    /// there is would push too many others out.
    pub(super) fn keep(&self, key: Key, kept: Kept) {
        let mut guard = self.table();
        let table = &mut *guard;
        table.remove(&key);
        if key.phase != 0 && table.is_first(&key) {
            return;
        }
        let bytes = kept.bytes + key.text.len() + 256;
        if bytes > table.bytes_max / 8 {
            return;
        }
        let gone = table.make_room(bytes);
        self.counts.evictions.fetch_add(gone, Relaxed);
        table.clock += 1;
        let key = Arc::new(key);
        table.bytes += bytes;
        table.order.insert(table.clock, Arc::clone(&key));
        let kept = Arc::new(Kept { bytes, ..kept });
        table.slots.insert(key, Slot { kept, used: table.clock });
    }

    /// Lets go what was kept under the key.
    pub(super) fn forget(&self, key: &Key) {
        self.table().remove(key);
    }

    /// Counts a question, of whose steps so many were kept.
    pub(super) fn count(&self, kept: usize, evaluated: usize) {
        let counter = match (kept, evaluated) {
            (0, _) => &self.counts.misses,
            (_, 0) => &self.counts.hits,
            _ => &self.counts.partial_hits,
        };
        counter.fetch_add(1, Relaxed);
        self.counts.steps_kept.fetch_add(kept as u64, Relaxed);
        self.counts.steps_evaluated.fetch_add(evaluated as u64, Relaxed);
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Whether the key was not asked for lately. Boards round their times to whole steps; who does not
    /// is most likely asking once.
    fn is_first(&mut self, key: &Key) -> bool {
        if self.seen.len() >= SEEN_MAX {
            self.seen.clear();
        }
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        self.seen.insert(hasher.finish())
    }

    fn remove(&mut self, key: &Key) {
        if let Some(slot) = self.slots.remove(key) {
            self.order.remove(&slot.used);
            self.bytes -= slot.kept.bytes;
        }
    }

    /// Lets results go until there is room for `bytes`; how many.
    fn make_room(&mut self, bytes: usize) -> u64 {
        let mut gone = 0;
        while self.bytes + bytes > self.bytes_max {
            let Some((_, key)) = self.order.pop_first() else { break };
            self.remove(&key);
            gone += 1;
        }
        gone
    }
}

//! Verified pages in memory, never more than so many bytes.
//!
//! Second chance: the oldest page goes first, unless it was asked for since it was last looked at.
//! Corbató, "A Paging Experiment with the Multics System", 1968.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Shards of a large cache, so that threads seldom wait for each other.
const SHARDS_MAX: usize = 16;

/// Below this, a shard would hold too few pages to choose from.
const SHARD_BYTES_MIN: usize = 1 << 20;

/// A cache of pages that many readers share. It counts the bytes of pages, not its own tables,
/// which are below 1/500 of them.
pub struct PageCache {
    shards: Box<[Mutex<Shard>]>,
    shard_bytes_max: usize,
    files: AtomicU64,
    hits: AtomicU64,
    misses: AtomicU64,
}

type Key = (u64, usize);

#[derive(Default)]
struct Shard {
    pages: HashMap<Key, Slot>,
    /// Every key of `pages` once, the next to go in front.
    order: VecDeque<Key>,
    bytes: usize,
}

struct Slot {
    page: Arc<[u8]>,
    wanted: bool,
}

impl PageCache {
    /// A cache that holds up to `bytes` of pages; 0 keeps none.
    pub fn new(bytes: usize) -> Self {
        let count = (bytes / SHARD_BYTES_MIN).clamp(1, SHARDS_MAX);
        Self {
            shards: (0..count).map(|_| Mutex::default()).collect(),
            shard_bytes_max: bytes / count,
            files: AtomicU64::new(0),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// Bytes of the pages held. Lent pages that were driven out live on until given back.
    pub fn bytes(&self) -> usize {
        self.shards.iter().map(|shard| locked(shard).bytes).sum()
    }

    /// How often a page was found here, and how often it had to be read.
    pub fn hits_and_misses(&self) -> (u64, u64) {
        (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed))
    }

    /// A number under which a reader keeps its pages.
    pub(super) fn new_file(&self) -> u64 {
        self.files.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn get(&self, file: u64, page: usize) -> Option<Arc<[u8]>> {
        let mut shard = self.shard((file, page))?;
        let found = shard.pages.get_mut(&(file, page)).map(|slot| {
            slot.wanted = true;
            Arc::clone(&slot.page)
        });
        let count = if found.is_some() { &self.hits } else { &self.misses };
        count.fetch_add(1, Ordering::Relaxed);
        found
    }

    pub(super) fn insert(&self, file: u64, page: usize, bytes: &Arc<[u8]>) {
        let Some(mut shard) = self.shard((file, page)) else { return };
        let Some(bytes_max) = self.shard_bytes_max.checked_sub(bytes.len()) else { return };
        // Another thread may have read the same page meanwhile.
        if shard.pages.contains_key(&(file, page)) {
            return;
        }
        shard.evict_to(bytes_max);
        shard.bytes += bytes.len();
        shard.order.push_back((file, page));
        shard.pages.insert((file, page), Slot { page: Arc::clone(bytes), wanted: false });
    }

    /// Lets go of the pages of a reader that is no more.
    pub(super) fn forget(&self, file: u64) {
        for shard in &self.shards {
            locked(shard).forget(file);
        }
    }

    fn shard(&self, (file, page): Key) -> Option<MutexGuard<'_, Shard>> {
        // Neighbouring pages in different shards, and files not all beginning in the first.
        let mixed = file.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(32);
        let index = mixed.wrapping_add(page as u64) % self.shards.len() as u64;
        self.shards.get(usize::try_from(index).ok()?).map(locked)
    }
}

impl Shard {
    fn evict_to(&mut self, bytes_max: usize) {
        while self.bytes > bytes_max
            && let Some(key) = self.order.pop_front()
        {
            match self.pages.get_mut(&key) {
                Some(slot) if slot.wanted => {
                    slot.wanted = false;
                    self.order.push_back(key);
                }
                _ => self.drop_page(key),
            }
        }
    }

    fn drop_page(&mut self, key: Key) {
        if let Some(slot) = self.pages.remove(&key) {
            self.bytes -= slot.page.len();
        }
    }

    fn forget(&mut self, file: u64) {
        let (gone, kept): (VecDeque<Key>, _) = self.order.drain(..).partition(|key| key.0 == file);
        self.order = kept;
        for key in gone {
            self.drop_page(key);
        }
    }
}

impl fmt::Debug for PageCache {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes_max = self.shard_bytes_max * self.shards.len();
        write!(out, "PageCache({} of {bytes_max} bytes)", self.bytes())
    }
}

fn locked(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

//! From label bytes as a sender wrote them to the series: what makes a warm sample cheap.
//!
//! A key is a 128-bit hash with a secret of this process, so that no sender can make two label sets
//! meet, and no bytes need be kept: 24 bytes an entry. Bounded: of two generations the older is
//! dropped when the younger is full, and what is still asked for moves over.

use std::sync::Mutex;

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_128_with_secret;

use crate::model::{Door, SeriesKey, SeriesRef, TenantId};

/// So that no table is large when it grows, and writers seldom meet.
const SHARDS: usize = 64;

/// The two halves of a key, and the series. Not a `u128`, which would be aligned to 16 bytes.
#[derive(Clone, Copy, Debug)]
struct Entry {
    high: u64,
    low: u64,
    series: u64,
}

impl Entry {
    fn new(key: SeriesKey, series: SeriesRef) -> Self {
        Self { high: (key.0 >> 64) as u64, low: low(key), series: series.0 }
    }

    fn is(&self, key: SeriesKey) -> bool {
        self.low == low(key) && self.high == (key.0 >> 64) as u64
    }
}

#[expect(clippy::cast_possible_truncation, reason = "half of it is wanted")]
fn low(key: SeriesKey) -> u64 {
    key.0 as u64
}

#[derive(Debug, Default)]
struct Shard {
    young: HashTable<Entry>,
    old: HashTable<Entry>,
}

/// Keys of label bytes, bound to series.
#[derive(Debug)]
pub(in crate::store) struct LabelCache {
    secret: Box<[u8; 192]>,
    shards: Box<[Mutex<Shard>]>,
    /// Entries that one generation of a shard may have.
    generation_max: usize,
}

impl LabelCache {
    /// Empty, for at most about `entries_max` keys.
    pub(in crate::store) fn new(seed: u128, entries_max: usize) -> Self {
        let mut secret = Box::new([0; 192]);
        for (index, chunk) in secret.chunks_mut(16).enumerate() {
            let part = xxhash_rust::xxh3::xxh3_128_with_seed(&seed.to_le_bytes(), index as u64);
            chunk.copy_from_slice(&part.to_le_bytes());
        }
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { secret, shards, generation_max: (entries_max / SHARDS / 2).max(1024) }
    }

    /// The key of `bytes`, which differs by tenant and door.
    pub(in crate::store) fn key(&self, tenant: TenantId, door: Door, bytes: &[u8]) -> SeriesKey {
        let hash = xxh3_128_with_secret(bytes, &*self.secret);
        let domain = u128::from(tenant.0) << 8 | u128::from(door as u8);
        // The hash is uniform: adding a multiple of an odd number keeps domains apart.
        SeriesKey(hash.wrapping_add(domain.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)))
    }

    fn shard(&self, key: SeriesKey) -> Option<std::sync::MutexGuard<'_, Shard>> {
        // Not bits of the half that the tables hash by: those must differ within a shard.
        let shard = self.shards.get((key.0 >> 64) as u64 as usize % SHARDS)?;
        Some(shard.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// The series that `key` was bound to.
    pub(in crate::store) fn find(&self, key: SeriesKey) -> Option<SeriesRef> {
        let mut shard = self.shard(key)?;
        if let Some(entry) = shard.young.find(low(key), |entry| entry.is(key)) {
            return Some(SeriesRef(entry.series));
        }
        let entry = *shard.old.find(low(key), |entry| entry.is(key))?;
        self.insert(&mut shard, entry);
        Some(SeriesRef(entry.series))
    }

    /// Remembers that `key` stands for `series`.
    pub(in crate::store) fn bind(&self, key: SeriesKey, series: SeriesRef) {
        if let Some(mut shard) = self.shard(key) {
            if let Some(entry) = shard.young.find_mut(low(key), |entry| entry.is(key)) {
                entry.series = series.0;
                return;
            }
            self.insert(&mut shard, Entry::new(key, series));
        }
    }

    fn insert(&self, shard: &mut Shard, entry: Entry) {
        if shard.young.len() >= self.generation_max {
            shard.old = std::mem::take(&mut shard.young);
        }
        shard.young.insert_unique(entry.low, entry, |entry| entry.low);
    }

    /// Forgets everything: refs were retired.
    pub(in crate::store) fn clear(&self) {
        for shard in &self.shards {
            *shard.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Shard::default();
        }
    }

    /// Bytes held.
    pub(in crate::store) fn bytes(&self) -> usize {
        let of = |shard: &Mutex<Shard>| {
            let shard = shard.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            (shard.young.capacity() + shard.old.capacity()) * 29
        };
        self.shards.iter().map(of).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_by_bytes_door_and_tenant() {
        let cache = LabelCache::new(1, 1 << 20);
        let key = |tenant, door, bytes: &[u8]| cache.key(TenantId(tenant), door, bytes);
        let keys = [
            key(0, Door::RemoteWrite, b"a"),
            key(0, Door::RemoteWrite, b"b"),
            key(1, Door::RemoteWrite, b"a"),
            key(0, Door::Line, b"a"),
            key(0, Door::RemoteWrite, &[b'a'; 300]),
        ];
        for (i, left) in keys.iter().enumerate() {
            assert!(keys.iter().skip(i + 1).all(|right| left != right));
        }
        assert_ne!(LabelCache::new(2, 1).key(TenantId(0), Door::RemoteWrite, b"a"), keys[0]);
    }

    #[test]
    fn what_is_asked_for_stays_when_the_cache_is_full() {
        let cache = LabelCache::new(1, 0);
        let key = |number: u64| cache.key(TenantId(0), Door::Own, &number.to_le_bytes());
        for number in 0..300_000 {
            cache.bind(key(number), SeriesRef(number));
            assert_eq!(cache.find(key(0)), Some(SeriesRef(0)), "after {number}");
        }
        assert_eq!(cache.find(key(1)), None);
        assert!(cache.bytes() < 64 * 2 * 2048 * 29 + 1);
    }
}

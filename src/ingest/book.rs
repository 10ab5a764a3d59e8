//! A registry in memory that can be read back.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::{
    Door, Error, Label, Labels, Registry, SeriesKey, SeriesRef, TenantId, TimeRange,
};

/// Series written down as they are registered: shows what a body becomes, without a store.
///
/// For explaining formats, tests and benchmarks. Its keys have no secret.
#[derive(Debug)]
pub struct LabelBook {
    window: TimeRange,
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    labels: Vec<Labels>,
    refs: HashMap<(TenantId, Labels), SeriesRef>,
    bound: HashMap<SeriesKey, SeriesRef>,
}

impl Default for LabelBook {
    fn default() -> Self {
        Self::new(TimeRange::ALL)
    }
}

impl LabelBook {
    /// An empty one that takes rows in `window`.
    pub fn new(window: TimeRange) -> Self {
        Self { window, pages: Mutex::default() }
    }

    /// The labels of a series it gave.
    pub fn labels(&self, series: SeriesRef) -> Option<Labels> {
        self.pages().labels.get(usize::try_from(series.0).ok()?).cloned()
    }

    /// How many series there are.
    pub fn len(&self) -> usize {
        self.pages().labels.len()
    }

    /// Whether nothing was registered yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registry for LabelBook {
    fn key(&self, tenant: TenantId, door: Door, bytes: &[u8]) -> SeriesKey {
        fold(u64::from(tenant.0) << 8 | door as u64, bytes)
    }

    fn find(&self, key: SeriesKey) -> Option<SeriesRef> {
        self.pages().bound.get(&key).copied()
    }

    fn register(
        &self,
        tenant: TenantId,
        sets: &[&[Label<'_>]],
        refs: &mut Vec<SeriesRef>,
    ) -> Result<(), Error> {
        let mut pages = self.pages();
        for set in sets {
            let labels = Labels::from_sorted(set);
            let next = SeriesRef(pages.labels.len() as u64);
            let series = *pages.refs.entry((tenant, labels.clone())).or_insert(next);
            if series == next {
                pages.labels.push(labels);
            }
            refs.push(series);
        }
        Ok(())
    }

    fn bind(&self, key: SeriesKey, series: SeriesRef) {
        self.pages().bound.insert(key, series);
    }

    fn window(&self) -> TimeRange {
        self.window
    }
}

/// Two lanes of folded multiplication, each over every other 16 bytes, mixed at the end; the idea is
/// that of wyhash (Wang Yi).
fn fold(seed: u64, bytes: &[u8]) -> SeriesKey {
    const MULTIPLIERS: [u64; 4] = [
        0xa076_1d64_78bd_642f,
        0xe703_7ed1_a0b4_28db,
        0x8ebc_6af0_9c88_c6e3,
        0x5899_65cc_7537_4cc3,
    ];
    let [a, b, c, d] = MULTIPLIERS;
    let (mut left, mut right) =
        (seed.wrapping_mul(d) ^ a, (bytes.len() as u64).wrapping_mul(c) ^ b);
    let mut mix = |block: &[u8; 32]| {
        let (words, _) = block.as_chunks::<8>();
        if let [w, x, y, z] = words {
            left = multiply(u64::from_le_bytes(*w) ^ left, u64::from_le_bytes(*x) ^ c);
            right = multiply(u64::from_le_bytes(*y) ^ right, u64::from_le_bytes(*z) ^ d);
        }
    };
    let (blocks, rest) = bytes.as_chunks::<32>();
    blocks.iter().for_each(&mut mix);
    let mut last = [0; 32];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    mix(&last);
    let (high, low) = (multiply(left ^ b, right ^ c), multiply(right ^ a, left ^ d));
    SeriesKey(u128::from(high) << 64 | u128::from(low))
}

#[expect(clippy::cast_possible_truncation, reason = "the low half is what is asked for")]
fn low(word: u128) -> u64 {
    word as u64
}

fn multiply(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    low(product) ^ low(product >> 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_labels_are_one_series_and_new_ones_follow_each_other() {
        let book = LabelBook::default();
        let tenant = TenantId::default();
        let mut refs = Vec::new();
        book.register(tenant, &[&[("a", "1")], &[("a", "2")], &[("a", "1")]], &mut refs).unwrap();
        assert_eq!(refs, [SeriesRef(0), SeriesRef(1), SeriesRef(0)]);
        assert_eq!(book.labels(SeriesRef(1)).unwrap().get("a"), Some("2"));
        assert_eq!(book.len(), 2);
    }

    #[test]
    fn keys_differ_by_tenant_door_length_and_every_byte() {
        let book = LabelBook::default();
        let mut keys = Vec::new();
        for tenant in [0, 1] {
            for door in [Door::RemoteWrite, Door::Line] {
                for size in 0..40 {
                    keys.push(book.key(TenantId(tenant), door, &vec![0; size]));
                    for at in 0..size {
                        let mut bytes = vec![0; size];
                        bytes[at] = 1;
                        keys.push(book.key(TenantId(tenant), door, &bytes));
                    }
                }
            }
        }
        let count = keys.len();
        keys.sort_unstable_by_key(|key| key.0);
        keys.dedup();
        assert_eq!(keys.len(), count);
    }
}

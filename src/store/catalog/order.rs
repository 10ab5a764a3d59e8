//! Pairs and series of the catalog in label order, kept: to select many is not to sort them.
//!
//! Made when first asked for. What was registered since is sorted and merged in; only a retirement
//! makes it anew.

use std::cmp::Ordering;

use super::{
    index::{Index, Slot},
    pairs::PairId,
};

/// An order of all that was registered at one moment.
#[derive(Debug, Default)]
pub(in crate::store) struct CatalogOrder {
    /// The pairs by name, then value.
    pairs: Vec<PairId>,
    /// The place of each pair among them.
    ranks: Vec<u32>,
    /// The series by labels.
    slots: Vec<Slot>,
}

impl CatalogOrder {
    /// Whether nothing was registered since.
    pub(super) fn is_of(&self, index: &Index) -> bool {
        self.pairs.len() == index.pairs().len() && self.slots.len() == index.len() as usize
    }

    /// This, and what was registered since.
    pub(super) fn grown(&self, index: &Index) -> Self {
        let all = u32::try_from(index.pairs().len()).unwrap_or(u32::MAX);
        let mut new: Vec<PairId> = (number(self.pairs.len())..all).collect();
        let texts = |a: &PairId, b: &PairId| index.pairs().text(*a).cmp(&index.pairs().text(*b));
        new.sort_unstable_by(texts);
        let pairs = merged(&self.pairs, &new, texts);
        let mut ranks = vec![0; pairs.len()];
        for (rank, pair) in (0..).zip(&pairs) {
            if let Some(place) = ranks.get_mut(*pair as usize) {
                *place = rank;
            }
        }
        let rank = |pair: &PairId| ranks.get(*pair as usize).copied().unwrap_or(u32::MAX);
        let labels = |a: &Slot, b: &Slot| {
            index.list(*a).iter().map(rank).cmp(index.list(*b).iter().map(rank))
        };
        let mut new: Vec<Slot> = (number(self.slots.len())..index.len()).collect();
        new.sort_unstable_by(labels);
        let slots = merged(&self.slots, &new, labels);
        Self { pairs, ranks, slots }
    }

    /// The place of a pair among all, by name, then value.
    pub(in crate::store) fn rank(&self, pair: PairId) -> u32 {
        self.ranks.get(pair as usize).copied().unwrap_or(u32::MAX)
    }

    /// All series by labels; those that were retired anywhere.
    pub(in crate::store) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        (self.pairs.capacity() + self.ranks.capacity() + self.slots.capacity()) * 4
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Both sorted runs as one. Each of `new` is searched for: mostly they are few.
fn merged(old: &[u32], new: &[u32], order: impl Fn(&u32, &u32) -> Ordering) -> Vec<u32> {
    let mut all = Vec::with_capacity(old.len() + new.len());
    let mut rest = old;
    for one in new {
        let count = rest.partition_point(|it| order(it, one) == Ordering::Less);
        let (before, behind) = rest.split_at(count);
        all.extend_from_slice(before);
        all.push(*one);
        rest = behind;
    }
    all.extend_from_slice(rest);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_that_grew_is_that_of_all() {
        let mut index = Index::new(9);
        let mut order = CatalogOrder::default();
        for i in 0..500_u64 {
            let (host, zone) = (format!("h{}", i * 7919 % 311), format!("z{}", i % 5));
            index.insert(&[("__name__", "up"), ("host", &host), ("zone", &zone)], i + 1).unwrap();
            if i % 83 == 0 {
                order = order.grown(&index);
            }
        }
        assert!(!order.is_of(&index));
        let order = order.grown(&index);
        assert!(order.is_of(&index));
        let labels: Vec<_> = order.slots().iter().map(|slot| index.labels(*slot)).collect();
        assert_eq!(labels.len(), index.len() as usize);
        assert!(labels.is_sorted(), "series are by labels");
        let texts: Vec<_> = order.pairs.iter().map(|pair| index.pairs().text(*pair)).collect();
        assert!(texts.is_sorted_by(|a, b| a < b), "pairs are by name, then value");
        let ranks = (0..).zip(&order.pairs).all(|(rank, pair)| order.rank(*pair) == rank);
        assert!(ranks, "each pair knows its place");
    }
}

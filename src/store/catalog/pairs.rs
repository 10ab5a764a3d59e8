//! Names and values of labels, each text kept once.
//!
//! A pair is a name with a value, numbered in the order of first sight; series are lists of pair
//! numbers, postings hang on pairs.

use std::collections::HashMap;

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::model::Label;

/// The number of a pair.
pub(in crate::store) type PairId = u32;

/// A text in the arena.
#[derive(Clone, Copy, Debug)]
struct Place {
    at: u32,
    length: u32,
}

#[derive(Debug)]
struct Pair {
    name: u32,
    value: Place,
}

#[derive(Debug)]
struct Name {
    text: Box<str>,
    /// Its pairs, in the order of first sight.
    pairs: Vec<PairId>,
}

/// All pairs of a store.
#[derive(Debug)]
pub(in crate::store) struct Pairs {
    seed: u64,
    text: String,
    entries: Vec<Pair>,
    table: HashTable<PairId>,
    names: Vec<Name>,
    name_numbers: HashMap<Box<str>, u32>,
}

impl Pairs {
    /// None yet. `seed` keeps senders from choosing values whose hashes meet.
    pub(in crate::store) fn new(seed: u64) -> Self {
        Self {
            seed,
            text: String::new(),
            entries: Vec::new(),
            table: HashTable::new(),
            names: Vec::new(),
            name_numbers: HashMap::new(),
        }
    }

    /// How many there are.
    pub(in crate::store) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The number of a pair that is there.
    pub(in crate::store) fn find(&self, (name, value): Label<'_>) -> Option<PairId> {
        let name = *self.name_numbers.get(name)?;
        self.find_value(name, value, self.hash(name, value))
    }

    fn find_value(&self, name: u32, value: &str, hash: u64) -> Option<PairId> {
        let is_it = |id: &PairId| {
            self.entries
                .get(*id as usize)
                .is_some_and(|pair| pair.name == name && self.at(pair.value) == value)
        };
        self.table.find(hash, is_it).copied()
    }

    /// The number of a pair, given now if it is new. None where the arena or the numbers are full.
    pub(in crate::store) fn intern(&mut self, (name, value): Label<'_>) -> Option<PairId> {
        let number = match self.name_numbers.get(name) {
            Some(number) => *number,
            None => self.add_name(name)?,
        };
        let hash = self.hash(number, value);
        if let Some(id) = self.find_value(number, value, hash) {
            return Some(id);
        }
        let id = PairId::try_from(self.entries.len()).ok()?;
        let at = u32::try_from(self.text.len()).ok()?;
        let value_place = Place { at, length: u32::try_from(value.len()).ok()? };
        u32::try_from(self.text.len() + value.len()).ok()?;
        self.text.push_str(value);
        self.entries.push(Pair { name: number, value: value_place });
        self.names.get_mut(number as usize)?.pairs.push(id);
        let (pairs, text, seed) = (&self.entries, &self.text, self.seed);
        self.table.insert_unique(hash, id, |id| {
            pairs
                .get(*id as usize)
                .map_or(0, |pair| hash_of(seed, pair.name, slice(text, pair.value)))
        });
        Some(id)
    }

    fn add_name(&mut self, name: &str) -> Option<u32> {
        let number = u32::try_from(self.names.len()).ok()?;
        self.names.push(Name { text: name.into(), pairs: Vec::new() });
        self.name_numbers.insert(name.into(), number);
        Some(number)
    }

    fn hash(&self, name: u32, value: &str) -> u64 {
        hash_of(self.seed, name, value)
    }

    fn at(&self, place: Place) -> &str {
        slice(&self.text, place)
    }

    /// Name and value; empty where there is no such number.
    pub(in crate::store) fn text(&self, id: PairId) -> Label<'_> {
        let Some(pair) = self.entries.get(id as usize) else { return ("", "") };
        let name = self.names.get(pair.name as usize).map_or("", |name| &*name.text);
        (name, self.at(pair.value))
    }

    /// All label names, in no order.
    pub(in crate::store) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &*name.text)
    }

    /// The pairs of a name, in the order of first sight.
    pub(in crate::store) fn of_name(&self, name: &str) -> &[PairId] {
        let number = self.name_numbers.get(name);
        number.and_then(|number| self.names.get(*number as usize)).map_or(&[], |name| &name.pairs)
    }

    /// Bytes held.
    pub(in crate::store) fn bytes(&self) -> usize {
        self.text.capacity()
            + self.entries.capacity() * size_of::<Pair>()
            + self.table.capacity() * 5
            + self
                .names
                .iter()
                .map(|name| name.text.len() * 2 + name.pairs.capacity() * 4 + 64)
                .sum::<usize>()
    }
}

fn slice(text: &str, place: Place) -> &str {
    let begin = place.at as usize;
    text.get(begin..begin + place.length as usize).unwrap_or_default()
}

fn hash_of(seed: u64, name: u32, value: &str) -> u64 {
    xxh3_64_with_seed(value.as_bytes(), seed ^ u64::from(name).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_has_one_number_and_its_text() {
        let mut pairs = Pairs::new(1);
        let ids: Vec<_> =
            (0..1000).map(|i| pairs.intern(("host", &format!("h{}", i % 500))).unwrap()).collect();
        assert_eq!((pairs.len(), ids[0], ids[500]), (500, 0, 0));
        assert_eq!(pairs.text(ids[7]), ("host", "h7"));
        assert_eq!(pairs.find(("host", "h499")), Some(499));
        assert_eq!(pairs.find(("job", "h499")), None);
        assert_eq!(pairs.of_name("host").len(), 500);
    }
}

//! Which series have a pair: a sorted list that only grows at its end.

use roaring::RoaringBitmap;

/// Past this many a bitmap is smaller than a list.
const LIST_MAX: usize = 4096;

/// Numbers of series, rising.
#[derive(Debug)]
pub(super) enum Postings {
    /// One or two: most pairs of a store whose values are unique.
    Few([u32; 2], u8),
    /// Up to [`LIST_MAX`].
    List(Vec<u32>),
    /// More.
    Map(Box<RoaringBitmap>),
}

impl Postings {
    /// None yet.
    pub(super) const NONE: Self = Self::Few([0; 2], 0);

    /// Adds a number that is above all that are there.
    pub(super) fn push(&mut self, number: u32) {
        match self {
            Self::Few(few, count) => match few.get_mut(usize::from(*count)) {
                Some(place) => {
                    *place = number;
                    *count += 1;
                }
                None => *self = Self::List([few.as_slice(), &[number]].concat()),
            },
            Self::List(list) if list.len() < LIST_MAX => {
                // Growing by half instead of doubling: these lists are most of an index's memory.
                if list.len() == list.capacity() {
                    list.reserve_exact(list.len() / 2);
                }
                list.push(number);
            }
            Self::List(list) => {
                let mut map: RoaringBitmap = list.iter().copied().collect();
                map.insert(number);
                *self = Self::Map(Box::new(map));
            }
            Self::Map(map) => {
                map.insert(number);
            }
        }
    }

    /// Takes numbers away.
    pub(super) fn remove(&mut self, gone: &RoaringBitmap) {
        match self {
            Self::Few(few, count) => {
                let kept: Vec<u32> = few
                    .iter()
                    .take(usize::from(*count))
                    .filter(|it| !gone.contains(**it))
                    .copied()
                    .collect();
                *self = Self::NONE;
                for number in kept {
                    self.push(number);
                }
            }
            Self::List(list) => {
                list.retain(|number| !gone.contains(*number));
                list.shrink_to_fit();
            }
            Self::Map(map) => {
                **map -= gone;
                if map.len() < LIST_MAX as u64 / 2 {
                    *self = Self::List(map.iter().collect());
                }
            }
        }
    }

    /// Adds all numbers to `out`.
    pub(super) fn add_to(&self, out: &mut RoaringBitmap) {
        match self {
            Self::Few(few, count) => out.extend(few.iter().take(usize::from(*count))),
            Self::List(list) => out.extend(list),
            Self::Map(map) => *out |= &**map,
        }
    }

    /// Whether any of the numbers is wanted.
    pub(super) fn any(&self, mut is_wanted: impl FnMut(u32) -> bool) -> bool {
        match self {
            Self::Few(few, count) => few.iter().take(usize::from(*count)).any(|it| is_wanted(*it)),
            Self::List(list) => list.iter().any(|it| is_wanted(*it)),
            Self::Map(map) => map.iter().any(is_wanted),
        }
    }

    /// How many.
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Few(_, count) => u64::from(*count),
            Self::List(list) => list.len() as u64,
            Self::Map(map) => map.len(),
        }
    }

    /// Bytes held besides itself.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Few(..) => 0,
            Self::List(list) => list.capacity() * 4,
            Self::Map(map) => map.serialized_size(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_removed_is_gone_and_more_can_be_pushed() {
        for count in [1_u32, 2, 100, 9000] {
            let mut postings = Postings::NONE;
            (0..count).for_each(|number| postings.push(number));
            postings.remove(&(0..count).filter(|number| number % 10 != 1).collect());
            postings.push(count);
            let mut all = RoaringBitmap::new();
            postings.add_to(&mut all);
            assert!(
                all.iter().eq((0..count).filter(|number| number % 10 == 1).chain([count])),
                "{count}"
            );
        }
    }

    #[test]
    fn lists_of_any_length_give_back_what_was_pushed() {
        for count in [0_u32, 1, 2, 3, 4096, 4097, 9000] {
            let mut postings = Postings::NONE;
            (0..count).for_each(|number| postings.push(number * 3));
            let mut all = RoaringBitmap::new();
            postings.add_to(&mut all);
            assert_eq!(postings.len(), u64::from(count));
            assert!(all.iter().eq((0..count).map(|number| number * 3)));
        }
    }
}

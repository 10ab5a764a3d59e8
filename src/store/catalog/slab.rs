//! Short lists of numbers, one behind the other, in pieces that never move.

/// Numbers in one piece: 256 KiB, so that growing copies nothing and wastes little.
const PIECE: usize = 1 << 16;

/// Lists behind their lengths. A list never crosses from one piece into the next.
#[derive(Debug, Default)]
pub(super) struct Slab {
    pieces: Vec<Vec<u32>>,
    /// Lists of each piece in use.
    in_use: Vec<u32>,
}

impl Slab {
    /// Where the list now stands. None where it is longer than a piece, or the places are used up.
    pub(super) fn push(&mut self, list: &[u32]) -> Option<u32> {
        let length = u32::try_from(list.len()).ok().filter(|_| list.len() < PIECE)?;
        let has_room = self.pieces.last().is_some_and(|piece| piece.len() + list.len() < PIECE);
        if !has_room {
            // The first piece grows as it is needed: an empty store is small.
            let capacity = if self.pieces.is_empty() { 0 } else { PIECE };
            self.pieces.push(Vec::with_capacity(capacity));
            self.in_use.push(0);
        }
        let number = self.pieces.len() - 1;
        let piece = self.pieces.last_mut()?;
        let place = u32::try_from(number * PIECE + piece.len()).ok()?;
        piece.push(length);
        piece.extend_from_slice(list);
        *self.in_use.last_mut()? += 1;
        Some(place)
    }

    /// Gives a list up; a piece of which all lists are given up is freed.
    pub(super) fn release(&mut self, place: u32) {
        let number = place as usize / PIECE;
        let is_open = number + 1 == self.pieces.len();
        if let (Some(count), Some(piece)) =
            (self.in_use.get_mut(number), self.pieces.get_mut(number))
        {
            *count = count.saturating_sub(1);
            if *count == 0 && !is_open {
                *piece = Vec::new();
            }
        }
    }

    /// The list at a place that [`Self::push`] gave.
    pub(super) fn get(&self, place: u32) -> &[u32] {
        let (number, at) = (place as usize / PIECE, place as usize % PIECE);
        let rest = self.pieces.get(number).and_then(|piece| piece.get(at..)).unwrap_or_default();
        let Some((length, rest)) = rest.split_first() else { return &[] };
        rest.get(..*length as usize).unwrap_or_default()
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.pieces.iter().map(|piece| piece.capacity() * 4).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_all_lengths_come_back() {
        let mut slab = Slab::default();
        let list = |i: u32| vec![i; (i % 700) as usize];
        let places: Vec<u32> = (0..2000).map(|i| slab.push(&list(i)).unwrap()).collect();
        assert!((0..).zip(places).all(|(i, place)| slab.get(place) == list(i)));
        assert_eq!(slab.push(&vec![0; PIECE]), None);
    }
}

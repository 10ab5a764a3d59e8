//! Bits in bytes: the first bit is the lowest of the first byte.
//!
//! So a little-endian word read anywhere holds the next bits in order, and one load or store moves
//! 57 bits wherever they begin.
#![expect(
    clippy::cast_possible_truncation,
    reason = "shifts are below 64, bytes are cut off on purpose"
)]

use super::Error;

/// Bits that a [`Reader::peek`] is sure to show, wherever it begins.
pub(super) const PEEK_BITS: u32 = 57;

/// The lowest `width` bits set; `width` ≤ 64.
pub(super) const fn mask(width: u32) -> u64 {
    if width == 0 { 0 } else { u64::MAX >> (64 - width) }
}

/// How many bits `value` needs.
pub(super) const fn width_of(value: u64) -> u32 {
    64 - value.leading_zeros()
}

/// Writes the lowest `len` bits of `bits` (the others are zero) at bit `at`; keeps the bits before
/// it and may clear bits behind. The caller has seen to it that the bits fit: what does not is lost.
#[inline]
pub(super) fn put(buffer: &mut [u8], at: usize, bits: u64, len: u32) {
    let (byte, shift) = (at >> 3, at & 7);
    let Some(rest) = buffer.get_mut(byte..) else { return };
    let low = bits << shift;
    let high = ((bits >> 1) >> (63 - shift)) as u8;
    if let Some((slot, behind)) = rest.split_first_chunk_mut::<8>() {
        let kept = u64::from(slot[0]) & mask(shift as u32);
        *slot = (low | kept).to_le_bytes();
        if shift as u32 + len > 64
            && let Some(next) = behind.first_mut()
        {
            *next = high;
        }
    } else {
        put_last(rest, low, mask(shift as u32));
    }
}

/// [`put`] where fewer than eight bytes are left.
fn put_last(rest: &mut [u8], low: u64, keep: u64) {
    let kept = rest.first().map_or(0, |first| u64::from(*first) & keep);
    for (slot, byte) in rest.iter_mut().zip((low | kept).to_le_bytes()) {
        *slot = byte;
    }
}

/// Reads bits from a slice. Behind the end there are zeros; [`Reader::finish`] tells.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// The bit that comes next.
    pub(super) const fn position(&self) -> usize {
        self.at
    }

    /// The next bits, at least [`PEEK_BITS`] of them.
    #[inline]
    pub(super) fn peek(&self) -> u64 {
        load(self.bytes, self.at >> 3) >> (self.at & 7)
    }

    #[inline]
    pub(super) const fn skip(&mut self, len: u32) {
        self.at += len as usize;
    }

    /// The next `len` ≤ 64 bits.
    #[inline]
    pub(super) fn take(&mut self, len: u32) -> u64 {
        let (byte, shift) = (self.at >> 3, (self.at & 7) as u32);
        let mut bits = load(self.bytes, byte) >> shift;
        if shift + len > 64 {
            let next = self.bytes.get(byte + 8).copied().unwrap_or(0);
            bits |= u64::from(next) << (64 - shift);
        }
        self.skip(len);
        bits & mask(len)
    }

    /// How many bytes were used.
    ///
    /// # Errors
    /// [`Error::Truncated`] where bits were read that are not there.
    pub(super) fn finish(&self) -> Result<usize, Error> {
        let used = self.at.div_ceil(8);
        if used <= self.bytes.len() {
            Ok(used)
        } else {
            Err(Error::Truncated { len: self.bytes.len() })
        }
    }
}

/// The eight bytes at `byte`, little-endian; zeros where they are not there.
#[inline]
pub(super) fn load(bytes: &[u8], byte: usize) -> u64 {
    match bytes.get(byte..).and_then(|rest| rest.first_chunk::<8>()) {
        Some(word) => u64::from_le_bytes(*word),
        None => load_last(bytes.get(byte..).unwrap_or_default()),
    }
}

#[cold]
fn load_last(rest: &[u8]) -> u64 {
    let mut word = [0; 8];
    for (slot, byte) in word.iter_mut().zip(rest) {
        *slot = *byte;
    }
    u64::from_le_bytes(word)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bits_come_back(fields in prop::collection::vec((any::<u64>(), 0_u32..=64), 0..40)) {
            let total: u32 = fields.iter().map(|(_, len)| len).sum();
            let mut buffer = vec![0xff; (total as usize).div_ceil(8)];
            let mut at = 0;
            for (bits, len) in &fields {
                put(&mut buffer, at, bits & mask(*len), *len);
                at += *len as usize;
            }
            let mut reader = Reader::new(&buffer, 0);
            for (bits, len) in &fields {
                prop_assert_eq!(reader.peek() & mask(*len.min(&PEEK_BITS)), bits & mask(*len.min(&PEEK_BITS)));
                prop_assert_eq!(reader.take(*len), bits & mask(*len));
            }
            prop_assert_eq!(reader.finish(), Ok(buffer.len()));
            reader.skip(8);
            prop_assert_eq!(reader.finish(), Err(Error::Truncated { len: buffer.len() }));
        }
    }

    #[test]
    fn masks_and_widths_agree() {
        assert_eq!((mask(0), mask(1), mask(64)), (0, 1, u64::MAX));
        assert_eq!((width_of(0), width_of(1), width_of(u64::MAX)), (0, 1, 64));
    }
}

//! Bits in bytes: the first bit is the highest of the first byte.

use super::error::Fault;

/// Bits that [`Bits::peek`] is sure to show, wherever it begins.
pub(super) const PEEK_BITS: u32 = 57;

/// Reads bits from a slice. Behind the end there are zeros; [`Bits::finish`] tells.
#[derive(Clone, Copy)]
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    /// Begins at a byte.
    pub(super) const fn new(bytes: &'a [u8], byte: usize) -> Self {
        Self { bytes, at: byte * 8 }
    }

    /// The next bits, the first of them highest, at least [`PEEK_BITS`] of them.
    #[inline]
    pub(super) fn peek(&self) -> u64 {
        load(self.bytes, self.at >> 3) << (self.at & 7)
    }

    #[inline]
    pub(super) const fn skip(&mut self, count: u32) {
        self.at += count as usize;
    }

    /// The next bit.
    #[inline]
    pub(super) fn bit(&mut self) -> bool {
        let bit = self.peek() >> 63 == 1;
        self.skip(1);
        bit
    }

    /// The next `count` ≤ 64 bits.
    #[inline]
    pub(super) fn take(&mut self, count: u32) -> u64 {
        if count == 0 {
            return 0;
        }
        if count <= PEEK_BITS {
            let bits = self.peek() >> (64 - count);
            self.skip(count);
            return bits;
        }
        let high = self.take(count - 32);
        high << 32 | self.take(32)
    }

    /// The next 64 bits as a float.
    pub(super) fn float(&mut self) -> f64 {
        f64::from_bits(self.take(64))
    }

    /// A varint as Go writes it: seven bits a byte, the lowest first.
    pub(super) fn uvarint(&mut self) -> Result<u64, Fault> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(8);
            value |= (byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Fault::Contradiction("a varint has more than 64 bits"))
    }

    /// The same with a sign.
    pub(super) fn varint(&mut self) -> Result<i64, Fault> {
        let value = self.uvarint()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// A number in one of nine widths, by the ones before it.
    #[inline]
    pub(super) fn varbit_uint(&mut self) -> u64 {
        let width = self.varbit_width();
        self.take(width)
    }

    /// The same with a sign.
    #[inline]
    pub(super) fn varbit_int(&mut self) -> i64 {
        let width = self.varbit_width();
        signed(self.take(width), width)
    }

    #[inline]
    fn varbit_width(&mut self) -> u32 {
        const WIDTHS: [u32; 9] = [0, 3, 6, 9, 12, 18, 25, 56, 64];
        let ones = self.peek().leading_ones().min(8);
        self.skip((ones + 1).min(8));
        WIDTHS.get(ones as usize).copied().unwrap_or(64)
    }

    /// # Errors
    /// [`Fault::Truncated`] where bits were read that are not there.
    pub(super) const fn finish(&self) -> Result<(), Fault> {
        if self.at.div_ceil(8) <= self.bytes.len() {
            Ok(())
        } else {
            Err(Fault::Truncated("the rows of a chunk"))
        }
    }

    /// Bits that are left.
    pub(super) const fn left(&self) -> usize {
        (self.bytes.len() * 8).saturating_sub(self.at)
    }
}

/// Numbers of `width` bits of which the upper half is negative. The writer keeps the largest of the lower
/// half for 2^(width-1) itself, so that one is positive.
#[inline]
pub(super) const fn signed(bits: u64, width: u32) -> i64 {
    if width == 0 || width >= 64 || bits <= 1 << (width - 1) {
        return bits.cast_signed();
    }
    bits.wrapping_sub(1 << width).cast_signed()
}

/// The eight bytes at `byte`, the first highest; zeros where they are not there.
#[inline]
fn load(bytes: &[u8], byte: usize) -> u64 {
    match bytes.get(byte..).and_then(|rest| rest.first_chunk::<8>()) {
        Some(word) => u64::from_be_bytes(*word),
        None => load_last(bytes, byte),
    }
}

#[cold]
fn load_last(bytes: &[u8], byte: usize) -> u64 {
    let mut word = [0; 8];
    for (slot, byte) in word.iter_mut().zip(bytes.get(byte..).unwrap_or_default()) {
        *slot = *byte;
    }
    u64::from_be_bytes(word)
}

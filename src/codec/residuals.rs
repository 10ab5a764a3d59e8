//! Numbers near each other as distances from a base, packed in the width that costs least.
//!
//! The base is the lowest, or a middle with distances zigzagged: where a counter starts anew, one
//! difference lies far below all others. Where a few distances are wide, they are cut to the width
//! of the rest and their high bits stand apart ("patched").
//! Idea: Zukowski et al., ICDE 2006 (PFOR); the high bits apart are `NewPFD`'s: Yan, Ding, Suel,
//! WWW 2009.
//!
//! ```text
//!   base (zigzag varint) · width (1 byte, bit 7: zigzagged)
//!   patched only: count (varint) · width of the high bits (1 byte)
//!                 · positions, packed · high bits, packed
//!   the low bits of all, packed
//! ```

use super::Error;
use super::bits::{mask, width_of};
use super::pack::{Word, pack, packed_bytes, packed_width, unpack};
use super::varint::{decode_varint, encode_varint, unzigzag, varint_bytes, zigzag};

const ZIGZAG: u8 = 0x80;
/// Numbers looked at to find a middle.
const MIDDLE_SAMPLE: usize = 15;

/// The cheapest way found to write some numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Residuals {
    base: i64,
    zigzagged: bool,
    width: u32,
    high_width: u32,
    high_count: usize,
    /// What [`Residuals::encode`] will append.
    pub(super) bytes: usize,
}

impl Residuals {
    /// Asks each way what it would cost; `numbers` is not empty.
    pub(super) fn plan(numbers: &[i64]) -> Self {
        let (mut low, mut high) = (i64::MAX, i64::MIN);
        for number in numbers {
            low = low.min(*number);
            high = high.max(*number);
        }
        let widest = width_of(high.wrapping_sub(low).cast_unsigned());
        let plain = Self::plain(numbers.len(), low, widest);
        if widest == 0 {
            return plain;
        }
        let mut best = plain;
        for (base, zigzagged) in [(low, false), (middle(numbers), true)] {
            let patched = Self::patched(numbers, base, zigzagged);
            if patched.bytes < best.bytes {
                best = patched;
            }
        }
        best
    }

    fn plain(rows: usize, base: i64, width: u32) -> Self {
        let width = packed_width(width);
        let bytes = varint_bytes(zigzag(base)) + 1 + packed_bytes(rows, width);
        Self { base, zigzagged: false, width, high_width: 0, high_count: 0, bytes }
    }

    /// The best width for a base, by how many numbers need which.
    fn patched(numbers: &[i64], base: i64, zigzagged: bool) -> Self {
        let mut by_width = [0_u32; 65];
        let distance = Distance { base, zigzagged };
        for number in numbers {
            if let Some(count) = by_width.get_mut(width_of(distance.of(*number)) as usize) {
                *count += 1;
            }
        }
        let mut best = Self::plain(numbers.len(), base, 64);
        best.zigzagged = zigzagged;
        let mut widest = 0;
        let mut high_count = 0;
        for (width, count) in (0..=64_u32).rev().zip(by_width.into_iter().rev()) {
            if width <= super::pack::WIDTH_MAX {
                let high_width = packed_width(u32::saturating_sub(widest, width));
                let candidate = Self { base, zigzagged, width, high_width, high_count, bytes: 0 }
                    .costed(numbers.len());
                if candidate.bytes < best.bytes {
                    best = candidate;
                }
            }
            if count > 0 {
                widest = widest.max(width);
                high_count += count as usize;
            }
        }
        best
    }

    const fn costed(mut self, rows: usize) -> Self {
        let mut bytes = varint_bytes(zigzag(self.base)) + 1 + packed_bytes(rows, self.width);
        if self.high_count > 0 {
            bytes += varint_bytes(self.high_count as u64)
                + 1
                + packed_bytes(self.high_count, position_width(rows))
                + packed_bytes(self.high_count, self.high_width);
        }
        self.bytes = bytes;
        self
    }

    pub(super) const fn is_patched(&self) -> bool {
        self.high_count > 0
    }

    /// Appends the numbers that were planned.
    pub(super) fn encode(&self, numbers: &[i64], out: &mut Vec<u8>) {
        let distance = Distance { base: self.base, zigzagged: self.zigzagged };
        let distances = || numbers.iter().map(|number| distance.of(*number));
        encode_varint(zigzag(self.base), out);
        let width = u8::try_from(self.width).unwrap_or(64);
        out.push(width | if self.zigzagged { ZIGZAG } else { 0 });
        if self.is_patched() {
            encode_varint(self.high_count as u64, out);
            out.push(u8::try_from(self.high_width).unwrap_or(64));
            let wide =
                || (0_u64..).zip(distances()).filter(|(_, distance)| distance >> self.width != 0);
            pack(wide().map(|(position, _)| position), position_width(numbers.len()), out);
            pack(wide().map(|(_, distance)| distance >> self.width), self.high_width, out);
        }
        pack(distances(), self.width, out);
    }
}

/// How far a number is from the base, without a sign. All wraps, so any numbers have a distance.
#[derive(Clone, Copy)]
struct Distance {
    base: i64,
    zigzagged: bool,
}

impl Distance {
    #[inline]
    fn of(self, number: i64) -> u64 {
        let distance = number.wrapping_sub(self.base);
        if self.zigzagged { zigzag(distance) } else { distance.cast_unsigned() }
    }
}

/// What stands before the distances that [`decode`] leaves in `out`.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub(super) base: i64,
    pub(super) zigzagged: bool,
    /// Bytes used.
    pub(super) used: usize,
}

/// Reads what [`Residuals::encode`] wrote: fills `out` with distances, yet to be added to the base.
pub(super) fn decode<T: Word>(bytes: &[u8], patched: bool, out: &mut [T]) -> Result<Frame, Error> {
    let truncated = Error::Truncated { len: bytes.len() };
    let (base, mut used) = decode_varint(bytes)?;
    let width_byte = *bytes.get(used).ok_or(truncated)?;
    used += 1;
    let width = u32::from(width_byte & !ZIGZAG);
    let behind = |used| bytes.get(used..).ok_or(truncated);
    let mut high = High::default();
    if patched {
        let (read, len) = High::decode(behind(used)?, out.len())?;
        (high, used) = (read, used + len);
    }
    used += unpack(behind(used)?, width, out)?;
    high.patch(width, out)?;
    Ok(Frame { base: unzigzag(base), zigzagged: width_byte & ZIGZAG != 0, used })
}

/// High bits that stand apart, and where they belong.
#[derive(Default)]
struct High {
    positions: Vec<i64>,
    bits: Vec<i64>,
}

impl High {
    fn decode(bytes: &[u8], rows: usize) -> Result<(Self, usize), Error> {
        let truncated = Error::Truncated { len: bytes.len() };
        let (found, mut used) = decode_varint(bytes)?;
        let count = usize::try_from(found).unwrap_or(usize::MAX);
        if count > rows {
            let limit = rows as u64;
            return Err(Error::OutOfRange { what: "patched rows", found, limit });
        }
        let width = u32::from(*bytes.get(used).ok_or(truncated)?);
        used += 1;
        let mut high = Self { positions: vec![0; count], bits: vec![0; count] };
        let behind = bytes.get(used..).ok_or(truncated)?;
        used += unpack(behind, position_width(rows), &mut high.positions)?;
        let behind = bytes.get(used..).ok_or(truncated)?;
        used += unpack(behind, width, &mut high.bits)?;
        Ok((high, used))
    }

    fn patch<T: Word>(&self, width: u32, out: &mut [T]) -> Result<(), Error> {
        let rows = out.len() as u64;
        for (position, bits) in self.positions.iter().zip(&self.bits) {
            let found = position.cast_unsigned();
            let slot = usize::try_from(found).ok().and_then(|position| out.get_mut(position));
            let slot = slot.ok_or(Error::OutOfRange { what: "row", found, limit: rows })?;
            let low = slot.int() & mask(width.min(64)).cast_signed();
            *slot = T::from_int(low | bits.checked_shl(width).unwrap_or(0));
        }
        Ok(())
    }
}

/// The width of a position among `rows`.
const fn position_width(rows: usize) -> u32 {
    width_of(rows.saturating_sub(1) as u64)
}

/// A number with about as many below as above it.
fn middle(numbers: &[i64]) -> i64 {
    let step = numbers.len().div_ceil(MIDDLE_SAMPLE).max(1);
    let mut sample = [0; MIDDLE_SAMPLE];
    let mut count = 0;
    for (slot, number) in sample.iter_mut().zip(numbers.iter().step_by(step)) {
        *slot = *number;
        count += 1;
    }
    let sample = sample.get_mut(..count).unwrap_or_default();
    sample.sort_unstable();
    sample.get(count / 2).copied().unwrap_or(0)
}

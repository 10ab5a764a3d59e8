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
use super::pack::{WIDTH_MAX, Word, pack, packed_bytes, packed_width, unpack};
use super::varint::{decode_varint, encode_varint, unzigzag, varint_bytes, zigzag};

const ZIGZAG: u8 = 0x80;
/// Numbers looked at to find a middle.
const MIDDLE_SAMPLE: usize = 9;
/// Count and width of patches, where the count is short.
const PATCH_HEADER_BITS: u32 = 16;

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
        let lowest = Distance { base: low, zigzagged: false };
        let middle = Distance { base: middle(numbers), zigzagged: true };
        let (mut from_lowest, mut from_middle) = (Widths::new(), Widths::new());
        // Both in one pass: a count that waits for the one before it leaves time for the other.
        for number in numbers {
            from_lowest.count(lowest.of(*number));
            from_middle.count(middle.of(*number));
        }
        let mut best = plain;
        for patched in [from_lowest.cheapest(lowest), from_middle.cheapest(middle)] {
            let patched = patched.costed(numbers.len());
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

/// How many distances need which width.
struct Widths {
    counts: [u32; 65],
}

impl Widths {
    const fn new() -> Self {
        Self { counts: [0; 65] }
    }

    #[inline]
    fn count(&mut self, distance: u64) {
        if let Some(count) = self.counts.get_mut(width_of(distance) as usize) {
            *count += 1;
        }
    }

    /// The width at which the low bits of all and the high bits of the wider ones are fewest.
    fn cheapest(&self, Distance { base, zigzagged }: Distance) -> Residuals {
        let used = self.counts.iter().rposition(|count| *count > 0).unwrap_or(0);
        let widest = u32::try_from(used).unwrap_or(64);
        let rows: u32 = self.counts.iter().sum();
        let position_width = position_width(rows as usize);
        let (mut best, mut best_bits) = ((packed_width(widest), 0, 0), packed_width(widest) * rows);
        let mut high_count = 0;
        let wider = self.counts.iter().take(used + 1).skip(1).rev();
        for (width, count) in (0..widest).rev().zip(wider) {
            high_count += *count;
            let high_width = packed_width(widest - width);
            let patch_bits = PATCH_HEADER_BITS + high_count * (position_width + high_width);
            if patch_bits > best_bits {
                // They only grow from here.
                break;
            }
            let bits = width * rows + patch_bits;
            if bits < best_bits && width <= WIDTH_MAX {
                (best, best_bits) = ((width, high_width, high_count as usize), bits);
            }
        }
        let (width, high_width, high_count) = best;
        Residuals { base, zigzagged, width, high_width, high_count, bytes: 0 }
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

//! XOR chunks: second differences of times, and the bits in which each value differs.
//!
//! Speed counts here: it is what an import spends its time on. A row is mostly two or three bits and
//! then up to fifty of value, which one look at the next 57 bits shows.

use super::{
    bits::{Bits, PEEK_BITS, signed},
    columns::Columns,
    error::Fault,
};

/// The bits in which the XOR before had ones.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Window {
    trailing: u32,
    meaningful: u32,
}

impl Window {
    /// Before the first XOR: all 64 bits.
    pub(super) const WHOLE: Self = Self { trailing: 0, meaningful: 64 };

    /// The value after `last`.
    #[inline]
    pub(super) fn read(&mut self, last: u64, bits: &mut Bits<'_>) -> Result<u64, Fault> {
        let word = bits.peek();
        if word >> 63 == 0 {
            bits.skip(1);
            return Ok(last);
        }
        self.read_changed(last, word, bits)
    }

    /// The value after `last`, whose first bit was seen to be one at the top of `word`.
    #[inline]
    fn read_changed(&mut self, last: u64, word: u64, bits: &mut Bits<'_>) -> Result<u64, Fault> {
        if word >> 62 == 0b10 {
            bits.skip(2);
            return Ok(self.apply(last, bits));
        }
        bits.skip(2);
        self.read_header(bits)?;
        Ok(self.apply(last, bits))
    }

    /// Reads a new window: leading zeros in five bits, meaningful bits in six.
    #[inline]
    pub(super) fn read_header(&mut self, bits: &mut Bits<'_>) -> Result<(), Fault> {
        let header = bits.take(11);
        let leading = low(header >> 6);
        let meaningful = match low(header & 63) {
            // 64 does not fit in six bits, and 0 is no width.
            0 => 64,
            width => width,
        };
        if leading + meaningful > 64 {
            return Err(Fault::Contradiction("the bits of a value do not fit in 64"));
        }
        *self = Self { trailing: 64 - leading - meaningful, meaningful };
        Ok(())
    }

    /// Reads the bits of the window.
    #[inline]
    pub(super) fn apply(self, last: u64, bits: &mut Bits<'_>) -> u64 {
        let body = if self.meaningful <= PEEK_BITS && self.meaningful > 0 {
            let body = bits.peek() >> (64 - self.meaningful);
            bits.skip(self.meaningful);
            body
        } else {
            bits.take(self.meaningful)
        };
        last ^ body << self.trailing
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a few bits")]
const fn low(bits: u64) -> u32 {
    bits as u32
}

/// How many rows a chunk says it has.
pub(super) fn rows(data: &[u8]) -> Result<usize, Fault> {
    let count = data.first_chunk::<2>().ok_or(Fault::Truncated("the number of rows"))?;
    Ok(usize::from(u16::from_be_bytes(*count)))
}

/// Appends the rows of a chunk.
pub(super) fn decode(data: &[u8], out: &mut Columns) -> Result<(), Fault> {
    let rows = rows(data)?;
    // A row takes two bits at least, so a false count cannot ask for memory that is not paid for.
    if rows > data.len() * 4 {
        return Err(Fault::Truncated("the rows of a chunk"));
    }
    let (times, values) = out.grow(rows);
    let mut slots = times.iter_mut().zip(values);
    let Some((first_time, first_value)) = slots.next() else { return Ok(()) };
    let mut bits = Bits::new(data, 2);
    let mut time = bits.varint()?;
    let mut value = bits.take(64);
    (*first_time, *first_value) = (time, f64::from_bits(value));
    let mut window = Window::WHOLE;
    let Some((second_time, second_value)) = slots.next() else { return bits.finish() };
    let mut delta = bits.uvarint()?.cast_signed();
    time = time.wrapping_add(delta);
    value = window.read(value, &mut bits)?;
    (*second_time, *second_value) = (time, f64::from_bits(value));
    for (time_slot, value_slot) in slots {
        let word = bits.peek();
        if word >> 63 == 0 {
            bits.skip(1);
            let word = word << 1;
            if word >> 63 == 0 {
                bits.skip(1);
            } else {
                value = window.read_changed(value, word, &mut bits)?;
            }
        } else {
            delta = delta.wrapping_add(read_second_difference(word, &mut bits));
            value = window.read(value, &mut bits)?;
        }
        time = time.wrapping_add(delta);
        *time_slot = time;
        *value_slot = f64::from_bits(value);
    }
    bits.finish()
}

/// A second difference that is not 0; `word` shows its bits.
#[inline]
fn read_second_difference(word: u64, bits: &mut Bits<'_>) -> i64 {
    let (head, width) = if word >> 62 == 0b10 {
        (2, 14)
    } else if word >> 61 == 0b110 {
        (3, 17)
    } else if word >> 60 == 0b1110 {
        (4, 20)
    } else {
        bits.skip(4);
        return bits.take(64).cast_signed();
    };
    bits.skip(head + width);
    signed(word << head >> (64 - width), width)
}

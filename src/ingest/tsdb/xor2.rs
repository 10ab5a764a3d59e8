//! XOR2 chunks: XOR chunks whose time and value share a prefix, with start timestamps.

use super::{
    bits::Bits,
    columns::Columns,
    error::Fault,
    start::Starts,
    xor::{Window, rows},
};
use crate::model::STALE_BITS;

/// What a value is written against: the last one that was no staleness marker.
struct Values {
    window: Window,
    base: u64,
}

impl Values {
    /// A value of which nothing is known.
    fn read(&mut self, bits: &mut Bits<'_>) -> Result<u64, Fault> {
        match bits.peek() >> 61 {
            0b000..=0b011 => bits.skip(1),
            0b100 | 0b101 => {
                bits.skip(2);
                self.base = self.window.apply(self.base, bits);
            }
            0b110 => {
                bits.skip(3);
                self.window.read_header(bits)?;
                self.base = self.window.apply(self.base, bits);
            }
            _ => {
                bits.skip(3);
                return Ok(STALE_BITS);
            }
        }
        Ok(self.base)
    }

    /// A value that is known to differ and to be no staleness marker.
    fn read_changed(&mut self, bits: &mut Bits<'_>) -> Result<u64, Fault> {
        if bits.bit() {
            self.window.read_header(bits)?;
        }
        self.base = self.window.apply(self.base, bits);
        Ok(self.base)
    }
}

/// Appends the rows of a chunk.
pub(super) fn decode(data: &[u8], out: &mut Columns) -> Result<(), Fault> {
    let rows = rows(data)?;
    if rows > data.len() * 8 {
        return Err(Fault::Truncated("the rows of a chunk"));
    }
    let header = *data.get(2).ok_or(Fault::Truncated("the header of a chunk"))?;
    let mut starts = Starts::new(header);
    let mut bits = Bits::new(data, 3);
    let (mut time, mut delta) = (0_i64, 0_i64);
    let mut values = Values { window: Window::WHOLE, base: 0 };
    let first = out.times.len();
    out.grow(rows);
    for row in 0..rows {
        let before = time;
        let value = match row {
            0 => {
                time = bits.varint()?;
                let value = bits.take(64);
                values.base = if value == STALE_BITS { 0 } else { value };
                value
            }
            1 => {
                delta = bits.uvarint()?.cast_signed();
                time = time.wrapping_add(delta);
                values.read(&mut bits)?
            }
            _ => {
                let (change, value) = read_joint(&mut values, &mut bits)?;
                delta = delta.wrapping_add(change);
                time = time.wrapping_add(delta);
                value
            }
        };
        let start = starts.read(row, time, before, &mut bits)?;
        if let Some(slot) = out.times.get_mut(first + row) {
            *slot = time;
        }
        if let Some(slot) = out.values.get_mut(first + row) {
            *slot = f64::from_bits(value);
        }
        out.set_start(first + row, start);
    }
    bits.finish()
}

/// Second difference and value.
fn read_joint(values: &mut Values, bits: &mut Bits<'_>) -> Result<(i64, u64), Fault> {
    let ones = bits.peek().leading_ones().min(5);
    bits.skip((ones + 1).min(5));
    let width = match ones {
        0 => return Ok((0, values.base)),
        1 => return Ok((0, values.read_changed(bits)?)),
        2 => 13,
        3 => 20,
        4 => 64,
        _ => return Ok((0, STALE_BITS)),
    };
    let change = bits.take(width);
    // Two's complement here, unlike in XOR chunks.
    let change = (change << (64 - width)).cast_signed() >> (64 - width);
    Ok((change, values.read(bits)?))
}

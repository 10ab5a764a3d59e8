//! Start timestamps behind the rows of a chunk: distances from the time of the row before.

use super::{bits::Bits, error::Fault};

/// Reads the start of row after row.
pub(super) struct Starts {
    is_first_known: bool,
    /// The first row behind which a start is written; 0 = none but the first.
    changes_at: usize,
    distance: i64,
    start: i64,
}

impl Starts {
    /// `header` is that of the chunk.
    pub(super) fn new(header: u8) -> Self {
        Self {
            is_first_known: header & 0x80 != 0,
            changes_at: usize::from(header & 0x7f),
            distance: 0,
            start: 0,
        }
    }

    /// The start of `row`, in milliseconds, 0 = unknown.
    pub(super) fn read(
        &mut self,
        row: usize,
        time: i64,
        before: i64,
        bits: &mut Bits<'_>,
    ) -> Result<i64, Fault> {
        if row == 0 {
            if self.is_first_known {
                self.start = time.wrapping_sub(bits.varint()?);
            }
        } else if self.changes_at > 0 && row >= self.changes_at {
            let change = bits.varbit_int();
            let is_first = row == self.changes_at;
            self.distance = if is_first { change } else { self.distance.wrapping_add(change) };
            self.start = before.wrapping_sub(self.distance);
        }
        Ok(self.start)
    }
}

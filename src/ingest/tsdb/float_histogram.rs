//! Chunks of histograms that count in floats: every number by the bits in which it differs.

use super::{
    bits::Bits,
    columns::Columns,
    error::Fault,
    histogram::{Head, Row},
    xor::Window,
};

/// A float with the window of its own that it is written in.
#[derive(Clone, Copy)]
struct Number {
    bits: u64,
    window: Window,
}

impl Number {
    const NONE: Self = Self { bits: 0, window: Window::WHOLE };

    fn read(&mut self, row: usize, bits: &mut Bits<'_>) -> Result<(), Fault> {
        self.bits = if row == 0 { bits.take(64) } else { self.window.read(self.bits, bits)? };
        Ok(())
    }

    const fn float(self) -> f64 {
        f64::from_bits(self.bits)
    }
}

/// Appends the rows of a chunk.
pub(super) fn decode(data: &[u8], is_started: bool, out: &mut Columns) -> Result<(), Fault> {
    let mut head = Head::read(data, is_started)?;
    head.check_rows(4)?;
    let mut positive = vec![Number::NONE; head.layout.positive];
    let mut negative = vec![Number::NONE; head.layout.negative];
    let (mut up, mut down) = (vec![0.0; positive.len()], vec![0.0; negative.len()]);
    let (mut time, mut delta) = (0_i64, 0_i64);
    let (mut count, mut zeros, mut sum) = (Number::NONE, Number::NONE, Number::NONE);
    for number in 0..head.rows {
        let before = time;
        let read = head.bits.varbit_int();
        if number == 0 {
            time = read;
        } else {
            delta = delta.wrapping_add(read);
            time = time.wrapping_add(delta);
        }
        count.read(number, &mut head.bits)?;
        zeros.read(number, &mut head.bits)?;
        sum.read(number, &mut head.bits)?;
        if number == 0 || sum.bits != crate::model::STALE_BITS {
            read_buckets(&mut head.bits, number, &mut positive, &mut up)?;
            read_buckets(&mut head.bits, number, &mut negative, &mut down)?;
        }
        let start = head.starts.read(number, time, before, &mut head.bits)?;
        head.bits.finish()?;
        let row = Row {
            number,
            time,
            start,
            is_integer: false,
            count: count.float(),
            zero_count: zeros.float(),
            sum: sum.float(),
            positive: &up,
            negative: &down,
            is_exact: true,
        };
        head.push(&row, out);
    }
    Ok(())
}

fn read_buckets(
    bits: &mut Bits<'_>,
    row: usize,
    buckets: &mut [Number],
    counts: &mut [f64],
) -> Result<(), Fault> {
    for (bucket, slot) in buckets.iter_mut().zip(counts) {
        bucket.read(row, bits)?;
        *slot = bucket.float();
    }
    Ok(())
}

//! Chunks of histograms that count in integers: second differences of every count.

use super::{
    bits::Bits,
    columns::Columns,
    error::Fault,
    histogram::{Head, Row, exact},
    xor::Window,
};

/// A bucket as chunks have it: its distance from the bucket before, and how that changes.
#[derive(Clone, Copy, Default)]
struct Bucket {
    distance: i64,
    change: i64,
}

/// Appends the rows of a chunk.
pub(super) fn decode(data: &[u8], is_started: bool, out: &mut Columns) -> Result<(), Fault> {
    let mut head = Head::read(data, is_started)?;
    head.check_rows(4)?;
    let mut positive = vec![Bucket::default(); head.layout.positive];
    let mut negative = vec![Bucket::default(); head.layout.negative];
    let (mut up, mut down) = (vec![0.0; positive.len()], vec![0.0; negative.len()]);
    let (mut time, mut count, mut zeros) =
        (Second::default(), Second::default(), Second::default());
    let (mut sum, mut window) = (0_u64, Window::WHOLE);
    for number in 0..head.rows {
        let before = time.value;
        if number == 0 {
            time.value = head.bits.varbit_int();
            count.value = head.bits.varbit_uint().cast_signed();
            zeros.value = head.bits.varbit_uint().cast_signed();
            sum = head.bits.take(64);
        } else {
            time.read(&mut head.bits);
            count.read(&mut head.bits);
            zeros.read(&mut head.bits);
            sum = window.read(sum, &mut head.bits)?;
        }
        let mut is_exact = true;
        // A staleness marker has no buckets, but as the first row it has.
        if number == 0 || sum != crate::model::STALE_BITS {
            is_exact &= read_buckets(&mut head.bits, number, &mut positive, &mut up);
            is_exact &= read_buckets(&mut head.bits, number, &mut negative, &mut down);
        }
        let start = head.starts.read(number, time.value, before, &mut head.bits)?;
        head.bits.finish()?;
        let (count, count_exact) = exact(count.value.cast_unsigned());
        let (zero_count, zeros_exact) = exact(zeros.value.cast_unsigned());
        let row = Row {
            number,
            time: time.value,
            start,
            is_integer: true,
            count,
            zero_count,
            sum: f64::from_bits(sum),
            positive: &up,
            negative: &down,
            is_exact: is_exact && count_exact && zeros_exact,
        };
        head.push(&row, out);
    }
    Ok(())
}

/// A number that is written as second differences.
#[derive(Default)]
struct Second {
    value: i64,
    change: i64,
}

impl Second {
    fn read(&mut self, bits: &mut Bits<'_>) {
        self.change = self.change.wrapping_add(bits.varbit_int());
        self.value = self.value.wrapping_add(self.change);
    }
}

/// Reads the buckets of a side, and their counts; whether all of those are exact.
fn read_buckets(
    bits: &mut Bits<'_>,
    row: usize,
    buckets: &mut [Bucket],
    counts: &mut [f64],
) -> bool {
    let (mut running, mut is_exact) = (0_i64, true);
    for (bucket, slot) in buckets.iter_mut().zip(counts) {
        let read = bits.varbit_int();
        if row == 0 {
            bucket.distance = read;
        } else {
            bucket.change = bucket.change.wrapping_add(read);
            bucket.distance = bucket.distance.wrapping_add(bucket.change);
        }
        running = running.wrapping_add(bucket.distance);
        let (count, exact) = exact(running.cast_unsigned());
        is_exact &= exact;
        *slot = count;
    }
    is_exact
}

//! Chunks of native histograms that share one layout of buckets and are never reset.
//!
//! Readers take every row but the first for one that was not reset; so where a row was, a new chunk
//! begins, and its header says so.

use std::sync::Arc;

use crate::math::histogram::is_reset;
use crate::model::{CUSTOM_BUCKETS_SCHEMA, Histogram, ResetHint, STALE_BITS, Span};

use super::{bits::Bits, xor::Window};

/// A number that is written as second differences.
#[derive(Clone, Copy, Debug, Default)]
struct Second {
    value: i64,
    change: i64,
}

impl Second {
    fn put(&mut self, value: i64, out: &mut Bits) {
        let change = value.wrapping_sub(self.value);
        out.varbit_int(change.wrapping_sub(self.change));
        *self = Self { value, change };
    }
}

/// A float with the window of its own that it is written in.
#[derive(Clone, Copy, Debug)]
struct Number {
    bits: u64,
    window: Window,
}

impl Number {
    const NONE: Self = Self { bits: 0, window: Window::NONE };

    fn put(&mut self, is_first: bool, value: f64, out: &mut Bits) {
        let bits = value.to_bits();
        if is_first {
            out.put(bits, 64);
        } else {
            self.window.put(self.bits, bits, out);
        }
        self.bits = bits;
    }
}

/// A chunk that grows.
#[derive(Clone, Debug)]
pub(super) struct HistogramChunk {
    rows: u16,
    bits: Bits,
    /// The row before, whose layout the next must have.
    last: Arc<Histogram>,
    time: Second,
    counts: [Second; 2],
    /// Count and zero count of floats, then the sum of both kinds.
    numbers: [Number; 3],
    integers: Vec<Second>,
    floats: Vec<Number>,
}

impl HistogramChunk {
    /// A chunk of one row.
    pub(super) fn new(time: i64, first: &Arc<Histogram>) -> Self {
        let flags = match first.reset_hint {
            ResetHint::Unknown => 0,
            ResetHint::Reset => 0b10 << 6,
            ResetHint::NoReset => 0b01 << 6,
            ResetHint::Gauge => 0b11 << 6,
        };
        let mut bits = Bits::after(vec![0, 0, flags]);
        put_layout(first, &mut bits);
        let buckets = first.positive.len() + first.negative.len();
        let mut chunk = Self {
            rows: 0,
            bits,
            last: Arc::clone(first),
            time: Second::default(),
            counts: [Second::default(); 2],
            numbers: [Number::NONE; 3],
            integers: vec![Second::default(); if first.is_integer { buckets } else { 0 }],
            floats: vec![Number::NONE; if first.is_integer { 0 } else { buckets }],
        };
        chunk.push(time, first);
        chunk
    }

    /// Whether a row may stand in this chunk.
    pub(super) fn takes(&self, next: &Histogram) -> bool {
        let last = self.last.as_ref();
        let is_gauge = |it: &Histogram| it.reset_hint == ResetHint::Gauge;
        let is_marker = |it: &Histogram| it.sum.to_bits() == STALE_BITS;
        let is_alike = last.is_integer == next.is_integer
            && last.schema == next.schema
            && last.zero_threshold.to_bits() == next.zero_threshold.to_bits()
            && last.positive_spans == next.positive_spans
            && last.negative_spans == next.negative_spans
            && last.positive.len() == next.positive.len()
            && last.negative.len() == next.negative.len()
            && same_bounds(&last.custom_values, &next.custom_values);
        is_alike
            && !is_marker(last)
            && !is_marker(next)
            && is_gauge(last) == is_gauge(next)
            && next.reset_hint != ResetHint::Reset
            && (is_gauge(next) || !is_reset(next, last))
    }

    /// Appends a row that [`Self::takes`] allows.
    pub(super) fn push(&mut self, time: i64, row: &Arc<Histogram>) {
        let is_first = self.rows == 0;
        if row.is_integer {
            self.put_integers(is_first, time, row);
        } else {
            self.put_floats(is_first, time, row);
        }
        self.last = Arc::clone(row);
        self.rows += 1;
    }

    fn put_integers(&mut self, is_first: bool, time: i64, row: &Histogram) {
        let out = &mut self.bits;
        let counts = [whole(row.count), whole(row.zero_count)];
        let [_, _, sum] = &mut self.numbers;
        if is_first {
            out.varbit_int(time);
            self.time.value = time;
            for (second, count) in self.counts.iter_mut().zip(counts) {
                out.varbit_uint(count.cast_unsigned());
                second.value = count;
            }
        } else {
            self.time.put(time, out);
            for (second, count) in self.counts.iter_mut().zip(counts) {
                second.put(count, out);
            }
        }
        sum.put(is_first, row.sum, out);
        let mut seconds = self.integers.iter_mut();
        for side in [&row.positive, &row.negative] {
            let mut before = 0;
            for (count, second) in side.iter().zip(&mut seconds) {
                let distance = whole(*count).wrapping_sub(before);
                before = whole(*count);
                if is_first {
                    out.varbit_int(distance);
                    second.value = distance;
                } else {
                    second.put(distance, out);
                }
            }
        }
    }

    fn put_floats(&mut self, is_first: bool, time: i64, row: &Histogram) {
        let out = &mut self.bits;
        if is_first {
            out.varbit_int(time);
            self.time.value = time;
        } else {
            self.time.put(time, out);
        }
        for (number, value) in self.numbers.iter_mut().zip([row.count, row.zero_count, row.sum]) {
            number.put(is_first, value, out);
        }
        let values = row.positive.iter().chain(&row.negative);
        for (number, value) in self.floats.iter_mut().zip(values) {
            number.put(is_first, *value, out);
        }
    }

    /// Whether it is of histograms that count in integers.
    pub(super) fn is_integer(&self) -> bool {
        self.last.is_integer
    }

    /// The chunk as it is stored and sent.
    pub(super) fn bytes(mut self) -> Vec<u8> {
        if let Some(head) = self.bits.bytes.first_chunk_mut::<2>() {
            *head = self.rows.to_be_bytes();
        }
        self.bits.bytes
    }
}

fn same_bounds(left: &[f64], right: &[f64]) -> bool {
    left.iter().map(|bound| bound.to_bits()).eq(right.iter().map(|bound| bound.to_bits()))
}

/// Counts of integer histograms are whole and below 2^53: doors see to it.
#[expect(clippy::cast_possible_truncation, reason = "whole and small")]
fn whole(count: f64) -> i64 {
    count as i64
}

fn put_layout(histogram: &Histogram, out: &mut Bits) {
    let bits = histogram.zero_threshold.to_bits();
    match (bits, bits & ((1 << 52) - 1), bits >> 52) {
        (0, ..) => out.put(0, 8),
        // A power of two from 2^-243 to 2^10, as its exponent.
        (_, 0, exponent @ 780..=1033) => out.put(exponent - 779, 8),
        _ => {
            out.put(255, 8);
            out.put(bits, 64);
        }
    }
    out.varbit_int(histogram.schema.into());
    for spans in [&histogram.positive_spans, &histogram.negative_spans] {
        out.varbit_uint(spans.len() as u64);
        for Span { offset, length } in spans {
            out.varbit_uint(u64::from(*length));
            out.varbit_int(i64::from(*offset));
        }
    }
    if histogram.schema == CUSTOM_BUCKETS_SCHEMA {
        out.varbit_uint(histogram.custom_values.len() as u64);
        histogram.custom_values.iter().for_each(|bound| put_bound(*bound, out));
    }
}

/// Thousandths and one more where that is exact and short, else 0 and all bits.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be small")]
fn put_bound(bound: f64, out: &mut Bits) {
    let thousandths = bound * 1000.0;
    let is_short = (0.0..=33_554_430.0).contains(&thousandths)
        && thousandths.fract() == 0.0
        && (thousandths / 1000.0).to_bits() == bound.to_bits();
    if is_short {
        out.varbit_uint(thousandths as u64 + 1);
    } else {
        out.bit(false);
        out.put(bound.to_bits(), 64);
    }
}

//! Samples, histograms and exemplars: both messages write them alike but for starts and labels.

use crate::export::wire::{
    put_float, put_message, put_number, put_present, put_present_float, put_varint, zigzag,
};
use crate::model::{Histogram, ResetHint, Span};

use super::message::{Sample, TimedHistogram};

/// Nanoseconds floored to milliseconds, as protobuf has negative numbers.
pub(super) fn millis(nanos: i64) -> i64 {
    nanos.div_euclid(1_000_000)
}

/// As a varint, in two's complement.
pub(super) fn time_bits(nanos: i64) -> u64 {
    millis(nanos).cast_unsigned()
}

/// Visits the last row of each millisecond, where rows are sorted by time.
pub(super) fn last_of_each<T>(rows: &[T], time: impl Fn(&T) -> i64) -> impl Iterator<Item = &T> {
    rows.chunk_by(move |left, right| millis(time(left)) == millis(time(right)))
        .filter_map(<[T]>::last)
}

/// `Sample`. Message 1 has no starts.
pub(super) fn put_sample(sample: &Sample, has_start: bool, out: &mut Vec<u8>) {
    put_message(2, out, |out| {
        put_float(1, sample.value, out);
        put_number(2, time_bits(sample.time), out);
        if has_start && sample.start != 0 {
            put_number(3, time_bits(sample.start), out);
        }
    });
}

/// `Histogram`, as field `field` of its series.
pub(super) fn put_histogram(field: u32, row: &TimedHistogram, has_start: bool, out: &mut Vec<u8>) {
    let value = row.value.as_ref();
    put_message(field, out, |out| {
        put_counts(value, out);
        let hint = match value.reset_hint {
            ResetHint::Unknown => 0,
            ResetHint::Reset => 1,
            ResetHint::NoReset => 2,
            ResetHint::Gauge => 3,
        };
        put_number(14, hint, out);
        put_number(15, time_bits(row.time), out);
        put_floats(16, &value.custom_values, out);
        if has_start && row.start != 0 {
            put_number(17, time_bits(row.start), out);
        }
    });
}

fn put_counts(value: &Histogram, out: &mut Vec<u8>) {
    if value.is_integer {
        put_present(1, integer(value.count), out);
    } else {
        put_present_float(2, value.count, out);
    }
    put_float(3, value.sum, out);
    put_number(4, zigzag(i64::from(value.schema)), out);
    put_float(5, value.zero_threshold, out);
    if value.is_integer {
        put_present(6, integer(value.zero_count), out);
    } else {
        put_present_float(7, value.zero_count, out);
    }
    let sides =
        [(8, &value.negative_spans, &value.negative), (11, &value.positive_spans, &value.positive)];
    for (field, spans, counts) in sides {
        for span in spans {
            put_span(field, *span, out);
        }
        if value.is_integer {
            put_deltas(field + 1, counts, out);
        } else {
            put_floats(field + 2, counts, out);
        }
    }
}

/// Counts of integer histograms are whole and below 2^53: doors see to it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and small")]
fn integer(count: f64) -> u64 {
    count as u64
}

fn put_span(field: u32, span: Span, out: &mut Vec<u8>) {
    put_message(field, out, |out| {
        put_number(1, zigzag(i64::from(span.offset)), out);
        put_number(2, u64::from(span.length), out);
    });
}

/// Whole counts as differences between neighbours.
fn put_deltas(field: u32, counts: &[f64], out: &mut Vec<u8>) {
    if counts.is_empty() {
        return;
    }
    put_message(field, out, |out| {
        let mut before = 0;
        for count in counts {
            let count = integer(*count).cast_signed();
            put_varint(zigzag(count.wrapping_sub(before)), out);
            before = count;
        }
    });
}

fn put_floats(field: u32, values: &[f64], out: &mut Vec<u8>) {
    if !values.is_empty() {
        put_message(field, out, |out| {
            for value in values {
                out.extend_from_slice(&value.to_le_bytes());
            }
        });
    }
}

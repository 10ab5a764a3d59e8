//! Series as fields of a remote write 1 message, `prometheus.WriteRequest`, before it is packed.
//!
//! Everything that rows have goes along: NaN payloads, staleness markers, native histograms. Source:
//! `prompb/types.proto` of prometheus/prometheus.

use crate::model::{Histogram, Labels, ResetHint, Span};

/// Appends a series: its labels, its floats and its histograms, times in milliseconds.
pub fn put_time_series<'a>(
    labels: &Labels,
    floats: impl Iterator<Item = (i64, f64)>,
    histograms: impl Iterator<Item = (i64, &'a Histogram)>,
    out: &mut Vec<u8>,
) {
    let (mut series, mut inner) = (Vec::new(), Vec::new());
    for (name, value) in labels.iter() {
        inner.clear();
        put_bytes(1, name.as_bytes(), &mut inner);
        put_bytes(2, value.as_bytes(), &mut inner);
        put_bytes(1, &inner, &mut series);
    }
    for (time, value) in floats {
        inner.clear();
        put_double(1, value, &mut inner);
        put_varint(2, time.cast_unsigned(), &mut inner);
        put_bytes(2, &inner, &mut series);
    }
    for (time, histogram) in histograms {
        inner.clear();
        put_histogram(histogram, time, &mut inner);
        put_bytes(4, &inner, &mut series);
    }
    put_bytes(1, &series, out);
}

fn put_histogram(histogram: &Histogram, time: i64, out: &mut Vec<u8>) {
    let Histogram { is_integer, count, zero_count, .. } = histogram;
    if *is_integer {
        put_varint(1, whole(*count).cast_unsigned(), out);
    } else {
        put_double(2, *count, out);
    }
    put_double(3, histogram.sum, out);
    put_varint(4, zigzag(histogram.schema.into()), out);
    put_double(5, histogram.zero_threshold, out);
    if *is_integer {
        put_varint(6, whole(*zero_count).cast_unsigned(), out);
    } else {
        put_double(7, *zero_count, out);
    }
    put_side(8, &histogram.negative_spans, &histogram.negative, *is_integer, out);
    put_side(11, &histogram.positive_spans, &histogram.positive, *is_integer, out);
    let hint = match histogram.reset_hint {
        ResetHint::Unknown => 0,
        ResetHint::Reset => 1,
        ResetHint::NoReset => 2,
        ResetHint::Gauge => 3,
    };
    put_varint(14, hint, out);
    put_varint(15, time.cast_unsigned(), out);
    let bounds: Vec<u8> = histogram.custom_values.iter().flat_map(|it| it.to_le_bytes()).collect();
    if !bounds.is_empty() {
        put_bytes(16, &bounds, out);
    }
}

/// Spans, then differences of counts, or counts.
fn put_side(first: u8, spans: &[Span], counts: &[f64], is_integer: bool, out: &mut Vec<u8>) {
    for span in spans {
        let mut inner = Vec::new();
        put_varint(1, zigzag(span.offset.into()), &mut inner);
        put_varint(2, span.length.into(), &mut inner);
        put_bytes(first, &inner, out);
    }
    if counts.is_empty() {
        return;
    }
    let mut packed = Vec::new();
    if is_integer {
        let mut before = 0;
        for count in counts {
            uvarint(zigzag(whole(*count) - before), &mut packed);
            before = whole(*count);
        }
        put_bytes(first + 1, &packed, out);
    } else {
        packed.extend(counts.iter().flat_map(|count| count.to_le_bytes()));
        put_bytes(first + 2, &packed, out);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "counts are whole and below 2^53")]
fn whole(count: f64) -> i64 {
    count as i64
}

fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63).cast_unsigned()
}

fn uvarint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    #[expect(clippy::cast_possible_truncation, reason = "seven bits")]
    out.push(value as u8);
}

fn put_varint(field: u8, value: u64, out: &mut Vec<u8>) {
    uvarint(u64::from(field) << 3, out);
    uvarint(value, out);
}

fn put_double(field: u8, value: f64, out: &mut Vec<u8>) {
    uvarint(u64::from(field) << 3 | 1, out);
    out.extend_from_slice(&value.to_le_bytes());
}

fn put_bytes(field: u8, bytes: &[u8], out: &mut Vec<u8>) {
    uvarint(u64::from(field) << 3 | 2, out);
    uvarint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

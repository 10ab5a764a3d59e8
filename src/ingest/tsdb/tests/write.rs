//! Writes chunks and indexes as Prometheus does: from its format documents, for tests only.

use super::super::HistogramPoint;
use crate::model::{CUSTOM_BUCKETS_SCHEMA, STALE_BITS, Span};

/// A float row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) time: i64,
    pub(super) value: f64,
    pub(super) start: i64,
}

/// Bits, the first of them highest.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    free: u32,
}

impl Bits {
    fn bit(&mut self, bit: bool) {
        if self.free == 0 {
            self.bytes.push(0);
            self.free = 8;
        }
        self.free -= 1;
        if let (true, Some(last)) = (bit, self.bytes.last_mut()) {
            *last |= 1 << self.free;
        }
    }

    fn put(&mut self, bits: u64, count: u32) {
        (0..count).rev().for_each(|i| self.bit(bits >> i & 1 == 1));
    }

    fn uvarint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.put(value & 0x7f | 0x80, 8);
            value >>= 7;
        }
        self.put(value, 8);
    }

    fn varint(&mut self, value: i64) {
        self.uvarint((value << 1 ^ value >> 63).cast_unsigned());
    }

    /// Nine widths: 0, 3, 6, 9, 12, 18, 25, 56 and 64 bits.
    fn varbit_int(&mut self, value: i64) {
        const WIDTHS: [u32; 8] = [0, 3, 6, 9, 12, 18, 25, 56];
        let fits = |width: u32| {
            let half = 1_i64 << (width.max(1) - 1);
            if width == 0 { value == 0 } else { -half < value && value <= half }
        };
        self.varbit(WIDTHS.iter().position(|width| fits(*width)), value.cast_unsigned());
    }

    fn varbit_uint(&mut self, value: u64) {
        const WIDTHS: [u32; 8] = [0, 3, 6, 9, 12, 18, 25, 56];
        self.varbit(WIDTHS.iter().position(|width| value >> width == 0), value);
    }

    fn varbit(&mut self, class: Option<usize>, value: u64) {
        const WIDTHS: [u32; 8] = [0, 3, 6, 9, 12, 18, 25, 56];
        if let Some(class) = class {
            (0..class).for_each(|_| self.bit(true));
            self.bit(false);
            self.put(value, WIDTHS[class]);
        } else {
            self.put(0xff, 8);
            self.put(value, 64);
        }
    }
}

/// The window of the XOR before.
#[derive(Clone, Copy)]
struct Window {
    leading: u32,
    trailing: u32,
}

impl Window {
    /// None written yet: no XOR fits.
    const NONE: Self = Self { leading: 99, trailing: 0 };

    fn put_new(&mut self, xor: u64, out: &mut Bits) {
        let (leading, trailing) = (xor.leading_zeros().min(31), xor.trailing_zeros());
        let meaningful = 64 - leading - trailing;
        out.put(u64::from(leading), 5);
        out.put(u64::from(meaningful & 63), 6);
        out.put(xor >> trailing, meaningful);
        *self = Self { leading, trailing };
    }

    fn fits(self, xor: u64) -> bool {
        xor.leading_zeros().min(31) >= self.leading && xor.trailing_zeros() >= self.trailing
    }

    fn put_old(self, xor: u64, out: &mut Bits) {
        out.put(xor >> self.trailing, 64 - self.leading - self.trailing);
    }

    fn put(&mut self, before: u64, value: u64, out: &mut Bits) {
        let xor = before ^ value;
        if xor == 0 {
            return out.bit(false);
        }
        out.bit(true);
        if self.fits(xor) {
            out.bit(false);
            self.put_old(xor, out);
        } else {
            out.bit(true);
            self.put_new(xor, out);
        }
    }
}

fn count(rows: usize) -> Vec<u8> {
    u16::try_from(rows).unwrap().to_be_bytes().to_vec()
}

/// An XOR chunk.
pub(super) fn xor(rows: &[Row]) -> Vec<u8> {
    let mut out = Bits { bytes: count(rows.len()), free: 0 };
    let (mut time, mut delta, mut value, mut window) = (0, 0, 0, Window::NONE);
    for (i, row) in rows.iter().enumerate() {
        let next = row.value.to_bits();
        match i {
            0 => {
                out.varint(row.time);
                out.put(next, 64);
            }
            1 => {
                delta = row.time - time;
                out.uvarint(delta.cast_unsigned());
                window.put(value, next, &mut out);
            }
            _ => {
                let change = row.time - time - delta;
                let width = [14, 17, 20].into_iter().enumerate().find(|(_, width)| {
                    let half = 1_i64 << (width - 1);
                    -half < change && change <= half
                });
                match (change, width) {
                    (0, _) => out.bit(false),
                    (_, Some((class, width))) => {
                        (0..=class).for_each(|_| out.bit(true));
                        out.bit(false);
                        out.put(change.cast_unsigned(), width);
                    }
                    (_, None) => {
                        out.put(0b1111, 4);
                        out.put(change.cast_unsigned(), 64);
                    }
                }
                delta += change;
                window.put(value, next, &mut out);
            }
        }
        (time, value) = (row.time, next);
    }
    out.bytes
}

/// Writes starts behind rows, and what the header says of them.
#[derive(Default)]
struct StartWriter {
    header: u8,
    /// Time and start of the row before.
    before: i64,
    start: i64,
    distance: i64,
}

impl StartWriter {
    fn put(&mut self, row: usize, time: i64, start: i64, out: &mut Bits) {
        if row == 0 {
            if start != 0 {
                self.header |= 0x80;
                out.varint(time - start);
            }
        } else if self.header & 0x7f != 0 {
            let distance = self.before - start;
            out.varbit_int(distance.wrapping_sub(self.distance));
            self.distance = distance;
        } else if start != self.start || row == 0x7f {
            self.header |= u8::try_from(row).unwrap();
            self.distance = self.before - start;
            out.varbit_int(self.distance);
        }
        (self.before, self.start) = (time, start);
    }
}

/// An XOR2 chunk.
pub(super) fn xor2(rows: &[Row]) -> Vec<u8> {
    let mut out = Bits { bytes: [count(rows.len()), vec![0]].concat(), free: 0 };
    let (mut time, mut delta, mut base, mut window) = (0, 0, 0, Window::NONE);
    let mut starts = StartWriter::default();
    for (i, row) in rows.iter().enumerate() {
        let next = row.value.to_bits();
        if i == 0 {
            out.varint(row.time);
            out.put(next, 64);
        } else if i == 1 {
            delta = row.time - time;
            out.uvarint(delta.cast_unsigned());
            put_value(&mut window, base, next, &mut out);
        } else {
            let change = row.time - time - delta;
            delta += change;
            if change == 0 && next == STALE_BITS {
                out.put(0b11111, 5);
            } else if change == 0 && next == base {
                out.bit(false);
            } else if change == 0 {
                out.put(0b10, 2);
                let xor = base ^ next;
                if window.fits(xor) {
                    out.bit(false);
                    window.put_old(xor, &mut out);
                } else {
                    out.bit(true);
                    window.put_new(xor, &mut out);
                }
            } else {
                let (head, head_bits, width) = match change {
                    -4096..=4095 => (0b110, 3, 13),
                    -524_288..=524_287 => (0b1110, 4, 20),
                    _ => (0b11110, 5, 64),
                };
                out.put(head, head_bits);
                out.put(change.cast_unsigned(), width);
                put_value(&mut window, base, next, &mut out);
            }
        }
        starts.put(i, row.time, row.start, &mut out);
        time = row.time;
        if next != STALE_BITS {
            base = next;
        }
    }
    out.bytes[2] = starts.header;
    out.bytes
}

fn put_value(window: &mut Window, base: u64, next: u64, out: &mut Bits) {
    let xor = base ^ next;
    if next == STALE_BITS {
        out.put(0b111, 3);
    } else if xor == 0 {
        out.bit(false);
    } else if window.fits(xor) {
        out.put(0b10, 2);
        window.put_old(xor, out);
    } else {
        out.put(0b110, 3);
        window.put_new(xor, out);
    }
}

/// A chunk of histograms, all with the layout of the first.
pub(super) fn histograms(points: &[HistogramPoint], is_started: bool, is_gauge: bool) -> Vec<u8> {
    let mut header = count(points.len());
    let flags = if is_gauge { 0xc0 } else { 0 };
    if is_started {
        header[0] |= flags;
        header.push(0);
    } else {
        header.push(flags);
    }
    let mut out = Bits { bytes: header, free: 0 };
    let first = &points[0].value;
    put_layout(&mut out, first);
    let mut starts = StartWriter::default();
    let mut numbers: Vec<(i64, i64)> = Vec::new();
    let (mut sum, mut window) = (0, Window::NONE);
    let mut floats: Vec<(u64, Window)> =
        vec![(0, Window::NONE); 3 + first.positive.len() + first.negative.len()];
    for (i, point) in points.iter().enumerate() {
        if point.value.is_integer {
            let row = integers(point);
            numbers.resize(row.len().max(numbers.len()), (0, 0));
            let state = (&mut numbers, (&mut sum, &mut window));
            put_integers(&mut out, i, &row, state, point.value.sum.to_bits());
        } else {
            let delta = |i: usize| points[i].time - points[i - 1].time;
            out.varbit_int(match i {
                0 => point.time,
                1 => delta(1),
                _ => delta(i) - delta(i - 1),
            });
            put_floats(&mut out, i, &point.value, &mut floats);
        }
        if is_started {
            starts.put(i, point.time, point.start, &mut out);
        }
    }
    if is_started {
        out.bytes[2] = starts.header;
    }
    out.bytes
}

/// Time, counts and buckets of a row; a stale one has no buckets.
fn integers(point: &HistogramPoint) -> Vec<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "counts of a test")]
    let whole = |count: &f64| *count as i64;
    let value = &point.value;
    let mut row = vec![point.time, whole(&value.count), whole(&value.zero_count)];
    for side in [&value.positive, &value.negative] {
        let mut before = 0;
        row.extend(side.iter().map(|count| {
            let distance = whole(count) - before;
            before = whole(count);
            distance
        }));
    }
    row
}

fn put_floats(
    out: &mut Bits,
    i: usize,
    value: &crate::model::Histogram,
    floats: &mut [(u64, Window)],
) {
    let mut row = vec![value.count, value.zero_count, value.sum];
    row.extend(value.positive.iter().chain(&value.negative));
    for (number, (before, window)) in row.iter().zip(floats) {
        if i == 0 {
            out.put(number.to_bits(), 64);
        } else {
            window.put(*before, number.to_bits(), out);
        }
        *before = number.to_bits();
    }
}

/// Every number before and how it changed; the sum before and its window.
type State<'a> = (&'a mut Vec<(i64, i64)>, (&'a mut u64, &'a mut Window));

fn put_integers(
    out: &mut Bits,
    i: usize,
    row: &[i64],
    (numbers, (sum, window)): State<'_>,
    next_sum: u64,
) {
    for (column, (number, (before, change))) in row.iter().zip(numbers).enumerate() {
        match (i, column) {
            (0, 1 | 2) => out.varbit_uint(number.cast_unsigned()),
            (0, _) => out.varbit_int(*number),
            _ => {
                out.varbit_int(number - *before - *change);
                *change = number - *before;
            }
        }
        *before = *number;
        if column == 2 {
            if i == 0 {
                out.put(next_sum, 64);
            } else {
                window.put(*sum, next_sum, out);
            }
            *sum = next_sum;
        }
    }
}

fn put_layout(out: &mut Bits, histogram: &crate::model::Histogram) {
    let bits = histogram.zero_threshold.to_bits();
    match (bits, bits & ((1 << 52) - 1), bits >> 52) {
        (0, ..) => out.put(0, 8),
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
        for bound in &histogram.custom_values {
            let thousandths = bound * 1000.0;
            if thousandths.fract() == 0.0 {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "few")]
                out.varbit_uint(thousandths as u64 + 1);
            } else {
                out.bit(false);
                out.put(bound.to_bits(), 64);
            }
        }
    }
}

/// A segment of chunks.
pub(super) fn segment(chunks: &[(u8, &[u8])]) -> Vec<u8> {
    let mut out = vec![0x85, 0xbd, 0x40, 0xdd, 1, 0, 0, 0];
    for (encoding, data) in chunks {
        let mut length = Bits::default();
        length.uvarint(data.len() as u64);
        out.extend(length.bytes);
        let covered = [&[*encoding], *data].concat();
        out.extend_from_slice(&covered);
        out.extend_from_slice(&crc32c::crc32c(&covered).to_be_bytes());
    }
    out
}

/// An index of series that all have these chunks: first and last time, place.
pub(super) fn index(series: &[&[(&str, &str)]], chunks: &[(i64, i64, u64)]) -> Vec<u8> {
    let mut texts: Vec<&str> =
        series.iter().flat_map(|it| it.iter()).flat_map(|it| [it.0, it.1]).collect();
    texts.sort_unstable();
    texts.dedup();
    let mut out = vec![0xba, 0xaa, 0xd7, 0x00, 2];
    let symbols = out.len() as u64;
    let mut table =
        Bits { bytes: u32::try_from(texts.len()).unwrap().to_be_bytes().to_vec(), free: 0 };
    for text in &texts {
        table.uvarint(text.len() as u64);
        table.bytes.extend_from_slice(text.as_bytes());
    }
    out.extend_from_slice(&u32::try_from(table.bytes.len()).unwrap().to_be_bytes());
    out.extend_from_slice(&table.bytes);
    out.extend_from_slice(&crc32c::crc32c(&table.bytes).to_be_bytes());
    out.resize(out.len().next_multiple_of(16), 0);
    let begin = out.len() as u64;
    for labels in series {
        out.resize(out.len().next_multiple_of(16), 0);
        let mut entry = Bits::default();
        let number = |text: &str| texts.binary_search(&text).unwrap() as u64;
        entry.uvarint(labels.len() as u64);
        for (name, value) in *labels {
            entry.uvarint(number(name));
            entry.uvarint(number(value));
        }
        entry.uvarint(chunks.len() as u64);
        let (mut end, mut last) = (0, 0);
        for (i, (first, until, place)) in chunks.iter().enumerate() {
            if i == 0 {
                entry.varint(*first);
            } else {
                entry.uvarint((first - end).cast_unsigned());
            }
            entry.uvarint((until - first).cast_unsigned());
            if i == 0 {
                entry.uvarint(*place);
            } else {
                entry.varint(place.wrapping_sub(last).cast_signed());
            }
            (end, last) = (*until, *place);
        }
        let mut length = Bits::default();
        length.uvarint(entry.bytes.len() as u64);
        out.extend(length.bytes);
        out.extend_from_slice(&entry.bytes);
        out.extend_from_slice(&crc32c::crc32c(&entry.bytes).to_be_bytes());
    }
    let end = out.len() as u64;
    out.extend_from_slice(&[0; 8]);
    let mut tail = Vec::new();
    for place in [symbols, begin, end, end, end, end] {
        tail.extend_from_slice(&place.to_be_bytes());
    }
    out.extend_from_slice(&tail);
    out.extend_from_slice(&crc32c::crc32c(&tail).to_be_bytes());
    out
}

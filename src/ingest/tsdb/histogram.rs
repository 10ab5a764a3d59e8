//! What chunks of histograms of both kinds begin with: rows, flags, and the layout of the buckets.

use super::{bits::Bits, columns::Columns, error::Fault, start::Starts};
use crate::model::{CUSTOM_BUCKETS_SCHEMA, Histogram, ResetHint, STALE_BITS, Span};

/// Buckets of one side: 65,536 is more than any schema has.
const BUCKETS_MAX: usize = 1 << 16;
/// Rows of a chunk and its header.
const HEADER_BYTES: usize = 3;
/// Schemas whose buckets are known here; finer ones are refused.
const SCHEMAS: std::ops::RangeInclusive<i64> = -4..=8;
/// Schemas that there may be.
const SCHEMAS_RESERVED: std::ops::RangeInclusive<i64> = -9..=52;

/// The beginning of a chunk.
pub(super) struct Head<'a> {
    pub(super) rows: usize,
    pub(super) bits: Bits<'a>,
    pub(super) layout: Layout,
    pub(super) starts: Starts,
    is_gauge: bool,
}

/// What all histograms of a chunk share.
pub(super) struct Layout {
    /// None where it cannot be kept.
    schema: Option<i8>,
    zero_threshold: f64,
    positive_spans: Vec<Span>,
    negative_spans: Vec<Span>,
    custom_values: Vec<f64>,
    pub(super) positive: usize,
    pub(super) negative: usize,
}

impl<'a> Head<'a> {
    /// Reads it.
    pub(super) fn read(data: &'a [u8], is_started: bool) -> Result<Self, Fault> {
        let Some([high, low, third]) = data.first_chunk::<HEADER_BYTES>() else {
            return Err(Fault::Truncated("the header of a chunk"));
        };
        let count = usize::from(u16::from_be_bytes([*high, *low]));
        let (rows, flags, starts) =
            if is_started { (count & 0x3fff, *high, *third) } else { (count, *third, 0) };
        let mut bits = Bits::new(data, HEADER_BYTES);
        let layout = if rows == 0 { Layout::none() } else { Layout::read(&mut bits)? };
        let is_gauge = flags >> 6 == 0b11;
        Ok(Self { rows, bits, layout, starts: Starts::new(starts), is_gauge })
    }

    /// Each row takes `bits_each` bits at least: a false count cannot ask for memory.
    pub(super) fn check_rows(&self, bits_each: usize) -> Result<(), Fault> {
        if self.rows.saturating_mul(bits_each) > self.bits.left() + 64 {
            return Err(Fault::Truncated("the rows of a chunk"));
        }
        Ok(())
    }

    fn reset_hint(&self, row: usize) -> ResetHint {
        match (self.is_gauge, row) {
            (true, _) => ResetHint::Gauge,
            // What came before the chunk may have been lost or added since it was written.
            (false, 0) => ResetHint::Unknown,
            (false, _) => ResetHint::NoReset,
        }
    }
}

/// One histogram as it was read.
pub(super) struct Row<'a> {
    pub(super) number: usize,
    pub(super) time: i64,
    pub(super) start: i64,
    pub(super) is_integer: bool,
    pub(super) count: f64,
    pub(super) zero_count: f64,
    pub(super) sum: f64,
    pub(super) positive: &'a [f64],
    pub(super) negative: &'a [f64],
    /// Whether every count is the number that was written.
    pub(super) is_exact: bool,
}

impl Head<'_> {
    /// Appends a row, or counts it as refused.
    pub(super) fn push(&self, row: &Row<'_>, out: &mut Columns) {
        use super::columns::HistogramPoint;
        let (time, start) = (row.time, row.start);
        if row.sum.to_bits() == STALE_BITS {
            // The marker is all there is of it.
            let value =
                Histogram { is_integer: row.is_integer, sum: row.sum, ..Histogram::default() };
            out.histograms.push(HistogramPoint { time, start, value });
            return;
        }
        let Some(schema) = self.layout.schema.filter(|_| row.is_exact) else {
            out.refused += 1;
            return;
        };
        let value = Histogram {
            is_integer: row.is_integer,
            reset_hint: self.reset_hint(row.number),
            schema,
            zero_threshold: self.layout.zero_threshold,
            zero_count: row.zero_count,
            count: row.count,
            sum: row.sum,
            positive_spans: self.layout.positive_spans.clone(),
            negative_spans: self.layout.negative_spans.clone(),
            positive: row.positive.to_vec(),
            negative: row.negative.to_vec(),
            custom_values: self.layout.custom_values.clone(),
        };
        out.histograms.push(HistogramPoint { time, start, value });
    }
}

impl Layout {
    const fn none() -> Self {
        Self {
            schema: None,
            zero_threshold: 0.0,
            positive_spans: Vec::new(),
            negative_spans: Vec::new(),
            custom_values: Vec::new(),
            positive: 0,
            negative: 0,
        }
    }

    fn read(bits: &mut Bits<'_>) -> Result<Self, Fault> {
        let zero_threshold = read_zero_threshold(bits);
        let schema = bits.varbit_int();
        let is_custom = schema == i64::from(CUSTOM_BUCKETS_SCHEMA);
        if !is_custom && !SCHEMAS_RESERVED.contains(&schema) {
            return Err(Fault::Contradiction("a histogram has an unknown schema"));
        }
        let (positive_spans, positive) = read_spans(bits)?;
        let (negative_spans, negative) = read_spans(bits)?;
        let custom_values = if is_custom { read_bounds(bits)? } else { Vec::new() };
        let known = i8::try_from(schema).ok().filter(|_| is_custom || SCHEMAS.contains(&schema));
        Ok(Self {
            schema: known,
            zero_threshold,
            positive_spans,
            negative_spans,
            custom_values,
            positive,
            negative,
        })
    }
}

/// 0, a power of two as its exponent, or eight bytes.
fn read_zero_threshold(bits: &mut Bits<'_>) -> f64 {
    match bits.take(8) {
        0 => 0.0,
        255 => bits.float(),
        // 2^-243 to 2^10: all have the whole range of a float's exponent to themselves.
        exponent => f64::from_bits((exponent + 1023 - 244) << 52),
    }
}

fn read_spans(bits: &mut Bits<'_>) -> Result<(Vec<Span>, usize), Fault> {
    let count = bits.varbit_uint();
    let mut spans = Vec::new();
    let mut buckets = 0_usize;
    for _ in 0..count {
        // A span takes two bits at least; behind the end there are only zeros.
        if bits.left() == 0 {
            return Err(Fault::Truncated("the spans of a histogram"));
        }
        let length = u32::try_from(bits.varbit_uint());
        let offset = i32::try_from(bits.varbit_int());
        let (Ok(length), Ok(offset)) = (length, offset) else {
            return Err(Fault::Contradiction("a span of buckets is out of range"));
        };
        buckets = buckets.saturating_add(length as usize);
        if buckets > BUCKETS_MAX {
            return Err(Fault::Contradiction("a histogram has more than 65,536 buckets"));
        }
        spans.push(Span { offset, length });
    }
    Ok((spans, buckets))
}

fn read_bounds(bits: &mut Bits<'_>) -> Result<Vec<f64>, Fault> {
    let count = bits.varbit_uint();
    let mut bounds = Vec::new();
    for _ in 0..count {
        if bits.left() == 0 {
            return Err(Fault::Truncated("the bounds of a histogram"));
        }
        let thousandths = bits.varbit_uint();
        bounds.push(match thousandths.checked_sub(1) {
            None => bits.float(),
            Some(thousandths) => as_float(thousandths) / 1000.0,
        });
    }
    Ok(bounds)
}

/// Counts beyond this are not exact as floats.
const COUNT_MAX: u64 = 1 << 53;

/// An integer as a float, and whether it is exact.
#[expect(clippy::cast_precision_loss, reason = "whether it is exact is said")]
pub(super) const fn exact(count: u64) -> (f64, bool) {
    (count as f64, count <= COUNT_MAX)
}

#[expect(clippy::cast_precision_loss, reason = "bounds are below 2^25 where writers made them")]
const fn as_float(number: u64) -> f64 {
    number as f64
}

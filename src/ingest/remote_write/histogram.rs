//! `Histogram`: native histograms, integer and float, exponential and custom buckets. Both messages
//! share it.
//!
//! Integer counts come as differences between neighbours and leave as counts. What a histogram says
//! about itself is checked as Prometheus checks it (`model/histogram`, `Validate`): nothing is ever
//! allocated for buckets that a span only claims.

use super::decoder::Fault;
use crate::ingest::config::BUCKETS_OPTION;
use crate::ingest::labels::limit;
use crate::ingest::wire::{Malformed, Value, Wire, unzigzag, unzigzag32};
use crate::ingest::{Config, Reason};
use crate::model::{CUSTOM_BUCKETS_SCHEMA, Histogram, ResetHint, Span};

/// Integers below this are exact as floats, and so is every sum that stays below it.
const COUNT_MAX: u64 = 1 << 53;

pub(super) struct Read {
    /// Milliseconds.
    pub(super) time: i64,
    /// Milliseconds; 0 = unknown.
    pub(super) start: i64,
    pub(super) value: Histogram,
}

/// Its time alone, in milliseconds.
pub(super) fn time(mut message: Wire<'_>) -> Result<i64, Malformed> {
    let mut time = 0;
    while let Some((number, value)) = message.field()? {
        if let (15, Value::Varint(millis)) = (number, value) {
            time = millis.cast_signed();
        }
    }
    Ok(time)
}

pub(super) fn read(message: Wire<'_>, config: &Config) -> Result<Read, Fault> {
    let raw = Raw::read(message, config.buckets_max)?;
    let (time, start) = (raw.time, raw.start);
    Ok(Read { time, start, value: raw.into_histogram()? })
}

/// The fields as they came.
#[derive(Default)]
pub(in crate::ingest) struct Raw {
    pub(in crate::ingest) is_float: bool,
    pub(in crate::ingest) count_integer: u64,
    pub(in crate::ingest) count_float: f64,
    pub(in crate::ingest) sum: f64,
    pub(in crate::ingest) schema: i32,
    pub(in crate::ingest) zero_threshold: f64,
    pub(in crate::ingest) zero_integer: u64,
    pub(in crate::ingest) zero_float: f64,
    pub(in crate::ingest) negative: Side,
    pub(in crate::ingest) positive: Side,
    pub(in crate::ingest) reset_hint: u64,
    time: i64,
    custom_values: Vec<f64>,
    start: i64,
}

/// Buckets of one sign.
#[derive(Default)]
pub(in crate::ingest) struct Side {
    pub(in crate::ingest) spans: Vec<Span>,
    /// Running sums of the deltas; None in one that left the range of counts.
    integers: Vec<f64>,
    floats: Vec<f64>,
    running: i64,
    /// The first bucket whose count cannot be, from 1, and that count.
    bad: Option<(usize, i64)>,
}

impl Raw {
    fn read(mut message: Wire<'_>, buckets_max: usize) -> Result<Self, Fault> {
        let mut raw = Self::default();
        loop {
            let before = message;
            let Some((number, value)) = message.field()? else { return Ok(raw) };
            match (number, value) {
                (1, Value::Varint(count)) => (raw.is_float, raw.count_integer) = (false, count),
                (2, Value::Fixed64(bits)) => {
                    (raw.is_float, raw.count_float) = (true, f64::from_bits(bits));
                }
                (3, Value::Fixed64(bits)) => raw.sum = f64::from_bits(bits),
                (4, Value::Varint(schema)) => raw.schema = unzigzag32(schema),
                (5, Value::Fixed64(bits)) => raw.zero_threshold = f64::from_bits(bits),
                (6, Value::Varint(count)) => raw.zero_integer = count,
                (7, Value::Fixed64(bits)) => raw.zero_float = f64::from_bits(bits),
                (8..=10, value) => raw.negative.add(number - 8, value, before, buckets_max)?,
                (11..=13, value) => raw.positive.add(number - 11, value, before, buckets_max)?,
                (14, Value::Varint(hint)) => raw.reset_hint = hint,
                (15, Value::Varint(time)) => raw.time = time.cast_signed(),
                (16, value) => {
                    let what = "count of custom bounds";
                    doubles(value, before, number, &mut raw.custom_values, |count| {
                        limit(what, count, buckets_max, BUCKETS_OPTION)
                    })?;
                }
                (17, Value::Varint(start)) => raw.start = start.cast_signed(),
                (1..=17, _) => return Err(before.mismatch("Histogram", number).into()),
                _ => {}
            }
        }
    }

    /// The histogram, if it does not contradict itself.
    pub(in crate::ingest) fn into_histogram(self) -> Result<Histogram, Reason> {
        let histogram = self.finish()?;
        validate(&histogram)?;
        Ok(histogram)
    }

    fn finish(self) -> Result<Histogram, Reason> {
        let is_integer = !self.is_float;
        let Some(schema) = known_schema(self.schema) else {
            return Err(refused(format!(
                "histogram has an invalid schema, which must be between -4 and 8 for exponential \
                 buckets, or {CUSTOM_BUCKETS_SCHEMA} for custom buckets, got schema {}",
                self.schema
            )));
        };
        let (count, zero_count) = if is_integer {
            (exact("count", self.count_integer)?, exact("zero count", self.zero_integer)?)
        } else {
            (self.count_float, self.zero_float)
        };
        Ok(Histogram {
            is_integer,
            reset_hint: match self.reset_hint {
                1 => ResetHint::Reset,
                2 => ResetHint::NoReset,
                3 => ResetHint::Gauge,
                _ => ResetHint::Unknown,
            },
            schema,
            zero_threshold: self.zero_threshold,
            zero_count,
            count,
            sum: self.sum,
            positive: self.positive.counts("positive", is_integer)?,
            negative: self.negative.counts("negative", is_integer)?,
            positive_spans: self.positive.spans,
            negative_spans: self.negative.spans,
            custom_values: self.custom_values,
        })
    }
}

impl Side {
    /// `part`: 0 spans, 1 deltas, 2 counts.
    pub(in crate::ingest) fn add(
        &mut self,
        part: u32,
        value: Value<'_>,
        before: Wire<'_>,
        buckets_max: usize,
    ) -> Result<(), Fault> {
        let bound = |count| limit("count of histogram buckets", count, buckets_max, BUCKETS_OPTION);
        match (part, value) {
            (0, Value::Bytes(message)) => {
                self.spans.push(span(message)?);
                limit("count of histogram spans", self.spans.len(), buckets_max, BUCKETS_OPTION)?;
            }
            (1, Value::Varint(delta)) => {
                self.add_delta(unzigzag(delta));
                bound(self.integers.len())?;
            }
            (1, Value::Bytes(mut packed)) => {
                while !packed.is_empty() {
                    self.add_delta(unzigzag(packed.varint()?));
                    bound(self.integers.len())?;
                }
            }
            (2, value) => doubles(value, before, part, &mut self.floats, bound)?,
            _ => return Err(before.mismatch("Histogram", part).into()),
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "counts beyond 2^53 are refused")]
    fn add_delta(&mut self, delta: i64) {
        let sum = self.running.saturating_add(delta);
        if !(0..COUNT_MAX.cast_signed()).contains(&sum) && self.bad.is_none() {
            self.bad = Some((self.integers.len() + 1, sum));
        }
        self.running = sum;
        self.integers.push(sum as f64);
    }

    fn counts(&self, side: &str, is_integer: bool) -> Result<Vec<f64>, Reason> {
        match self.bad {
            Some((number, count)) if is_integer && count < 0 => Err(negative(side, number, count)),
            Some((number, count)) if is_integer => Err(refused(format!(
                "{side} side: bucket number {number} has observation count of {count}, \
                 counts are exact up to {COUNT_MAX} only"
            ))),
            _ => Ok(if is_integer { self.integers.clone() } else { self.floats.clone() }),
        }
    }
}

fn span(mut message: Wire<'_>) -> Result<Span, Malformed> {
    let mut span = Span { offset: 0, length: 0 };
    loop {
        let before = message;
        match message.field()? {
            Some((1, Value::Varint(offset))) => span.offset = unzigzag32(offset),
            // Longer than any histogram: the check of spans against buckets refuses it.
            Some((2, Value::Varint(length))) => {
                span.length = u32::try_from(length).unwrap_or(u32::MAX);
            }
            Some((number @ (1 | 2), _)) => return Err(before.mismatch("BucketSpan", number)),
            Some(_) => {}
            None => return Ok(span),
        }
    }
}

/// Appends repeated doubles, packed or one by one.
fn doubles(
    value: Value<'_>,
    before: Wire<'_>,
    number: u32,
    out: &mut Vec<f64>,
    bound: impl Fn(usize) -> Result<(), Reason>,
) -> Result<(), Fault> {
    match value {
        Value::Fixed64(bits) => out.push(f64::from_bits(bits)),
        Value::Bytes(mut packed) => {
            while !packed.is_empty() {
                out.push(f64::from_bits(packed.fixed64()?));
                bound(out.len())?;
            }
        }
        _ => return Err(before.mismatch("Histogram", number).into()),
    }
    Ok(bound(out.len())?)
}

#[expect(clippy::cast_precision_loss, reason = "exact below 2^53")]
fn exact(what: &str, count: u64) -> Result<f64, Reason> {
    if count < COUNT_MAX {
        return Ok(count as f64);
    }
    Err(refused(format!("histogram's {what} is {count}, counts are exact up to {COUNT_MAX} only")))
}

fn known_schema(schema: i32) -> Option<i8> {
    let schema = i8::try_from(schema).ok()?;
    matches!(schema, -4..=8 | CUSTOM_BUCKETS_SCHEMA).then_some(schema)
}

fn refused(text: String) -> Reason {
    Reason::Histogram(text)
}

fn negative(side: &str, number: usize, count: impl std::fmt::Display) -> Reason {
    refused(format!(
        "{side} side: bucket number {number} has observation count of {count}: histogram has a \
         bucket whose observation count is negative"
    ))
}

fn validate(histogram: &Histogram) -> Result<(), Reason> {
    if histogram.schema == CUSTOM_BUCKETS_SCHEMA {
        check_custom(histogram)?;
    } else {
        check_spans("positive", &histogram.positive_spans, histogram.positive.len())?;
        check_spans("negative", &histogram.negative_spans, histogram.negative.len())?;
        if !histogram.custom_values.is_empty() {
            let text = "histogram with exponential schema must not have custom bounds";
            return Err(refused(text.into()));
        }
    }
    for (side, counts) in [("negative", &histogram.negative), ("positive", &histogram.positive)] {
        if let Some(index) = counts.iter().position(|count| *count < 0.0) {
            let count = counts.get(index).copied().unwrap_or_default();
            return Err(negative(side, index + 1, count));
        }
    }
    if histogram.is_integer { check_count(histogram) } else { Ok(()) }
}

/// Only integers add up. Observations that are NaN are in the count and in no bucket.
fn check_count(histogram: &Histogram) -> Result<(), Reason> {
    let buckets = histogram.positive.iter().chain(&histogram.negative);
    let observed: f64 = buckets.sum::<f64>() + histogram.zero_count;
    let count = histogram.count;
    let what = if histogram.sum.is_nan() {
        if observed <= count {
            return Ok(());
        }
        "at least the number of observations found in the buckets"
    } else {
        if observed == count {
            return Ok(());
        }
        "equal to the number of observations found in the buckets (in absence of NaN)"
    };
    Err(refused(format!(
        "{observed} observations found in buckets, but the Count field is {count}: histogram's \
         observation count should be {what}"
    )))
}

fn check_spans(side: &str, spans: &[Span], buckets: usize) -> Result<(), Reason> {
    let mut end = 0_i64;
    for (index, span) in spans.iter().enumerate() {
        if index > 0 && span.offset < 0 {
            return Err(refused(negative_offset(&format!("{side} side"), index, *span)));
        }
        end += i64::from(span.offset) + i64::from(span.length);
    }
    // No more than 16 Ki spans of 33 bits each: sums stay far inside 64 bits.
    check_span_lengths(&format!("{side} side"), spans, buckets)?;
    if i32::try_from(end).is_err() {
        return Err(refused(format!("{side} side: spans reach to bucket {end}, beyond 32 bits")));
    }
    Ok(())
}

fn check_span_lengths(place: &str, spans: &[Span], buckets: usize) -> Result<(), Reason> {
    let needed: u64 = spans.iter().map(|span| u64::from(span.length)).sum();
    if needed == buckets as u64 {
        return Ok(());
    }
    Err(refused(format!(
        "{place}: spans need {needed} buckets, have {buckets} buckets: histogram spans specify \
         different number of buckets than provided"
    )))
}

fn negative_offset(place: &str, index: usize, span: Span) -> String {
    format!(
        "{place}: span number {} with offset {}: histogram has a span whose offset is negative",
        index + 1,
        span.offset
    )
}

fn check_custom(histogram: &Histogram) -> Result<(), Reason> {
    let custom = |text: String| Err(refused(format!("custom buckets: {text}")));
    let bounds = &histogram.custom_values;
    let mut previous = f64::NEG_INFINITY;
    for bound in bounds {
        if bound.is_nan() {
            return custom("histogram custom bounds must not be NaN".into());
        }
        if *bound <= previous {
            return custom(format!(
                "previous bound is {previous} and current is {bound}: histogram custom bounds must \
                 be in strictly increasing order"
            ));
        }
        previous = *bound;
    }
    if previous == f64::INFINITY {
        return custom("histogram custom bounds must be finite".into());
    }
    let spans = &histogram.positive_spans;
    if let Some(index) = spans.iter().position(|span| span.offset < 0) {
        let span = spans.get(index).copied().unwrap_or(Span { offset: 0, length: 0 });
        return Err(refused(negative_offset("custom buckets", index, span)));
    }
    check_span_lengths("custom buckets", spans, histogram.positive.len())?;
    let reach: i64 = spans.iter().map(|s| i64::from(s.offset) + i64::from(s.length)).sum();
    if usize::try_from(reach).is_ok_and(|reach| reach > bounds.len() + 1) {
        return custom(format!(
            "only {} custom bounds defined which is insufficient to cover total span length of \
             {reach}: histogram custom bounds are too few",
            bounds.len()
        ));
    }
    let unused = [
        (histogram.zero_count != 0.0, "must have zero count of 0"),
        (histogram.zero_threshold != 0.0, "must have zero threshold of 0"),
        (!histogram.negative_spans.is_empty(), "must not have negative spans"),
        (!histogram.negative.is_empty(), "must not have negative buckets"),
    ];
    match unused.iter().find(|(is_used, _)| *is_used) {
        Some((_, text)) => custom((*text).into()),
        None => Ok(()),
    }
}

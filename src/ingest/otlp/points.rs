//! Data points as they came.

use crate::ingest::Reason;
use crate::ingest::config::BUCKETS_OPTION;
use crate::ingest::labels::limit;
use crate::ingest::otlp::decoder::Fault;
use crate::ingest::otlp::fields::NO_RECORDED_VALUE;
use crate::ingest::wire::{Malformed, Value, Wire, unzigzag32};

/// What every data point has.
#[derive(Clone, Copy)]
pub(super) struct Head<'w> {
    pub(super) message: Wire<'w>,
    /// The field its attributes stand in.
    pub(super) attributes: u32,
    /// The field its exemplars stand in.
    pub(super) exemplars: u32,
    pub(super) has_exemplars: bool,
    /// Nanoseconds since 1970, 0 = not set.
    pub(super) time: u64,
    /// Nanoseconds since 1970, 0 = unknown.
    pub(super) start: u64,
    flags: u64,
}

impl<'w> Head<'w> {
    fn new(message: Wire<'w>, attributes: u32, exemplars: u32) -> Self {
        let (time, start, flags) = (0, 0, 0);
        Self { message, attributes, exemplars, has_exemplars: false, time, start, flags }
    }

    /// Whether it only says that there is no value any more.
    pub(super) fn is_stale(&self) -> bool {
        self.flags & NO_RECORDED_VALUE != 0
    }

    /// Takes a field that all data points number alike.
    fn take(&mut self, number: u32, value: Value<'w>) -> bool {
        match (number, value) {
            (2, Value::Fixed64(start)) => self.start = start,
            (3, Value::Fixed64(time)) => self.time = time,
            (number, Value::Bytes(_)) if number == self.exemplars => self.has_exemplars = true,
            (number, Value::Bytes(_)) if number == self.attributes => {}
            _ => return false,
        }
        true
    }
}

/// `NumberDataPoint`.
pub(super) struct Number<'w> {
    pub(super) head: Head<'w>,
    pub(super) value: Option<f64>,
}

impl<'w> Number<'w> {
    pub(super) fn read(message: Wire<'w>) -> Result<Self, Malformed> {
        let mut point = Self { head: Head::new(message, 7, 5), value: None };
        let mut fields = message;
        loop {
            let before = fields;
            let Some((number, value)) = fields.field()? else { return Ok(point) };
            match (number, value) {
                (4, Value::Fixed64(bits)) => point.value = Some(f64::from_bits(bits)),
                (6, Value::Fixed64(bits)) => point.value = Some(float(bits.cast_signed())),
                (8, Value::Varint(flags)) => point.head.flags = flags,
                (2..=8, value) if !point.head.take(number, value) => {
                    return Err(before.mismatch("NumberDataPoint", number));
                }
                _ => {}
            }
        }
    }
}

/// `HistogramDataPoint`.
pub(super) struct Histogram<'w> {
    pub(super) head: Head<'w>,
    pub(super) count: u64,
    pub(super) sum: Option<f64>,
    /// One more than bounds, or none.
    pub(super) counts: Vec<u64>,
    pub(super) bounds: Vec<f64>,
}

impl<'w> Histogram<'w> {
    pub(super) fn read(message: Wire<'w>, buckets_max: usize) -> Result<Self, Fault> {
        let head = Head::new(message, 9, 8);
        let mut point = Self { head, count: 0, sum: None, counts: Vec::new(), bounds: Vec::new() };
        let mut fields = message;
        loop {
            let before = fields;
            let Some((number, value)) = fields.field()? else { break };
            match (number, value) {
                (4, Value::Fixed64(count)) => point.count = count,
                (5, Value::Fixed64(bits)) => point.sum = Some(f64::from_bits(bits)),
                (6, Value::Fixed64(count)) => point.counts.push(count),
                (6, Value::Bytes(packed)) => unpack(packed, buckets_max, &mut point.counts)?,
                (7, Value::Fixed64(bits)) => point.bounds.push(f64::from_bits(bits)),
                (7, Value::Bytes(packed)) => {
                    let mut bits = Vec::new();
                    unpack(packed, buckets_max, &mut bits)?;
                    point.bounds.extend(bits.into_iter().map(f64::from_bits));
                }
                (10, Value::Varint(flags)) => point.head.flags = flags,
                (11 | 12, Value::Fixed64(_)) => {}
                (2..=12, value) if !point.head.take(number, value) => {
                    return Err(before.mismatch("HistogramDataPoint", number).into());
                }
                _ => {}
            }
            check_size(point.counts.len().max(point.bounds.len()), buckets_max)?;
        }
        point.check()?;
        Ok(point)
    }

    fn check(&self) -> Result<(), Reason> {
        let (counts, bounds) = (self.counts.len(), self.bounds.len());
        let fits = counts == bounds + 1 || (counts == 0 && bounds == 0);
        // A data point without a value has no buckets to speak of.
        if !fits && !self.head.is_stale() {
            return Err(Reason::Histogram(format!(
                "histogram has {counts} bucket counts and {bounds} explicit bounds; it needs one \
                 count more than bounds, or none of both"
            )));
        }
        let mut pairs = self.bounds.iter().zip(self.bounds.iter().skip(1));
        let is_rising = pairs.all(|(left, right)| left < right)
            && self.bounds.iter().all(|bound| !bound.is_nan());
        if is_rising {
            return Ok(());
        }
        Err(Reason::Histogram("explicit bounds of the histogram do not rise".into()))
    }
}

/// `ExponentialHistogramDataPoint`.
pub(super) struct Exponential<'w> {
    pub(super) head: Head<'w>,
    pub(super) count: u64,
    pub(super) sum: Option<f64>,
    pub(super) scale: i32,
    pub(super) zero_count: u64,
    pub(super) zero_threshold: f64,
    pub(super) positive: Buckets,
    pub(super) negative: Buckets,
}

/// Consecutive buckets of one sign.
#[derive(Default)]
pub(super) struct Buckets {
    pub(super) offset: i32,
    pub(super) counts: Vec<u64>,
}

impl<'w> Exponential<'w> {
    pub(super) fn read(message: Wire<'w>, buckets_max: usize) -> Result<Self, Fault> {
        let mut point = Self {
            head: Head::new(message, 1, 11),
            count: 0,
            sum: None,
            scale: 0,
            zero_count: 0,
            zero_threshold: 0.0,
            positive: Buckets::default(),
            negative: Buckets::default(),
        };
        let mut fields = message;
        loop {
            let before = fields;
            let Some((number, value)) = fields.field()? else { return Ok(point) };
            match (number, value) {
                (4, Value::Fixed64(count)) => point.count = count,
                (5, Value::Fixed64(bits)) => point.sum = Some(f64::from_bits(bits)),
                (6, Value::Varint(scale)) => point.scale = unzigzag32(scale),
                (7, Value::Fixed64(count)) => point.zero_count = count,
                (8, Value::Bytes(side)) => point.positive = Buckets::read(side, buckets_max)?,
                (9, Value::Bytes(side)) => point.negative = Buckets::read(side, buckets_max)?,
                (10, Value::Varint(flags)) => point.head.flags = flags,
                (12 | 13, Value::Fixed64(_)) => {}
                (14, Value::Fixed64(bits)) => point.zero_threshold = f64::from_bits(bits),
                (1..=14, value) if !point.head.take(number, value) => {
                    return Err(before.mismatch("ExponentialHistogramDataPoint", number).into());
                }
                _ => {}
            }
        }
    }
}

impl Buckets {
    fn read(mut message: Wire<'_>, buckets_max: usize) -> Result<Self, Fault> {
        let mut buckets = Self::default();
        loop {
            let before = message;
            match message.field()? {
                Some((1, Value::Varint(offset))) => buckets.offset = unzigzag32(offset),
                Some((2, Value::Varint(count))) => {
                    buckets.counts.push(count);
                    check_size(buckets.counts.len(), buckets_max)?;
                }
                Some((2, Value::Bytes(mut packed))) => {
                    while !packed.is_empty() {
                        buckets.counts.push(packed.varint()?);
                        check_size(buckets.counts.len(), buckets_max)?;
                    }
                }
                Some((number @ (1 | 2), _)) => {
                    return Err(before.mismatch("Buckets", number).into());
                }
                Some(_) => {}
                None => return Ok(buckets),
            }
        }
    }
}

/// `SummaryDataPoint`.
pub(super) struct Summary<'w> {
    pub(super) head: Head<'w>,
    pub(super) count: u64,
    pub(super) sum: f64,
    /// Each quantile and its value.
    pub(super) quantiles: Vec<(f64, f64)>,
}

impl<'w> Summary<'w> {
    pub(super) fn read(message: Wire<'w>, quantiles_max: usize) -> Result<Self, Fault> {
        // No exemplars: field 0 does not exist.
        let head = Head::new(message, 7, 0);
        let mut point = Self { head, count: 0, sum: 0.0, quantiles: Vec::new() };
        let mut fields = message;
        loop {
            let before = fields;
            let Some((number, value)) = fields.field()? else { return Ok(point) };
            match (number, value) {
                (4, Value::Fixed64(count)) => point.count = count,
                (5, Value::Fixed64(bits)) => point.sum = f64::from_bits(bits),
                (6, Value::Bytes(pair)) => {
                    point.quantiles.push(quantile(pair)?);
                    let what = "count of quantiles";
                    limit(what, point.quantiles.len(), quantiles_max, BUCKETS_OPTION)?;
                }
                (8, Value::Varint(flags)) => point.head.flags = flags,
                (2..=8, value) if !point.head.take(number, value) => {
                    return Err(before.mismatch("SummaryDataPoint", number).into());
                }
                _ => {}
            }
        }
    }
}

fn quantile(mut message: Wire<'_>) -> Result<(f64, f64), Malformed> {
    let mut pair = (0.0, 0.0);
    loop {
        let before = message;
        match message.field()? {
            Some((1, Value::Fixed64(bits))) => pair.0 = f64::from_bits(bits),
            Some((2, Value::Fixed64(bits))) => pair.1 = f64::from_bits(bits),
            Some((number @ (1 | 2), _)) => return Err(before.mismatch("ValueAtQuantile", number)),
            Some(_) => {}
            None => return Ok(pair),
        }
    }
}

fn unpack(mut packed: Wire<'_>, count_max: usize, out: &mut Vec<u64>) -> Result<(), Fault> {
    check_size(out.len() + packed.bytes().len() / 8, count_max)?;
    while !packed.is_empty() {
        out.push(packed.fixed64()?);
    }
    Ok(())
}

fn check_size(count: usize, count_max: usize) -> Result<(), Reason> {
    limit("count of histogram buckets", count, count_max, BUCKETS_OPTION)
}

/// Integers become floats, as everywhere here: exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "all samples are floats")]
pub(super) fn float(value: i64) -> f64 {
    value as f64
}

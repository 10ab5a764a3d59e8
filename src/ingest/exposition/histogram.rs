//! `io.prometheus.client.Histogram`: classic buckets, native ones, or both.

use crate::ingest::remote_write::{Fault, RawHistogram};
use crate::ingest::wire::{Malformed, Value, Wire, unzigzag32};

/// Value of the reset hint of a histogram that goes up and down.
const GAUGE_HINT: u64 = 3;

/// A histogram as it came.
pub(super) struct Read<'a> {
    /// Its native part.
    pub(super) raw: RawHistogram,
    /// Whether there is a native part.
    pub(super) is_native: bool,
    pub(super) count: f64,
    pub(super) sum: f64,
    /// ns; 0 = unknown.
    pub(super) start: i64,
    pub(super) has_buckets: bool,
    pub(super) has_exemplars: bool,
    /// All of it, to walk its buckets and exemplars.
    pub(super) message: Wire<'a>,
}

#[expect(clippy::cast_precision_loss, reason = "samples are floats")]
pub(super) fn read(
    message: Wire<'_>,
    is_gauge: bool,
    buckets_max: usize,
) -> Result<Read<'_>, Fault> {
    let mut raw = RawHistogram::default();
    let (mut start, mut has_buckets, mut has_exemplars) = (0, false, false);
    let mut wire = message;
    loop {
        let before = wire;
        let Some((number, value)) = wire.field()? else { break };
        match (number, value) {
            (1, Value::Varint(count)) => raw.count_integer = count,
            (2, Value::Fixed64(bits)) => raw.sum = f64::from_bits(bits),
            (3, Value::Bytes(_)) => has_buckets = true,
            (4, Value::Fixed64(bits)) => raw.count_float = f64::from_bits(bits),
            (5, Value::Varint(schema)) => raw.schema = unzigzag32(schema),
            (6, Value::Fixed64(bits)) => raw.zero_threshold = f64::from_bits(bits),
            (7, Value::Varint(count)) => raw.zero_integer = count,
            (8, Value::Fixed64(bits)) => raw.zero_float = f64::from_bits(bits),
            (9..=11, value) => raw.negative.add(number - 9, value, before, buckets_max)?,
            (12..=14, value) => raw.positive.add(number - 12, value, before, buckets_max)?,
            (15, Value::Bytes(time)) => start = timestamp(time)?,
            (16, Value::Bytes(_)) => has_exemplars = true,
            (1..=16, _) => return Err(before.mismatch("Histogram", number).into()),
            _ => {}
        }
    }
    raw.is_float = raw.count_float > 0.0 || raw.zero_float > 0.0;
    raw.reset_hint = if is_gauge { GAUGE_HINT } else { 0 };
    let is_native = !raw.positive.spans.is_empty()
        || !raw.negative.spans.is_empty()
        || raw.zero_threshold > 0.0
        || raw.zero_integer > 0;
    let count = if raw.count_float > 0.0 { raw.count_float } else { raw.count_integer as f64 };
    let sum = raw.sum;
    Ok(Read { raw, is_native, count, sum, start, has_buckets, has_exemplars, message })
}

/// A classic bucket.
pub(super) struct Bucket<'a> {
    pub(super) bound: f64,
    /// Of this bucket and those below it.
    pub(super) count: f64,
    pub(super) exemplar: Option<Wire<'a>>,
}

#[expect(clippy::cast_precision_loss, reason = "samples are floats")]
pub(super) fn bucket(mut message: Wire<'_>) -> Result<Bucket<'_>, Malformed> {
    let (mut integer, mut float) = (0, 0.0);
    let (mut bound, mut exemplar) = (0.0, None);
    loop {
        let before = message;
        match message.field()? {
            Some((1, Value::Varint(count))) => integer = count,
            Some((2, Value::Fixed64(bits))) => bound = f64::from_bits(bits),
            Some((3, Value::Bytes(message))) => exemplar = Some(message),
            Some((4, Value::Fixed64(bits))) => float = f64::from_bits(bits),
            Some((number @ 1..=4, _)) => return Err(before.mismatch("Bucket", number)),
            Some(_) => {}
            None => break,
        }
    }
    let count = if float > 0.0 { float } else { integer as f64 };
    Ok(Bucket { bound, count, exemplar })
}

/// `google.protobuf.Timestamp`, as nanoseconds; 0 where it lies outside 1677-2262.
pub(super) fn timestamp(mut message: Wire<'_>) -> Result<i64, Malformed> {
    let (mut seconds, mut nanos) = (0, 0);
    loop {
        let before = message;
        match message.field()? {
            Some((1, Value::Varint(value))) => seconds = value.cast_signed(),
            Some((2, Value::Varint(value))) => nanos = value.cast_signed(),
            Some((number @ (1 | 2), _)) => return Err(before.mismatch("Timestamp", number)),
            Some(_) => {}
            None => break,
        }
    }
    let time = seconds.checked_mul(1_000_000_000).and_then(|time: i64| time.checked_add(nanos));
    Ok(time.unwrap_or(0))
}

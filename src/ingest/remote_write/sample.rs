//! `Sample`: value 1, time 2, start 3, in milliseconds. Both messages share it.

use crate::ingest::wire::{Malformed, Value, Wire};

/// Field 1, 64 bits.
const VALUE_TAG: u8 = 0x09;
/// Field 2, a varint.
const TIME_TAG: u8 = 0x10;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sample {
    pub(super) time: i64,
    /// 0 = unknown.
    pub(super) start: i64,
    pub(super) value: f64,
}

/// Value then time is how senders write it; a value of 0 is often left out.
#[inline]
pub(super) fn read(message: Wire<'_>) -> Result<Sample, Malformed> {
    let mut wire = message;
    let value = if wire.step_over_byte(VALUE_TAG) { f64::from_bits(wire.fixed64()?) } else { 0.0 };
    if wire.step_over_byte(TIME_TAG) {
        let time = wire.varint()?.cast_signed();
        if wire.is_empty() {
            return Ok(Sample { time, start: 0, value });
        }
    }
    read_any(message)
}

fn read_any(mut message: Wire<'_>) -> Result<Sample, Malformed> {
    let mut sample = Sample::default();
    loop {
        let before = message;
        match message.field()? {
            Some((1, Value::Fixed64(bits))) => sample.value = f64::from_bits(bits),
            Some((2, Value::Varint(time))) => sample.time = time.cast_signed(),
            Some((3, Value::Varint(start))) => sample.start = start.cast_signed(),
            Some((number @ 1..=3, _)) => return Err(before.mismatch("Sample", number)),
            Some(_) => {}
            None => return Ok(sample),
        }
    }
}

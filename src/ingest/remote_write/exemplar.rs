//! `Exemplar`: labels 1, value 2, time 3. The messages differ in how labels are written.

use super::decoder::Fault;
use super::labels;
use crate::ingest::Config;
use crate::ingest::exemplar::{check_count, finish};
use crate::ingest::wire::{Malformed, Value, Wire};
use crate::model::Labels;

pub(super) struct Read {
    /// Milliseconds; 0 = not set.
    pub(super) time: i64,
    pub(super) value: f64,
}

pub(super) fn read(mut message: Wire<'_>) -> Result<Read, Malformed> {
    let mut read = Read { time: 0, value: 0.0 };
    loop {
        let before = message;
        match message.field()? {
            Some((2, Value::Fixed64(bits))) => read.value = f64::from_bits(bits),
            Some((3, Value::Varint(time))) => read.time = time.cast_signed(),
            Some((number @ (2 | 3), _)) => return Err(before.mismatch("Exemplar", number)),
            Some(_) => {}
            None => return Ok(read),
        }
    }
}

pub(super) fn time(message: Wire<'_>) -> Result<i64, Malformed> {
    Ok(read(message)?.time)
}

/// The labels of an exemplar of message 1.
pub(super) fn spelled(mut message: Wire<'_>, config: &Config) -> Result<Labels, Fault> {
    let mut pairs = Vec::new();
    loop {
        let before = message;
        match message.field()? {
            Some((1, Value::Bytes(label))) => {
                pairs.push(labels::pair(label)?);
                check_count(pairs.len(), config)?;
            }
            Some((1, _)) => return Err(before.mismatch("prometheus.Exemplar", 1).into()),
            Some(_) => {}
            None => return Ok(finish(&pairs, config)?),
        }
    }
}

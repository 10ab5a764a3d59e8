//! `Exemplar`: labels 1, value 2, time 3. The messages differ in how labels are written.

use super::decoder::Fault;
use super::labels;
use crate::ingest::config::EXEMPLAR_OPTION;
use crate::ingest::labels::{limit, shown, text};
use crate::ingest::wire::{Malformed, Value, Wire};
use crate::ingest::{Config, Reason};
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

/// A label has at least a character, so more labels than characters are too many.
pub(super) fn check_count(count: usize, config: &Config) -> Result<(), Reason> {
    limit("exemplar label count", count, config.exemplar_runes_max, EXEMPLAR_OPTION)
}

/// Labels of an exemplar: text, no name empty or twice, of limited size together.
pub(in crate::ingest) fn finish(
    pairs: &[(&[u8], &[u8])],
    config: &Config,
) -> Result<Labels, Reason> {
    let mut labels = Vec::with_capacity(pairs.len());
    let mut runes = 0;
    for (name, value) in pairs {
        if name.is_empty() {
            return Err(Reason::EmptyName(shown(value)));
        }
        let label = (text("name", name)?, text("value", value)?);
        runes += label.0.chars().count() + label.1.chars().count();
        limit("size of exemplar labels", runes, config.exemplar_runes_max, EXEMPLAR_OPTION)?;
        labels.push(label);
    }
    Labels::new(labels).map_err(Reason::DuplicateLabel)
}

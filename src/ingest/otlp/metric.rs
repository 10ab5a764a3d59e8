//! A metric as it came: its names, and of what kind it is.

use std::cell::OnceCell;

use crate::ingest::otlp::context::{Kind, Metric, Temporality};
use crate::ingest::otlp::decoder::Decoder;
use crate::ingest::wire::{Malformed, Value, Wire};

impl<'d> Decoder<'d> {
    /// None where there is no data, or of a kind that is not known.
    pub(super) fn read_metric(
        &mut self,
        message: Wire<'d>,
    ) -> Result<Option<Metric<'d>>, Malformed> {
        let (mut name, mut help, mut unit): (&[u8], &[u8], &[u8]) = (&[], &[], &[]);
        let mut data = None;
        let mut fields = message;
        loop {
            let before = fields;
            match fields.field()? {
                Some((1, Value::Bytes(text))) => name = text.bytes(),
                Some((2, Value::Bytes(text))) => help = text.bytes(),
                Some((3, Value::Bytes(text))) => unit = text.bytes(),
                Some((number @ (5 | 7 | 9 | 10 | 11), Value::Bytes(found))) => {
                    data = Some((number, found));
                }
                Some((number @ (1..=3 | 5 | 7 | 9..=11), _)) => {
                    return Err(before.mismatch("Metric", number));
                }
                Some(_) => {}
                None => break,
            }
        }
        let Some((number, data)) = data else { return Ok(None) };
        let (kind, temporality) = kind_of(number, data)?;
        let bytes = self.key_bytes();
        bytes.clear();
        bytes.push(match kind {
            Kind::Gauge => 1,
            Kind::Sum { is_monotonic } => 2 + u8::from(is_monotonic),
            Kind::Histogram => 4,
            Kind::Exponential => 5,
            Kind::Summary => 6,
        });
        bytes.extend_from_slice(&name.len().to_le_bytes());
        bytes.extend_from_slice(name);
        bytes.extend_from_slice(unit);
        let (key, family) = (self.key_of(), OnceCell::new());
        Ok(Some(Metric { name, unit, help, kind, temporality, data, key, family }))
    }
}

/// What the field of a metric's data says of its kind.
fn kind_of(number: u32, mut data: Wire<'_>) -> Result<(Kind, Temporality), Malformed> {
    if number == 5 {
        return Ok((Kind::Gauge, Temporality::Cumulative));
    }
    if number == 11 {
        return Ok((Kind::Summary, Temporality::Cumulative));
    }
    let (mut temporality, mut is_monotonic) = (0, false);
    loop {
        let before = data;
        match data.field()? {
            Some((2, Value::Varint(value))) => temporality = value,
            Some((3, Value::Varint(value))) if number == 7 => is_monotonic = value != 0,
            Some((field @ 2, _)) => return Err(before.mismatch("Metric", field)),
            Some(_) => {}
            None => break,
        }
    }
    let temporality = match temporality {
        1 => Temporality::Delta,
        2 => Temporality::Cumulative,
        _ => Temporality::Unspecified,
    };
    let kind = match number {
        7 => Kind::Sum { is_monotonic },
        9 => Kind::Histogram,
        _ => Kind::Exponential,
    };
    Ok((kind, temporality))
}

//! Exemplars: a value, when, and the trace it belongs to.

use crate::ingest::labels::text;
use crate::ingest::otlp::attributes;
use crate::ingest::otlp::decoder::Decoder;
use crate::ingest::otlp::encodings::put_hex;
use crate::ingest::otlp::points::{Head, float};
use crate::ingest::wire::{Malformed, Value, Wire};
use crate::model::{Exemplar, Labels, SeriesRef};

impl Decoder<'_> {
    /// Takes the exemplars of a data point, each into the series that `choose` names for its value.
    ///
    /// One without a value or out of time is left out; its data point is not.
    #[inline]
    pub(super) fn take_exemplars(
        &mut self,
        head: &Head<'_>,
        time: i64,
        choose: impl Fn(f64) -> SeriesRef,
    ) -> Result<(), Malformed> {
        if head.has_exemplars { self.take_all_exemplars(head, time, choose) } else { Ok(()) }
    }

    #[cold]
    fn take_all_exemplars(
        &mut self,
        head: &Head<'_>,
        time: i64,
        choose: impl Fn(f64) -> SeriesRef,
    ) -> Result<(), Malformed> {
        let mut fields = head.message;
        while let Some((number, value)) = fields.field()? {
            let (true, Value::Bytes(message)) = (number == head.exemplars, value) else { continue };
            let read = Read::of(message)?;
            let Some(value) = read.value else { continue };
            let at = match i64::try_from(read.time) {
                Ok(0) => time,
                Ok(at) if self.bounds.nanos(at).is_ok() => at,
                Ok(_) | Err(_) => continue,
            };
            let labels = self.exemplar_labels(&read)?;
            let series = choose(value);
            self.batch.exemplars.push(Exemplar { series, time: at, value, labels });
        }
        Ok(())
    }

    /// Trace and span always; attributes where there is room for all of them.
    fn exemplar_labels(&self, read: &Read<'_>) -> Result<Labels, Malformed> {
        let (mut trace, mut span) = (String::new(), String::new());
        put_hex(read.trace_id, &mut trace);
        put_hex(read.span_id, &mut span);
        let ids = [("trace_id", &trace), ("span_id", &span)];
        let ids = ids.into_iter().filter(|(_, id)| id.bytes().any(|digit| digit != b'0'));
        let ids: Vec<_> = ids.map(|(name, id)| (name, id.as_str())).collect();
        let attributes = self.exemplar_attributes(read)?;
        let all = ids
            .iter()
            .copied()
            .chain(attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let runes: usize =
            all.clone().map(|(name, value)| name.chars().count() + value.chars().count()).sum();
        let labels = (runes <= self.intake.config.exemplar_runes_max)
            .then(|| Labels::new(all).ok())
            .flatten();
        // Two different names: they cannot collide.
        Ok(labels.unwrap_or_else(|| Labels::new(ids).unwrap_or_else(|_| Labels::empty())))
    }

    /// None of them where one is no text, or they are far too many.
    fn exemplar_attributes(&self, read: &Read<'_>) -> Result<Vec<(String, String)>, Malformed> {
        let found = attributes::read(read.message, 7)?;
        if found.len() > self.intake.config.exemplar_runes_max {
            return Ok(Vec::new());
        }
        let mut out = Vec::with_capacity(found.len());
        for (key, value) in found {
            let value = attributes::text(value)?;
            let (Ok(key), Ok(value)) = (text("name", key), text("value", &value)) else {
                return Ok(Vec::new());
            };
            if !key.is_empty() && !value.is_empty() {
                out.push((key.to_owned(), value.to_owned()));
            }
        }
        Ok(out)
    }
}

/// `Exemplar`.
struct Read<'w> {
    message: Wire<'w>,
    time: u64,
    value: Option<f64>,
    span_id: &'w [u8],
    trace_id: &'w [u8],
}

/// Bytes of a trace id; a longer one is cut, for it is no trace id.
const TRACE_ID_BYTES: usize = 16;
const SPAN_ID_BYTES: usize = 8;

impl<'w> Read<'w> {
    fn of(message: Wire<'w>) -> Result<Self, Malformed> {
        let mut read = Self { message, time: 0, value: None, span_id: &[], trace_id: &[] };
        let mut fields = message;
        loop {
            let before = fields;
            let id = |bytes: Wire<'w>, size: usize| bytes.bytes().get(..size).unwrap_or_default();
            match fields.field()? {
                Some((2, Value::Fixed64(time))) => read.time = time,
                Some((3, Value::Fixed64(bits))) => read.value = Some(f64::from_bits(bits)),
                Some((4, Value::Bytes(bytes))) => read.span_id = id(bytes, SPAN_ID_BYTES),
                Some((5, Value::Bytes(bytes))) => read.trace_id = id(bytes, TRACE_ID_BYTES),
                Some((6, Value::Fixed64(bits))) => read.value = Some(float(bits.cast_signed())),
                Some((7, Value::Bytes(_))) => {}
                Some((number @ 2..=7, _)) => return Err(before.mismatch("Exemplar", number)),
                Some(_) => {}
                None => return Ok(read),
            }
        }
    }
}

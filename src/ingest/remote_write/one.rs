//! `prometheus.WriteRequest`: labels stand in each series.

use super::decoder::{Decoder, Rows, Series, Source};
use super::labels;
use crate::ingest::Error;
use crate::ingest::wire::{Malformed, Value, Wire};
use crate::model::Door;

/// The key of a label field: number 1, length-delimited.
const LABEL_TAG: u8 = 0x0a;

pub(super) fn decode(decoder: &mut Decoder<'_>) -> Result<(), Error> {
    let mut request = decoder.body;
    let (mut series_count, mut metadata_count) = (0, 0);
    loop {
        let before = request;
        match request.field()? {
            Some((1, Value::Bytes(message))) => {
                take(decoder, series_count, message)?;
                series_count += 1;
            }
            Some((3, Value::Bytes(message))) => {
                decoder.take_family(metadata_count, message)?;
                metadata_count += 1;
            }
            Some((number @ (1 | 3), _)) => {
                return Err(before.mismatch("prometheus.WriteRequest", number).into());
            }
            Some(_) => {}
            None => return Ok(()),
        }
    }
}

#[inline]
fn take(decoder: &mut Decoder<'_>, index: usize, message: Wire<'_>) -> Result<(), Error> {
    let layout = Layout::of(message)?;
    if layout.rows.count == 0 {
        return Ok(());
    }
    if layout.is_scattered {
        return take_scattered(decoder, index, message, layout.rows);
    }
    take_labelled(decoder, index, layout.labels, layout.rows)
}

#[inline]
fn take_labelled(
    decoder: &mut Decoder<'_>,
    index: usize,
    labels: &[u8],
    rows: Rows<'_>,
) -> Result<(), Error> {
    let key = decoder.intake.registry.key(decoder.intake.tenant, Door::RemoteWrite, labels);
    decoder.take(key, &Series { index, labels: Source::Fields(labels), rows, created: 0 })
}

#[cold]
fn take_scattered(
    decoder: &mut Decoder<'_>,
    index: usize,
    message: Wire<'_>,
    rows: Rows<'_>,
) -> Result<(), Error> {
    let mut labels = Vec::new();
    labels::gather(message, &mut labels)?;
    take_labelled(decoder, index, &labels, rows)
}

/// Where things lie in a series. Senders write labels first; other orders are legal.
struct Layout<'a> {
    /// The label fields that the message begins with.
    labels: &'a [u8],
    rows: Rows<'a>,
    /// Whether labels stand among the rows, too.
    is_scattered: bool,
}

impl<'a> Layout<'a> {
    #[inline]
    fn of(message: Wire<'a>) -> Result<Self, Malformed> {
        let mut wire = message;
        wire.step_over_all(LABEL_TAG)?;
        let mut rows = Rows { fields: wire, count: 0, sample: None };
        let mut is_scattered = false;
        loop {
            let before = wire;
            match wire.field()? {
                Some((1, Value::Bytes(_))) => is_scattered = true,
                Some((2, Value::Bytes(sample))) => {
                    rows.count += 1;
                    rows.sample = Some(sample);
                }
                Some((3 | 4, Value::Bytes(_))) => rows.count += 1,
                Some((number @ 1..=4, _)) => {
                    return Err(before.mismatch("prometheus.TimeSeries", number));
                }
                Some(_) => {}
                None => break,
            }
        }
        Ok(Self { labels: rows.fields.since(&message), rows, is_scattered })
    }
}

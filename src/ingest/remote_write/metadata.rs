//! What metrics are: type, unit, help. Message 1 tells it apart from series, message 2 with each.

use super::decoder::Decoder;
use crate::ingest::config::VALUE_OPTION;
use crate::ingest::labels::{limit, text};
use crate::ingest::wire::{Malformed, Value, Wire};
use crate::ingest::{Place, Reason};
use crate::model::{Door, Metadata, MetricKind};

/// Separates keys of metadata from those of the server's own series; neither is ever bound.
const KEY_PREFIX: &[u8] = b"metadata\0";

/// Metadata as it came.
#[derive(Default)]
pub(super) struct Told<'a> {
    pub(super) metric: &'a [u8],
    pub(super) kind: u64,
    pub(super) unit: &'a [u8],
    pub(super) help: &'a [u8],
}

impl Decoder<'_> {
    /// `prometheus.MetricMetadata`.
    pub(super) fn take_family(
        &mut self,
        index: usize,
        mut message: Wire<'_>,
    ) -> Result<(), Malformed> {
        let mut told = Told::default();
        loop {
            let before = message;
            match message.field()? {
                Some((1, Value::Varint(kind))) => told.kind = kind,
                Some((2, Value::Bytes(metric))) => told.metric = metric.bytes(),
                Some((4, Value::Bytes(help))) => told.help = help.bytes(),
                Some((5, Value::Bytes(unit))) => told.unit = unit.bytes(),
                Some((number @ (1 | 2 | 4 | 5), _)) => {
                    return Err(before.mismatch("prometheus.MetricMetadata", number));
                }
                Some(_) => {}
                None => break,
            }
        }
        self.tell(index, &told);
        Ok(())
    }

    /// Takes metadata, unless this connection told the same not long ago.
    pub(super) fn tell(&mut self, index: usize, told: &Told<'_>) {
        let mut bytes = std::mem::take(&mut self.session.bytes);
        bytes.clear();
        bytes.extend_from_slice(KEY_PREFIX);
        bytes.extend_from_slice(&told.kind.to_le_bytes());
        for text in [told.metric, told.unit, told.help] {
            bytes.extend_from_slice(&text.len().to_le_bytes());
            bytes.extend_from_slice(text);
        }
        let key = self.intake.registry.key(self.intake.tenant, Door::Own, &bytes);
        self.session.bytes = bytes;
        if !self.session.is_news(key) {
            self.report.metadata += 1;
            return;
        }
        match self.read_told(told) {
            Ok(metadata) => {
                self.batch.metadata.push(metadata);
                self.report.metadata += 1;
            }
            Err(reason) => {
                self.session.forget_news(key);
                self.report.refuse(self.intake.config, 1, || (Place::Metadata(index), reason));
            }
        }
    }

    fn read_told(&self, told: &Told<'_>) -> Result<Metadata, Reason> {
        if told.metric.is_empty() {
            return Err(Reason::MetadataWithoutMetric);
        }
        let read = |what, bytes: &[u8]| {
            limit(what, bytes.len(), self.intake.config.value_bytes_max, VALUE_OPTION)?;
            text(what, bytes).map(str::to_owned)
        };
        Ok(Metadata {
            metric: read("metric name", told.metric)?,
            kind: MetricKind::from_number(told.kind),
            unit: read("unit", told.unit)?,
            help: read("help text", told.help)?,
        })
    }
}

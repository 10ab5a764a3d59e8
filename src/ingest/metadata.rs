//! What metrics are: type, unit, help, as senders tell it again and again.

use crate::ingest::config::VALUE_OPTION;
use crate::ingest::labels::{limit, text};
use crate::ingest::{Config, Intake, Reason, Session};
use crate::model::{Batch, Door, Metadata, MetricKind, SeriesKey};

/// Separates keys of metadata from those of the server's own series; neither is ever bound.
const KEY_PREFIX: &[u8] = b"metadata\0";

/// Metadata as it came.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told<'a> {
    pub(super) metric: &'a [u8],
    pub(super) kind: u64,
    pub(super) unit: &'a [u8],
    pub(super) help: &'a [u8],
}

impl Told<'_> {
    /// Appends it to `batch`, unless this connection told the same not long ago.
    pub(super) fn tell(
        &self,
        session: &mut Session,
        intake: &Intake<'_>,
        batch: &mut Batch,
    ) -> Result<(), Reason> {
        let key = self.key(session, intake);
        if !session.is_news(key) {
            return Ok(());
        }
        match self.read(intake.config) {
            Ok(metadata) => {
                batch.metadata.push(metadata);
                Ok(())
            }
            Err(reason) => {
                session.forget_news(key);
                Err(reason)
            }
        }
    }

    fn key(&self, session: &mut Session, intake: &Intake<'_>) -> SeriesKey {
        let mut bytes = std::mem::take(&mut session.bytes);
        bytes.clear();
        bytes.extend_from_slice(KEY_PREFIX);
        bytes.extend_from_slice(&self.kind.to_le_bytes());
        for text in [self.metric, self.unit, self.help] {
            bytes.extend_from_slice(&text.len().to_le_bytes());
            bytes.extend_from_slice(text);
        }
        let key = intake.registry.key(intake.tenant, Door::Own, &bytes);
        session.bytes = bytes;
        key
    }

    fn read(&self, config: &Config) -> Result<Metadata, Reason> {
        if self.metric.is_empty() {
            return Err(Reason::MetadataWithoutMetric);
        }
        let read = |what, bytes: &[u8]| {
            limit(what, bytes.len(), config.value_bytes_max, VALUE_OPTION)?;
            text(what, bytes).map(str::to_owned)
        };
        Ok(Metadata {
            metric: read("metric name", self.metric)?,
            kind: MetricKind::from_number(self.kind),
            unit: read("unit", self.unit)?,
            help: read("help text", self.help)?,
        })
    }
}

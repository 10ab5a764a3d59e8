//! What metrics are: kind, unit and help, told once in a while.

use crate::ingest::Reason;
use crate::ingest::config::VALUE_OPTION;
use crate::ingest::labels::{limit, text};
use crate::ingest::otlp::context::Metric;
use crate::ingest::otlp::decoder::Decoder;
use crate::ingest::otlp::names;
use crate::model::{Metadata, MetricKind};

/// The series that tells of a resource.
pub(super) const TARGET_INFO: &str = "target_info";

/// Begins the bytes of a key of metadata.
const KEY_PREFIX: &[u8] = b"metadata\0";

impl Decoder<'_> {
    /// Takes what a metric says of itself, unless this connection said the same not long ago.
    pub(super) fn tell(&mut self, metric: &Metric<'_>) {
        let fingerprint = self.fingerprint.to_le_bytes();
        let bytes = self.key_bytes();
        bytes.clear();
        bytes.extend_from_slice(KEY_PREFIX);
        bytes.extend_from_slice(&fingerprint);
        bytes.extend_from_slice(&metric.key.0.to_le_bytes());
        bytes.extend_from_slice(metric.help);
        let key = self.key_of();
        self.report.metadata += 1;
        if !self.session.is_news(key) {
            return;
        }
        if let Ok(metadata) = self.read_metadata(metric) {
            self.batch.metadata.push(metadata);
        } else {
            // Its rows are taken; a help text that is too long costs only itself.
            self.report.metadata -= 1;
            self.session.forget_news(key);
        }
    }

    /// The same of `target_info`.
    pub(super) fn tell_target(&mut self) {
        let bytes = self.key_bytes();
        bytes.clear();
        bytes.extend_from_slice(KEY_PREFIX);
        bytes.extend_from_slice(TARGET_INFO.as_bytes());
        let key = self.key_of();
        if self.session.is_news(key) {
            self.batch.metadata.push(Metadata {
                metric: TARGET_INFO.into(),
                kind: MetricKind::Gauge,
                unit: String::new(),
                help: "Target metadata".into(),
            });
        }
    }

    fn read_metadata(&self, metric: &Metric<'_>) -> Result<Metadata, Reason> {
        let config = self.intake.config;
        limit("help text", metric.help.len(), config.value_bytes_max, VALUE_OPTION)?;
        Ok(Metadata {
            metric: metric.family(self.rules.names)?.to_owned(),
            kind: metric.stored_kind(),
            unit: names::unit(text("unit", metric.unit)?),
            help: text("help text", metric.help)?.to_owned(),
        })
    }
}

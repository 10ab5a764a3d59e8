//! The body of a push.

use super::{Group, PushError};
use crate::ingest::exposition::{self, Ask, Format};
use crate::ingest::{Config, ExtraLabels, Intake, LabelBook, Session};
use crate::model::{
    Batch, Histogram, Labels, Metadata, MetricKind, SeriesRef, TenantId, TimeRange, Timestamp,
};

/// What a push brings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pushed {
    pub(super) rows: Vec<Row>,
    /// What its metrics are.
    pub metadata: Vec<Metadata>,
}

/// A series and its value, which is repeated.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// The metric, without what stands behind it in series of histograms and summaries.
    pub(super) family: String,
    pub(super) labels: Labels,
    pub(super) value: Value,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Float(f64),
    Histogram(Histogram),
}

/// Reads an inflated body, all of it or nothing.
///
/// # Errors
/// Where a line cannot be read, a sample has a time of its own, or a series is there twice.
pub fn read(
    body: &[u8],
    format: Format,
    group: &Group,
    config: &Config,
) -> Result<Pushed, PushError> {
    // A book of its own: nothing outlives a push that is refused.
    let book = LabelBook::new(TimeRange::ALL);
    let intake = Intake { config, registry: &book, tenant: TenantId::default() };
    let extra = ExtraLabels::new(group.labels().iter().cloned());
    let ask = Ask {
        format,
        now: Timestamp(0),
        is_whole: true,
        relabel: extra.as_relabel(),
        scope: extra.scope(),
        ..Ask::default()
    };
    let (mut session, mut batch) = (Session::new(), Batch::default());
    exposition::decode(body, &ask, &mut session, &intake, &mut batch)?;
    if session.present().len() < batch.rows.len() + batch.histograms.len() {
        return Err(PushError::Timestamps);
    }
    let families = Families(&batch.metadata);
    let labels = |series: SeriesRef| book.labels(series).unwrap_or_else(Labels::empty);
    let mut rows = Vec::with_capacity(batch.rows.len());
    for (series, range) in batch.rows.runs() {
        let labels = labels(series);
        for value in batch.rows.values().get(range).unwrap_or_default() {
            let family = families.of(labels.metric()).to_owned();
            rows.push(Row { family, labels: labels.clone(), value: Value::Float(*value) });
        }
    }
    for histogram in &batch.histograms {
        let labels = labels(histogram.series);
        let family = labels.metric().to_owned();
        rows.push(Row { family, labels, value: Value::Histogram(histogram.value.clone()) });
    }
    let is_own = |name: &str| !super::groups::OWN_METRICS.contains(&name);
    rows.retain(|row| is_own(&row.family));
    if let Some(twice) = twice(&rows) {
        return Err(PushError::Twice(twice.to_string()));
    }
    Ok(Pushed { rows, metadata: batch.metadata })
}

fn twice(rows: &[Row]) -> Option<&Labels> {
    // Classic and native rows of one histogram have different names.
    let mut labels: Vec<&Labels> = rows.iter().map(|row| &row.labels).collect();
    labels.sort_unstable();
    labels.iter().zip(labels.iter().skip(1)).find(|(left, right)| left == right).map(|(l, _)| *l)
}

/// Which series are one metric, as the body's metadata tells.
struct Families<'a>(&'a [Metadata]);

impl Families<'_> {
    fn of<'n>(&self, name: &'n str) -> &'n str {
        if self.kind(name).is_some() {
            return name;
        }
        let base = |suffix: &str, kinds: &[MetricKind]| {
            let base = name.strip_suffix(suffix)?;
            self.kind(base).filter(|kind| kinds.contains(kind)).map(|_| base)
        };
        let (counter, histogram) = (MetricKind::Counter, MetricKind::Histogram);
        let (summary, gauge) = (MetricKind::Summary, MetricKind::GaugeHistogram);
        base("_bucket", &[histogram, gauge])
            .or_else(|| base("_count", &[histogram, summary]))
            .or_else(|| base("_sum", &[histogram, summary]))
            .or_else(|| base("_gcount", &[gauge]))
            .or_else(|| base("_gsum", &[gauge]))
            .or_else(|| base("_total", &[counter]))
            .or_else(|| base("_created", &[counter, histogram, summary]))
            .or_else(|| base("_info", &[MetricKind::Info]))
            .unwrap_or(name)
    }

    fn kind(&self, name: &str) -> Option<MetricKind> {
        self.0.iter().find(|metadata| metadata.metric == name).map(|metadata| metadata.kind)
    }
}

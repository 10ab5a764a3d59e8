//! What is written of a scrape itself: `up` and its kin.

use std::time::Duration;

use super::config::Job;
use super::target::Target;
use crate::model::{
    Batch, Error, Label, LabelBuilder, METRIC_NAME, Registry, SeriesRef, Timestamp,
};

/// What a scrape counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) scraped: u64,
    pub(super) kept: u64,
    pub(super) added: usize,
    pub(super) bytes: usize,
}

/// A scrape as its report shows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Report {
    pub(super) at: Timestamp,
    pub(super) took: Duration,
    pub(super) is_up: bool,
    pub(super) counts: Counts,
}

impl Report {
    /// Adds the rows; `series` are theirs, found where they are not known.
    ///
    /// # Errors
    /// What the registry says.
    pub(super) fn write(
        &self,
        (job, target): (&Job, &Target),
        series: &mut Vec<SeriesRef>,
        registry: &dyn Registry,
        batch: &mut Batch,
    ) -> Result<(), Error> {
        let rows = self.rows(job, target);
        if series.len() != rows.len() {
            series.clear();
            for (name, _) in &rows {
                let mut labels = LabelBuilder::from(&target.labels);
                labels.set(METRIC_NAME, *name);
                let labels: Vec<Label<'_>> = labels.iter().collect();
                registry.register(batch.tenant, &[&labels], series)?;
            }
        }
        for (series, (_, value)) in series.iter().zip(&rows) {
            mark(&[*series], (self.at, *value), batch);
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "samples are floats")]
    fn rows(&self, job: &Job, target: &Target) -> Vec<(&'static str, f64)> {
        let counts = &self.counts;
        let mut rows = vec![
            ("up", f64::from(u8::from(self.is_up))),
            ("scrape_duration_seconds", self.took.as_secs_f64()),
            ("scrape_samples_scraped", counts.scraped as f64),
            ("scrape_samples_post_metric_relabeling", counts.kept as f64),
            ("scrape_series_added", counts.added as f64),
        ];
        if job.extra_metrics {
            rows.extend([
                ("scrape_timeout_seconds", target.timeout.duration().as_secs_f64()),
                ("scrape_sample_limit", job.limits.samples as f64),
                ("scrape_body_size_bytes", counts.bytes as f64),
            ]);
        }
        rows
    }
}

/// Gives each of `series` one row.
pub(super) fn mark(series: &[SeriesRef], (at, value): (Timestamp, f64), batch: &mut Batch) {
    for series in series {
        batch.rows.push(at.nanos(), value);
        batch.rows.end_run(*series);
    }
}

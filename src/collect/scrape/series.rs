//! The labels that a scraped series gets: its own, its target's, and what rules make of them.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

use super::config::Job;
use crate::ingest::exposition::Relabel;
use crate::model::{Label, LabelBuilder, Labels, METRIC_NAME, relabel_in_place};

/// Names the labels of one target's series, and keeps the limits of its job.
pub(super) struct Naming<'a> {
    pub(super) job: &'a Job,
    /// Of the target.
    pub(super) labels: &'a Labels,
    fault: OnceLock<String>,
    named: AtomicU64,
}

impl<'a> Naming<'a> {
    pub(super) fn new(job: &'a Job, labels: &'a Labels) -> Self {
        Self { job, labels, fault: OnceLock::new(), named: AtomicU64::new(0) }
    }

    /// What makes the scrape worthless.
    pub(super) fn fault(&self) -> Option<&str> {
        self.fault.get().map(String::as_str)
    }

    fn fail(&self, why: impl FnOnce() -> String) {
        self.fault.get_or_init(why);
    }

    fn check(&self, labels: &LabelBuilder) -> bool {
        let limits = &self.job.limits;
        let over = |actual: usize, limit: u64| limit != 0 && actual as u64 > limit;
        let metric = || labels.get(METRIC_NAME).to_owned();
        if labels.get(METRIC_NAME).is_empty() {
            self.fail(|| "metric name is missing after relabelling".into());
        } else if over(labels.len(), limits.labels) {
            let (count, limit) = (labels.len(), limits.labels);
            self.fail(|| {
                format!("label_limit exceeded (metric: {:.50}, number of labels: {count}, limit: {limit})", metric())
            });
        } else if let Some((name, value)) = labels.iter().find(|(name, value)| {
            over(name.len(), limits.label_name_bytes) || over(value.len(), limits.label_value_bytes)
        }) {
            let (what, actual, limit) = if over(name.len(), limits.label_name_bytes) {
                ("label_name_length_limit", name.len(), limits.label_name_bytes)
            } else {
                ("label_value_length_limit", value.len(), limits.label_value_bytes)
            };
            self.fail(|| {
                format!(
                    "{what} exceeded (metric: {:.50}, label name: {name:.50}, value: {value:.50}, length: {actual}, limit: {limit})",
                    metric()
                )
            });
        } else {
            return true;
        }
        false
    }
}

impl Relabel for Naming<'_> {
    fn relabel(&self, scraped: &[Label<'_>]) -> Option<Labels> {
        if self.fault.get().is_some() {
            return None;
        }
        // Series that would be registered for a scrape that is worthless anyway.
        let samples = self.job.limits.samples;
        if samples != 0 && self.named.fetch_add(1, Ordering::Relaxed) > samples.saturating_mul(2) {
            return None;
        }
        let mut labels = with_target(self.job.honor_labels, self.labels, scraped);
        if !relabel_in_place(&self.job.metric_relabel, &mut labels) || labels.is_empty() {
            return None;
        }
        self.check(&labels).then(|| labels.labels())
    }
}

/// `scraped` with the labels of the target. Where both have one: with `honors` the scraped one stays,
/// even if it is empty; otherwise it is renamed to `exported_…`.
fn with_target(honors: bool, target: &Labels, scraped: &[Label<'_>]) -> LabelBuilder {
    let mut labels = LabelBuilder::from_pairs(scraped.iter().copied());
    if honors {
        for (name, value) in target.iter() {
            if !scraped.iter().any(|(there, _)| *there == name) {
                labels.set(name, value);
            }
        }
        return labels;
    }
    let mut conflicting: Vec<(String, String)> = Vec::new();
    for (name, value) in target.iter() {
        let own = labels.get(name);
        if !own.is_empty() {
            conflicting.push((name.to_owned(), own.to_owned()));
        }
        labels.set(name, value);
    }
    // Short names first, so that `exported_a` is taken by `a` and not by another's second try.
    conflicting.sort_by_key(|(name, _)| name.len());
    for (name, value) in conflicting {
        let mut name = format!("exported_{name}");
        while !labels.get(&name).is_empty() {
            name.insert_str(0, "exported_");
        }
        labels.set(&name, value);
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(honors: bool, scraped: &[Label<'_>], expected: &str) {
        let target = Labels::new([("instance", "h:1"), ("job", "api")]).unwrap();
        assert_eq!(with_target(honors, &target, scraped).labels().to_string(), expected);
    }

    #[test]
    fn a_scraped_label_that_meets_one_of_the_target_is_renamed() {
        let scraped = [(METRIC_NAME, "a"), ("job", "own"), ("x", "y")];
        check(
            false,
            &scraped,
            r#"{__name__="a", exported_job="own", instance="h:1", job="api", x="y"}"#,
        );
        let taken = [(METRIC_NAME, "a"), ("job", "own"), ("exported_job", "other")];
        check(
            false,
            &taken,
            r#"{__name__="a", exported_exported_job="own", exported_job="other", instance="h:1", job="api"}"#,
        );
    }

    #[test]
    fn with_honor_labels_the_scraped_one_stays_even_if_empty() {
        let scraped = [(METRIC_NAME, "a"), ("job", "own"), ("instance", "")];
        check(true, &scraped, r#"{__name__="a", job="own"}"#);
        check(true, &[(METRIC_NAME, "a")], r#"{__name__="a", instance="h:1", job="api"}"#);
    }
}

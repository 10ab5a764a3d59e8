//! The labels rows go out with: those of their series, with what the configuration adds and changes.

use std::{collections::HashMap, sync::Arc};

use crate::model::{
    LabelBuilder, Labels, METRIC_NAME, Metadata, RelabelRule, SeriesRef, relabel_in_place,
};

/// Series whose labels are remembered. Each is some hundred bytes; past it all are looked up anew.
const KNOWN_MAX: usize = 500_000;

/// What a series goes out as.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// None where the rules drop it.
    pub(super) labels: Option<Labels>,
    pub(super) metadata: Option<Arc<Metadata>>,
}

/// Series by ref, and the rules that make their labels.
#[derive(Debug, Default)]
pub(super) struct Labeller {
    /// Labels that every series gets which has none of that name.
    external: Vec<(String, String)>,
    rules: Vec<RelabelRule>,
    known: HashMap<SeriesRef, Known>,
    /// What metrics are; empty where it is not told with series.
    metadata: HashMap<String, Arc<Metadata>>,
}

impl Labeller {
    pub(super) fn new(external: Vec<(String, String)>, rules: Vec<RelabelRule>) -> Self {
        Self { external, rules, ..Self::default() }
    }

    /// Learns what metrics are.
    pub(super) fn tell(&mut self, metadata: impl IntoIterator<Item = Metadata>) {
        let mut is_news = false;
        for it in metadata {
            if self.metadata.get(&it.metric).is_none_or(|known| **known != it) {
                is_news = true;
                self.metadata.insert(it.metric.clone(), Arc::new(it));
            }
        }
        if is_news {
            self.known.clear();
        }
    }

    /// What a series goes out as; None where it is not known yet: see [`Self::learn`].
    pub(super) fn find(&self, series: SeriesRef) -> Option<&Known> {
        self.known.get(&series)
    }

    /// Makes out what a series of these labels goes out as.
    pub(super) fn learn(&mut self, series: SeriesRef, labels: &Labels) -> Known {
        if self.known.len() >= KNOWN_MAX {
            self.known.clear();
        }
        let metadata = self.metadata_of(labels.metric()).cloned();
        let known = Known { labels: self.relabelled(labels), metadata };
        self.known.insert(series, known.clone());
        known
    }

    fn relabelled(&self, labels: &Labels) -> Option<Labels> {
        let missing = self.external.iter().filter(|(name, _)| labels.get(name).is_none());
        let missing: Vec<_> = missing.collect();
        if missing.is_empty() && self.rules.is_empty() {
            return Some(labels.clone());
        }
        let mut builder = LabelBuilder::from(labels);
        for (name, value) in missing {
            builder.set(name, value.as_str());
        }
        let is_kept = relabel_in_place(&self.rules, &mut builder);
        // What has no label left is no series.
        (is_kept && !builder.is_empty()).then(|| builder.labels())
    }

    /// Of a metric, or of the family that its name is a part of.
    fn metadata_of(&self, metric: &str) -> Option<&Arc<Metadata>> {
        debug_assert_ne!(metric, METRIC_NAME);
        let family = || {
            let suffixes = ["_bucket", "_count", "_sum"];
            let stripped = suffixes.iter().find_map(|suffix| metric.strip_suffix(suffix))?;
            self.metadata.get(stripped)
        };
        self.metadata.get(metric).or_else(family)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{RelabelAction, RelabelConfig};

    fn rule(action: RelabelAction, regex: &str) -> RelabelRule {
        let has_source = action == RelabelAction::Drop;
        let source_labels = has_source.then(|| vec!["__name__".to_owned()]);
        let regex = regex.to_owned();
        let config = RelabelConfig { source_labels, regex, action, ..RelabelConfig::default() };
        RelabelRule::try_from(config).unwrap()
    }

    #[test]
    fn external_labels_are_added_before_rules_drop_or_change() {
        let external = vec![("job".to_owned(), "other".to_owned()), ("site".into(), "b".into())];
        let rules =
            vec![rule(RelabelAction::Drop, "go_.*"), rule(RelabelAction::LabelDrop, "instance")];
        let mut labeller = Labeller::new(external, rules);
        let labels =
            |name| Labels::new([("__name__", name), ("job", "a"), ("instance", "i")]).unwrap();
        let known = labeller.learn(SeriesRef(1), &labels("up"));
        assert_eq!(known.labels.unwrap().to_string(), r#"{__name__="up", job="a", site="b"}"#);
        assert!(labeller.learn(SeriesRef(2), &labels("go_threads")).labels.is_none());
        assert!(labeller.find(SeriesRef(2)).is_some() && labeller.find(SeriesRef(3)).is_none());
    }

    #[test]
    fn metadata_of_a_family_is_that_of_its_parts() {
        let mut labeller = Labeller::default();
        let metadata = |metric: &str| Metadata { metric: metric.into(), ..Metadata::default() };
        labeller.tell([metadata("time_seconds"), metadata("up")]);
        let mut of = |name| {
            let labels = Labels::new([("__name__", name)]).unwrap();
            let known = labeller.learn(SeriesRef(1), &labels);
            known.metadata.map(|it| it.metric.clone())
        };
        assert_eq!(of("time_seconds_bucket").as_deref(), Some("time_seconds"));
        assert_eq!(of("up").as_deref(), Some("up"));
        assert_eq!(of("down"), None);
    }
}

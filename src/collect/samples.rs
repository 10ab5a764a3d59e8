//! What sources say in one collection: families of rows, in two flat buffers that are used again.

use std::ops::Range;

use crate::model::{Label, METRIC_NAME, MetricKind};

/// Between the parts of a row's key; cleaned out of what a machine says.
const SEPARATOR: char = '\0';

/// Rows by family. A row's key is its labels as text, so that it is found again without a copy.
#[derive(Debug, Default)]
pub(super) struct Samples {
    text: String,
    families: Vec<Family>,
    rows: Vec<Row>,
}

#[derive(Clone, Debug)]
struct Family {
    name: Range<usize>,
    kind: MetricKind,
    help: Range<usize>,
}

#[derive(Clone, Debug)]
struct Row {
    key: Range<usize>,
    value: f64,
}

impl Samples {
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.families.clear();
        self.rows.clear();
    }

    /// Begins a family; the rows that follow are its rows.
    pub(super) fn family(&mut self, name: &str, kind: MetricKind, help: &str) -> &mut Self {
        let start = self.text.len();
        self.text.push_str(name);
        let middle = self.text.len();
        self.text.push_str(help);
        let end = self.text.len();
        self.families.push(Family { name: start..middle, kind, help: middle..end });
        self
    }

    pub(super) fn counter(&mut self, name: &str, help: &str) -> &mut Self {
        self.family(name, MetricKind::Counter, help)
    }

    pub(super) fn gauge(&mut self, name: &str, help: &str) -> &mut Self {
        self.family(name, MetricKind::Gauge, help)
    }

    pub(super) fn unknown(&mut self, name: &str, help: &str) -> &mut Self {
        self.family(name, MetricKind::Unknown, help)
    }

    /// Adds a row to the family that was begun last. Labels may stand in any order.
    pub(super) fn row(&mut self, labels: &[Label<'_>], value: f64) -> &mut Self {
        let Some(family) = self.families.last() else { return self };
        let start = self.text.len();
        self.text.extend_from_within(family.name.clone());
        for (name, text) in labels.iter().filter(|(_, text)| !text.is_empty()) {
            self.text.push(SEPARATOR);
            self.text.push_str(name);
            self.text.push(SEPARATOR);
            self.text.extend(text.chars().filter(|c| *c != SEPARATOR));
        }
        self.rows.push(Row { key: start..self.text.len(), value });
        self
    }

    /// A row of the family begun last, without labels.
    pub(super) fn value(&mut self, value: f64) -> &mut Self {
        self.row(&[], value)
    }

    /// Name, kind and help of each family.
    pub(super) fn families(&self) -> impl Iterator<Item = (&str, MetricKind, &str)> {
        self.families.iter().map(|it| (self.slice(&it.name), it.kind, self.slice(&it.help)))
    }

    /// Key and value of each row.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&str, f64)> {
        self.rows.iter().map(|row| (self.slice(&row.key), row.value))
    }

    fn slice(&self, range: &Range<usize>) -> &str {
        self.text.get(range.clone()).unwrap_or_default()
    }
}

/// The labels in a row's key, with `base` where the key does not name them; sorted by name.
pub(super) fn labels_of<'a>(key: &'a str, base: &'a [(String, String)]) -> Vec<Label<'a>> {
    let mut parts = key.split(SEPARATOR);
    let mut labels = vec![(METRIC_NAME, parts.next().unwrap_or_default())];
    while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
        labels.push((name, value));
    }
    let base = base.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    labels.extend(base.filter(|(_, value)| !value.is_empty()));
    // A stable sort keeps the row's own label before the base's, and the first of a name stays.
    labels.sort_by(|a, b| a.0.cmp(b.0));
    labels.dedup_by(|later, first| later.0 == first.0);
    labels
}

#[cfg(test)]
pub(super) mod shown {
    use super::*;

    /// Rows as a page of text exposition would have them: what tests compare.
    pub(in crate::collect) fn lines(samples: &Samples) -> Vec<String> {
        let line = |(key, value): (&str, f64)| {
            let labels = labels_of(key, &[]);
            let (name, rest): (Vec<_>, Vec<_>) =
                labels.into_iter().partition(|(name, _)| *name == METRIC_NAME);
            let name = name.first().map_or("", |(_, name)| name);
            let rest: Vec<String> = rest.iter().map(|(n, v)| format!("{n}={v:?}")).collect();
            if rest.is_empty() {
                format!("{name} {value}")
            } else {
                format!("{name}{{{}}} {value}", rest.join(","))
            }
        };
        samples.rows().map(line).collect()
    }

    /// Checks that each of `expected` is there, and, for how many rows there are, `count`.
    pub(in crate::collect) fn check(samples: &Samples, count: usize, expected: &[&str]) {
        let lines = lines(samples);
        for line in expected {
            assert!(lines.iter().any(|it| it == line), "{line} is not in\n{}", lines.join("\n"));
        }
        assert_eq!(lines.len(), count, "{}", lines.join("\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_sorted_and_the_rows_own_win_over_the_base() {
        let mut samples = Samples::default();
        samples.gauge("up", "").row(&[("zone", "a\0b"), ("empty", ""), ("job", "own")], 1.0);
        let key = samples.rows().next().unwrap().0.to_owned();
        let base =
            [("instance".to_owned(), "here".to_owned()), ("job".to_owned(), "base".to_owned())];
        let expected = [("__name__", "up"), ("instance", "here"), ("job", "own"), ("zone", "ab")];
        assert_eq!(labels_of(&key, &base), expected);
    }
}

//! What is said about an answer besides its value: each text once, with a place in the question.
//!
//! The texts are Prometheus' (`util/annotations`), which users search for.

use std::{collections::HashMap, fmt};

use query_lang::Span;

use super::date::rfc3339;
use crate::math::{
    ForcedMonotonicity,
    number::{general, general_rounded},
};

/// Where in the question something stands: its first byte.
pub(crate) type Place = usize;

/// What histograms were being made into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Addition,
    Subtraction,
    Aggregation,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Addition => "addition",
            Self::Subtraction => "subtraction",
            Self::Aggregation => "aggregation",
        })
    }
}

/// Something to say. Metric names may be empty.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Note {
    InvalidQuantile(f64),
    InvalidRatio { ratio: f64, capped: f64 },
    BadBucketLabel { label: String, metric: String },
    MixedRange(String),
    MixedAggregation,
    MixedClassicNative(String),
    NotCounter(String),
    NotGauge(String),
    MixedSchemas(String),
    IncompatibleLayout(&'static str),
    SortInRange,
    ResetCollision(Operation),
    StartOverlap(String),
    PossibleNonCounter(String),
    PossibleNonCounterType { kind: String, metric: String },
    ForcedMonotonicity { metric: String, time: i64, forced: ForcedMonotonicity },
    IncompatibleTypes { left: &'static str, operator: &'static str, right: &'static str },
    HistogramIgnored(&'static str),
    HistogramsIgnoredInRange(String),
    QuantileNan(String),
    QuantileSkewed(String),
    FractionNan(String),
    BoundsReconciled(Operation),
    TierWindows { tier: &'static str, until: i64 },
    TierLookback { tier: &'static str, until: i64 },
}

impl Note {
    fn is_info(&self) -> bool {
        matches!(
            self,
            Self::PossibleNonCounter(_)
                | Self::PossibleNonCounterType { .. }
                | Self::ForcedMonotonicity { .. }
                | Self::IncompatibleTypes { .. }
                | Self::HistogramIgnored(_)
                | Self::HistogramsIgnoredInRange(_)
                | Self::QuantileNan(_)
                | Self::QuantileSkewed(_)
                | Self::FractionNan(_)
                | Self::BoundsReconciled(_)
                | Self::TierWindows { .. }
                | Self::TierLookback { .. }
        )
    }
}

/// ` for metric name "x"`, or nothing where there is no name.
struct ForMetric<'a>(&'a str);

impl fmt::Display for ForMetric<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, " for metric name {:?}", self.0) }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_info() { "PromQL info: " } else { "PromQL warning: " })?;
        match self {
            Self::InvalidQuantile(q) => {
                write!(f, "quantile value should be between 0 and 1, got {}", general(*q))
            }
            Self::InvalidRatio { ratio, capped } => write!(
                f,
                "ratio value should be between -1 and 1, got {}, capping to {}",
                general(*ratio),
                general(*capped)
            ),
            Self::BadBucketLabel { label, metric } => write!(
                f,
                "bucket label \"le\" is missing or has a malformed value of {label:?}{}",
                ForMetric(metric)
            ),
            Self::MixedRange(metric) => {
                write!(f, "encountered a mix of histograms and floats for metric name {metric:?}")
            }
            Self::MixedAggregation => {
                f.write_str("encountered a mix of histograms and floats for aggregation")
            }
            Self::MixedClassicNative(metric) => write!(
                f,
                "vector contains a mix of classic and native histograms{}",
                ForMetric(metric)
            ),
            Self::NotCounter(metric) => {
                write!(f, "this native histogram metric is not a counter: {metric:?}")
            }
            Self::NotGauge(metric) => {
                write!(f, "this native histogram metric is not a gauge: {metric:?}")
            }
            Self::MixedSchemas(metric) => write!(
                f,
                "vector contains a mix of histograms with exponential and custom buckets schemas \
                 for metric name {metric:?}"
            ),
            Self::IncompatibleLayout(operator) => {
                write!(f, "incompatible bucket layout encountered for binary operator {operator}")
            }
            Self::SortInRange => f.write_str(
                "sort is ineffective for range queries since results are always ordered by labels",
            ),
            Self::ResetCollision(operation) => {
                write!(f, "conflicting counter resets during histogram {operation}")
            }
            Self::StartOverlap(metric) => write!(
                f,
                "sample has start time that overlaps with previous sample timestamp for metric \
                 {metric:?}"
            ),
            _ => self.fmt_info(f),
        }
    }
}

impl Note {
    fn fmt_info(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PossibleNonCounter(metric) => write!(
                f,
                "metric might not be a counter, name does not end in \
                 _total/_sum/_count/_bucket: {metric:?}"
            ),
            Self::PossibleNonCounterType { kind, metric } => write!(
                f,
                "metric might not be a counter, __type__ label is not set to \"counter\" or \
                 \"histogram\", got {kind:?}: {metric:?}"
            ),
            Self::ForcedMonotonicity { metric, .. } => write!(
                f,
                "input to histogram_quantile needed to be fixed for monotonicity (see \
                 https://prometheus.io/docs/prometheus/latest/querying/functions/\
                 #histogram_quantile){}",
                ForMetric(metric)
            ),
            Self::IncompatibleTypes { left, operator, right } => write!(
                f,
                "incompatible sample types encountered for binary operator {operator:?}: {left} \
                 {operator} {right}"
            ),
            Self::HistogramIgnored(aggregation) => {
                write!(f, "ignored histogram in {aggregation} aggregation")
            }
            Self::HistogramsIgnoredInRange(metric) => write!(
                f,
                "ignored histograms in a range containing both floats and histograms for metric \
                 name {metric:?}"
            ),
            Self::QuantileNan(metric) => write!(
                f,
                "input to histogram_quantile has NaN observations, result is NaN{}",
                ForMetric(metric)
            ),
            Self::QuantileSkewed(metric) => write!(
                f,
                "input to histogram_quantile has NaN observations, result is skewed higher{}",
                ForMetric(metric)
            ),
            Self::FractionNan(metric) => write!(
                f,
                "input to histogram_fraction has NaN observations, which are excluded from all \
                 fractions{}",
                ForMetric(metric)
            ),
            Self::BoundsReconciled(operation) => {
                write!(f, "mismatched custom buckets were reconciled during {operation}")
            }
            _ => self.fmt_tier(f),
        }
    }

    /// What answers other than from rows.
    fn fmt_tier(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TierWindows { tier, until } => write!(
                f,
                "up to {} buckets of tier {tier} answer: windows move to their edges and are at \
                 least {tier} long",
                rfc3339(*until)
            ),
            Self::TierLookback { tier, until } => write!(
                f,
                "up to {} buckets of tier {tier} answer: a value is the last of a bucket and counts \
                 as the newest for at least {tier}",
                rfc3339(*until)
            ),
            _ => Ok(()),
        }
    }
}

/// A note, the last place it was made at, and how often.
#[derive(Clone, Debug)]
struct Entry {
    note: Note,
    place: Place,
    count: usize,
    first_time: i64,
    last_time: i64,
}

/// Notes, each text once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Annotations {
    entries: Vec<Entry>,
    by_text: HashMap<String, usize>,
    last: Option<usize>,
}

impl Annotations {
    /// Notes something. Of one text the last place is kept, as Prometheus does.
    pub(crate) fn add(&mut self, note: Note, place: Place) {
        // Loops say the same thing again and again; formatting it each time would cost more than they.
        if let Some(entry) = self.last.and_then(|last| self.entries.get_mut(last))
            && entry.note == note
            && !matches!(note, Note::ForcedMonotonicity { .. })
        {
            entry.place = place;
            entry.count += 1;
            return;
        }
        let time = if let Note::ForcedMonotonicity { time, .. } = note { time } else { 0 };
        self.join(Entry { note, place, count: 1, first_time: time, last_time: time });
    }

    fn join(&mut self, new: Entry) {
        let text = new.note.to_string();
        let Some(index) = self.by_text.get(&text).copied() else {
            self.last = Some(self.entries.len());
            self.by_text.insert(text, self.entries.len());
            self.entries.push(new);
            return;
        };
        self.last = Some(index);
        let Some(entry) = self.entries.get_mut(index) else { return };
        entry.count += new.count;
        entry.first_time = entry.first_time.min(new.first_time);
        entry.last_time = entry.last_time.max(new.last_time);
        match (&mut entry.note, &new.note) {
            (
                Note::ForcedMonotonicity { forced: mine, .. },
                Note::ForcedMonotonicity { forced: theirs, .. },
            ) => {
                mine.lowest = mine.lowest.min(theirs.lowest);
                mine.highest = mine.highest.max(theirs.highest);
                mine.drop_max = mine.drop_max.max(theirs.drop_max);
            }
            _ => entry.place = new.place,
        }
    }

    /// Takes over the notes of another part of the question, which come later than these.
    pub(crate) fn merge(&mut self, other: Self) {
        other.entries.into_iter().for_each(|entry| self.join(entry));
    }

    /// Warnings and infos as people read them.
    pub(crate) fn texts(&self, question: &str) -> (Vec<String>, Vec<String>) {
        let (infos, warnings): (Vec<&Entry>, Vec<&Entry>) =
            self.entries.iter().partition(|entry| entry.note.is_info());
        let texts = |entries: Vec<&Entry>| {
            entries.into_iter().map(|entry| entry.text(question)).collect::<Vec<_>>()
        };
        (texts(warnings), texts(infos))
    }
}

impl Entry {
    fn text(&self, question: &str) -> String {
        let (line, column) = Span::new(self.place, self.place).line_column(question);
        let detail = match &self.note {
            Note::ForcedMonotonicity { forced, .. } => format!(
                ", from buckets {} to {}, with a max diff of {}, over {} samples from {} to {}",
                general(forced.lowest),
                general(forced.highest),
                general_rounded(forced.drop_max, 2),
                self.count,
                rfc3339(self.first_time / 1000),
                rfc3339(self.last_time / 1000),
            ),
            Note::StartOverlap(_) if self.count > 1 => format!(" ({} occurrences)", self.count),
            _ => String::new(),
        };
        format!("{}{detail} ({line}:{column})", self.note)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_said_once_with_its_last_place() {
        let mut notes = Annotations::default();
        notes.add(Note::NotCounter("x".into()), 0);
        notes.add(Note::MixedAggregation, 3);
        notes.add(Note::NotCounter("x".into()), 5);
        let (warnings, infos) = notes.texts("0123456");
        assert_eq!(warnings.len(), 2);
        assert_eq!(
            warnings[0],
            "PromQL warning: this native histogram metric is not a counter: \"x\" (1:6)"
        );
        assert!(infos.is_empty());
    }
}

//! What became of a request: rows written, rows refused, and the first reasons in words.

use std::borrow::Cow;
use std::fmt;

use crate::ingest::Config;
use crate::model;

/// What became of a request that could be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Float samples in the batch.
    pub samples: u64,
    /// Histogram samples in the batch.
    pub histograms: u64,
    /// Exemplars in the batch.
    pub exemplars: u64,
    /// Metadata that was good; repeated ones are counted and not written again.
    pub metadata: u64,
    /// Text fields of line protocol left out, which is no error.
    pub strings: u64,
    /// Samples that relabelling does not want, which is no error.
    pub dropped: u64,
    /// Rows refused, all of them: samples, exemplars, metadata, fields, or lines that cannot be read.
    pub refused: u64,
    /// The first refusals: at most [`Config::reasons_max`].
    pub refusals: Vec<Refusal>,
}

impl Report {
    /// Whether every row was taken.
    pub fn is_clean(&self) -> bool {
        self.refused == 0
    }

    /// Counts `rows` as refused, and keeps why if there is room. `why` is asked only then.
    #[cold]
    pub(super) fn refuse(
        &mut self,
        config: &Config,
        rows: u64,
        why: impl FnOnce() -> (Place, Reason),
    ) {
        self.refused += rows;
        if self.refusals.len() < config.reasons_max {
            let (place, reason) = why();
            self.refusals.push(Refusal { place, reason });
        }
    }
}

/// The reasons, one a line, and how many there are beside them.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for refusal in &self.refusals {
            writeln!(f, "{refusal}")?;
        }
        write!(f, "{} rows refused, the others written", self.refused)
    }
}

/// A row, or rows alike, that were not taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// Where in the request.
    pub place: Place,
    /// Why.
    pub reason: Reason,
}

impl Reason {
    /// Whether the row is fine but for its time.
    pub(super) fn is_of_time(&self) -> bool {
        matches!(self, Self::TimeOutside(_) | Self::TooOld { .. } | Self::TooFarAhead { .. })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            // InfluxDB gives the bare reason, and its clients look for that text.
            Place::Line(_) => write!(f, "{}", self.reason),
            Place::TextLine(number) => write!(f, "line {number}: {}", self.reason),
            Place::Series { index, labels } => {
                write!(f, "series {index}: {}, in {labels}", self.reason)
            }
            Place::Metadata(index) => write!(f, "metadata {index}: {}", self.reason),
        }
    }
}

/// Where in a request a row stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A time series: its index, and its labels as far as they can be shown.
    Series {
        /// From 0.
        index: usize,
        /// Shortened.
        labels: String,
    },
    /// Metadata of a metric: its index.
    Metadata(usize),
    /// A line of line protocol, counted from 1.
    Line(usize),
    /// A line of another text, counted from 1.
    TextLine(usize),
}

/// Why a row was not taken.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// A series is its labels; here there are none.
    #[error("series has no labels, not even a name")]
    NoLabels,
    /// A label without a name.
    #[error("label name is empty, its value is {0:?}")]
    EmptyName(String),
    /// Two values for one name.
    #[error("duplicate label name {0:?}")]
    DuplicateLabel(String),
    /// Names and values are UTF-8.
    #[error("label {what} {text:?} is not UTF-8 at byte {at}")]
    NotUtf8 {
        /// Name or value.
        what: &'static str,
        /// What could be read of it.
        text: String,
        /// The first bad byte, counted in the name or value.
        at: usize,
    },
    /// Too many, or too long.
    #[error("{what} is {actual}, over the limit of {limit}; raise it with {option}")]
    Limit {
        /// What was counted.
        what: &'static str,
        /// The count met; counting may stop early.
        actual: usize,
        /// The count allowed.
        limit: usize,
        /// The option that sets it.
        option: &'static str,
    },
    /// Nanoseconds since 1970 do not reach that far.
    #[error("timestamp {0} ms is outside the years 1677 to 2262")]
    TimeOutside(i64),
    /// Past retention. The words in brackets are those that Telegraf looks for.
    #[error("timestamp {time} ns is older than {start} ns (points beyond retention policy)")]
    TooOld {
        /// The row's.
        time: i64,
        /// The first that is kept.
        start: i64,
    },
    /// A wrong clock, most likely.
    #[error("timestamp {time} ns is too far in the future, after {end} ns")]
    TooFarAhead {
        /// The row's.
        time: i64,
        /// The first that is too far.
        end: i64,
    },
    /// Label references come in pairs.
    #[error("{0} label references, which is odd: each name needs a value")]
    OddReferences(usize),
    /// A reference into nothing.
    #[error("label reference {reference} is outside the {symbols} symbols")]
    UnknownSymbol {
        /// As written.
        reference: u64,
        /// How many there are.
        symbols: usize,
    },
    /// A native histogram that contradicts itself; the texts are those of Prometheus.
    #[error("{0}")]
    Histogram(String),
    /// An exemplar needs a time, its own or that of a sample beside it.
    #[error("exemplar has no timestamp and no sample beside it")]
    ExemplarWithoutTime,
    /// Metadata of nothing.
    #[error("metadata names no metric")]
    MetadataWithoutMetric,
    /// A line of line protocol that cannot be read; the texts are those of `InfluxDB` 1.
    #[error("unable to parse '{line}': {what}")]
    Line {
        /// The line, shortened.
        line: String,
        /// What is wrong with it.
        what: Cow<'static, str>,
    },
    /// A line of other text that cannot be read.
    #[error("{what}, in {text:?}")]
    Unreadable {
        /// The line, shortened.
        text: String,
        /// What is wrong with it.
        what: Cow<'static, str>,
    },
    /// The store does not want this series.
    #[error("{0}")]
    Registry(model::Error),
}

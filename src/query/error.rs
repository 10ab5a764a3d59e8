//! Why a question has no answer. Texts are Prometheus', which clients compare.

use query_lang::{DurationError, ParseError, ValueType};

use crate::model;

/// What kind of failure it is: the `errorType` of Prometheus' API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The question is wrong: asking again will not help.
    BadData,
    /// The question is well formed, and these rows do not allow it.
    Execution,
    /// The time allowed is over.
    Timeout,
    /// The asker went away.
    Canceled,
    /// The store could not serve it.
    Internal,
}

impl ErrorKind {
    /// The word of the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::BadData => "bad_data",
            Self::Execution => "execution",
            Self::Timeout => "timeout",
            Self::Canceled => "canceled",
            Self::Internal => "internal",
        }
    }
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is no question. With its place.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// A duration has no usable value in this question.
    #[error(transparent)]
    Duration(#[from] DurationError),
    /// Only scalars and instant vectors have a value at each step.
    #[error("invalid expression type \"{}\" for range query, must be Scalar or instant Vector", .0.name())]
    NotSteppable(ValueType),
    /// More steps than allowed.
    #[error(
        "exceeded maximum resolution of {} points per timeseries. \
         Try decreasing the query resolution (?step=XX)", thousands(*limit)
    )]
    Resolution {
        /// The steps allowed.
        limit: usize,
    },
    /// Steps that lead nowhere.
    #[error(
        "zero or negative query resolution step widths are not accepted. Try a positive integer"
    )]
    StepNotPositive,
    /// The end is before the start.
    #[error("end timestamp must not be before start time")]
    EndBeforeStart,
    /// Two series of a result have the same labels.
    #[error("vector cannot contain metrics with the same labelset")]
    SameLabels,
    /// Several series of the side that must have one.
    #[error(
        "found duplicate series for the match group {group} on the {side} hand-side of the \
         operation: [{first}, {second}];many-to-many matching not allowed: matching labels must be \
         unique on one side"
    )]
    DuplicateMatch {
        /// The labels matched by.
        group: String,
        /// `left` or `right`.
        side: &'static str,
        /// One series.
        first: String,
        /// Another.
        second: String,
    },
    /// Many series match one, and no `group_left` says so.
    #[error(
        "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
    )]
    ManyToOne,
    /// The labels of `group_left` make two results the same.
    #[error("multiple matches for labels: grouping labels must ensure unique matches")]
    GroupNotUnique,
    /// `k` of `topk` and its kin.
    #[error("Parameter value is NaN")]
    ParameterNan,
    /// `k` of `topk` and its kin.
    #[error("Scalar value {0} underflows int64")]
    ParameterUnderflow(String),
    /// `k` of `topk` and its kin.
    #[error("Scalar value {0} overflows int64")]
    ParameterOverflow(String),
    /// The ratio of `limit_ratio`.
    #[error("Ratio value is NaN")]
    RatioNan,
    /// The label of `count_values`, as written.
    #[error("invalid label name {0}")]
    LabelName(String),
    /// A label given to `label_replace` or `label_join`.
    #[error("invalid {role} label name in {function}(): {name}")]
    FunctionLabel {
        /// `source` or `destination`.
        role: &'static str,
        /// The function.
        function: &'static str,
        /// The name.
        name: String,
    },
    /// The regular expression of `label_replace`.
    #[error("invalid regular expression in label_replace(): {0}")]
    Regex(String),
    /// A regular expression of another function.
    #[error("invalid regular expression in {function}(): {expression}")]
    RegexOf {
        /// The function.
        function: &'static str,
        /// The expression.
        expression: String,
    },
    /// A text that chooses, and chooses nothing.
    #[error("unknown choice {wanted:?}, known are: {known}")]
    Choice {
        /// What was wanted.
        wanted: String,
        /// What there is.
        known: String,
    },
    /// A time zone.
    #[error("unknown time zone {0:?}, expected a name as Europe/Berlin")]
    TimeZone(String),
    /// A factor of `double_exponential_smoothing`.
    #[error("invalid {role} factor. Expected: 0 < {short} < 1, got: {value:.6}")]
    Factor {
        /// `smoothing` or `trend`.
        role: &'static str,
        /// `sf` or `tf`.
        short: &'static str,
        /// What was given.
        value: f64,
    },
    /// `anchored` or `smoothed` where it has no meaning.
    #[error("{modifier} modifier can only be used with: {functions} - not with {function}")]
    Modifier {
        /// The modifier.
        modifier: &'static str,
        /// Those that it can be used with.
        functions: &'static str,
        /// The one that it was used with.
        function: &'static str,
    },
    /// `anchored` or `smoothed` on a bare range of histograms.
    #[error("{0} modifier is not supported with histograms")]
    ModifierOnHistograms(&'static str),
    /// Two info series of one identity at one time.
    #[error(
        "found duplicate series for info metric: existing {first} @ {time}, new {second} @ {time}"
    )]
    DuplicateInfo {
        /// One series.
        first: String,
        /// Another.
        second: String,
        /// The time of both, ms.
        time: i64,
    },
    /// Two info metrics say different things of one label.
    #[error("conflicting label: {0}")]
    InfoConflict(String),
    /// Only buckets of a tier are left, and they do not tell.
    #[error(
        "{what} needs raw rows, and up to {} only buckets of tier {tier} answer: \
         ask for a later time or for another function", super::date::rfc3339(*until)
    )]
    NeedsRaw {
        /// A function, a modifier, or what else it is.
        what: String,
        /// The tier.
        tier: &'static str,
        /// Up to when, seconds.
        until: i64,
    },
    /// What a source refused.
    #[error(transparent)]
    Source(#[from] model::Error),
}

impl Error {
    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Parse(_)
            | Self::Duration(_)
            | Self::NotSteppable(_)
            | Self::Resolution { .. }
            | Self::StepNotPositive
            | Self::EndBeforeStart => ErrorKind::BadData,
            Self::Source(model::Error::TimedOut) => ErrorKind::Timeout,
            Self::Source(model::Error::Cancelled) => ErrorKind::Canceled,
            Self::Source(
                model::Error::Unavailable(_)
                | model::Error::Full(_)
                | model::Error::Damaged(_)
                | model::Error::Io(_),
            ) => ErrorKind::Internal,
            _ => ErrorKind::Execution,
        }
    }
}

/// `11,000`.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resolution_is_told_in_thousands() {
        let text = Error::Resolution { limit: 11_000 }.to_string();
        assert!(text.starts_with("exceeded maximum resolution of 11,000 points per timeseries."));
    }
}

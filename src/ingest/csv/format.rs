//! Which column is what.

use super::layout::{Layout, LayoutError};
use crate::ingest::exposition::seconds;

/// Columns that a format may name.
const COLUMNS_MAX: usize = 1024;

/// What a format means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// By position; columns that mean nothing are not in it.
    pub(super) columns: Vec<(usize, Column)>,
    /// As it was written: names the format in keys.
    pub(super) text: String,
}

/// What a column is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Label(String),
    Metric(String),
    Time(Clock),
}

/// How a column spells time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    Seconds,
    Millis,
    Nanos,
    Layout(Layout),
}

/// Why a format is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// Nothing is said.
    #[error("format is empty; it looks like 1:label:host,2:metric:load,3:time:unix_s")]
    Empty,
    /// Not three parts.
    #[error("column {0:?} of the format is not POSITION:TYPE:CONTEXT")]
    Parts(String),
    /// No number, or 0.
    #[error("position {0:?} of the format is no number from 1 to {COLUMNS_MAX}")]
    Position(String),
    /// Not one of the three.
    #[error("type {0:?} of the format is none of label, metric, time")]
    Type(String),
    /// A label or metric without a name.
    #[error("column {0} of the format has no name")]
    NoName(usize),
    /// An unknown way to spell time.
    #[error(
        "time format {0:?} is none of unix_s, unix_ms, unix_ns, rfc3339, custom:LAYOUT with a layout of Go"
    )]
    Clock(String),
    /// A layout that cannot be read.
    #[error("time layout of column {0}: {1}")]
    Layout(usize, #[source] LayoutError),
    /// Two columns of time.
    #[error("the format has two columns of time")]
    TwoTimes,
    /// No metric.
    #[error("the format has no column of type metric")]
    NoMetric,
    /// A delimiter that is no byte.
    #[error("delimiter {0:?} is not one ASCII character other than a quote or a line's end")]
    Delimiter(String),
}

impl Format {
    /// Reads the parameter `format`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, FormatError> {
        if text.is_empty() {
            return Err(FormatError::Empty);
        }
        let mut columns: Vec<(usize, Column)> = Vec::new();
        for part in text.split(',') {
            let (position, column) = column(part)?;
            columns.push((position - 1, column));
        }
        let times = columns.iter().filter(|(_, column)| matches!(column, Column::Time(_))).count();
        if times > 1 {
            return Err(FormatError::TwoTimes);
        }
        if !columns.iter().any(|(_, column)| matches!(column, Column::Metric(_))) {
            return Err(FormatError::NoMetric);
        }
        columns.sort_by_key(|(position, _)| *position);
        Ok(Self { columns, text: text.to_owned() })
    }
}

fn column(part: &str) -> Result<(usize, Column), FormatError> {
    let mut parts = part.splitn(3, ':');
    let (Some(position), Some(kind), Some(context)) = (parts.next(), parts.next(), parts.next())
    else {
        return Err(FormatError::Parts(part.chars().take(80).collect()));
    };
    let number: usize = position.parse().unwrap_or(0);
    if number == 0 || number > COLUMNS_MAX {
        return Err(FormatError::Position(position.chars().take(20).collect()));
    }
    let column = match kind {
        "label" | "metric" if context.is_empty() => return Err(FormatError::NoName(number)),
        "label" => Column::Label(context.to_owned()),
        "metric" => Column::Metric(context.to_owned()),
        "time" => Column::Time(Clock::parse(number, context)?),
        _ => return Err(FormatError::Type(kind.chars().take(20).collect())),
    };
    Ok((number, column))
}

impl Clock {
    fn parse(position: usize, context: &str) -> Result<Self, FormatError> {
        let layout = |text: &str| {
            let layout =
                Layout::parse(text).map_err(|error| FormatError::Layout(position, error))?;
            Ok(Self::Layout(layout))
        };
        match context {
            "unix_s" => Ok(Self::Seconds),
            "unix_ms" => Ok(Self::Millis),
            "unix_ns" => Ok(Self::Nanos),
            "rfc3339" => layout("2006-01-02T15:04:05Z07:00"),
            _ => match context.strip_prefix("custom:") {
                Some(text) => layout(text),
                None => Err(FormatError::Clock(context.chars().take(80).collect())),
            },
        }
    }

    /// Nanoseconds; None where the text is no such time, or outside 1677-2262.
    pub(super) fn read(&self, text: &[u8]) -> Option<i64> {
        let whole = |text: &[u8]| std::str::from_utf8(text).ok()?.parse::<i64>().ok();
        match self {
            Self::Seconds => seconds(text),
            Self::Millis => whole(text)?.checked_mul(1_000_000),
            Self::Nanos => whole(text),
            Self::Layout(layout) => layout.read(text),
        }
    }
}

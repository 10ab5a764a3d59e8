//! What a function takes and gives.

use std::fmt::Write as _;

use crate::operators::ValueType;

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The name in the text.
    pub name: &'static str,
    /// Its chapter.
    pub family: Family,
    /// Whose function it is.
    pub origin: Origin,
    /// Whether it may still change.
    pub maturity: Maturity,
    /// The arguments.
    pub arguments: &'static [Argument],
    /// How often one of them may stand.
    pub times: Times,
    /// Which of them that is.
    pub repeats: usize,
    /// What the function yields.
    pub returns: ValueType,
    /// What it does, in a line.
    pub summary: &'static str,
    /// A question that uses it.
    pub example: &'static str,
    /// What that yields over the rows of the reference, a line a series.
    pub answer: &'static str,
}

/// An argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argument {
    /// What it is called.
    pub name: &'static str,
    /// Its type.
    pub value_type: ValueType,
}

/// How often an argument may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// Once: the number of arguments is fixed.
    Once,
    /// Not at all, or so often at most.
    UpTo(usize),
    /// As often as one likes, or not at all.
    Any,
    /// As often as one likes.
    AtLeastOnce,
    /// The last two, as often as one likes.
    Pairs,
}

/// Whether a function may still change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maturity {
    /// It stays as it is.
    Stable,
    /// It follows Prometheus, should it change there.
    Experimental,
}

/// Whose function it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It is in the newest Prometheus, and means what it means there.
    PromQl,
    /// It is `MetricsQL`'s.
    MetricsQl,
}

/// A chapter of the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Value by value.
    Math,
    /// Numbers alone.
    Scalars,
    /// Rates, differences, slopes.
    Counters,
    /// Of the rows of a window.
    OverTime,
    /// Several values of a window.
    Rollups,
    /// Over all steps of a query.
    WholeRange,
    /// Whether something is there.
    Presence,
    /// Label sets.
    Labels,
    /// Order.
    Sort,
    /// Times and dates.
    Time,
    /// Histograms.
    Histograms,
}

impl Family {
    /// All there are, in the order of the reference.
    pub const ALL: [Self; 11] = [
        Self::Counters,
        Self::OverTime,
        Self::Rollups,
        Self::WholeRange,
        Self::Math,
        Self::Scalars,
        Self::Presence,
        Self::Labels,
        Self::Sort,
        Self::Time,
        Self::Histograms,
    ];

    /// Its title.
    pub fn title(self) -> &'static str {
        match self {
            Self::Math => "Math",
            Self::Scalars => "Numbers",
            Self::Counters => "Counters and gauges",
            Self::OverTime => "Values of a window",
            Self::Rollups => "Several values of a window",
            Self::WholeRange => "All steps of a query",
            Self::Presence => "Presence and type",
            Self::Labels => "Labels",
            Self::Sort => "Order",
            Self::Time => "Time",
            Self::Histograms => "Histograms",
        }
    }
}

impl Signature {
    /// The fewest arguments.
    pub fn arguments_min(&self) -> usize {
        match self.times {
            Times::Once | Times::AtLeastOnce | Times::Pairs => self.arguments.len(),
            Times::UpTo(_) | Times::Any => self.arguments.len().saturating_sub(1),
        }
    }

    /// The most arguments, where there is a limit.
    pub fn arguments_max(&self) -> Option<usize> {
        match self.times {
            Times::Once => Some(self.arguments.len()),
            Times::UpTo(times) => Some(self.arguments_min() + times),
            Times::Any | Times::AtLeastOnce | Times::Pairs => None,
        }
    }

    /// The type of argument `index` of `count`.
    pub fn argument(&self, index: usize, count: usize) -> Option<ValueType> {
        let behind = self.arguments.len().saturating_sub(self.repeats + 1);
        let at = match self.times {
            Times::Once | Times::Pairs => index.min(self.arguments.len().saturating_sub(1)),
            _ if index < self.repeats => index,
            _ if count.saturating_sub(index) <= behind => {
                self.arguments.len() - count.saturating_sub(index)
            }
            _ => self.repeats,
        };
        self.arguments.get(at).map(|argument| argument.value_type)
    }

    /// As it is called: `round(v vector, to_nearest scalar?)`.
    pub fn usage(&self) -> String {
        let mut text = format!("{}(", self.name);
        for (index, argument) in self.arguments.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            let is_repeated = match self.times {
                Times::Once => false,
                Times::Pairs => index + 1 == self.arguments.len(),
                _ => index == self.repeats,
            };
            let mark = match (is_repeated, self.times) {
                (true, Times::UpTo(1)) => "?",
                (true, Times::Any | Times::UpTo(_)) => "…?",
                (true, Times::AtLeastOnce | Times::Pairs) => " …",
                _ => "",
            };
            // Writing to a text does not fail.
            let _ = write!(text, "{comma}{} {}{mark}", argument.name, argument.value_type.name());
        }
        text.push(')');
        text
    }
}

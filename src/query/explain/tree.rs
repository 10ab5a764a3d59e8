//! What is told of a plan.

use std::time::Duration;

use crate::query::Stats;

/// A question explained.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// What is done last, above what it is made of.
    pub root: Node,
    /// Steps of the question.
    pub steps: u64,
    /// What may become of its result: whether it may be kept.
    pub is_kept: bool,
    /// Of a question that ran: what it cost, and how many of its steps were kept from an earlier one.
    pub ran: Option<(Stats, Duration, u64)>,
    /// Of a question that ran: what was said besides its value.
    pub notes: Vec<String>,
}

/// A part of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it does.
    pub what: String,
    /// What it reads, where it reads rows.
    pub reading: Option<Reading>,
    /// What it took, where it ran by itself.
    pub ran: Option<Ran>,
    /// What it is made of.
    pub children: Vec<Node>,
}

/// What a selector reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The first and the last ms whose rows are looked at.
    pub range_ms: (i64, i64),
    /// Series that match and may have rows there.
    pub series: u64,
    /// Rows, about.
    pub rows: u64,
    /// Bytes, about; rows in memory have none.
    pub bytes: u64,
    /// Whose buckets stand for rows that are gone, or were asked for; `raw` where none do.
    pub tier: &'static str,
}

/// What a part took, its own parts included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    /// How often it was evaluated.
    pub times: u64,
    /// Series that it yielded.
    pub series: u64,
    /// Rows that were read.
    pub samples: u64,
    /// How long.
    pub took: Duration,
}

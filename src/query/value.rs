//! Answers: what a question yields, ready to be printed.

use std::sync::Arc;

use crate::model::{Histogram, Labels};

/// What a question yielded, and what is to be said about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The value.
    pub value: Value,
    /// What is most likely wrong, each text once, with its place in the question.
    pub warnings: Vec<String>,
    /// What the asker may want to know, each text once, with its place in the question.
    pub infos: Vec<String>,
    /// What it cost.
    pub stats: Stats,
}

/// What a question cost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Rows read.
    pub samples: u64,
    /// Steps evaluated.
    pub steps: u64,
    /// Values that each step looked at, each window counted whole; empty unless it was asked for. A
    /// histogram counts as the floats that take its room.
    pub queryable: Vec<u64>,
}

/// The value of a question. Times are ms since 1970.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// One number at one time.
    Scalar(i64, f64),
    /// One text at one time.
    String(i64, String),
    /// One value a series at one time. In the order that `sort` and `topk` made, else any.
    Vector(Vec<Sample>),
    /// Values over time, series in label order.
    Matrix(Vec<Series>),
}

/// A value of a series at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The series.
    pub labels: Labels,
    /// ms since 1970.
    pub time: i64,
    /// The value.
    pub value: Point,
}

/// A float or a histogram.
#[derive(Clone, Debug, PartialEq)]
pub enum Point {
    /// A float.
    Float(f64),
    /// A native histogram.
    Histogram(Arc<Histogram>),
}

/// Values of a series over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The series.
    pub labels: Labels,
    /// Floats by time, ms since 1970.
    pub floats: Vec<(i64, f64)>,
    /// Histograms by time, ms since 1970.
    pub histograms: Vec<(i64, Arc<Histogram>)>,
}

//! What a plan is made of.

use query_lang::{Aggregation, BinaryOp, Edges, Function, Grouping, VectorMatching};

use crate::model::{Labels, Matcher};
use crate::query::annotations::Place;
use crate::query::window::Stamp;

/// An instant selector.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Select {
    pub matchers: Vec<Matcher>,
    /// Other matchers that will do as well.
    pub alternatives: Vec<Vec<Matcher>>,
    /// The one time looked at, ms.
    pub at: Option<i64>,
    /// How far back, ms.
    pub offset: i64,
    pub edges: Edges,
    pub hints: Hints,
    pub place: Place,
}

/// What those above make of a selector's histograms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hints {
    /// They may look at buckets: hints stay as stored.
    AsStored,
    /// They look at count and sum alone: hints are made from neighbours, then buckets go.
    OnlyTotals,
}

/// Where the rows of windows come from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Rows {
    Select(Select),
    Subquery(Box<Subquery>),
}

/// Windows over rows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Range {
    pub rows: Rows,
    /// How long, ms.
    pub length: i64,
    pub place: Place,
}

/// An expression evaluated at steps of its own.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Subquery {
    pub plan: Plan,
    /// ms.
    pub step: i64,
    pub at: Option<i64>,
    pub offset: i64,
}

/// An aggregation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Aggregate {
    pub op: Aggregation,
    pub parameter: Option<Plan>,
    pub parameter_place: Place,
    /// The label of `count_values` and `quantiles`.
    pub label: String,
    /// Further parameters.
    pub extras: Vec<Plan>,
    /// So many groups at most.
    pub limit: Option<usize>,
    pub plan: Plan,
    pub plan_place: Place,
    /// Labels sorted.
    pub grouping: Grouping,
    pub place: Place,
}

/// Two operands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Binary {
    pub op: BinaryOp,
    pub left: Plan,
    pub right: Plan,
    pub returns_bool: bool,
    /// Whether names of metrics stay.
    pub keeps_name: bool,
    /// There where both are vectors.
    pub matching: Option<VectorMatching>,
    pub place: Place,
}

/// A function of vectors, numbers and texts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub function: Function,
    pub args: Vec<Plan>,
    pub places: Vec<Place>,
    pub place: Place,
    /// The series of `absent`.
    pub absent: Labels,
}

/// A function of windows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RangeFunction {
    pub function: Function,
    pub range: Range,
    pub scalars: Vec<Plan>,
    /// Texts among the arguments.
    pub texts: Vec<String>,
    /// Where the first argument stands.
    pub place: Place,
    /// The series of `absent_over_time`.
    pub absent: Labels,
}

/// The `info` function.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Info {
    pub plan: Plan,
    /// Tests on info series, name and labels; None for the default.
    pub matchers: Option<Vec<Matcher>>,
    pub at: Option<i64>,
    pub offset: i64,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Plan {
    Number(f64),
    Text(String),
    Select(Select),
    Stamps(Select, Stamp),
    Range(Range),
    Negate(Box<Plan>),
    Call(Box<Call>),
    RangeFunction(Box<RangeFunction>),
    Aggregate(Box<Aggregate>),
    Binary(Box<Binary>),
    Info(Box<Info>),
    /// The same at every step.
    Once(Box<Plan>),
    /// Evaluated at other times.
    Moved(Box<Moved>),
    /// With the names of metrics.
    Keep(Box<Plan>),
    /// Values that are one of several numbers, or none of them.
    Among(Box<Among>),
}

/// An expression evaluated at other times.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Moved {
    pub plan: Plan,
    /// The one time looked at, ms.
    pub at: Option<i64>,
    /// How far back, ms.
    pub offset: i64,
}

/// `q == (200, 404)`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Among {
    pub plan: Plan,
    pub numbers: Vec<Plan>,
    /// `==`, not `!=`.
    pub is_equal: bool,
    pub returns_bool: bool,
}

/// When a question is asked, ms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub start: i64,
    pub end: i64,
    /// 0 in an instant question.
    pub step: i64,
    /// Of subqueries that name none.
    pub default_step: i64,
    /// `now()`.
    pub now: i64,
}

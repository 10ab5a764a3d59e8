//! Plans: what is to be done, with all that depends on the question's times resolved.

mod nodes;
mod planner;
mod repeats;

pub(crate) use nodes::{
    Aggregate, Binary, Call, Hints, Info, Plan, Range, RangeFunction, Rows, Select, Shared,
    Subquery, Times,
};
pub(crate) use planner::plan;

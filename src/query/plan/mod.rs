//! Plans: what is to be done, with all that depends on the question's times resolved.

mod nodes;
mod planner;

pub(crate) use nodes::{
    Aggregate, Binary, Call, Hints, Info, Plan, Range, RangeFunction, Rows, Select, Subquery, Times,
};
pub(crate) use planner::plan;

//! Plans: what is to be done, with all that depends on the question's times resolved.

mod extended;
mod nodes;
mod planner;

pub(crate) use nodes::{
    Aggregate, Among, Binary, Call, Hints, Info, Moved, Plan, Range, RangeFunction, Rows, Select,
    Subquery, Times,
};
pub(crate) use planner::plan;

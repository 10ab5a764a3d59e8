//! Functions of vectors and numbers, by theme.

mod buckets;
mod call;
mod dates;
mod histograms;
mod info;
mod labels;
mod math;
mod relabel;
mod sort;
mod steps;

pub(crate) use call::{call, negate};
pub(crate) use info::info;
pub(crate) use sort::by_value;

//! Many series made into few: folds, quantiles, the first k, counts of values.

mod choose;
mod count_values;
mod evaluate;
mod fold;
mod folds;
mod gathered;
mod groups;
mod histograms;
mod quantile;
mod ranked;

pub(super) use evaluate::evaluate;

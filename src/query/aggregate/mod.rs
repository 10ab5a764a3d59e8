//! Many series made into few: folds, quantiles, the first k, counts of values.

mod choose;
mod count_values;
mod fold;
mod folds;
mod groups;
mod histograms;
mod quantile;

use query_lang::Aggregation;

use super::error::Error;
use super::evaluate::Evaluator;
use super::matrix::Matrix;
use super::plan::Aggregate;
use super::steps::Steps;

/// The value of an aggregation at each step.
///
/// # Errors
/// What its vector or parameter refused, or it refused of them.
pub(crate) fn evaluate(
    evaluator: &mut Evaluator<'_>,
    aggregate: &Aggregate,
    steps: Steps,
) -> Result<Matrix, Error> {
    match aggregate.op {
        Aggregation::Topk
        | Aggregation::Bottomk
        | Aggregation::Limitk
        | Aggregation::LimitRatio => choose::choose(evaluator, aggregate, steps),
        Aggregation::Quantile => quantile::quantile(evaluator, aggregate, steps),
        Aggregation::CountValues => count_values::count_values(evaluator, aggregate, steps),
        Aggregation::Sum
        | Aggregation::Avg
        | Aggregation::Count
        | Aggregation::Min
        | Aggregation::Max
        | Aggregation::Group
        | Aggregation::Stddev
        | Aggregation::Stdvar => fold::fold(evaluator, aggregate, steps),
    }
}

//! Which aggregation is folded, chosen from, or asked for a quantile.

use query_lang::Aggregation;

use super::{choose, count_values, fold, quantile};
use crate::query::{
    error::Error, evaluate::Evaluator, matrix::Matrix, plan::Aggregate, steps::Steps,
};

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

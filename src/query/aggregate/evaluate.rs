//! Which aggregation is folded, chosen from, or asked for a quantile.

use query_lang::Aggregation;

use super::{choose, count_values, fold, gathered, quantile, ranked};
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
    let matrix = unlimited(evaluator, aggregate, steps)?;
    Ok(match aggregate.limit {
        Some(limit) => limited(&matrix, limit),
        None => matrix,
    })
}

/// So many groups, chosen by a number that depends on their labels alone.
fn limited(matrix: &Matrix, limit: usize) -> Matrix {
    let mut rows: Vec<usize> = (0..matrix.len()).collect();
    rows.sort_by(|a, b| {
        let offset = |row: usize| choose::ratio_offset(&matrix.labels(row));
        offset(*a).total_cmp(&offset(*b)).then_with(|| a.cmp(b))
    });
    rows.truncate(limit);
    rows.sort_unstable();
    matrix.pick(&rows)
}

fn unlimited(
    evaluator: &mut Evaluator<'_>,
    aggregate: &Aggregate,
    steps: Steps,
) -> Result<Matrix, Error> {
    if let Some(ranking) = ranked::ranks_by(aggregate.op) {
        return ranked::evaluate(evaluator, aggregate, ranking, steps);
    }
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
        _ => gathered::evaluate(evaluator, aggregate, steps),
    }
}

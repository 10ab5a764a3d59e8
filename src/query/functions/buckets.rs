//! Classic buckets: fewer of them, and what share lies below a bound.

use std::collections::HashMap;

use query_lang::Function;

use super::call::{arg, text};
use crate::model::Labels;
use crate::query::error::Error;
use crate::query::evaluate::Evaluator;
use crate::query::labels::with;
use crate::query::matrix::{Matrix, Row};
use crate::query::plan::Call;
use crate::query::steps::Steps;

const BOUND: &str = "le";

/// Rows of the buckets of one histogram, bounds rising.
struct Buckets {
    labels: Labels,
    rows: Vec<(f64, usize)>,
}

fn gathered(matrix: &Matrix) -> Vec<Buckets> {
    let mut index: HashMap<Labels, usize> = HashMap::new();
    let mut all: Vec<Buckets> = Vec::new();
    for row in 0..matrix.len() {
        let labels = matrix.labels(row);
        let Some(bound) = labels.get(BOUND).and_then(|bound| bound.parse::<f64>().ok()) else {
            continue;
        };
        let others = with(&labels, BOUND, "");
        let at = *index.entry(others.clone()).or_insert_with(|| {
            all.push(Buckets { labels: others, rows: Vec::new() });
            all.len() - 1
        });
        if let Some(buckets) = all.get_mut(at) {
            buckets.rows.push((bound, row));
        }
    }
    for buckets in &mut all {
        buckets.rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    all
}

/// The value of a function at each step.
///
/// # Errors
/// What its arguments refused.
pub(super) fn evaluate(
    evaluator: &mut Evaluator<'_>,
    call: &Call,
    steps: Steps,
) -> Result<Matrix, Error> {
    let numbers = evaluator.scalar(arg(call, 0), steps)?;
    let matrix = evaluator.vector(arg(call, 1), steps)?;
    if call.function == Function::BucketsLimit {
        return Ok(limited(&matrix, numbers.first().copied().unwrap_or(f64::NAN)));
    }
    let bounds = (call.args.len() > 2).then(|| text(call, 2));
    Ok(shares(&matrix, &numbers, bounds))
}

/// At least three stay: the first and the last say what is least and greatest.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates, and is at least 3"
)]
fn limited(matrix: &Matrix, limit: f64) -> Matrix {
    let limit = limit.max(3.0) as usize;
    let mut kept = Vec::new();
    for buckets in gathered(matrix) {
        let mut before = vec![0.0; matrix.steps()];
        let mut left: Vec<(f64, usize)> = Vec::new();
        for (_, row) in &buckets.rows {
            let cells = matrix.row(*row);
            let mut hits = 0.0;
            for (step, before) in before.iter_mut().enumerate() {
                let count = cells.float(step).unwrap_or(*before);
                hits += count - *before;
                *before = count;
            }
            left.push((hits, *row));
        }
        trim_ends(&mut left, limit);
        while left.len() > limit {
            // The pair that holds least becomes one: the bound between them goes.
            let pairs = left.windows(2).enumerate().skip(1).take(left.len().saturating_sub(3));
            let joint = |pair: &[(f64, usize)]| pair.iter().map(|(hits, _)| hits).sum::<f64>();
            let least = pairs.min_by(|(_, a), (_, b)| joint(a).total_cmp(&joint(b)));
            let Some((at, _)) = least else { break };
            let (hits, _) = left.remove(at);
            if let Some((next, _)) = left.get_mut(at) {
                *next += hits;
            }
        }
        kept.extend(left.into_iter().map(|(_, row)| row));
    }
    kept.sort_unstable();
    matrix.pick(&kept)
}

/// Empty buckets at either end go first; the last, +Inf, holds all and stays.
fn trim_ends(buckets: &mut Vec<(f64, usize)>, limit: usize) {
    let is_empty =
        |bucket: Option<&(f64, usize)>| bucket.is_some_and(|(hits, _)| hits.abs() < 1e-9);
    while buckets.len() > limit
        && is_empty(buckets.len().checked_sub(2).and_then(|at| buckets.get(at)))
    {
        buckets.remove(buckets.len() - 2);
    }
    let mut start = 0;
    while buckets.len() - start > limit && is_empty(buckets.get(start)) {
        start += 1;
    }
    buckets.drain(..start);
}

fn shares(matrix: &Matrix, numbers: &[f64], bounds: Option<&str>) -> Matrix {
    let steps = matrix.steps();
    let mut result = Matrix::new(steps);
    for buckets in gathered(matrix) {
        let mut rows = [Row::new(steps), Row::new(steps), Row::new(steps)];
        for step in 0..steps {
            let counts: Vec<(f64, f64)> = buckets
                .rows
                .iter()
                .filter_map(|(bound, row)| Some((*bound, matrix.row(*row).float(step)?)))
                .collect();
            let number = numbers.get(step).copied().unwrap_or(f64::NAN);
            let Some(found) = share(number, &counts) else { continue };
            rows.iter_mut().zip(found).for_each(|(row, value)| row.set(step, value));
        }
        for (row, name) in rows.iter().zip(["", "lower", "upper"]) {
            let labels = match (name, bounds) {
                ("", _) => buckets.labels.clone(),
                (name, Some(label)) => with(&buckets.labels, label, name),
                (_, None) => continue,
            };
            if !row.is_empty() {
                result.push(labels, true, row.as_ref());
            }
        }
    }
    result
}

/// The share of observations not above a bound: estimated, at least, at most.
fn share(bound: f64, buckets: &[(f64, f64)]) -> Option<[f64; 3]> {
    let total = buckets.last()?.1;
    if bound.is_nan() || total.is_nan() || total <= 0.0 {
        return None;
    }
    if bound < 0.0 {
        return Some([0.0; 3]);
    }
    let (mut before, mut greatest) = ((0.0, 0.0), 0.0_f64);
    for (upper, count) in buckets {
        // Counts that fall are mended: a bucket holds those below it.
        greatest = greatest.max(*count);
        if bound >= *upper {
            before = (*upper, greatest);
            continue;
        }
        let least = before.1 / total;
        if upper.is_infinite() {
            return Some([least, least, 1.0]);
        }
        if before.0 == bound {
            return Some([least; 3]);
        }
        let most = greatest / total;
        let within = (bound - before.0) / (upper - before.0);
        return Some([least + (most - least) * within, least, most]);
    }
    Some([1.0; 3])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_linear_within_a_bucket() {
        let buckets = [(1.0, 10.0), (2.0, 30.0), (f64::INFINITY, 40.0)];
        assert_eq!(share(1.5, &buckets), Some([0.5, 0.25, 0.75]));
        assert_eq!(share(1.0, &buckets), Some([0.25; 3]));
        assert_eq!(share(9.0, &buckets), Some([0.75, 0.75, 1.0]));
        assert_eq!(share(f64::INFINITY, &buckets), Some([1.0; 3]));
        assert_eq!(share(1.0, &[]), None);
    }
}

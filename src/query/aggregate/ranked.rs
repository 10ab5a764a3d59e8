//! `topk_*`, `bottomk_*`, `outliersk`: series chosen by what they are over all steps.

use query_lang::Aggregation;

use super::groups::{Groups, group_labels};
use crate::model::Labels;
use crate::query::error::Error;
use crate::query::evaluate::Evaluator;
use crate::query::functions::by_value;
use crate::query::labels::with;
use crate::query::matrix::{Matrix, Row};
use crate::query::plan::{Aggregate, Plan};
use crate::query::steps::Steps;
use crate::query::window::{quantile_of, sum};

/// What series are ranked by.
#[derive(Clone, Copy, Debug)]
pub(super) enum By {
    Mean,
    Greatest,
    Least,
    Median,
    Last,
    Sum,
    Quantile(f64),
    Distance,
}

/// What an aggregation ranks by, and whether the greatest are chosen.
pub(super) fn ranks_by(op: Aggregation) -> Option<(By, bool)> {
    use Aggregation as A;
    Some(match op {
        A::TopkAvg => (By::Mean, true),
        A::TopkMax => (By::Greatest, true),
        A::TopkMin => (By::Least, true),
        A::TopkMedian => (By::Median, true),
        A::TopkLast => (By::Last, true),
        A::TopkSum => (By::Sum, true),
        A::TopkQuantile => (By::Quantile(f64::NAN), true),
        A::BottomkAvg => (By::Mean, false),
        A::BottomkMax => (By::Greatest, false),
        A::BottomkMin => (By::Least, false),
        A::BottomkMedian => (By::Median, false),
        A::BottomkLast => (By::Last, false),
        A::BottomkSum => (By::Sum, false),
        A::BottomkQuantile => (By::Quantile(f64::NAN), false),
        A::Outliersk => (By::Distance, true),
        _ => return None,
    })
}

/// The chosen series, and the sum of the others where a label for it is given.
///
/// # Errors
/// What the vector or a parameter refused.
pub(super) fn evaluate(
    evaluator: &mut Evaluator<'_>,
    aggregate: &Aggregate,
    (by, is_top): (By, bool),
    steps: Steps,
) -> Result<Matrix, Error> {
    let mut k = super::choose::parameter(evaluator, aggregate, steps)?;
    let mut rest = None;
    let mut by = by;
    for extra in &aggregate.extras {
        match extra {
            Plan::Text(text) => rest = Some(text.clone()),
            // `topk_quantile(phi, k, v)`
            plan => {
                by = By::Quantile(k.first().copied().unwrap_or(f64::NAN));
                k = evaluator.scalar(plan, steps)?;
            }
        }
    }
    let matrix = evaluator.vector(&aggregate.plan, steps)?;
    let groups = Groups::new(&matrix, &aggregate.grouping);
    let mut chosen = Vec::new();
    let mut others = Vec::new();
    for members in groups.members() {
        evaluator.budget.check()?;
        let medians = matches!(by, By::Distance).then(|| medians(&matrix, &members));
        let mut ranked: Vec<(f64, usize)> =
            members.iter().map(|row| (rank(&matrix, *row, by, medians.as_deref()), *row)).collect();
        ranked.sort_by(|a, b| by_value(a.0, b.0, is_top).then_with(|| a.1.cmp(&b.1)));
        let rows: Vec<usize> = ranked.into_iter().map(|(_, row)| row).collect();
        if let Some(rest) = &rest {
            let labels = members.first().map_or_else(Labels::empty, |row| {
                group_labels(&matrix.labels(*row), &aggregate.grouping)
            });
            others.push(sum_of_rest(&matrix, &rows, &k, &labels, rest));
        }
        chosen.push(rows);
    }
    Ok(picked(&matrix, &chosen, &k, others))
}

/// The k first of each group at each step.
fn picked(matrix: &Matrix, chosen: &[Vec<usize>], k: &[f64], others: Vec<(Labels, Row)>) -> Matrix {
    let mut result = Matrix::new(matrix.steps());
    for rows in chosen {
        for (place, index) in rows.iter().enumerate() {
            let mut row = Row::new(matrix.steps());
            for (step, k) in k.iter().enumerate() {
                if is_among(place, *k) {
                    row.copy_cell(step, matrix.row(*index));
                }
            }
            if !row.is_empty() {
                result.push(matrix.labels(*index), matrix.drops_name(*index), row.as_ref());
            }
        }
    }
    for (labels, row) in others {
        if !row.is_empty() {
            result.push(labels, true, row.as_ref());
        }
    }
    result
}

#[expect(clippy::cast_precision_loss, reason = "series are fewer than 2^53")]
fn is_among(place: usize, k: f64) -> bool {
    (place as f64) < k.floor()
}

/// The sum of those that are not chosen, under a label: `other`, or `other=rest`.
fn sum_of_rest(
    matrix: &Matrix,
    rows: &[usize],
    k: &[f64],
    labels: &Labels,
    rest: &str,
) -> (Labels, Row) {
    let (name, value) = rest.split_once('=').unwrap_or((rest, rest));
    let mut row = Row::new(matrix.steps());
    for (step, k) in k.iter().enumerate() {
        let left = rows.iter().enumerate().filter(|(place, _)| !is_among(*place, *k));
        let values: Vec<f64> =
            left.filter_map(|(_, index)| matrix.row(*index).float(step)).collect();
        if !values.is_empty() {
            row.set(step, sum(values.into_iter()));
        }
    }
    (with(labels, name, value), row)
}

#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
fn rank(matrix: &Matrix, row: usize, by: By, medians: Option<&[f64]>) -> f64 {
    let cells = matrix.row(row);
    let points = (0..matrix.steps()).filter_map(|step| Some((step, cells.float(step)?)));
    let points: Vec<(usize, f64)> = points.filter(|(_, value)| !value.is_nan()).collect();
    let values: Vec<f64> = points.iter().map(|(_, value)| *value).collect();
    if values.is_empty() {
        return f64::NAN;
    }
    let total = || sum(values.iter().copied());
    match by {
        By::Mean => total() / values.len() as f64,
        By::Greatest => values.iter().copied().fold(f64::NAN, f64::max),
        By::Least => values.iter().copied().fold(f64::NAN, f64::min),
        By::Median => quantile_of(0.5, &values, &mut Vec::new()),
        By::Quantile(phi) => quantile_of(phi, &values, &mut Vec::new()),
        By::Last => values.last().copied().unwrap_or(f64::NAN),
        By::Sum => total(),
        By::Distance => sum(points.iter().map(|(step, value)| {
            let median = medians.and_then(|medians| medians.get(*step)).copied();
            (value - median.unwrap_or(f64::NAN)).powi(2)
        })),
    }
}

/// The median of a group at each step.
fn medians(matrix: &Matrix, members: &[usize]) -> Vec<f64> {
    let mut sorted = Vec::new();
    (0..matrix.steps())
        .map(|step| {
            let values = members.iter().filter_map(|row| matrix.row(*row).float(step));
            quantile_of(0.5, &values.collect::<Vec<_>>(), &mut sorted)
        })
        .collect()
}

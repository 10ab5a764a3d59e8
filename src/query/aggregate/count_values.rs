//! `count_values`: how many series of a group have each value.

use std::collections::HashMap;

use query_lang::Grouping;

use super::groups::group_labels;
use crate::math::{histogram, number::plain};
use crate::model::Labels;
use crate::query::error::Error;
use crate::query::evaluate::Evaluator;
use crate::query::labels::with;
use crate::query::matrix::{Matrix, Row};
use crate::query::plan::Aggregate;
use crate::query::steps::Steps;

/// The counts at each step, the value as a label.
///
/// # Errors
/// What the vector refused, and a spent budget.
pub(super) fn count_values(
    evaluator: &mut Evaluator<'_>,
    aggregate: &Aggregate,
    steps: Steps,
) -> Result<Matrix, Error> {
    let matrix = evaluator.vector(&aggregate.plan, steps)?;
    let mut grouping: Grouping = aggregate.grouping.clone();
    if !grouping.without {
        grouping.labels.push(aggregate.label.clone());
    }
    let mut index: HashMap<Labels, usize> = HashMap::new();
    let mut rows: Vec<(Labels, Row)> = Vec::new();
    for series in 0..matrix.len() {
        evaluator.budget.check()?;
        let labels = matrix.labels(series);
        let mut known: HashMap<String, usize> = HashMap::new();
        let from = matrix.row(series);
        for step in 0..steps.count {
            let text = match (from.float(step), from.histogram(step)) {
                (Some(value), _) => plain(value),
                (None, Some(value)) => histogram::text(value),
                (None, None) => continue,
            };
            let at = if let Some(at) = known.get(&text) {
                *at
            } else {
                let labelled = with(&labels, &aggregate.label, &text);
                let group = group_labels(&labelled, &grouping);
                let at = if let Some(at) = index.get(&group) {
                    *at
                } else {
                    evaluator.budget.use_memory(Matrix::bytes_a_row(steps.count))?;
                    rows.push((group.clone(), Row::new(steps.count)));
                    index.insert(group, rows.len() - 1);
                    rows.len() - 1
                };
                known.insert(text, at);
                at
            };
            if let Some((_, row)) = rows.get_mut(at) {
                let count = row.as_ref().float(step).unwrap_or(0.0);
                row.set(step, count + 1.0);
            }
        }
    }
    let mut result = Matrix::new(steps.count);
    for (labels, row) in rows {
        result.push(labels, false, row.as_ref());
    }
    Ok(result)
}

//! `quantile`: the values of a group sorted at each step.

use super::groups::Groups;
use crate::math;
use crate::query::annotations::Note;
use crate::query::error::Error;
use crate::query::evaluate::Evaluator;
use crate::query::matrix::{Matrix, Row};
use crate::query::plan::Aggregate;
use crate::query::steps::Steps;

/// The quantile of each group at each step.
///
/// # Errors
/// What the vector or the parameter refused.
pub(super) fn quantile(
    evaluator: &mut Evaluator<'_>,
    aggregate: &Aggregate,
    steps: Steps,
) -> Result<Matrix, Error> {
    let wanted = super::choose::parameter(evaluator, aggregate, steps)?;
    let matrix = evaluator.vector(&aggregate.plan, steps)?;
    note_invalid(evaluator, &wanted, aggregate);
    let groups = Groups::new(&matrix, &aggregate.grouping);
    let mut result = Matrix::new(steps.count);
    let mut row = Row::new(steps.count);
    let mut values = Vec::new();
    for members in groups.members() {
        evaluator.budget.check()?;
        row.clear();
        for (step, q) in wanted.iter().enumerate() {
            evaluator.budget.check()?;
            values.clear();
            for member in &members {
                let from = matrix.row(*member);
                if let Some(value) = from.float(step) {
                    values.push(value);
                } else if from.histogram(step).is_some() {
                    evaluator.note(Note::HistogramIgnored("quantile"), aggregate.plan_place);
                }
            }
            if !values.is_empty() {
                row.set(step, math::quantile(*q, &mut values));
            }
        }
        let labels = members
            .first()
            .and_then(|member| groups.of.get(*member))
            .and_then(|group| groups.labels.get(*group as usize));
        if let Some(labels) = labels.filter(|_| !row.is_empty()) {
            let drops_name = members.iter().any(|member| matrix.drops_name(*member));
            result.push(labels.clone(), drops_name, row.as_ref());
        }
    }
    Ok(result)
}

fn note_invalid(evaluator: &mut Evaluator<'_>, wanted: &[f64], aggregate: &Aggregate) {
    let place = aggregate.parameter_place;
    if wanted.iter().any(|q| q.is_nan()) {
        evaluator.note(Note::InvalidQuantile(f64::NAN), place);
    }
    let numbers = || wanted.iter().copied().filter(|q| !q.is_nan());
    let greatest = numbers().fold(f64::NEG_INFINITY, f64::max);
    let least = numbers().fold(f64::INFINITY, f64::min);
    if greatest > 1.0 {
        evaluator.note(Note::InvalidQuantile(greatest), place);
    }
    if least < 0.0 {
        evaluator.note(Note::InvalidQuantile(least), place);
    }
}

//! Which function is where, and those that fit nowhere else.

use std::sync::Arc;

use query_lang::Function;

use super::{buckets, dates, histograms, labels, math, relabel, sort, steps as over_steps};
use crate::math::histogram::multiply;
use crate::query::error::Error;
use crate::query::evaluate::{Evaluator, Outcome, absent, scalar_matrix};
use crate::query::matrix::{Matrix, set_bit};
use crate::query::plan::{Call, Plan};
use crate::query::steps::Steps;

/// The value of a function at each step.
///
/// # Errors
/// What its arguments refused, or it refused of them.
pub(crate) fn call(
    evaluator: &mut Evaluator<'_>,
    call: &Call,
    steps: Steps,
) -> Result<Outcome, Error> {
    use Function as F;
    if let Some(function) = math::of_float(call.function) {
        let matrix = evaluator.vector(arg(call, 0), steps)?;
        return Ok(Outcome::Vector(math::map_floats(matrix, |_, value| function(value))));
    }
    if let Some(part) = dates::part(call.function) {
        return dates::evaluate(evaluator, call, part, steps).map(Outcome::Vector);
    }
    if let Some(value) = scalars(evaluator, call, steps)? {
        return Ok(Outcome::Scalar(value));
    }
    let matrix = match call.function {
        F::Absent => {
            let matrix = evaluator.vector(arg(call, 0), steps)?;
            let mut result = absent(&matrix, call.absent.clone());
            (0..result.len()).for_each(|row| result.set_drops_name(row, false));
            result
        }
        F::Vector => scalar_matrix(&evaluator.scalar(arg(call, 0), steps)?),
        F::Round | F::Clamp | F::ClampMin | F::ClampMax => math::bounded(evaluator, call, steps)?,
        // On anything but a selector: the step's time, and no start at all.
        F::Timestamp => timestamps(evaluator.vector(arg(call, 0), steps)?, steps),
        F::StartTimestamp => {
            evaluator.vector(arg(call, 0), steps)?;
            Matrix::new(steps.count)
        }
        F::LabelReplace => labels::replace(evaluator, call, steps)?,
        F::LabelJoin => labels::join(evaluator, call, steps)?,
        F::LimitOffset => relabel::limited(evaluator, call, steps)?,
        F::BitmapAnd | F::BitmapOr | F::BitmapXor => relabel::bitmap(evaluator, call, steps)?,
        F::BucketsLimit | F::HistogramShare => buckets::evaluate(evaluator, call, steps)?,
        function if relabel::relabels(function) => relabel::evaluate(evaluator, call, steps)?,
        function if over_steps::spans_steps(function) => {
            over_steps::evaluate(evaluator, call, steps)?
        }
        F::Sort
        | F::SortDesc
        | F::SortByLabel
        | F::SortByLabelDesc
        | F::SortByLabelNumeric
        | F::SortByLabelNumericDesc => sort::sort(evaluator, call, steps)?,
        _ => histograms::evaluate(evaluator, call, steps)?,
    };
    Ok(Outcome::Vector(matrix))
}

/// An argument; the parser has seen to it that it is there.
pub(super) fn arg(call: &Call, index: usize) -> &Plan {
    const NONE: &Plan = &Plan::Number(f64::NAN);
    call.args.get(index).unwrap_or(NONE)
}

/// The text that an argument is.
pub(super) fn text(call: &Call, index: usize) -> &str {
    match call.args.get(index) {
        Some(Plan::Text(text)) => text,
        _ => "",
    }
}

/// Functions that yield a scalar.
#[expect(clippy::cast_precision_loss, reason = "times in ms are below 2^53")]
fn scalars(
    evaluator: &mut Evaluator<'_>,
    call: &Call,
    steps: Steps,
) -> Result<Option<Vec<f64>>, Error> {
    Ok(Some(match call.function {
        Function::Time => steps.times().map(|time| time as f64 / 1000.0).collect(),
        Function::TimezoneOffset => dates::zone_offsets(text(call, 0), steps)?,
        Function::Pi => vec![std::f64::consts::PI; steps.count],
        Function::Scalar => {
            let matrix = evaluator.vector(arg(call, 0), steps)?;
            (0..steps.count).map(|step| only_float(&matrix, step)).collect()
        }
        Function::MinOf | Function::MaxOf => {
            let left = evaluator.scalar(arg(call, 0), steps)?;
            let right = evaluator.scalar(arg(call, 1), steps)?;
            let pick = if call.function == Function::MinOf { math::min_of } else { math::max_of };
            left.iter().zip(&right).map(|(a, b)| pick(*a, *b)).collect()
        }
        _ => return Ok(None),
    }))
}

/// The one float at a step; NaN where there is not exactly one.
fn only_float(matrix: &Matrix, step: usize) -> f64 {
    let mut floats = matrix.rows().filter_map(|row| row.float(step));
    match (floats.next(), floats.next()) {
        (Some(value), None) => value,
        _ => f64::NAN,
    }
}

#[expect(clippy::cast_precision_loss, reason = "times in ms are below 2^53")]
fn timestamps(matrix: Matrix, steps: Steps) -> Matrix {
    let mut matrix = matrix;
    for row in 0..matrix.len() {
        let histograms: Vec<usize> =
            matrix.row(row).histogram_steps().map(|(step, _)| step).collect();
        matrix.histograms_mut(row).iter_mut().for_each(|histogram| *histogram = None);
        let (values, floats) = matrix.row_mut(row);
        for step in histograms {
            set_bit(floats, step);
        }
        values.iter_mut().zip(steps.times()).for_each(|(value, time)| {
            *value = time as f64 / 1000.0;
        });
    }
    matrix.drop_names();
    matrix
}

/// `-vector`.
pub(crate) fn negate(mut matrix: Matrix) -> Matrix {
    for row in 0..matrix.len() {
        for value in matrix.row_mut(row).0 {
            *value = -*value;
        }
        for histogram in matrix.histograms_mut(row).iter_mut().flatten() {
            multiply(Arc::make_mut(histogram), -1.0);
        }
    }
    matrix.drop_names();
    matrix
}

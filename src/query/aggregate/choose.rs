//! `topk`, `bottomk`, `limitk`, `limit_ratio`: some series of each group, as they are.

use query_lang::Aggregation;

use super::groups::Groups;
use crate::math::number::general;
use crate::model::Labels;
use crate::query::annotations::Note;
use crate::query::error::Error;
use crate::query::evaluate::Evaluator;
use crate::query::functions::by_value;
use crate::query::matrix::{Matrix, Row};
use crate::query::plan::Aggregate;
use crate::query::steps::Steps;

/// The greatest float below 2^63.
const K_END: f64 = 9_223_372_036_854_774_784.0;

/// The chosen series at each step; over one step in order.
///
/// # Errors
/// What the vector or the parameter refused, or a parameter that is no number of series.
pub(super) fn choose(
    evaluator: &mut Evaluator<'_>,
    aggregate: &Aggregate,
    steps: Steps,
) -> Result<Matrix, Error> {
    let parameter = parameter(evaluator, aggregate, steps)?;
    let matrix = evaluator.vector(&aggregate.plan, steps)?;
    let is_ratio = aggregate.op == Aggregation::LimitRatio;
    let is_nothing = if is_ratio {
        parameter.iter().all(|ratio| *ratio == 0.0)
    } else {
        !parameter.iter().any(|k| *k >= 1.0 || k.is_nan())
    };
    if is_nothing {
        return Ok(Matrix::new(steps.count));
    }
    check(evaluator, &parameter, aggregate)?;
    let members = Groups::new(&matrix, &aggregate.grouping).members();
    let offsets: Vec<f64> = if is_ratio {
        (0..matrix.len()).map(|row| ratio_offset(&matrix.labels(row))).collect()
    } else {
        Vec::new()
    };
    let mut chosen: Vec<Vec<usize>> = Vec::with_capacity(steps.count);
    for (step, parameter) in parameter.iter().enumerate() {
        evaluator.budget.check()?;
        let mut rows = Vec::new();
        for members in &members {
            let present = members.iter().copied().filter(|row| matrix.row(*row).has(step));
            match aggregate.op {
                Aggregation::LimitRatio => {
                    let offset = |row: usize| offsets.get(row).copied().unwrap_or(0.0);
                    rows.extend(present.filter(|row| is_within(*parameter, offset(*row))));
                }
                Aggregation::Limitk => rows.extend(present.take(whole(*parameter))),
                op => {
                    let place = aggregate.place;
                    let (floats, others): (Vec<usize>, Vec<usize>) =
                        present.partition(|row| matrix.row(*row).float(step).is_some());
                    if !others.is_empty() && *parameter >= 1.0 {
                        evaluator.note(Note::HistogramIgnored(op.name()), place);
                    }
                    let is_top = op == Aggregation::Topk;
                    rows.extend(first(&matrix, floats, step, whole(*parameter), is_top));
                }
            }
        }
        chosen.push(rows);
    }
    Ok(pick(&matrix, &chosen))
}

/// The rows of the k greatest or least, of equal ones the first.
fn first(matrix: &Matrix, mut rows: Vec<usize>, step: usize, k: usize, is_top: bool) -> Vec<usize> {
    let value = |row: &usize| matrix.row(*row).float(step).unwrap_or(f64::NAN);
    let order = |a: &usize, b: &usize| by_value(value(a), value(b), is_top).then_with(|| a.cmp(b));
    if k == 0 {
        return Vec::new();
    }
    if k < rows.len() {
        rows.select_nth_unstable_by(k - 1, order);
        rows.truncate(k);
    }
    rows.sort_unstable_by(order);
    rows
}

/// The rows with the cells that were chosen.
fn pick(matrix: &Matrix, chosen: &[Vec<usize>]) -> Matrix {
    if let [rows] = chosen {
        return matrix.pick(rows);
    }
    let mut rows: Vec<Option<Row>> = vec![None; matrix.len()];
    for (step, chosen) in chosen.iter().enumerate() {
        for row in chosen {
            if let Some(slot) = rows.get_mut(*row) {
                slot.get_or_insert_with(|| Row::new(matrix.steps()))
                    .copy_cell(step, matrix.row(*row));
            }
        }
    }
    let mut result = Matrix::new(matrix.steps());
    for (index, row) in rows.iter().enumerate() {
        if let Some(row) = row {
            result.push(matrix.labels(index), matrix.drops_name(index), row.as_ref());
        }
    }
    result
}

/// The parameter at each step.
///
/// # Errors
/// What it refused.
pub(super) fn parameter(
    evaluator: &mut Evaluator<'_>,
    aggregate: &Aggregate,
    steps: Steps,
) -> Result<Vec<f64>, Error> {
    match &aggregate.parameter {
        Some(plan) => evaluator.scalar(plan, steps),
        None => Ok(vec![f64::NAN; steps.count]),
    }
}

fn check(
    evaluator: &mut Evaluator<'_>,
    parameter: &[f64],
    aggregate: &Aggregate,
) -> Result<(), Error> {
    let is_ratio = aggregate.op == Aggregation::LimitRatio;
    if parameter.iter().any(|value| value.is_nan()) {
        return Err(if is_ratio { Error::RatioNan } else { Error::ParameterNan });
    }
    let least = parameter.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = parameter.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if is_ratio {
        for (ratio, capped) in [(greatest, 1.0), (least, -1.0)] {
            if ratio.abs() > 1.0 && ratio.signum() == capped {
                evaluator.note(Note::InvalidRatio { ratio, capped }, aggregate.parameter_place);
            }
        }
        return Ok(());
    }
    if least <= -9_223_372_036_854_775_808.0 {
        return Err(Error::ParameterUnderflow(general(least)));
    }
    if greatest >= K_END {
        return Err(Error::ParameterOverflow(general(greatest)));
    }
    Ok(())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates, and a negative k chooses nothing"
)]
fn whole(k: f64) -> usize {
    k as usize
}

/// Whether a series is in the share: from below for a positive ratio, its complement for a negative.
fn is_within(ratio: f64, offset: f64) -> bool {
    let ratio = ratio.clamp(-1.0, 1.0);
    if ratio >= 0.0 { offset < ratio } else { offset >= 1.0 + ratio }
}

/// A number in [0, 1) that depends on the labels alone: the same series are chosen everywhere.
///
/// FNV-1a, mixed by the finalizer of `MurmurHash3`, as FNV alone leaves high bits alike.
#[expect(clippy::cast_precision_loss, reason = "53 bits are as many as a float holds")]
pub(super) fn ratio_offset(labels: &Labels) -> f64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for (name, value) in labels.iter() {
        for byte in name.bytes().chain([0xff]).chain(value.bytes()).chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^= hash >> 33;
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}

//! `and`, `or`, `unless`: bits of presence, whatever the values.

use query_lang::{BinaryOp, VectorMatching};

use super::matching::{Side, Signatures};
use crate::query::error::Error;
use crate::query::matrix::{Matrix, Row, bit, words};
use crate::query::merge::merge_same_labels;

/// The series of both sides that the operator leaves.
///
/// # Errors
/// Series of both sides that are the same at a step.
pub(super) fn evaluate(
    op: BinaryOp,
    left: Matrix,
    right: &Matrix,
    matching: &VectorMatching,
) -> Result<Matrix, Error> {
    let mut signatures = Signatures::default();
    let left = signatures.side(left, matching);
    let right = signatures.side(right.clone(), matching);
    let count = signatures.len();
    if op == BinaryOp::Or {
        let present = presence(&left, count);
        let steps = left.matrix.steps();
        let mut result = left.matrix;
        for row in 0..right.matrix.len() {
            let kept = masked(&right, row, |step| !present_at(&present, &right, row, step));
            if !kept.is_empty() {
                let drops_name = right.matrix.drops_name(row);
                result.push(right.matrix.labels(row), drops_name, kept.as_ref());
            }
        }
        // Over one step, rows of one name may still be told apart at the end.
        return if steps > 1 { merge_same_labels(result) } else { Ok(result) };
    }
    let present = presence(&right, count);
    let keeps_matched = op == BinaryOp::And;
    let mut result = Matrix::new(left.matrix.steps());
    for row in 0..left.matrix.len() {
        let kept =
            masked(&left, row, |step| present_at(&present, &left, row, step) == keeps_matched);
        if !kept.is_empty() {
            let drops_name = left.matrix.drops_name(row);
            result.push(left.matrix.labels(row), drops_name, kept.as_ref());
        }
    }
    Ok(result)
}

/// For each signature, the steps at which a row has it.
fn presence(side: &Side, signatures: usize) -> Vec<Vec<u64>> {
    let mut present = vec![vec![0; words(side.matrix.steps())]; signatures];
    for (row, signature) in side.matrix.rows().zip(&side.of) {
        if let Some(bits) = present.get_mut(*signature) {
            row.add_presence(bits);
        }
    }
    present
}

fn present_at(present: &[Vec<u64>], side: &Side, row: usize, step: usize) -> bool {
    let signature = side.of.get(row).copied().unwrap_or(usize::MAX);
    present.get(signature).is_some_and(|bits| bit(bits, step))
}

/// The cells of a row that are to be kept.
fn masked(side: &Side, row: usize, keeps: impl Fn(usize) -> bool) -> Row {
    let from = side.matrix.row(row);
    let mut kept = Row::new(side.matrix.steps());
    for step in (0..side.matrix.steps()).filter(|step| keeps(*step)) {
        kept.copy_cell(step, from);
    }
    kept
}

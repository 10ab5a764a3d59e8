//! `and`, `or`, `unless`: bits of presence, whatever the values.

use std::sync::Arc;

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
        keep(&right, &present, false, &mut result);
        // Over one step, rows of one name may still be told apart at the end.
        return if steps > 1 { merge_same_labels(result) } else { Ok(result) };
    }
    let present = presence(&right, count);
    let mut result = Matrix::new(left.matrix.steps());
    keep(&left, &present, op == BinaryOp::And, &mut result);
    Ok(result)
}

/// Adds the cells whose signature is present to `result`, or those whose is not.
fn keep(side: &Side, present: &[Vec<u64>], keeps_present: bool, result: &mut Matrix) {
    let steps = side.matrix.steps();
    let mut row = Row::new(steps);
    for (index, signature) in side.of.iter().enumerate() {
        let Some(present) = present.get(*signature) else { continue };
        let from = side.matrix.row(index);
        row.values.copy_from_slice(from.values);
        for ((word, floats), present) in row.floats.iter_mut().zip(from.floats).zip(present) {
            *word = floats & if keeps_present { *present } else { !*present };
        }
        row.histograms.clear();
        for (step, histogram) in from.histogram_steps() {
            if bit(present, step) == keeps_present {
                row.set_histogram(step, Arc::clone(histogram));
            }
        }
        if !row.is_empty() {
            let drops_name = side.matrix.drops_name(index);
            result.push(side.matrix.labels(index), drops_name, row.as_ref());
        }
    }
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

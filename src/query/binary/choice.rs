//! `default`, `if`, `ifnot`: step by step, the left or what the right says of it.

use query_lang::{BinaryOp, VectorMatching};

use super::matching::{Side, Signatures};
use crate::query::evaluate::{Outcome, scalar_matrix};
use crate::query::matrix::{Matrix, Row, words};

/// An operand: a number stands for every group.
fn matrix_of(outcome: Outcome) -> (Matrix, bool) {
    match outcome {
        Outcome::Vector(matrix) => (matrix, false),
        Outcome::Scalar(values) => (scalar_matrix(&values), true),
        // The parser has seen to it that texts are no operands.
        Outcome::Text(_) => (Matrix::new(1), false),
    }
}

/// The series of the left, changed; of the right alone where the left of `default` has none.
pub(super) fn evaluate(
    op: BinaryOp,
    left: Outcome,
    right: Outcome,
    matching: &VectorMatching,
) -> Matrix {
    let ((left, left_is_number), (right, right_is_number)) = (matrix_of(left), matrix_of(right));
    if op == BinaryOp::Default && left.rows().all(|row| row.is_empty()) {
        return right;
    }
    let mut signatures = Signatures::default();
    let left = signatures.side(left, matching);
    let right = signatures.side(right, matching);
    let groups = right.by_signature(signatures.len());
    let all: Vec<usize> = (0..right.matrix.len()).collect();
    let mut result = Matrix::new(left.matrix.steps());
    for (index, signature) in left.of.iter().enumerate() {
        let partners = if left_is_number || right_is_number {
            all.as_slice()
        } else {
            groups.get(*signature).map_or(&[][..], Vec::as_slice)
        };
        let row = match op {
            BinaryOp::Default => filled(&left, index, &right, partners),
            _ => chosen(&left, index, &right, partners, op == BinaryOp::If),
        };
        if !row.is_empty() {
            result.push(left.matrix.labels(index), left.matrix.drops_name(index), row.as_ref());
        }
    }
    result
}

/// Gaps, and values that are none, filled with the first partner's value there.
fn filled(left: &Side, index: usize, right: &Side, partners: &[usize]) -> Row {
    let from = left.matrix.row(index);
    let mut row = Row::new(left.matrix.steps());
    for step in 0..left.matrix.steps() {
        let is_there = match from.float(step) {
            Some(value) => !value.is_nan(),
            None => from.histogram(step).is_some(),
        };
        let partner = partners.iter().map(|partner| right.matrix.row(*partner));
        let partner = partner.into_iter().find(|partner| partner.has(step));
        row.copy_cell(step, if is_there { from } else { partner.unwrap_or(from) });
    }
    row
}

/// The cells at which a partner has a value, or at which none has.
fn chosen(left: &Side, index: usize, right: &Side, partners: &[usize], where_there: bool) -> Row {
    let mut present = vec![0; words(left.matrix.steps())];
    for partner in partners {
        right.matrix.row(*partner).add_presence(&mut present);
    }
    let from = left.matrix.row(index);
    let mut row = Row::new(left.matrix.steps());
    for step in 0..left.matrix.steps() {
        if crate::query::matrix::bit(&present, step) == where_there {
            row.copy_cell(step, from);
        }
    }
    row
}

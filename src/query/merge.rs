//! Series that came to have the same labels: one series, where they do not meet.

use std::collections::HashMap;

use super::error::Error;
use super::labels::without_metadata;
use super::matrix::{Matrix, Row, RowRef};
use crate::model::Labels;

/// Joins rows of the same labels.
///
/// # Errors
/// [`Error::SameLabels`] where two have a value at the same step.
pub(crate) fn merge_same_labels(matrix: Matrix) -> Result<Matrix, Error> {
    if matrix.len() < 2 {
        return Ok(matrix);
    }
    let mut by_labels: HashMap<Labels, Vec<usize>> = HashMap::with_capacity(matrix.len());
    for row in 0..matrix.len() {
        by_labels.entry(matrix.labels(row)).or_default().push(row);
    }
    if by_labels.len() == matrix.len() {
        return Ok(matrix);
    }
    let mut merged = Matrix::new(matrix.steps());
    for index in 0..matrix.len() {
        let labels = matrix.labels(index);
        let Some(rows) = by_labels.get(&labels) else { continue };
        let [first, others @ ..] = rows.as_slice() else { continue };
        if *first != index {
            continue;
        }
        if others.is_empty() {
            merged.push(labels, matrix.drops_name(index), matrix.row(index));
        } else {
            let row = join(&matrix, rows)?;
            merged.push(labels, drops_name(&matrix, rows), row.as_ref());
        }
    }
    Ok(merged)
}

/// Whether the name of joined rows goes: the first value decides, as Prometheus takes it step by step.
fn drops_name(matrix: &Matrix, rows: &[usize]) -> bool {
    let is_there =
        |row: &RowRef<'_>, step: usize| row.float(step).is_some() || row.histogram(step).is_some();
    let first_step = |index: &&usize| {
        let row = matrix.row(**index);
        (0..matrix.steps()).find(|step| is_there(&row, *step)).unwrap_or(usize::MAX)
    };
    rows.iter().min_by_key(first_step).is_some_and(|index| matrix.drops_name(*index))
}

fn join(matrix: &Matrix, rows: &[usize]) -> Result<Row, Error> {
    let mut joined = Row::new(matrix.steps());
    for index in rows {
        let row = matrix.row(*index);
        for step in 0..matrix.steps() {
            let meets = (row.float(step).is_some() && joined.as_ref().float(step).is_some())
                || (row.histogram(step).is_some() && joined.as_ref().histogram(step).is_some());
            if meets {
                return Err(Error::SameLabels);
            }
            joined.copy_cell(step, row);
        }
    }
    Ok(joined)
}

/// Drops the names that are to be dropped, and joins rows that are the same then.
///
/// # Errors
/// As [`merge_same_labels`].
pub(crate) fn finish_names(matrix: Matrix) -> Result<Matrix, Error> {
    let mut matrix = matrix.drop_empty();
    if !(0..matrix.len()).any(|row| matrix.drops_name(row)) {
        return if matrix.origin().is_some() { Ok(matrix) } else { merge_same_labels(matrix) };
    }
    for row in 0..matrix.len() {
        if matrix.drops_name(row) {
            matrix.set_labels(row, without_metadata(&matrix.labels(row)));
        }
    }
    merge_same_labels(matrix)
}

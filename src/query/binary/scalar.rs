//! A vector and a number a step.

use std::sync::Arc;

use super::elements::{self, Element};
use super::operators::{changes_meaning, combine, compare};
use crate::query::evaluate::Evaluator;
use crate::query::matrix::{Matrix, words};
use crate::query::plan::Binary;

/// The vector changed, or filtered by a comparison. `is_swapped` where the number is on the left.
pub(super) fn evaluate(
    evaluator: &mut Evaluator<'_>,
    binary: &Binary,
    mut vector: Matrix,
    scalar: &[f64],
    is_swapped: bool,
) -> Matrix {
    let op = binary.op;
    if vector.rows().any(|row| !row.histograms.is_empty()) {
        histograms(evaluator, binary, &mut vector, scalar, is_swapped);
    }
    let is_for_histograms = elements::of_floats(op);
    let mut out = vec![0.0; scalar.len()];
    let mut kept = vec![0; words(scalar.len())];
    for row in 0..vector.len() {
        let (values, floats) = vector.row_mut(row);
        if let Some(note) = &is_for_histograms {
            if floats.iter().any(|word| *word != 0) {
                evaluator.note(note.clone(), binary.place);
                floats.fill(0);
            }
            continue;
        }
        let (left, right) = if is_swapped { (scalar, &*values) } else { (&*values, scalar) };
        if op.is_comparison() {
            compare(op, left, right, &mut kept);
            if binary.returns_bool {
                for (step, value) in values.iter_mut().enumerate() {
                    *value = f64::from(u8::from(crate::query::matrix::bit(&kept, step)));
                }
            } else {
                floats.iter_mut().zip(&kept).for_each(|(word, kept)| *word &= kept);
            }
        } else {
            combine(op, left, right, &mut out);
            values.copy_from_slice(&out);
        }
    }
    if changes_meaning(op) || binary.returns_bool {
        vector.drop_names();
    }
    vector
}

fn histograms(
    evaluator: &mut Evaluator<'_>,
    binary: &Binary,
    vector: &mut Matrix,
    scalar: &[f64],
    is_swapped: bool,
) {
    for row in 0..vector.len() {
        for (cell, number) in vector.histograms_mut(row).iter_mut().zip(scalar) {
            let Some(histogram) = cell.as_ref().map(Arc::clone) else { continue };
            let (number, histogram) = (Element::Float(*number), Element::Histogram(&histogram));
            let result = if is_swapped {
                elements::combine(binary.op, number, histogram)
            } else {
                elements::combine(binary.op, histogram, number)
            };
            match result {
                Ok(combined) => *cell = combined.keeps.then_some(combined.histogram),
                Err(note) => {
                    evaluator.note(note, binary.place);
                    *cell = None;
                }
            }
        }
    }
}

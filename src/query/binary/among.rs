//! `q == (200, 404)`, `q != (200, 404)`: values that are one of several numbers.

use crate::query::error::Error;
use crate::query::evaluate::Evaluator;
use crate::query::matrix::{Matrix, clear_bit, ones};
use crate::query::plan::Among;
use crate::query::steps::Steps;

/// The values that pass, or with `bool` whether each does.
///
/// # Errors
/// What the operands refused.
pub(crate) fn among(
    evaluator: &mut Evaluator<'_>,
    among: &Among,
    steps: Steps,
) -> Result<Matrix, Error> {
    let mut numbers = Vec::with_capacity(among.numbers.len());
    for number in &among.numbers {
        numbers.push(evaluator.scalar(number, steps)?);
    }
    let mut matrix = evaluator.vector(&among.plan, steps)?;
    for row in 0..matrix.len() {
        matrix.histograms_mut(row).iter_mut().for_each(|histogram| *histogram = None);
        let (values, floats) = matrix.row_mut(row);
        let present: Vec<usize> = ones(floats).collect();
        for step in present {
            let Some(value) = values.get_mut(step) else { continue };
            let is_one = numbers.iter().any(|of| of.get(step).is_some_and(|it| it == value));
            let passes = is_one == among.is_equal;
            if among.returns_bool {
                *value = f64::from(u8::from(passes));
            } else if !passes {
                clear_bit(floats, step);
            }
        }
    }
    if among.returns_bool {
        matrix.drop_names();
    }
    Ok(matrix.drop_empty())
}

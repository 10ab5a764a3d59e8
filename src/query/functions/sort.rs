//! Vectors in order. Over several steps there is none to have: matrices are in label order.

use std::cmp::Ordering;

use query_lang::Function;

use super::call::{arg, text};
use crate::query::annotations::Note;
use crate::query::error::Error;
use crate::query::evaluate::Evaluator;
use crate::query::matrix::Matrix;
use crate::query::plan::Call;
use crate::query::steps::Steps;

/// The series in order; sorted by value, those with floats only.
///
/// # Errors
/// What the argument refused.
pub(super) fn sort(
    evaluator: &mut Evaluator<'_>,
    call: &Call,
    steps: Steps,
) -> Result<Matrix, Error> {
    let mut matrix = evaluator.vector(arg(call, 0), steps)?;
    if steps.count > 1 {
        evaluator.note(Note::SortInRange, call.place);
    }
    let is_by_value = matches!(call.function, Function::Sort | Function::SortDesc);
    if is_by_value {
        for row in 0..matrix.len() {
            matrix.histograms_mut(row).iter_mut().for_each(|histogram| *histogram = None);
        }
    }
    if steps.count > 1 {
        return Ok(matrix);
    }
    let mut order: Vec<usize> =
        (0..matrix.len()).filter(|row| !matrix.row(*row).is_empty()).collect();
    if is_by_value {
        let value = |row: &usize| matrix.row(*row).float(0).unwrap_or(f64::NAN);
        let is_falling = call.function == Function::SortDesc;
        order.sort_by(|a, b| by_value(value(a), value(b), is_falling));
    } else {
        let names: Vec<&str> = (1..call.args.len()).map(|index| text(call, index)).collect();
        let labels: Vec<_> = (0..matrix.len()).map(|row| matrix.labels(row)).collect();
        let is_falling =
            matches!(call.function, Function::SortByLabelDesc | Function::SortByLabelNumericDesc);
        order.sort_by(|a, b| {
            let (Some(a), Some(b)) = (labels.get(*a), labels.get(*b)) else {
                return Ordering::Equal;
            };
            let by_names = names.iter().map(|name| {
                natural(a.get(name).unwrap_or_default(), b.get(name).unwrap_or_default())
            });
            let order = by_names.fold(Ordering::Equal, Ordering::then).then_with(|| a.cmp(b));
            if is_falling { order.reverse() } else { order }
        });
    }
    Ok(matrix.pick(&order))
}

/// NaN comes last either way.
pub(crate) fn by_value(a: f64, b: f64, is_falling: bool) -> Ordering {
    let order = a.partial_cmp(&b).unwrap_or(Ordering::Equal);
    match (a.is_nan(), b.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) if is_falling => order.reverse(),
        (false, false) => order,
    }
}

/// Runs of digits as numbers, the rest as text: `a2` before `a10`.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (chunks(a), chunks(b));
    loop {
        let (x, y) = match (left.next(), right.next()) {
            (None, None) => return a.cmp(b),
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(x), Some(y)) => (x, y),
        };
        let order = match (x.parse::<i64>(), y.parse::<i64>()) {
            (Ok(x), Ok(y)) => x.cmp(&y),
            _ => x.cmp(y),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

fn chunks(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let is_digit = rest.chars().next()?.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != is_digit).unwrap_or(rest.len());
        let (chunk, others) = rest.split_at(end);
        rest = others;
        Some(chunk)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_within_text_are_numbers() {
        let mut names = ["a10", "a2", "b1", "a", "a02", "10", "9"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["9", "10", "a", "a02", "a2", "a10", "b1"]);
    }

    #[test]
    fn nan_is_last_either_way() {
        for is_falling in [false, true] {
            let mut values = [f64::NAN, 1.0, 2.0];
            values.sort_by(|a, b| by_value(*a, *b, is_falling));
            assert!(values[2].is_nan());
        }
    }
}

//! `label_replace`, `label_join`.

use super::call::{arg, text};
use crate::model::{METRIC_NAME, anchored};
use crate::query::error::Error;
use crate::query::evaluate::Evaluator;
use crate::query::labels::{is_valid_name, with};
use crate::query::matrix::Matrix;
use crate::query::merge::merge_same_labels;
use crate::query::plan::Call;
use crate::query::steps::Steps;

/// Sets a label from the parts of another that a regular expression finds.
///
/// # Errors
/// A name or an expression that is none, or series that become the same.
pub(super) fn replace(
    evaluator: &mut Evaluator<'_>,
    call: &Call,
    steps: Steps,
) -> Result<Matrix, Error> {
    let [target, replacement, source, expression] = [1, 2, 3, 4].map(|index| text(call, index));
    let regex = anchored(expression).map_err(|_| Error::Regex(expression.to_owned()))?;
    check_name("destination", "label_replace", target)?;
    let mut matrix = evaluator.vector(arg(call, 0), steps)?;
    for row in 0..matrix.len() {
        let labels = matrix.labels(row);
        let Some(found) = regex.captures(labels.get(source).unwrap_or_default()) else { continue };
        let mut value = String::new();
        found.expand(replacement, &mut value);
        set(&mut matrix, row, target, &value);
    }
    merge_same_labels(matrix)
}

/// Sets a label to the values of others.
///
/// # Errors
/// A name that is none, or series that become the same.
pub(super) fn join(
    evaluator: &mut Evaluator<'_>,
    call: &Call,
    steps: Steps,
) -> Result<Matrix, Error> {
    let (target, separator) = (text(call, 1), text(call, 2));
    let sources: Vec<&str> = (3..call.args.len()).map(|index| text(call, index)).collect();
    for source in &sources {
        check_name("source", "label_join", source)?;
    }
    check_name("destination", "label_join", target)?;
    let mut matrix = evaluator.vector(arg(call, 0), steps)?;
    for row in 0..matrix.len() {
        let labels = matrix.labels(row);
        let values: Vec<&str> =
            sources.iter().map(|source| labels.get(source).unwrap_or_default()).collect();
        set(&mut matrix, row, target, &values.join(separator));
    }
    merge_same_labels(matrix)
}

fn check_name(role: &'static str, function: &'static str, name: &str) -> Result<(), Error> {
    if is_valid_name(name) {
        return Ok(());
    }
    Err(Error::FunctionLabel { role, function, name: name.to_owned() })
}

/// Sets a label; a name that was set is there to stay.
fn set(matrix: &mut Matrix, row: usize, name: &str, value: &str) {
    matrix.set_labels(row, with(&matrix.labels(row), name, value));
    if name == METRIC_NAME {
        matrix.set_drops_name(row, false);
    }
}

//! `label_*` and other functions of label sets, as `MetricsQL` names them.

use std::collections::{HashMap, HashSet};

use query_lang::Function;

use super::call::{arg, text};
use crate::model::{Labels, METRIC_NAME, anchored};
use crate::query::error::Error;
use crate::query::evaluate::Evaluator;
use crate::query::labels::{is_valid_name, with};
use crate::query::matrix::{Matrix, ones};
use crate::query::merge::merge_same_labels;
use crate::query::plan::Call;
use crate::query::steps::Steps;

/// Whether a function is one of these.
pub(super) fn relabels(function: Function) -> bool {
    use Function as F;
    matches!(
        function,
        F::LabelSet
            | F::LabelDel
            | F::LabelKeep
            | F::LabelCopy
            | F::LabelMove
            | F::LabelMap
            | F::LabelMatch
            | F::LabelMismatch
            | F::LabelLowercase
            | F::LabelUppercase
            | F::LabelTransform
            | F::LabelValue
            | F::LabelsEqual
            | F::Alias
            | F::DropCommonLabels
            | F::Union
    )
}

/// The value of a function at each step.
///
/// # Errors
/// A name or an expression that is none, or series that become the same.
pub(super) fn evaluate(
    evaluator: &mut Evaluator<'_>,
    call: &Call,
    steps: Steps,
) -> Result<Matrix, Error> {
    use Function as F;
    if matches!(call.function, F::Union | F::DropCommonLabels) {
        let matrix = union(evaluator, call, steps)?;
        return if call.function == F::Union { Ok(matrix) } else { without_common(matrix) };
    }
    let texts: Vec<&str> = (1..call.args.len()).map(|index| text(call, index)).collect();
    let matrix = evaluator.vector(arg(call, 0), steps)?;
    match call.function {
        F::LabelMatch | F::LabelMismatch | F::LabelsEqual => filter(&matrix, call.function, &texts),
        F::LabelValue => Ok(values(matrix, &texts)),
        _ => change(matrix, call.function, &texts),
    }
}

/// The series of all arguments; of those with the same labels the first.
fn union(evaluator: &mut Evaluator<'_>, call: &Call, steps: Steps) -> Result<Matrix, Error> {
    let mut all = Matrix::new(steps.count);
    let mut seen: HashSet<Labels> = HashSet::new();
    for arg in &call.args {
        let matrix = evaluator.vector(arg, steps)?;
        for row in 0..matrix.len() {
            let labels = matrix.labels(row);
            if seen.insert(labels.clone()) {
                evaluator.budget.use_memory(Matrix::bytes_a_row(steps.count))?;
                all.push(labels, matrix.drops_name(row), matrix.row(row));
            }
        }
    }
    Ok(all)
}

fn without_common(mut matrix: Matrix) -> Result<Matrix, Error> {
    let sets: Vec<Labels> = (0..matrix.len()).map(|row| matrix.labels(row)).collect();
    let mut counts: HashMap<(&str, &str), usize> = HashMap::new();
    for pair in sets.iter().flat_map(Labels::iter) {
        *counts.entry(pair).or_default() += 1;
    }
    for (row, labels) in sets.iter().enumerate() {
        let mut changed = labels.clone();
        for (name, _) in labels.iter().filter(|pair| counts.get(pair) == Some(&sets.len())) {
            changed = with(&changed, name, "");
        }
        matrix.set_labels(row, changed);
    }
    merge_same_labels(matrix)
}

fn filter(matrix: &Matrix, function: Function, texts: &[&str]) -> Result<Matrix, Error> {
    let first = texts.first().copied().unwrap_or_default();
    let regex = if function == Function::LabelsEqual {
        None
    } else {
        let expression = texts.get(1).copied().unwrap_or_default();
        Some(anchored(expression).map_err(|_| invalid(function, expression))?)
    };
    let passes = |row: &usize| {
        let labels = matrix.labels(*row);
        let value = labels.get(first).unwrap_or_default();
        match &regex {
            Some(regex) => regex.is_match(value) == (function == Function::LabelMatch),
            None => texts.iter().all(|name| labels.get(name).unwrap_or_default() == value),
        }
    };
    let rows: Vec<usize> = (0..matrix.len()).filter(passes).collect();
    Ok(matrix.pick(&rows))
}

fn invalid(function: Function, expression: &str) -> Error {
    Error::RegexOf { function: function.name(), expression: expression.to_owned() }
}

/// The value of a label where the series has one; no value where the label is no number.
fn values(mut matrix: Matrix, texts: &[&str]) -> Matrix {
    let name = texts.first().copied().unwrap_or_default();
    for row in 0..matrix.len() {
        let value = matrix.labels(row).get(name).and_then(|value| value.parse::<f64>().ok());
        matrix.histograms_mut(row).iter_mut().for_each(|histogram| *histogram = None);
        let (values, floats) = matrix.row_mut(row);
        match value {
            Some(value) => values.fill(value),
            None => floats.fill(0),
        }
    }
    matrix.drop_names();
    matrix.drop_empty()
}

/// Sets a label; a name that was set is there to stay.
fn set(labels: &mut Labels, is_named: &mut bool, name: &str, value: &str) {
    *labels = with(labels, name, value);
    *is_named |= name == METRIC_NAME;
}

fn change(mut matrix: Matrix, function: Function, texts: &[&str]) -> Result<Matrix, Error> {
    check_names(function, texts)?;
    let transform = match (function, texts) {
        (Function::LabelTransform, [_, expression, ..]) => {
            // Not anchored: every place that it finds is replaced.
            Some(regex::Regex::new(expression).map_err(|_| invalid(function, expression))?)
        }
        _ => None,
    };
    for row in 0..matrix.len() {
        let mut labels = matrix.labels(row);
        let mut is_named = false;
        changed(&mut labels, &mut is_named, function, texts, transform.as_ref());
        matrix.set_labels(row, labels);
        if is_named {
            matrix.set_drops_name(row, false);
        }
    }
    merge_same_labels(matrix)
}

fn check_names(function: Function, texts: &[&str]) -> Result<(), Error> {
    let written: &[&str] = match (function, texts) {
        (Function::Alias, _) => &[],
        (Function::LabelMap | Function::LabelTransform, [first, ..]) => &[*first],
        (Function::LabelSet, _) => {
            return pairs(texts).try_for_each(|(name, _)| check(function, name));
        }
        _ => texts,
    };
    written.iter().try_for_each(|name| check(function, name))
}

fn check(function: Function, name: &str) -> Result<(), Error> {
    if is_valid_name(name) {
        return Ok(());
    }
    Err(Error::FunctionLabel {
        role: "destination",
        function: function.name(),
        name: name.to_owned(),
    })
}

fn pairs<'a>(texts: &'a [&'a str]) -> impl Iterator<Item = (&'a str, &'a str)> {
    texts.chunks_exact(2).filter_map(|pair| match pair {
        [a, b] => Some((*a, *b)),
        _ => None,
    })
}

fn changed(
    labels: &mut Labels,
    is_named: &mut bool,
    function: Function,
    texts: &[&str],
    regex: Option<&regex::Regex>,
) {
    use Function as F;
    let value_of = |labels: &Labels, name: &str| labels.get(name).unwrap_or_default().to_owned();
    match (function, texts) {
        (F::LabelSet, _) => {
            pairs(texts).for_each(|(name, value)| set(labels, is_named, name, value));
        }
        (F::LabelDel, _) => texts.iter().for_each(|name| *labels = with(labels, name, "")),
        (F::LabelKeep, _) => {
            *labels = crate::query::labels::filtered(labels, |name| texts.contains(&name));
        }
        (F::LabelCopy | F::LabelMove, _) => {
            for (from, to) in pairs(texts) {
                let value = value_of(labels, from);
                // A label that is not there takes nothing away.
                if value.is_empty() {
                    continue;
                }
                set(labels, is_named, to, &value);
                if function == F::LabelMove && from != to {
                    *labels = with(labels, from, "");
                }
            }
        }
        (F::LabelMap, [name, others @ ..]) => {
            let value = value_of(labels, name);
            if let Some((_, to)) = pairs(others).find(|(from, _)| *from == value) {
                set(labels, is_named, name, to);
            }
        }
        (F::LabelLowercase, _) => texts.iter().for_each(|name| {
            let value = value_of(labels, name).to_lowercase();
            set(labels, is_named, name, &value);
        }),
        (F::LabelUppercase, _) => texts.iter().for_each(|name| {
            let value = value_of(labels, name).to_uppercase();
            set(labels, is_named, name, &value);
        }),
        (F::LabelTransform, [name, _, replacement]) => {
            let value = value_of(labels, name);
            if let Some(regex) = regex {
                let value = regex.replace_all(&value, *replacement);
                set(labels, is_named, name, &value);
            }
        }
        (F::Alias, [name, ..]) => set(labels, is_named, METRIC_NAME, name),
        _ => {}
    }
}

/// Some series in label order: `limit` of them behind the first `offset`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates, and less than none is none"
)]
pub(super) fn limited(
    evaluator: &mut Evaluator<'_>,
    call: &Call,
    steps: Steps,
) -> Result<Matrix, Error> {
    let mut number = |index: usize| -> Result<usize, Error> {
        let values = evaluator.scalar(arg(call, index), steps)?;
        Ok(values.first().copied().unwrap_or(0.0) as usize)
    };
    let (limit, offset) = (number(0)?, number(1)?);
    let matrix = evaluator.vector(arg(call, 2), steps)?.drop_empty();
    let mut rows: Vec<usize> = (0..matrix.len()).collect();
    rows.sort_by_cached_key(|row| matrix.labels(*row));
    let rows: Vec<usize> = rows.into_iter().skip(offset).take(limit).collect();
    Ok(matrix.pick(&rows))
}

/// `bitmap_and`, `bitmap_or`, `bitmap_xor`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "values are taken as integers, saturating"
)]
pub(super) fn bitmap(
    evaluator: &mut Evaluator<'_>,
    call: &Call,
    steps: Steps,
) -> Result<Matrix, Error> {
    let mut matrix = evaluator.vector(arg(call, 0), steps)?;
    let masks = evaluator.scalar(arg(call, 1), steps)?;
    for row in 0..matrix.len() {
        matrix.histograms_mut(row).iter_mut().for_each(|histogram| *histogram = None);
        let (values, floats) = matrix.row_mut(row);
        let present: Vec<usize> = ones(floats).collect();
        for step in present {
            let (Some(value), Some(mask)) = (values.get_mut(step), masks.get(step)) else {
                continue;
            };
            let (bits, mask_bits) = (*value as u64, *mask as u64);
            let is_number = !value.is_nan() && !mask.is_nan();
            let result = match call.function {
                Function::BitmapAnd => bits & mask_bits,
                Function::BitmapOr => bits | mask_bits,
                _ => bits ^ mask_bits,
            };
            *value = if is_number { result as f64 } else { f64::NAN };
        }
    }
    matrix.drop_names();
    Ok(matrix)
}

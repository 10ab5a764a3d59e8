//! Which series of two vectors belong together.

use std::collections::HashMap;

use query_lang::VectorMatching;

use crate::model::{Labels, METRIC_NAME};
use crate::query::labels::{filtered, only, with, without_metadata};
use crate::query::matrix::Matrix;

/// The labels that a series is matched by.
pub(super) fn signature(labels: &Labels, matching: &VectorMatching) -> Labels {
    if matching.on {
        only(labels, &matching.labels)
    } else {
        filtered(labels, |name| {
            name != METRIC_NAME && matching.labels.iter().all(|label| label != name)
        })
    }
}

/// Numbers for signatures.
#[derive(Default)]
pub(super) struct Signatures(HashMap<Labels, usize>);

/// A vector's rows with their signatures.
pub(super) struct Side {
    pub matrix: Matrix,
    /// The signature of each row.
    pub of: Vec<usize>,
}

impl Signatures {
    /// Gives each row of a vector its signature.
    pub(crate) fn side(&mut self, matrix: Matrix, matching: &VectorMatching) -> Side {
        let of = (0..matrix.len())
            .map(|row| {
                let next = self.0.len();
                *self.0.entry(signature(&matrix.labels(row), matching)).or_insert(next)
            })
            .collect();
        Side { matrix, of }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Side {
    /// The rows of each signature.
    pub(crate) fn by_signature(&self, signatures: usize) -> Vec<Vec<usize>> {
        let mut rows = vec![Vec::new(); signatures];
        for (row, signature) in self.of.iter().enumerate() {
            if let Some(rows) = rows.get_mut(*signature) {
                rows.push(row);
            }
        }
        rows
    }
}

/// What becomes of the labels of the many side.
#[derive(Clone, Copy)]
pub(super) struct Making {
    /// The result is another thing than the operand.
    pub drops_name: bool,
    pub is_one_to_one: bool,
    /// The name stays beside the labels of `on`.
    pub keeps_name: bool,
}

/// The labels of a result, from the many side and the one side.
pub(super) fn result_labels(
    many: &Labels,
    one: &Labels,
    making: Making,
    matching: &VectorMatching,
) -> Labels {
    let mut labels = if making.drops_name { without_metadata(many) } else { many.clone() };
    if making.is_one_to_one {
        labels = if matching.on {
            let name = if making.keeps_name { labels.metric().to_owned() } else { String::new() };
            with(&only(&labels, &matching.labels), METRIC_NAME, &name)
        } else {
            filtered(&labels, |name| matching.labels.iter().all(|label| label != name))
        };
    }
    let prefix = matching.prefix.as_deref().unwrap_or_default();
    for name in &matching.include {
        labels = with(&labels, &format!("{prefix}{name}"), one.get(name).unwrap_or_default());
    }
    if matching.include_all {
        let is_taken = |name: &str| {
            name != METRIC_NAME && !(matching.on && matching.labels.iter().any(|it| it == name))
        };
        for (name, value) in one.iter().filter(|(name, _)| is_taken(name)) {
            labels = with(&labels, &format!("{prefix}{name}"), value);
        }
    }
    labels
}

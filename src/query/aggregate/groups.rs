//! Which group each row is of: dense numbers.

use std::collections::HashMap;

use query_lang::Grouping;

use crate::model::{self, Labels, METRIC_NAME};
use crate::query::labels::{only, without};
use crate::query::matrix::Matrix;

/// Groups of rows.
pub(super) struct Groups {
    /// The labels of each group.
    pub labels: Vec<Labels>,
    /// The group of each row.
    pub of: Vec<u32>,
}

/// The grouping as a selection takes it: the name is never kept by `without`.
pub(super) fn of_model(grouping: &Grouping) -> model::Grouping {
    if !grouping.without {
        return model::Grouping::By(grouping.labels.clone());
    }
    model::Grouping::Without(with_name(&grouping.labels))
}

fn with_name(labels: &[String]) -> Vec<String> {
    let mut labels = labels.to_vec();
    labels.push(METRIC_NAME.to_owned());
    labels.sort();
    labels.dedup();
    labels
}

/// The labels of the group that a series is of.
pub(super) fn group_labels(labels: &Labels, grouping: &Grouping) -> Labels {
    if grouping.without {
        without(labels, &with_name(&grouping.labels))
    } else {
        only(labels, &grouping.labels)
    }
}

impl Groups {
    /// Groups the rows of a matrix; by the index where they still are series of a selection.
    pub(crate) fn new(matrix: &Matrix, grouping: &Grouping) -> Self {
        if let Some((selection, numbers)) = matrix.origin() {
            let groups = selection.groups(&of_model(grouping));
            let of = numbers
                .iter()
                .map(|number| groups.of.get(*number as usize).copied().unwrap_or(0))
                .collect();
            return Self { labels: groups.labels, of };
        }
        let mut by_labels: HashMap<Labels, u32> = HashMap::new();
        let mut groups = Self { labels: Vec::new(), of: Vec::with_capacity(matrix.len()) };
        for row in 0..matrix.len() {
            let labels = group_labels(&matrix.labels(row), grouping);
            let group = *by_labels.entry(labels).or_insert_with_key(|labels| {
                groups.labels.push(labels.clone());
                u32::try_from(groups.labels.len() - 1).unwrap_or(u32::MAX)
            });
            groups.of.push(group);
        }
        groups
    }

    /// The rows of each group, in their order; groups in the order of their first row.
    pub(crate) fn members(&self) -> Vec<Vec<usize>> {
        let mut index: HashMap<u32, usize> = HashMap::new();
        let mut members: Vec<Vec<usize>> = Vec::new();
        for (row, group) in self.of.iter().enumerate() {
            let at = *index.entry(*group).or_insert_with(|| {
                members.push(Vec::new());
                members.len() - 1
            });
            if let Some(rows) = members.get_mut(at) {
                rows.push(row);
            }
        }
        members
    }
}

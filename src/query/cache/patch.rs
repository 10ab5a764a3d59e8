//! Rows put together from pieces of time.

use std::{collections::HashMap, ops::Range, sync::Arc};

use crate::model::{Histogram, Labels};
use crate::query::matrix::{Matrix, Row, ones};

/// Series at the steps of a whole, filled in piece by piece.
pub(super) struct Patchwork {
    steps: usize,
    rows: HashMap<Labels, Row>,
}

impl Patchwork {
    /// Nothing yet.
    pub(super) fn new(steps: usize) -> Self {
        Self { steps, rows: HashMap::new() }
    }

    /// Puts the steps `from` of a piece, whose names are finished, where `to` begins.
    pub(super) fn put(&mut self, piece: &Matrix, from: Range<usize>, to: usize) {
        for index in 0..piece.len() {
            let cells = piece.row(index);
            let is_there = |step: &usize| from.contains(step);
            let has_float = ones(cells.floats).any(|step| is_there(&step));
            if !has_float && !cells.histogram_steps().any(|(step, _)| is_there(&step)) {
                continue;
            }
            let row = self.row(piece.labels(index));
            let place = |step: usize| step - from.start + to;
            for step in ones(cells.floats).filter(is_there) {
                if let (Some(value), true) = (cells.float(step), place(step) < row.values.len()) {
                    row.set(place(step), value);
                }
            }
            for (step, histogram) in cells.histogram_steps().filter(|(step, _)| is_there(step)) {
                if place(step) < row.values.len() {
                    row.set_histogram(place(step), Arc::clone(histogram));
                }
            }
        }
    }

    fn row(&mut self, labels: Labels) -> &mut Row {
        let steps = self.steps;
        self.rows.entry(labels).or_insert_with(|| Row::new(steps))
    }

    /// The whole.
    pub(super) fn finish(self) -> Matrix {
        let mut whole = Matrix::new(self.steps);
        for (labels, row) in self.rows {
            whole.push(labels, false, row.as_ref());
        }
        whole
    }
}

/// Bytes that a kept matrix takes, about.
pub(super) fn bytes(matrix: &Matrix) -> usize {
    let labels = |row: usize| -> usize {
        matrix.labels(row).iter().map(|(name, value)| name.len() + value.len() + 4).sum()
    };
    let histogram = |histogram: &Arc<Histogram>| {
        size_of::<Histogram>() + (histogram.positive.len() + histogram.negative.len()) * 8
    };
    (0..matrix.len())
        .map(|row| {
            let histograms = matrix.row(row).histograms;
            let held: usize = histograms.iter().flatten().map(histogram).sum();
            Matrix::bytes_a_row(matrix.steps()) + labels(row) + 48 + histograms.len() * 8 + held
        })
        .sum()
}

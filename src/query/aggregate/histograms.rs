//! Histograms folded beside floats: few groups have any, so they are kept apart.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{Histogram, ResetHint};
use crate::query::annotations::{Annotations, Note, Operation, Place};
use crate::query::matrix::Row;
use crate::query::window::HistogramMean;

/// What becomes of histograms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    /// Summed.
    Sum,
    /// Averaged.
    Mean,
    /// Counted as any value.
    Count,
    /// Left out, with a note that names the aggregation.
    Ignore(&'static str),
}

/// Histograms of one group at one step.
#[derive(Clone, Debug, Default)]
struct Cell {
    mean: HistogramMean,
    is_incompatible: bool,
    has_reset: bool,
    has_no_reset: bool,
}

/// Histograms by group slot and step.
#[derive(Clone, Debug)]
pub(super) struct HistogramCells {
    is_mean: bool,
    cells: HashMap<(usize, usize), Cell>,
}

impl HistogramCells {
    /// Without any; they will be averaged, or else summed.
    pub(crate) fn new(is_mean: bool) -> Self {
        Self { is_mean, cells: HashMap::new() }
    }

    /// Adds a histogram.
    pub(crate) fn add(
        &mut self,
        (slot, step): (usize, usize),
        histogram: &Histogram,
        metric: &dyn Fn() -> String,
        (notes, place): (&mut Annotations, Place),
    ) {
        let cell = self.cells.entry((slot, step)).or_default();
        if cell.is_incompatible {
            return;
        }
        cell.has_reset |= histogram.reset_hint == ResetHint::Reset;
        cell.has_no_reset |= histogram.reset_hint == ResetHint::NoReset;
        match cell.mean.add(histogram, self.is_mean) {
            Ok(true) => notes.add(Note::BoundsReconciled(Operation::Aggregation), place),
            Ok(false) => {}
            Err(_) => {
                cell.is_incompatible = true;
                notes.add(Note::MixedSchemas(metric()), place);
            }
        }
    }

    /// Takes over what a later run has of a group.
    pub(crate) fn merge(&mut self, other: Self, slot_of: &dyn Fn(usize) -> usize) {
        for ((slot, step), theirs) in other.cells {
            let cell = self.cells.entry((slot_of(slot), step)).or_default();
            cell.has_reset |= theirs.has_reset;
            cell.has_no_reset |= theirs.has_no_reset;
            cell.is_incompatible |= theirs.is_incompatible;
            cell.is_incompatible |= cell.mean.merge(theirs.mean, self.is_mean).is_err();
        }
    }

    /// Puts the results of a group in its row. A step with floats too gets none of both.
    pub(crate) fn finish(
        &mut self,
        slot: usize,
        row: &mut Row,
        (notes, place): (&mut Annotations, Place),
    ) {
        if self.cells.is_empty() {
            return;
        }
        for step in 0..row.values.len() {
            let Some(cell) = self.cells.remove(&(slot, step)) else { continue };
            if row.as_ref().float(step).is_some() {
                notes.add(Note::MixedAggregation, place);
                crate::query::matrix::clear_bit(&mut row.floats, step);
                continue;
            }
            if cell.is_incompatible {
                continue;
            }
            if cell.has_reset && cell.has_no_reset {
                notes.add(Note::ResetCollision(Operation::Aggregation), place);
            }
            let mut result = cell.mean.finish(self.is_mean);
            crate::math::histogram::compact(&mut result);
            row.set_histogram(step, Arc::new(result));
        }
    }
}

//! Aggregations that fold: each value is looked at once, series by series, into groups × steps.
//!
//! Where the vector is a leaf, rows go from its scan straight into the groups, which are numbers from
//! the index: no labels are made but those of the result. Runs of series are folded apart and merged in
//! their order, so the answer does not depend on how many threads there are.

#![expect(
    clippy::indexing_slicing,
    reason = "slots × steps in one slab; slots are made here and steps are those of the rows"
)]

use query_lang::Aggregation;

use super::folds::{Avg, Count, Extreme, Fold, Group, Spread, Sum};
use super::groups::{Groups, of_model};
use super::histograms::{HistogramCells, Treatment};
use crate::model::Labels;
use crate::query::annotations::{Annotations, Note, Place};
use crate::query::error::Error;
use crate::query::evaluate::Evaluator;
use crate::query::leaf::{Leaf, RUN_SERIES};
use crate::query::matrix::{Matrix, Row, RowRef, bit, set_bit, words};
use crate::query::plan::Aggregate;
use crate::query::steps::Steps;

/// The folded groups at each step.
///
/// # Errors
/// What the vector refused, and a spent budget.
pub(super) fn fold(
    evaluator: &mut Evaluator<'_>,
    aggregate: &Aggregate,
    steps: Steps,
) -> Result<Matrix, Error> {
    match aggregate.op {
        Aggregation::Avg => run::<Avg>(evaluator, aggregate, steps),
        Aggregation::Count => run::<Count>(evaluator, aggregate, steps),
        Aggregation::Min => run::<Extreme<true>>(evaluator, aggregate, steps),
        Aggregation::Max => run::<Extreme<false>>(evaluator, aggregate, steps),
        Aggregation::Group => run::<Group>(evaluator, aggregate, steps),
        Aggregation::Stddev => run::<Spread<true>>(evaluator, aggregate, steps),
        Aggregation::Stdvar => run::<Spread<false>>(evaluator, aggregate, steps),
        _ => run::<Sum>(evaluator, aggregate, steps),
    }
}

fn treatment(op: Aggregation) -> Treatment {
    match op {
        Aggregation::Sum => Treatment::Sum,
        Aggregation::Avg => Treatment::Mean,
        Aggregation::Count | Aggregation::Group => Treatment::Count,
        other => Treatment::Ignore(other.name()),
    }
}

/// Whether the result depends on the order in which values are put together.
fn rounds(op: Aggregation) -> bool {
    !matches!(op, Aggregation::Count | Aggregation::Min | Aggregation::Max | Aggregation::Group)
}

fn run<F: Fold>(
    evaluator: &mut Evaluator<'_>,
    aggregate: &Aggregate,
    steps: Steps,
) -> Result<Matrix, Error> {
    let shape = Shape {
        steps: steps.count,
        treatment: treatment(aggregate.op),
        place: aggregate.plan_place,
    };
    let before = evaluator.spent();
    if let Some(leaf) = evaluator.streamed(&aggregate.plan, steps)? {
        let groups = leaf.selection.groups(&of_model(&aggregate.grouping));
        let groups = Groups { labels: groups.labels, of: groups.of };
        if rounds(aggregate.op) && leaf.selection.len() > RUN_SERIES {
            evaluator.rounds_by(leaf.selection.as_ref());
        }
        let parts = fold_leaf::<F>(evaluator, &leaf, &groups, shape)?;
        if let Some(before) = before {
            evaluator.measure(&aggregate.plan, before, leaf.selection.len() as usize);
        }
        return finish(evaluator, parts, &groups.labels, shape);
    }
    let matrix = evaluator.vector(&aggregate.plan, steps)?.in_order();
    if rounds(aggregate.op) && matrix.len() > RUN_SERIES as usize {
        evaluator.rounding = None;
    }
    let groups = Groups::new(&matrix, &aggregate.grouping);
    let mut parts = Vec::new();
    for start in (0..matrix.len()).step_by(RUN_SERIES as usize) {
        evaluator.budget.check()?;
        let mut part = Partial::<F>::new(groups.labels.len(), shape);
        for row in start..(start + RUN_SERIES as usize).min(matrix.len()) {
            let metric = || matrix.labels(row).metric().to_owned();
            let from = From { drops_name: matrix.drops_name(row), metric: &metric };
            part.add(groups.of[row], matrix.row(row), &from, &mut evaluator.notes);
        }
        evaluator.budget.use_memory(part.bytes())?;
        parts.push(part);
    }
    finish(evaluator, parts, &groups.labels, shape)
}

fn fold_leaf<F: Fold>(
    evaluator: &mut Evaluator<'_>,
    leaf: &Leaf<'_>,
    groups: &Groups,
    shape: Shape,
) -> Result<Vec<Partial<F>>, Error> {
    let counters = leaf.counters();
    let drops_name = leaf.drops_name();
    leaf.each_run(evaluator.pool, &mut evaluator.notes, &|series, notes| {
        let mut part = Partial::<F>::new(groups.labels.len(), shape);
        leaf.run(series, counters.as_ref(), notes, &mut |number, row, notes| {
            let metric = || leaf.selection.labels(number).metric().to_owned();
            let from = From { drops_name, metric: &metric };
            if let Some(group) = groups.of.get(number as usize) {
                part.add(*group, row.as_ref(), &from, notes);
            }
            Ok(())
        })?;
        leaf.budget.use_memory(part.bytes())?;
        Ok(part)
    })
}

fn finish<F: Fold>(
    evaluator: &mut Evaluator<'_>,
    parts: Vec<Partial<F>>,
    labels: &[Labels],
    shape: Shape,
) -> Result<Matrix, Error> {
    let mut parts = parts.into_iter();
    let Some(mut all) = parts.next() else { return Ok(Matrix::new(shape.steps)) };
    for part in parts {
        evaluator.budget.check()?;
        let bytes = part.bytes();
        all.merge(part);
        evaluator.budget.free_memory(bytes);
    }
    Ok(all.into_matrix(labels, &mut evaluator.notes))
}

/// What all parts of an aggregation have in common.
#[derive(Clone, Copy)]
struct Shape {
    steps: usize,
    treatment: Treatment,
    /// Where the vector stands.
    place: Place,
}

/// What is to be known of the series that a row is of.
struct From<'a> {
    drops_name: bool,
    metric: &'a dyn Fn() -> String,
}

/// Groups that a run of series touched.
struct Partial<F> {
    shape: Shape,
    /// The slot of each group; `u32::MAX` where it has none.
    slot_of: Vec<u32>,
    /// The group of each slot.
    groups: Vec<u32>,
    drops_name: Vec<bool>,
    cells: Vec<F>,
    seen: Vec<u64>,
    histograms: HistogramCells,
}

impl<F: Fold> Partial<F> {
    fn new(groups: usize, shape: Shape) -> Self {
        Self {
            shape,
            slot_of: vec![u32::MAX; groups],
            groups: Vec::new(),
            drops_name: Vec::new(),
            cells: Vec::new(),
            seen: Vec::new(),
            histograms: HistogramCells::new(shape.treatment == Treatment::Mean),
        }
    }

    fn bytes(&self) -> usize {
        self.cells.len() * size_of::<F>() + self.seen.len() * 8 + self.slot_of.len() * 4
    }

    fn slot(&mut self, group: u32) -> usize {
        let index = group as usize;
        if self.slot_of[index] == u32::MAX {
            self.slot_of[index] = u32::try_from(self.groups.len()).unwrap_or(u32::MAX);
            self.groups.push(group);
            self.drops_name.push(false);
            let steps = self.shape.steps;
            self.cells.resize(self.cells.len() + steps, F::new(0.0));
            self.seen.resize(self.seen.len() + words(steps), 0);
        }
        self.slot_of[index] as usize
    }

    fn add(&mut self, group: u32, row: RowRef<'_>, from: &From<'_>, notes: &mut Annotations) {
        let slot = self.slot(group);
        self.drops_name[slot] |= from.drops_name;
        let (steps, words) = (self.shape.steps, words(self.shape.steps));
        let cells = &mut self.cells[slot * steps..(slot + 1) * steps];
        let seen = &mut self.seen[slot * words..(slot + 1) * words];
        let chunks = cells.chunks_mut(64).zip(row.values.chunks(64));
        for ((cells, values), (seen, floats)) in chunks.zip(seen.iter_mut().zip(row.floats)) {
            add_word(cells, values, *seen, *floats);
            *seen |= floats;
        }
        if !row.histograms.is_empty() {
            self.add_histograms(slot, row, from, notes);
        }
    }

    fn add_histograms(
        &mut self,
        slot: usize,
        row: RowRef<'_>,
        from: &From<'_>,
        notes: &mut Annotations,
    ) {
        let Shape { steps, treatment, place } = self.shape;
        for (step, histogram) in row.histogram_steps() {
            match treatment {
                Treatment::Ignore(name) => notes.add(Note::HistogramIgnored(name), place),
                Treatment::Count => {
                    let seen = &mut self.seen[slot * words(steps)..(slot + 1) * words(steps)];
                    let cell = &mut self.cells[slot * steps + step];
                    if bit(seen, step) {
                        cell.add(0.0);
                    } else {
                        *cell = F::new(0.0);
                        set_bit(seen, step);
                    }
                }
                Treatment::Sum | Treatment::Mean => {
                    self.histograms.add((slot, step), histogram, from.metric, (notes, place));
                }
            }
        }
    }

    /// Takes over what a later run has.
    fn merge(&mut self, other: Self) {
        let slots: Vec<usize> = other.groups.iter().map(|group| self.slot(*group)).collect();
        let (steps, words) = (self.shape.steps, words(self.shape.steps));
        for (theirs, mine) in slots.iter().copied().enumerate() {
            self.drops_name[mine] |= other.drops_name[theirs];
            for step in 0..steps {
                if !bit(&other.seen[theirs * words..(theirs + 1) * words], step) {
                    continue;
                }
                let cell = other.cells[theirs * steps + step];
                let seen = &mut self.seen[mine * words..(mine + 1) * words];
                let to = &mut self.cells[mine * steps + step];
                if bit(seen, step) {
                    to.merge(cell);
                } else {
                    *to = cell;
                    set_bit(seen, step);
                }
            }
        }
        self.histograms.merge(other.histograms, &|slot| slots[slot]);
    }

    fn into_matrix(mut self, labels: &[Labels], notes: &mut Annotations) -> Matrix {
        let Shape { steps, place, .. } = self.shape;
        let words = words(steps);
        let mut matrix = Matrix::new(steps);
        let mut row = Row::new(steps);
        for (slot, group) in self.groups.iter().enumerate() {
            row.clear();
            row.floats.copy_from_slice(&self.seen[slot * words..(slot + 1) * words]);
            for (value, cell) in row.values.iter_mut().zip(&self.cells[slot * steps..]) {
                *value = cell.value();
            }
            self.histograms.finish(slot, &mut row, (notes, place));
            if !row.is_empty() {
                matrix.push(labels[*group as usize].clone(), self.drops_name[slot], row.as_ref());
            }
        }
        matrix
    }
}

/// Folds up to 64 values; `floats` says which there are, `seen` which cells have one already.
#[inline]
fn add_word<F: Fold>(cells: &mut [F], values: &[f64], seen: u64, floats: u64) {
    if seen & floats == u64::MAX {
        cells.iter_mut().zip(values).for_each(|(cell, value)| cell.add(*value));
        return;
    }
    if seen & floats == 0 && floats == u64::MAX {
        cells.iter_mut().zip(values).for_each(|(cell, value)| *cell = F::new(*value));
        return;
    }
    let mut left = floats;
    while left != 0 {
        let at = left.trailing_zeros() as usize;
        left &= left - 1;
        let cell = &mut cells[at];
        if seen >> at & 1 == 1 {
            cell.add(values[at]);
        } else {
            *cell = F::new(values[at]);
        }
    }
}

//! Values of many series at many steps: dense rows of floats, a bit a cell that says whether one is
//! there, and histograms apart.

#![expect(
    clippy::indexing_slicing,
    reason = "hot loops over rows whose lengths the constructors fix: values `steps`, bits `words`"
)]

use std::{ops::Range, sync::Arc};

use crate::model::{Histogram, Labels, Selection};

/// Bits of one row.
pub(crate) fn words(steps: usize) -> usize {
    steps.div_ceil(64)
}

/// Whether bit `index` is set.
#[inline]
pub(crate) fn bit(bits: &[u64], index: usize) -> bool {
    bits[index / 64] >> (index % 64) & 1 == 1
}

/// Sets bit `index`.
#[inline]
pub(crate) fn set_bit(bits: &mut [u64], index: usize) {
    bits[index / 64] |= 1 << (index % 64);
}

/// Clears bit `index`.
#[inline]
pub(crate) fn clear_bit(bits: &mut [u64], index: usize) {
    bits[index / 64] &= !(1 << (index % 64));
}

/// The set bits, rising.
pub(crate) fn ones(bits: &[u64]) -> impl Iterator<Item = usize> + '_ {
    bits.iter().enumerate().flat_map(|(word, bits)| {
        let mut left = *bits;
        std::iter::from_fn(move || {
            let next = left.trailing_zeros() as usize;
            left &= left.wrapping_sub(1);
            (next < 64).then_some(word * 64 + next)
        })
    })
}

/// The bits of `range`, which come to stand at `to` among `steps`.
pub(crate) fn moved(bits: &[u64], range: &Range<usize>, to: usize, steps: usize) -> Vec<u64> {
    let mut out = vec![0; words(steps)];
    for step in ones(bits).filter(|step| range.contains(step)) {
        let place = step - range.start + to;
        if place < steps {
            set_bit(&mut out, place);
        }
    }
    out
}

/// One series at all steps. A cell holds a float, a histogram, or nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    /// A float a step; where its bit is not set, meaningless.
    pub values: Vec<f64>,
    /// Which steps have a float.
    pub floats: Vec<u64>,
    /// A histogram a step; empty where the row has none.
    pub histograms: Vec<Option<Arc<Histogram>>>,
}

impl Row {
    /// Without any value.
    pub(crate) fn new(steps: usize) -> Self {
        Self { values: vec![0.0; steps], floats: vec![0; words(steps)], histograms: Vec::new() }
    }

    /// Makes it empty again.
    pub(crate) fn clear(&mut self) {
        self.floats.fill(0);
        self.histograms.clear();
    }

    /// Puts a float.
    #[inline]
    pub(crate) fn set(&mut self, step: usize, value: f64) {
        self.values[step] = value;
        set_bit(&mut self.floats, step);
    }

    /// Leaves a step without a value.
    pub(crate) fn unset(&mut self, step: usize) {
        clear_bit(&mut self.floats, step);
        if let Some(histogram) = self.histograms.get_mut(step) {
            *histogram = None;
        }
    }

    /// Puts a histogram.
    pub(crate) fn set_histogram(&mut self, step: usize, value: Arc<Histogram>) {
        if self.histograms.is_empty() {
            self.histograms.resize(self.values.len(), None);
        }
        self.histograms[step] = Some(value);
    }

    /// Puts what another row has at the step.
    pub(crate) fn copy_cell(&mut self, step: usize, from: RowRef<'_>) {
        if let Some(value) = from.float(step) {
            self.set(step, value);
        } else if let Some(histogram) = from.histogram(step) {
            self.set_histogram(step, Arc::clone(histogram));
        }
    }

    /// Lends it.
    pub(crate) fn as_ref(&self) -> RowRef<'_> {
        RowRef { values: &self.values, floats: &self.floats, histograms: &self.histograms }
    }

    /// Whether no step has a value.
    pub(crate) fn is_empty(&self) -> bool {
        self.as_ref().is_empty()
    }
}

/// A lent row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowRef<'a> {
    /// A float a step; where its bit is not set, meaningless.
    pub values: &'a [f64],
    /// Which steps have a float.
    pub floats: &'a [u64],
    /// A histogram a step; empty where the row has none.
    pub histograms: &'a [Option<Arc<Histogram>>],
}

impl<'a> RowRef<'a> {
    /// The float at a step.
    #[inline]
    pub(crate) fn float(&self, step: usize) -> Option<f64> {
        bit(self.floats, step).then(|| self.values[step])
    }

    /// The histogram at a step.
    pub(crate) fn histogram(&self, step: usize) -> Option<&'a Arc<Histogram>> {
        self.histograms.get(step).and_then(Option::as_ref)
    }

    /// Whether the step has a value.
    pub(crate) fn has(&self, step: usize) -> bool {
        bit(self.floats, step) || self.histogram(step).is_some()
    }

    /// Whether no step has a value.
    pub(crate) fn is_empty(&self) -> bool {
        self.floats.iter().all(|word| *word == 0) && self.histograms.iter().all(Option::is_none)
    }

    /// The steps with histograms.
    pub(crate) fn histogram_steps(
        &self,
    ) -> impl Iterator<Item = (usize, &'a Arc<Histogram>)> + use<'a> {
        self.histograms.iter().enumerate().filter_map(|(step, h)| Some((step, h.as_ref()?)))
    }

    /// Adds the steps that have a value to `bits`.
    pub(crate) fn add_presence(&self, bits: &mut [u64]) {
        bits.iter_mut().zip(self.floats).for_each(|(all, word)| *all |= word);
        self.histogram_steps().for_each(|(step, _)| set_bit(bits, step));
    }
}

/// The labels of rows: made only where someone looks.
#[derive(Clone)]
enum Names {
    Own(Vec<Labels>),
    Of(Arc<dyn Selection>, Vec<u32>),
}

/// Rows of many series.
#[derive(Clone)]
pub(crate) struct Matrix {
    steps: usize,
    names: Names,
    drops_name: Vec<bool>,
    values: Vec<f64>,
    floats: Vec<u64>,
    /// Row for row; empty where no row has any.
    histograms: Vec<Vec<Option<Arc<Histogram>>>>,
}

impl Matrix {
    /// Without rows.
    pub(crate) fn new(steps: usize) -> Self {
        Self {
            steps,
            names: Names::Own(Vec::new()),
            drops_name: Vec::new(),
            values: Vec::new(),
            floats: Vec::new(),
            histograms: Vec::new(),
        }
    }

    /// Without rows; they will be series of `selection`.
    pub(crate) fn of(selection: Arc<dyn Selection>, steps: usize) -> Self {
        Self { names: Names::Of(selection, Vec::new()), ..Self::new(steps) }
    }

    /// How many steps.
    pub(crate) fn steps(&self) -> usize {
        self.steps
    }

    /// How many rows.
    pub(crate) fn len(&self) -> usize {
        self.drops_name.len()
    }

    /// Whether there is no row.
    pub(crate) fn is_empty(&self) -> bool {
        self.drops_name.is_empty()
    }

    /// Bytes that its cells take.
    pub(crate) fn bytes_a_row(steps: usize) -> usize {
        steps * 8 + words(steps) * 8 + 40
    }

    /// The labels of a row, the name still there where it is to be dropped.
    pub(crate) fn labels(&self, row: usize) -> Labels {
        match &self.names {
            Names::Own(labels) => labels[row].clone(),
            Names::Of(selection, numbers) => selection.labels(numbers[row]),
        }
    }

    /// The selection that rows are series of, with their numbers in it.
    pub(crate) fn origin(&self) -> Option<(&Arc<dyn Selection>, &[u32])> {
        match &self.names {
            Names::Own(_) => None,
            Names::Of(selection, numbers) => Some((selection, numbers)),
        }
    }

    /// Whether the name of a row is to be dropped at the end.
    pub(crate) fn drops_name(&self, row: usize) -> bool {
        self.drops_name[row]
    }

    /// Says whether the name of a row is to be dropped at the end.
    pub(crate) fn set_drops_name(&mut self, row: usize, drops: bool) {
        self.drops_name[row] = drops;
    }

    /// The names of all rows are to be dropped at the end.
    pub(crate) fn drop_names(&mut self) {
        self.drops_name.fill(true);
    }

    /// A row.
    pub(crate) fn row(&self, row: usize) -> RowRef<'_> {
        let words = words(self.steps);
        RowRef {
            values: &self.values[row * self.steps..(row + 1) * self.steps],
            floats: &self.floats[row * words..(row + 1) * words],
            histograms: self.histograms.get(row).map_or(&[], Vec::as_slice),
        }
    }

    /// All rows.
    pub(crate) fn rows(&self) -> impl Iterator<Item = RowRef<'_>> {
        (0..self.len()).map(|row| self.row(row))
    }

    /// Floats and their bits of a row, to change.
    pub(crate) fn row_mut(&mut self, row: usize) -> (&mut [f64], &mut [u64]) {
        let words = words(self.steps);
        (
            &mut self.values[row * self.steps..(row + 1) * self.steps],
            &mut self.floats[row * words..(row + 1) * words],
        )
    }

    /// Histograms of a row, to change; empty where it has none.
    pub(crate) fn histograms_mut(&mut self, row: usize) -> &mut [Option<Arc<Histogram>>] {
        self.histograms.get_mut(row).map_or(&mut [], Vec::as_mut_slice)
    }

    /// Adds a row of own labels.
    pub(crate) fn push(&mut self, labels: Labels, drops_name: bool, row: RowRef<'_>) {
        self.own_names().push(labels);
        self.push_cells(drops_name, row);
    }

    /// Adds a row of the selection that the matrix is of.
    pub(crate) fn push_series(&mut self, number: u32, drops_name: bool, row: RowRef<'_>) {
        match &mut self.names {
            Names::Of(_, numbers) => numbers.push(number),
            Names::Own(labels) => labels.push(Labels::empty()),
        }
        self.push_cells(drops_name, row);
    }

    fn push_cells(&mut self, drops_name: bool, row: RowRef<'_>) {
        self.drops_name.push(drops_name);
        self.values.extend_from_slice(row.values);
        self.floats.extend_from_slice(row.floats);
        if !row.histograms.is_empty() {
            self.histograms.resize(self.drops_name.len() - 1, Vec::new());
            self.histograms.push(row.histograms.to_vec());
        } else if !self.histograms.is_empty() {
            self.histograms.push(Vec::new());
        }
    }

    /// Appends the rows of another matrix of the same selection.
    pub(crate) fn append(&mut self, other: Self) {
        let before = self.len();
        match (&mut self.names, other.names) {
            (Names::Of(_, mine), Names::Of(_, theirs)) => mine.extend(theirs),
            (Names::Own(mine), Names::Own(theirs)) => mine.extend(theirs),
            (Names::Of(..), Names::Own(theirs)) => self.own_names().extend(theirs),
            (Names::Own(mine), Names::Of(selection, theirs)) => {
                mine.extend(theirs.iter().map(|number| selection.labels(*number)));
            }
        }
        self.drops_name.extend(other.drops_name);
        self.values.extend(other.values);
        self.floats.extend(other.floats);
        if !other.histograms.is_empty() {
            self.histograms.resize(before, Vec::new());
            self.histograms.extend(other.histograms);
        }
        if !self.histograms.is_empty() {
            self.histograms.resize(self.drops_name.len(), Vec::new());
        }
    }

    /// Gives a row other labels.
    pub(crate) fn set_labels(&mut self, row: usize, labels: Labels) {
        self.own_names()[row] = labels;
    }

    fn own_names(&mut self) -> &mut Vec<Labels> {
        if let Names::Of(selection, numbers) = &self.names {
            self.names =
                Names::Own(numbers.iter().map(|number| selection.labels(*number)).collect());
        }
        match &mut self.names {
            Names::Own(labels) => labels,
            Names::Of(..) => unreachable!("names were made own above"),
        }
    }

    /// These rows, in this order.
    pub(crate) fn pick(&self, rows: &[usize]) -> Self {
        let mut picked = Self {
            names: match &self.names {
                Names::Own(labels) => {
                    Names::Own(rows.iter().map(|row| labels[*row].clone()).collect())
                }
                Names::Of(selection, numbers) => {
                    Names::Of(Arc::clone(selection), rows.iter().map(|row| numbers[*row]).collect())
                }
            },
            ..Self::new(self.steps)
        };
        for row in rows {
            picked.push_cells(self.drops_name[*row], self.row(*row));
        }
        picked
    }

    /// The rows in label order: their order then does not depend on which steps have values.
    pub(crate) fn in_order(self) -> Self {
        let Names::Own(labels) = &self.names else { return self };
        if labels.is_sorted() {
            return self;
        }
        let mut rows: Vec<usize> = (0..labels.len()).collect();
        rows.sort_by(|a, b| labels[*a].cmp(&labels[*b]));
        self.pick(&rows)
    }

    /// Drops rows without any value.
    pub(crate) fn drop_empty(self) -> Self {
        if self.rows().all(|row| !row.is_empty()) {
            return self;
        }
        let rows: Vec<usize> = (0..self.len()).filter(|row| !self.row(*row).is_empty()).collect();
        self.pick(&rows)
    }

    /// Each row's one step repeated.
    pub(crate) fn repeat(&self, steps: usize) -> Self {
        let mut repeated = Self { names: self.names.clone(), ..Self::new(steps) };
        let mut row = Row::new(steps);
        for index in 0..self.len() {
            row.clear();
            let from = self.row(index);
            for step in 0..steps {
                if let Some(value) = from.float(0) {
                    row.set(step, value);
                } else if let Some(histogram) = from.histogram(0) {
                    row.set_histogram(step, Arc::clone(histogram));
                }
            }
            repeated.push_cells(self.drops_name[index], row.as_ref());
        }
        repeated
    }
}

//! Operators between the series of two vectors that match.
//!
//! Series are matched once, not at every step: nearly always each finds at most one partner, and then
//! whole rows are combined. Steps are looked at one by one only where several share a partner.

use std::collections::HashMap;

use query_lang::{Cardinality, VectorMatching};

use super::elements::{self, Element};
use super::matching::{Making, Side, Signatures, result_labels, signature};
use super::operators::{changes_meaning, combine, compare};
use crate::model::Labels;
use crate::query::error::Error;
use crate::query::evaluate::Evaluator;
use crate::query::matrix::{Matrix, Row, RowRef, bit, ones, set_bit, words};
use crate::query::plan::Binary;

/// The combined series.
///
/// # Errors
/// Series that match more than they may.
pub(super) fn evaluate(
    evaluator: &mut Evaluator<'_>,
    binary: &Binary,
    matching: &VectorMatching,
    left: Matrix,
    right: Matrix,
) -> Result<Matrix, Error> {
    let is_swapped = matching.cardinality == Cardinality::OneToMany;
    let steps = left.steps();
    let (many, one) = if is_swapped { (right, left) } else { (left, right) };
    let has_fill = matching.fill_left.is_some() || matching.fill_right.is_some();
    if (many.is_empty() || one.is_empty()) && !has_fill {
        return Ok(Matrix::new(steps));
    }
    let mut signatures = Signatures::default();
    let many = signatures.side(many, matching);
    let one = signatures.side(one, matching);
    let count = signatures.len();
    let mut pairs = Pairs {
        evaluator,
        binary,
        matching,
        is_swapped,
        is_one_to_one: matching.cardinality == Cardinality::OneToOne,
        steps,
        matched: HashMap::new(),
        index: HashMap::new(),
        results: Vec::new(),
        inserted: HashMap::new(),
    };
    let by_signature = one.by_signature(count);
    pairs.refuse_duplicates(&one, &by_signature, &many, has_fill)?;
    for row in 0..many.matrix.len() {
        pairs.evaluator.budget.check()?;
        pairs.many_row(&many, row, &one, &by_signature)?;
    }
    pairs.fill_many(&one)?;
    let mut result = Matrix::new(steps);
    for (labels, row) in pairs.results {
        result.push(labels, binary.returns_bool, row.as_ref());
    }
    Ok(result)
}

struct Pairs<'a, 'b> {
    evaluator: &'a mut Evaluator<'b>,
    binary: &'a Binary,
    matching: &'a VectorMatching,
    /// The left operand is the one side.
    is_swapped: bool,
    is_one_to_one: bool,
    steps: usize,
    /// For each signature, the steps at which it gave a result.
    matched: HashMap<usize, Vec<u64>>,
    results: Vec<(Labels, Row)>,
    /// Where in `results` labels are.
    index: HashMap<Labels, usize>,
    /// For each signature and labels, the steps that gave a result, where several may match one.
    inserted: HashMap<(usize, Labels), Vec<u64>>,
}

impl Pairs<'_, '_> {
    /// The one side has one series of a signature at each step at which there is anything to match.
    fn refuse_duplicates(
        &self,
        one: &Side,
        by_signature: &[Vec<usize>],
        many: &Side,
        has_fill: bool,
    ) -> Result<(), Error> {
        let mut asked = vec![0; words(self.steps)];
        many.matrix.rows().for_each(|row| row.add_presence(&mut asked));
        for rows in by_signature.iter().filter(|rows| rows.len() > 1) {
            let mut seen: Vec<Option<usize>> = vec![None; self.steps];
            for row in rows {
                for (step, seen) in seen.iter_mut().enumerate() {
                    if !one.matrix.row(*row).has(step) || !(has_fill || bit(&asked, step)) {
                        continue;
                    }
                    if let Some(other) = seen.replace(*row) {
                        return Err(
                            self.duplicate(&one.matrix.labels(*row), &one.matrix.labels(other))
                        );
                    }
                }
            }
        }
        Ok(())
    }

    fn duplicate(&self, labels: &Labels, other: &Labels) -> Error {
        let mut both = [labels.to_string(), other.to_string()];
        both.sort();
        let [first, second] = both;
        Error::DuplicateMatch {
            group: signature(labels, self.matching).to_string(),
            side: if self.is_swapped { "left" } else { "right" },
            first,
            second,
        }
    }

    fn many_row(
        &mut self,
        many: &Side,
        row: usize,
        one: &Side,
        by_signature: &[Vec<usize>],
    ) -> Result<(), Error> {
        let signature_index = many.of.get(row).copied().unwrap_or(usize::MAX);
        let partners = by_signature.get(signature_index).map_or(&[][..], Vec::as_slice);
        let labels = many.matrix.labels(row);
        let cells = many.matrix.row(row);
        let mut unmatched = vec![0; words(self.steps)];
        cells.add_presence(&mut unmatched);
        for partner in partners {
            let theirs = one.matrix.row(*partner);
            let mut both = vec![0; words(self.steps)];
            theirs.add_presence(&mut both);
            for (both, unmatched) in both.iter_mut().zip(&mut unmatched) {
                *both &= *unmatched;
                *unmatched &= !*both;
            }
            if both.iter().any(|word| *word != 0) {
                let other = one.matrix.labels(*partner);
                self.pair(signature_index, (&labels, cells), (&other, theirs), &both)?;
            }
        }
        if let Some(fill) = self.matching.fill_right
            && unmatched.iter().any(|word| *word != 0)
        {
            let other = signature(&labels, self.matching);
            let filled = filled(self.steps, fill);
            let filled = (&other, filled.as_ref());
            self.pair(signature_index, (&labels, cells), filled, &unmatched)?;
        }
        Ok(())
    }

    /// Series of the one side that no other matched, against the fill value of the many side.
    fn fill_many(&mut self, one: &Side) -> Result<(), Error> {
        let Some(fill) = self.matching.fill_left else { return Ok(()) };
        let filled = filled(self.steps, fill);
        for row in 0..one.matrix.len() {
            let signature_index = one.of.get(row).copied().unwrap_or(usize::MAX);
            let cells = one.matrix.row(row);
            let mut unmatched = vec![0; words(self.steps)];
            cells.add_presence(&mut unmatched);
            if let Some(matched) = self.matched.get(&signature_index) {
                unmatched.iter_mut().zip(matched).for_each(|(word, matched)| *word &= !matched);
            }
            if unmatched.iter().any(|word| *word != 0) {
                let labels = one.matrix.labels(row);
                let other = signature(&labels, self.matching);
                let many = (&other, filled.as_ref());
                self.pair(signature_index, many, (&labels, cells), &unmatched)?;
            }
        }
        Ok(())
    }

    /// Combines a series of the many side and one of the one side at the steps of `at`.
    fn pair(
        &mut self,
        signature_index: usize,
        many: (&Labels, RowRef<'_>),
        one: (&Labels, RowRef<'_>),
        at: &[u64],
    ) -> Result<(), Error> {
        let keeps_name = self.binary.keeps_name;
        let making = Making {
            drops_name: changes_meaning(self.binary.op) && !keeps_name,
            is_one_to_one: self.is_one_to_one,
            keeps_name,
        };
        let labels = result_labels(many.0, one.0, making, self.matching);
        let (left, right) = if self.is_swapped { (one.1, many.1) } else { (many.1, one.1) };
        let (row, counted) = self.combine(left, right, at);
        self.count(signature_index, &labels, &counted)?;
        if row.is_empty() {
            return Ok(());
        }
        self.put(labels, row)
    }

    /// The results at the steps of `at`, and the steps that count as matched.
    fn combine(&mut self, left: RowRef<'_>, right: RowRef<'_>, at: &[u64]) -> (Row, Vec<u64>) {
        let op = self.binary.op;
        let mut row = Row::new(self.steps);
        let mut counted = at.to_vec();
        let floats = at.iter().zip(left.floats).zip(right.floats);
        let floats: Vec<u64> = floats.map(|((at, a), b)| at & a & b).collect();
        if let Some(note) = elements::of_floats(op) {
            if floats.iter().any(|word| *word != 0) {
                self.evaluator.note(note, self.binary.place);
                counted.iter_mut().zip(&floats).for_each(|(word, floats)| *word &= !floats);
            }
        } else if op.is_comparison() {
            let mut kept = vec![0; words(self.steps)];
            compare(op, left.values, right.values, &mut kept);
            if self.binary.returns_bool {
                for (step, value) in row.values.iter_mut().enumerate() {
                    *value = f64::from(u8::from(bit(&kept, step)));
                }
                row.floats.copy_from_slice(&floats);
            } else {
                row.values.copy_from_slice(left.values);
                let words = row.floats.iter_mut().zip(&floats).zip(&kept);
                words.for_each(|((word, floats), kept)| *word = floats & kept);
            }
        } else {
            combine(op, left.values, right.values, &mut row.values);
            row.floats.copy_from_slice(&floats);
        }
        if !left.histograms.is_empty() || !right.histograms.is_empty() {
            let others: Vec<u64> = at.iter().zip(&floats).map(|(at, f)| at & !f).collect();
            self.combine_histograms((left, right), &others, &mut row, &mut counted);
        }
        (row, counted)
    }

    fn combine_histograms(
        &mut self,
        (left, right): (RowRef<'_>, RowRef<'_>),
        at: &[u64],
        row: &mut Row,
        counted: &mut [u64],
    ) {
        for step in ones(at) {
            let (Some(a), Some(b)) = (element(left, step), element(right, step)) else {
                continue;
            };
            match elements::combine(self.binary.op, a, b) {
                Ok(combined) => {
                    for note in combined.notes {
                        self.evaluator.note(note, self.binary.place);
                    }
                    if self.binary.returns_bool {
                        row.set(step, f64::from(u8::from(combined.keeps)));
                    } else if combined.keeps {
                        row.set_histogram(step, combined.histogram);
                    }
                }
                Err(note) => {
                    self.evaluator.note(note, self.binary.place);
                    crate::query::matrix::clear_bit(counted, step);
                }
            }
        }
    }

    /// Refuses a second match where there may be one only.
    fn count(
        &mut self,
        signature_index: usize,
        labels: &Labels,
        counted: &[u64],
    ) -> Result<(), Error> {
        let matched =
            self.matched.entry(signature_index).or_insert_with(|| vec![0; words(self.steps)]);
        let meets = matched.iter().zip(counted).any(|(a, b)| a & b != 0);
        if meets && self.is_one_to_one {
            return Err(Error::ManyToOne);
        }
        matched.iter_mut().zip(counted).for_each(|(word, counted)| *word |= counted);
        if !self.is_one_to_one {
            let inserted = self
                .inserted
                .entry((signature_index, labels.clone()))
                .or_insert_with(|| vec![0; words(self.steps)]);
            if inserted.iter().zip(counted).any(|(a, b)| a & b != 0) {
                return Err(Error::GroupNotUnique);
            }
            inserted.iter_mut().zip(counted).for_each(|(word, counted)| *word |= counted);
        }
        Ok(())
    }

    /// Puts results to those of the same labels.
    fn put(&mut self, labels: Labels, row: Row) -> Result<(), Error> {
        // Over one step, rows of one name may still be told apart at the end.
        let known = if self.steps > 1 { self.index.get(&labels).copied() } else { None };
        let Some((_, to)) = known.and_then(|known| self.results.get_mut(known)) else {
            self.evaluator.budget.use_memory(Matrix::bytes_a_row(self.steps))?;
            self.index.insert(labels.clone(), self.results.len());
            self.results.push((labels, row));
            return Ok(());
        };
        for step in 0..self.steps {
            if row.as_ref().has(step) && to.as_ref().has(step) {
                return Err(Error::SameLabels);
            }
            to.copy_cell(step, row.as_ref());
        }
        Ok(())
    }
}

fn element(row: RowRef<'_>, step: usize) -> Option<Element<'_>> {
    row.float(step).map(Element::Float).or_else(|| row.histogram(step).map(Element::Histogram))
}

/// A row of one value.
fn filled(steps: usize, value: f64) -> Row {
    let mut row = Row::new(steps);
    row.values.fill(value);
    (0..steps).for_each(|step| set_bit(&mut row.floats, step));
    row
}

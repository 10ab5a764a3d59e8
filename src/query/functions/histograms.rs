//! What histograms say: native ones by themselves, classic ones by their buckets' series.

use std::collections::HashMap;

use query_lang::Function;

use super::call::{arg, text};
use crate::math::histogram::{self, NanEffect};
use crate::math::number::open_metrics;
use crate::math::{ClassicBucket, classic_fraction, classic_quantile};
use crate::model::{Histogram, Labels};
use crate::query::annotations::{Note, Place};
use crate::query::error::Error;
use crate::query::evaluate::Evaluator;
use crate::query::labels::{filtered, with};
use crate::query::matrix::{Matrix, Row};
use crate::query::plan::Call;
use crate::query::steps::Steps;

/// The label of a classic bucket's upper bound.
const BUCKET_LABEL: &str = "le";

/// The value of a function of histograms at each step.
///
/// # Errors
/// What its arguments refused.
pub(super) fn evaluate(
    evaluator: &mut Evaluator<'_>,
    call: &Call,
    steps: Steps,
) -> Result<Matrix, Error> {
    let of_histogram: fn(&Histogram) -> f64 = match call.function {
        Function::HistogramCount => |h| h.count,
        Function::HistogramSum => |h| h.sum,
        Function::HistogramAvg => |h| h.sum / h.count,
        Function::HistogramStddev => |h| histogram::variance(h).sqrt(),
        Function::HistogramStdvar => histogram::variance,
        Function::HistogramQuantile => return quantile(evaluator, call, steps),
        Function::HistogramQuantiles => return quantiles(evaluator, call, steps),
        Function::HistogramFraction => return fraction(evaluator, call, steps),
        // Every other function is handled before.
        _ => return Ok(Matrix::new(steps.count)),
    };
    let matrix = evaluator.vector(arg(call, 0), steps)?;
    let mut result = Matrix::new(steps.count);
    let mut row = Row::new(steps.count);
    for index in 0..matrix.len() {
        row.clear();
        for (step, histogram) in matrix.row(index).histogram_steps() {
            row.set(step, of_histogram(histogram));
        }
        if !row.is_empty() {
            result.push(matrix.labels(index), true, row.as_ref());
        }
    }
    Ok(result)
}

/// Series of a vector, classic buckets gathered by histogram.
struct Gathered {
    matrix: Matrix,
    /// Labels of rows that are of one histogram, without `le`.
    labels: Vec<Labels>,
    /// Rows of classic buckets by histogram, with their bounds; native histograms by histogram.
    classic: Vec<Vec<(usize, f64)>>,
    native: Vec<Vec<usize>>,
    /// Rows of floats whose bound cannot be read.
    bad: Vec<usize>,
    place: Place,
}

/// What a step has of one histogram.
enum Found<'a> {
    Classic(Vec<ClassicBucket>),
    Native(&'a Histogram),
}

impl Gathered {
    fn new(matrix: Matrix, place: Place) -> Self {
        let mut gathered = Self {
            matrix,
            labels: Vec::new(),
            classic: Vec::new(),
            native: Vec::new(),
            bad: Vec::new(),
            place,
        };
        let mut by_labels: HashMap<Labels, usize> = HashMap::new();
        for row in 0..gathered.matrix.len() {
            let labels = gathered.matrix.labels(row);
            let bound = labels.get(BUCKET_LABEL).and_then(parse_bound);
            if bound.is_none() {
                gathered.bad.push(row);
            }
            let has_histograms = !gathered.matrix.row(row).histograms.is_empty();
            if let Some(bound) = bound {
                let classic = filtered(&labels, |name| name != BUCKET_LABEL);
                let index = gathered.index(&mut by_labels, classic);
                if let Some(rows) = gathered.classic.get_mut(index) {
                    rows.push((row, bound));
                }
            }
            if has_histograms {
                let index = gathered.index(&mut by_labels, labels);
                if let Some(rows) = gathered.native.get_mut(index) {
                    rows.push(row);
                }
            }
        }
        gathered
    }

    fn index(&mut self, by_labels: &mut HashMap<Labels, usize>, labels: Labels) -> usize {
        *by_labels.entry(labels).or_insert_with_key(|labels| {
            self.labels.push(labels.clone());
            self.classic.push(Vec::new());
            self.native.push(Vec::new());
            self.labels.len() - 1
        })
    }

    /// Notes what is odd, then hands what each histogram has at each step to `each`, with its index.
    fn for_each(
        &self,
        evaluator: &mut Evaluator<'_>,
        each: &mut dyn FnMut(&mut Evaluator<'_>, usize, usize, Found<'_>),
    ) {
        for row in &self.bad {
            if self.matrix.row(*row).floats.iter().any(|word| *word != 0) {
                let labels = self.matrix.labels(*row);
                let label = labels.get(BUCKET_LABEL).unwrap_or_default().to_owned();
                let metric = labels.metric().to_owned();
                evaluator.note(Note::BadBucketLabel { label, metric }, self.place);
            }
        }
        for step in 0..self.matrix.steps() {
            if evaluator.budget.check().is_err() {
                return;
            }
            for index in 0..self.labels.len() {
                let native = self.native.get(index).and_then(|rows| {
                    rows.iter().find_map(|row| self.matrix.row(*row).histogram(step))
                });
                let buckets = self.buckets(index, step);
                match (native, buckets.is_empty()) {
                    (Some(_), false) => {
                        let metric = self.metric(index);
                        evaluator.note(Note::MixedClassicNative(metric), self.place);
                    }
                    (Some(native), true) => each(evaluator, index, step, Found::Native(native)),
                    (None, false) => each(evaluator, index, step, Found::Classic(buckets)),
                    (None, true) => {}
                }
            }
        }
    }

    fn buckets(&self, index: usize, step: usize) -> Vec<ClassicBucket> {
        let rows = self.classic.get(index).map_or(&[][..], Vec::as_slice);
        rows.iter()
            .filter_map(|(row, upper)| {
                let count = self.matrix.row(*row).float(step)?;
                Some(ClassicBucket { upper: *upper, count })
            })
            .collect()
    }

    fn metric(&self, index: usize) -> String {
        self.labels.get(index).map(|labels| labels.metric().to_owned()).unwrap_or_default()
    }

    /// Rows for each histogram as a matrix, with labels changed by `label`.
    fn matrix(&self, rows: Vec<Row>, label: impl Fn(&Labels) -> Labels) -> Matrix {
        let mut result = Matrix::new(self.matrix.steps());
        for (labels, row) in self.labels.iter().zip(rows) {
            if !row.is_empty() {
                result.push(label(labels), true, row.as_ref());
            }
        }
        result
    }

    fn empty_rows(&self) -> Vec<Row> {
        vec![Row::new(self.matrix.steps()); self.labels.len()]
    }
}

/// A bound as Go reads floats.
fn parse_bound(text: &str) -> Option<f64> {
    let lower = text.trim_start_matches(['+', '-']).to_ascii_lowercase();
    if text.is_empty() || text.trim() != text || lower.starts_with(['+', '-']) {
        return None;
    }
    text.parse().ok()
}

fn quantile(evaluator: &mut Evaluator<'_>, call: &Call, steps: Steps) -> Result<Matrix, Error> {
    let quantiles = evaluator.scalar(arg(call, 0), steps)?;
    let matrix = evaluator.vector(arg(call, 1), steps)?;
    note_invalid(evaluator, &quantiles, place(call, 0));
    let gathered = Gathered::new(matrix, place(call, 1));
    Ok(quantile_of(evaluator, &gathered, &quantiles, steps, Labels::clone))
}

fn quantiles(evaluator: &mut Evaluator<'_>, call: &Call, steps: Steps) -> Result<Matrix, Error> {
    let matrix = evaluator.vector(arg(call, 0), steps)?;
    let gathered = Gathered::new(matrix, place(call, 0));
    let name = text(call, 1);
    let mut all = Matrix::new(steps.count);
    let mut wanted = Vec::new();
    for index in 2..call.args.len() {
        let quantiles = evaluator.scalar(arg(call, index), steps)?;
        note_invalid(evaluator, &quantiles, place(call, index));
        wanted.push(quantiles);
    }
    for quantiles in wanted {
        // The quantile is a label, so steps of different quantiles are different series.
        let mut distinct: Vec<u64> = quantiles.iter().map(|q| q.to_bits()).collect();
        distinct.sort_unstable();
        distinct.dedup();
        for q in distinct.into_iter().map(f64::from_bits) {
            let mut part = quantile_of(evaluator, &gathered, &quantiles, steps, |labels| {
                with(labels, name, &open_metrics(q))
            });
            for row in 0..part.len() {
                let (_, floats) = part.row_mut(row);
                for (step, other) in quantiles.iter().enumerate() {
                    if other.to_bits() != q.to_bits() {
                        crate::query::matrix::clear_bit(floats, step);
                    }
                }
            }
            all.append(part);
        }
    }
    crate::query::merge::merge_same_labels(all)
}

fn quantile_of(
    evaluator: &mut Evaluator<'_>,
    gathered: &Gathered,
    quantiles: &[f64],
    steps: Steps,
    label: impl Fn(&Labels) -> Labels,
) -> Matrix {
    let mut rows = gathered.empty_rows();
    gathered.for_each(evaluator, &mut |evaluator, index, step, found| {
        let q = quantiles.get(step).copied().unwrap_or(f64::NAN);
        let (value, note) = match found {
            Found::Classic(mut buckets) => {
                let (value, forced) = classic_quantile(q, &mut buckets);
                let note = forced.map(|forced| Note::ForcedMonotonicity {
                    metric: gathered.metric(index),
                    time: steps.time(step),
                    forced,
                });
                (value, note)
            }
            Found::Native(histogram) => {
                let (value, effect) = histogram::quantile(q, histogram);
                let note = effect.map(|effect| match effect {
                    NanEffect::Result => Note::QuantileNan(gathered.metric(index)),
                    NanEffect::Skew => Note::QuantileSkewed(gathered.metric(index)),
                });
                (value, note)
            }
        };
        if let Some(note) = note {
            evaluator.note(note, gathered.place);
        }
        if let Some(row) = rows.get_mut(index) {
            row.set(step, value);
        }
    });
    gathered.matrix(rows, label)
}

fn fraction(evaluator: &mut Evaluator<'_>, call: &Call, steps: Steps) -> Result<Matrix, Error> {
    let lower = evaluator.scalar(arg(call, 0), steps)?;
    let upper = evaluator.scalar(arg(call, 1), steps)?;
    let matrix = evaluator.vector(arg(call, 2), steps)?;
    let gathered = Gathered::new(matrix, place(call, 2));
    let mut rows = gathered.empty_rows();
    gathered.for_each(evaluator, &mut |evaluator, index, step, found| {
        let at = |values: &[f64]| values.get(step).copied().unwrap_or(f64::NAN);
        let (lower, upper) = (at(&lower), at(&upper));
        let value = match found {
            Found::Classic(mut buckets) => classic_fraction(lower, upper, &mut buckets),
            Found::Native(histogram) => {
                let (value, has_nan) = histogram::fraction(lower, upper, histogram);
                if has_nan {
                    evaluator.note(Note::FractionNan(gathered.metric(index)), gathered.place);
                }
                value
            }
        };
        if let Some(row) = rows.get_mut(index) {
            row.set(step, value);
        }
    });
    Ok(gathered.matrix(rows, Labels::clone))
}

fn place(call: &Call, index: usize) -> Place {
    call.places.get(index).copied().unwrap_or(0)
}

fn note_invalid(evaluator: &mut Evaluator<'_>, quantiles: &[f64], place: Place) {
    for q in quantiles.iter().filter(|q| !(0.0..=1.0).contains(*q)) {
        evaluator.note(Note::InvalidQuantile(*q), place);
    }
}

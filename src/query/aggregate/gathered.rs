//! Aggregations that look at all values of a group at once, as `MetricsQL` names them.

use std::sync::Arc;

use query_lang::Aggregation;

use super::groups::Groups;
use crate::math::number::general;
use crate::math::variance;
use crate::model::Labels;
use crate::query::annotations::Note;
use crate::query::error::Error;
use crate::query::evaluate::Evaluator;
use crate::query::labels::with;
use crate::query::matrix::{Matrix, Row};
use crate::query::plan::Aggregate;
use crate::query::sampled::histogram_of;
use crate::query::steps::Steps;
use crate::query::window::{distinct, iqr_bounds, mode, quantile_of, sum};

/// The value of an aggregation at each step.
///
/// # Errors
/// What its vector or parameter refused.
pub(super) fn evaluate(
    evaluator: &mut Evaluator<'_>,
    aggregate: &Aggregate,
    steps: Steps,
) -> Result<Matrix, Error> {
    let numbers = super::choose::parameter(evaluator, aggregate, steps)?;
    let mut phis = Vec::new();
    for extra in &aggregate.extras {
        phis.push(evaluator.scalar(extra, steps)?);
    }
    let matrix = evaluator.vector(&aggregate.plan, steps)?;
    let groups = Groups::new(&matrix, &aggregate.grouping);
    let mut result = Matrix::new(steps.count);
    for members in groups.members() {
        evaluator.budget.check()?;
        note_histograms(evaluator, aggregate, &matrix, &members);
        let group =
            Group { matrix: &matrix, members: &members, labels: labels_of(&groups, &members) };
        group.evaluate(aggregate, &numbers, &phis, &mut result);
    }
    Ok(result.drop_empty())
}

fn note_histograms(
    evaluator: &mut Evaluator<'_>,
    aggregate: &Aggregate,
    matrix: &Matrix,
    members: &[usize],
) {
    let has_some = |row: &usize| matrix.row(*row).histogram_steps().next().is_some();
    if aggregate.op != Aggregation::Any && members.iter().any(has_some) {
        evaluator.note(Note::HistogramIgnored(aggregate.op.name()), aggregate.plan_place);
    }
}

fn labels_of(groups: &Groups, members: &[usize]) -> Labels {
    let group = members.first().and_then(|member| groups.of.get(*member));
    let labels = group.and_then(|group| groups.labels.get(*group as usize));
    labels.cloned().unwrap_or_else(Labels::empty)
}

/// The rows of a group.
struct Group<'a> {
    matrix: &'a Matrix,
    members: &'a [usize],
    labels: Labels,
}

impl Group<'_> {
    fn evaluate(
        &self,
        aggregate: &Aggregate,
        numbers: &[f64],
        phis: &[Vec<f64>],
        result: &mut Matrix,
    ) {
        use Aggregation as A;
        match aggregate.op {
            A::Any => {
                if let Some(first) = self.members.first() {
                    self.push(*first, result);
                }
            }
            A::Share | A::Zscore => self.each_changed(aggregate.op, result),
            A::OutliersIqr | A::OutliersMad => self.outliers(aggregate.op, numbers, result),
            A::Quantiles => {
                for phi in phis {
                    let first = phi.first().copied().unwrap_or(f64::NAN);
                    let labels = with(&self.labels, &aggregate.label, &general(first));
                    let row = self.row(|step, values, sorted| {
                        let phi = phi.get(step).copied().unwrap_or(f64::NAN);
                        Some(quantile_of(phi, values, sorted))
                    });
                    result.push(labels, self.drops_name(), row.as_ref());
                }
            }
            A::Histogram => result.push(self.labels.clone(), true, self.histograms().as_ref()),
            op => {
                let row = self.row(|_, values, sorted| value(op, values, sorted));
                result.push(self.labels.clone(), self.drops_name(), row.as_ref());
            }
        }
    }

    fn drops_name(&self) -> bool {
        self.members.iter().any(|member| self.matrix.drops_name(*member))
    }

    fn push(&self, row: usize, result: &mut Matrix) {
        let drops_name = self.matrix.drops_name(row);
        result.push(self.matrix.labels(row), drops_name, self.matrix.row(row));
    }

    fn values(&self, step: usize, values: &mut Vec<f64>) {
        values.clear();
        values.extend(self.members.iter().filter_map(|row| self.matrix.row(*row).float(step)));
        values.retain(|value| !value.is_nan());
    }

    /// One number at each step that has values.
    fn row(&self, mut of: impl FnMut(usize, &[f64], &mut Vec<f64>) -> Option<f64>) -> Row {
        let mut row = Row::new(self.matrix.steps());
        let (mut values, mut sorted) = (Vec::new(), Vec::new());
        for step in 0..self.matrix.steps() {
            self.values(step, &mut values);
            if !values.is_empty()
                && let Some(value) = of(step, &values, &mut sorted)
            {
                row.set(step, value);
            }
        }
        row
    }

    fn histograms(&self) -> Row {
        let mut row = Row::new(self.matrix.steps());
        let mut values = Vec::new();
        for step in 0..self.matrix.steps() {
            self.values(step, &mut values);
            if let Some(histogram) = histogram_of(&values) {
                row.set_histogram(step, Arc::new(histogram));
            }
        }
        row
    }

    /// Every series against its group.
    fn each_changed(&self, op: Aggregation, result: &mut Matrix) {
        let steps = self.matrix.steps();
        let mut values = Vec::new();
        let frames: Vec<(f64, f64)> = (0..steps)
            .map(|step| {
                self.values(step, &mut values);
                frame(op, &values)
            })
            .collect();
        let mut row = Row::new(steps);
        for member in self.members {
            row.clear();
            let cells = self.matrix.row(*member);
            for (step, (from, unit)) in frames.iter().enumerate() {
                let Some(value) = cells.float(step).filter(|value| !value.is_nan()) else {
                    continue;
                };
                if op == Aggregation::Zscore || value >= 0.0 {
                    row.set(step, (value - from) / unit);
                }
            }
            result.push(self.matrix.labels(*member), true, row.as_ref());
        }
    }

    /// Series that are an outlier at some step, whole.
    fn outliers(&self, op: Aggregation, numbers: &[f64], result: &mut Matrix) {
        let steps = self.matrix.steps();
        let (mut values, mut sorted) = (Vec::new(), Vec::new());
        let bounds: Vec<(f64, f64)> = (0..steps)
            .map(|step| {
                self.values(step, &mut values);
                if op == Aggregation::OutliersIqr {
                    return iqr_bounds(&values, &mut sorted);
                }
                let median = quantile_of(0.5, &values, &mut sorted);
                let far = deviation(&values, median, &mut sorted)
                    * numbers.get(step).copied().unwrap_or(f64::NAN);
                (median - far, median + far)
            })
            .collect();
        let is_outlier = |row: usize| {
            let cells = self.matrix.row(row);
            bounds.iter().enumerate().any(|(step, (low, high))| {
                cells.float(step).is_some_and(|value| value < *low || value > *high)
            })
        };
        for member in self.members.iter().filter(|member| is_outlier(**member)) {
            self.push(*member, result);
        }
    }
}

/// What values are counted from, and in what.
#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
fn frame(op: Aggregation, values: &[f64]) -> (f64, f64) {
    if op == Aggregation::Share {
        return (0.0, sum(values.iter().copied().filter(|value| *value >= 0.0)));
    }
    let mean = sum(values.iter().copied()) / values.len() as f64;
    (mean, variance(values.iter().copied()).sqrt())
}

/// The median absolute deviation from a median.
fn deviation(values: &[f64], median: f64, sorted: &mut Vec<f64>) -> f64 {
    let distances: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
    quantile_of(0.5, &distances, sorted)
}

#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
fn value(op: Aggregation, values: &[f64], sorted: &mut Vec<f64>) -> Option<f64> {
    use Aggregation as A;
    Some(match op {
        A::Distinct => distinct(values, sorted),
        A::Geomean => values.iter().product::<f64>().powf(1.0 / values.len() as f64),
        A::Mad => {
            let median = quantile_of(0.5, values, sorted);
            deviation(values, median, sorted)
        }
        A::Median => quantile_of(0.5, values, sorted),
        A::Mode => return mode(values, sorted),
        A::Sum2 => sum(values.iter().map(|value| value * value)),
        _ => return None,
    })
}

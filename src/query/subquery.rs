//! Subqueries: an expression at steps of its own, whose values are rows for windows.

use std::{borrow::Cow, sync::Arc};

use super::error::Error;
use super::evaluate::Evaluator;
use super::matrix::{Matrix, ones};
use super::plan::Subquery;
use super::rows::SeriesRows;
use super::steps::{Steps, to_nanos};
use crate::model::{Histogram, Labels, ResetHint};

/// What a subquery yielded.
pub(crate) struct SubqueryRows {
    /// Series at the subquery's own steps.
    pub matrix: Matrix,
    /// Those steps.
    pub steps: Steps,
}

/// Evaluates a subquery for windows of `length` at each step.
///
/// Its steps are multiples of its step since 1970, whenever it is asked, so that the same instants are
/// evaluated by every question.
///
/// # Errors
/// What its expression refused.
pub(crate) fn evaluate(
    evaluator: &mut Evaluator<'_>,
    subquery: &Subquery,
    length: i64,
    steps: Steps,
) -> Result<SubqueryRows, Error> {
    let (first, last) = subquery.at.map_or((steps.start, steps.end()), |at| (at, at));
    let before = first.saturating_sub(subquery.offset).saturating_sub(length);
    let end = last.saturating_sub(subquery.offset);
    let step = subquery.step.max(1);
    let start = before.div_euclid(step).saturating_add(1).saturating_mul(step);
    let Some(inner) = Steps::between(start, end, step) else {
        return Ok(SubqueryRows { matrix: Matrix::new(0), steps: Steps::at(start) });
    };
    // A row of the inner vector and what it is made of are held at once.
    evaluator.budget.use_memory(inner.count.saturating_mul(24))?;
    let outer = std::mem::replace(&mut evaluator.in_subquery, true);
    let counted = evaluator.begin_counts(inner.count);
    let matrix = evaluator.vector(&subquery.plan, inner);
    evaluator.end_counts(counted, |outer, total| outer.add_at_end(total));
    evaluator.in_subquery = outer;
    let matrix = matrix?;
    Ok(SubqueryRows { matrix, steps: inner })
}

impl SubqueryRows {
    /// How many series.
    pub(crate) fn len(&self) -> usize {
        self.matrix.len()
    }

    /// The labels of a series, the name still there.
    pub(crate) fn labels(&self, index: usize) -> Labels {
        self.matrix.labels(index)
    }

    /// Whether the name of a series is to be dropped at the end.
    pub(crate) fn drops_name(&self, index: usize) -> bool {
        self.matrix.drops_name(index)
    }

    /// The rows of a series.
    pub(crate) fn rows(&self, index: usize) -> SeriesRows {
        let row = self.matrix.row(index);
        let mut rows = SeriesRows::default();
        for step in ones(row.floats) {
            rows.times.push(to_nanos(self.steps.time(step)));
            rows.values.push(row.values.get(step).copied().unwrap_or(f64::NAN));
        }
        for (step, histogram) in row.histogram_steps() {
            rows.histogram_times.push(to_nanos(self.steps.time(step)));
            rows.histograms.push(without_hint(histogram));
        }
        rows
    }
}

/// A hint tells of neighbours in storage; steps skip and repeat those.
fn without_hint(histogram: &Arc<Histogram>) -> Arc<Histogram> {
    match histogram.reset_hint {
        ResetHint::Unknown | ResetHint::Gauge => Arc::clone(histogram),
        ResetHint::Reset | ResetHint::NoReset => {
            let histogram: Cow<'_, Histogram> = Cow::Borrowed(histogram);
            let mut histogram = histogram.into_owned();
            histogram.reset_hint = ResetHint::Unknown;
            Arc::new(histogram)
        }
    }
}

//! Functions of windows that yield several series for one, told apart by a label.

use std::collections::BTreeMap;
use std::sync::Arc;

use query_lang::Function;

use super::before::{Reached, gain};
use super::call::{Context, RangeCall, Window, evaluate as evaluate_one, for_each_window};
use super::values::{extremes, sum};
use crate::math::number::{general, plain};
use crate::model::Labels;
use crate::query::error::Error;
use crate::query::labels::with;
use crate::query::matrix::{Matrix, Row};
use crate::query::rows::SeriesRows;
use crate::query::sampled::histogram_of;

/// The label of rollups.
const ROLLUP: &str = "rollup";

/// What tells the series apart that one function yields.
pub(crate) struct Several {
    pub call: RangeCall,
    /// The texts among the arguments.
    pub texts: Vec<String>,
}

/// Whether a function is one of these.
pub(crate) fn yields_several(function: Function) -> bool {
    use Function as F;
    matches!(
        function,
        F::Rollup
            | F::RollupRate
            | F::RollupIncrease
            | F::RollupDelta
            | F::RollupDeriv
            | F::RollupScrapeInterval
            | F::RollupCandlestick
            | F::QuantilesOverTime
            | F::CountValuesOverTime
            | F::AggrOverTime
            | F::HistogramOverTime
    )
}

impl Several {
    /// Adds what the rows of one series yield to `result`.
    ///
    /// # Errors
    /// A text that names nothing.
    pub(crate) fn add(
        &self,
        labels: &Labels,
        rows: &SeriesRows,
        context: &mut Context<'_>,
        result: &mut Matrix,
    ) -> Result<(), Error> {
        match self.call.function {
            Function::CountValuesOverTime => self.count_values(labels, rows, result),
            Function::QuantilesOverTime => {
                for phis in &self.call.scalars {
                    let scalars = vec![phis.clone()];
                    let call = RangeCall {
                        function: Function::QuantileOverTime,
                        scalars,
                        ..self.call.clone()
                    };
                    let phi = phis.first().copied().unwrap_or(f64::NAN);
                    let labels = with(labels, self.label(), &general(phi));
                    push(labels, &row_of(&call, rows, context)?, result);
                }
            }
            Function::AggrOverTime => {
                for name in &self.texts {
                    let function = aggregated(name)?;
                    let call = RangeCall { function, scalars: Vec::new(), ..self.call.clone() };
                    let row = row_of(&call, rows, context)?;
                    push(with(labels, ROLLUP, name), &row, result);
                }
            }
            Function::HistogramOverTime => self.histogram(labels, rows, result),
            _ => self.rollup(labels, rows, result)?,
        }
        Ok(())
    }

    fn label(&self) -> &str {
        self.texts.first().map_or("", String::as_str)
    }

    fn count_values(&self, labels: &Labels, rows: &SeriesRows, result: &mut Matrix) {
        let steps = self.call.steps.count;
        let mut counts: BTreeMap<String, Row> = BTreeMap::new();
        for_each_window(&self.call, rows, |window| {
            for value in window.values {
                let row = counts.entry(plain(*value)).or_insert_with(|| Row::new(steps));
                let count = row.as_ref().float(window.step).unwrap_or(0.0);
                row.set(window.step, count + 1.0);
            }
        });
        for (value, row) in &counts {
            push(with(labels, self.label(), value), row, result);
        }
    }

    fn histogram(&self, labels: &Labels, rows: &SeriesRows, result: &mut Matrix) {
        let mut row = Row::new(self.call.steps.count);
        for_each_window(&self.call, rows, |window| {
            if let Some(histogram) = histogram_of(window.values) {
                row.set_histogram(window.step, Arc::new(histogram));
            }
        });
        push(labels.clone(), &row, result);
    }

    fn rollup(&self, labels: &Labels, rows: &SeriesRows, result: &mut Matrix) -> Result<(), Error> {
        let names = if self.call.function == Function::RollupCandlestick {
            &["open", "close", "low", "high"][..]
        } else {
            &["min", "max", "avg"][..]
        };
        if let Some(wanted) = self.texts.first()
            && !names.contains(&wanted.as_str())
        {
            return Err(Error::Choice { wanted: wanted.clone(), known: names.join(", ") });
        }
        let mut rows_of: Vec<Row> = names.iter().map(|_| Row::new(self.call.steps.count)).collect();
        for_each_window(&self.call, rows, |window| {
            let Some(values) = self.values(&window) else { return };
            for (row, value) in rows_of.iter_mut().zip(values) {
                row.set(window.step, value);
            }
        });
        for (name, row) in names.iter().zip(&rows_of) {
            match self.texts.first() {
                None => push(with(labels, ROLLUP, name), row, result),
                Some(wanted) if wanted == name => push(labels.clone(), row, result),
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// The values of a window, in the order of their names.
    #[expect(clippy::cast_precision_loss, reason = "counts and times in ms are below 2^53")]
    fn values(&self, window: &Window<'_>) -> Option<Vec<f64>> {
        use Function as F;
        let reached = Reached::new(&self.call, window);
        let points = reached.points();
        let pairs = || {
            points.windows(2).filter_map(|pair| match pair {
                [(from, a), (to, b)] => Some(((to - from) as f64 / 1000.0, *a, *b)),
                _ => None,
            })
        };
        let values: Vec<f64> = match self.call.function {
            F::Rollup => reached.values.to_vec(),
            F::RollupRate => pairs().map(|(seconds, a, b)| gain(a, b) / seconds).collect(),
            F::RollupIncrease => pairs().map(|(_, a, b)| gain(a, b)).collect(),
            F::RollupDelta => pairs().map(|(_, a, b)| b - a).collect(),
            F::RollupDeriv => pairs().map(|(seconds, a, b)| (b - a) / seconds).collect(),
            F::RollupScrapeInterval => pairs().map(|(seconds, ..)| seconds).collect(),
            // Candles share no row: what lies on the right edge is the next one's.
            _ => points
                .iter()
                .filter(|(time, _)| *time >= reached.start && *time < reached.end)
                .map(|(_, value)| *value)
                .collect(),
        };
        let (open, close) = (*values.first()?, *values.last()?);
        let (low, high) = extremes(&values);
        if self.call.function == F::RollupCandlestick {
            return Some(vec![open, close, low, high]);
        }
        Some(vec![low, high, sum(values.iter().copied()) / values.len() as f64])
    }
}

/// What one function makes of the rows.
fn row_of(call: &RangeCall, rows: &SeriesRows, context: &mut Context<'_>) -> Result<Row, Error> {
    let mut row = Row::new(call.steps.count);
    evaluate_one(call, rows, context, &mut row)?;
    Ok(row)
}

/// Adds a series that has values.
fn push(labels: Labels, row: &Row, result: &mut Matrix) {
    if !row.is_empty() {
        result.push(labels, true, row.as_ref());
    }
}

/// A function that `aggr_over_time` takes: of a window, without other arguments.
fn aggregated(name: &str) -> Result<Function, Error> {
    let alias = || Function::ALIASES.iter().find(|(alias, _)| *alias == name);
    Function::named(name)
        .or_else(|| alias().map(|(_, function)| *function))
        .filter(|function| {
            let arguments = function.signature().arguments;
            let is_of_window = arguments.len() == 1
                && arguments.iter().all(|it| it.value_type == query_lang::ValueType::RangeVector);
            is_of_window && !yields_several(*function) && *function != Function::AbsentOverTime
        })
        .ok_or_else(|| Error::Choice {
            wanted: name.to_owned(),
            known: "functions of a window alone, as min_over_time".to_owned(),
        })
}

//! A function over windows, ready to run over the rows of one series after the other.

use std::sync::Arc;

use query_lang::{Edges, Function};

use super::bare::reach;
use super::{before, changes, extended, irate, over_time, rate, regression, values};
use crate::model::Histogram;
use crate::query::annotations::{Annotations, Note, Place};
use crate::query::error::Error;
use crate::query::matrix::Row;
use crate::query::rows::SeriesRows;
use crate::query::steps::{Steps, Windows, last_nano};

/// A function and all it needs but rows.
#[derive(Clone)]
pub(crate) struct RangeCall {
    /// The function.
    pub function: Function,
    /// When it is evaluated.
    pub steps: Steps,
    /// Which window each step has.
    pub windows: Windows,
    /// How their edges are treated.
    pub edges: Edges,
    /// How far rows beyond the edges may be, ms.
    pub lookback: i64,
    /// Other arguments, a number a step each.
    pub scalars: Vec<Vec<f64>>,
    /// Where the first argument stands.
    pub place: Place,
}

impl RangeCall {
    /// The windows with the rows beyond their edges that the function looks at.
    pub(crate) fn reach(&self) -> Windows {
        if before::looks_before(self.function) {
            return self.windows.widen(self.lookback, 0);
        }
        reach(self.windows, self.edges, self.lookback)
    }

    /// Whether it looks at start timestamps.
    pub(crate) fn reads_starts(&self) -> bool {
        matches!(
            self.function,
            Function::Rate | Function::Irate | Function::Increase | Function::Resets
        )
    }

    /// Whether the result keeps the metric's name: the functions that only move a value in time.
    pub(crate) fn keeps_name(&self) -> bool {
        matches!(
            self.function,
            Function::LastOverTime
                | Function::FirstOverTime
                | Function::DefaultRollup
                | Function::TimestampWithName
        )
    }

    /// Whether stale markers are rows.
    pub(crate) fn keeps_stale(&self) -> bool {
        matches!(self.function, Function::StaleSamplesOverTime | Function::DefaultRollup)
    }

    /// The length of the window in seconds.
    #[expect(clippy::cast_precision_loss, reason = "ranges are far below 2^53 ms")]
    pub(crate) fn seconds(&self) -> f64 {
        self.windows.length as f64 / 1000.0
    }
}

/// Whom a function tells what it noticed.
pub(crate) struct Context<'a> {
    /// The metric's name, made only where something is to be said.
    pub metric: &'a dyn Fn() -> String,
    /// Where it is said.
    pub notes: &'a mut Annotations,
    /// Where the argument stands.
    pub place: Place,
}

impl Context<'_> {
    /// Notes something of the argument.
    pub(crate) fn note(&mut self, note: Note) {
        self.notes.add(note, self.place);
    }

    /// Notes something of the metric.
    pub(crate) fn note_metric(&mut self, note: impl FnOnce(String) -> Note) {
        let metric = (self.metric)();
        self.note(note(metric));
    }
}

/// Some rows of a series.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window<'a> {
    /// Which step.
    pub step: usize,
    /// Its time, ms.
    pub at: i64,
    /// The ms before the window.
    pub start: i64,
    /// Its last ms.
    pub end: i64,
    /// Index of the first float among all of the series.
    pub first: usize,
    /// Times of floats, ns.
    pub times: &'a [i64],
    /// Floats.
    pub values: &'a [f64],
    /// Their start timestamps, ns; empty where all are unknown.
    pub starts: &'a [i64],
    /// Times of histograms, ns.
    pub histogram_times: &'a [i64],
    /// Histograms.
    pub histograms: &'a [Arc<Histogram>],
    /// Their start timestamps, ns; empty where all are unknown.
    pub histogram_starts: &'a [i64],
}

impl Window<'_> {
    /// Rows of both kinds.
    pub(crate) fn len(&self) -> usize {
        self.times.len() + self.histogram_times.len()
    }

    /// Whether it holds floats and histograms.
    pub(crate) fn is_mixed(&self) -> bool {
        !self.times.is_empty() && !self.histogram_times.is_empty()
    }
}

/// Hands each window that has rows to `each`, in order.
///
/// Both edges only ever move forward, so all windows together cost rows + steps.
#[inline]
pub(crate) fn for_each_window(
    call: &RangeCall,
    rows: &SeriesRows,
    mut each: impl FnMut(Window<'_>),
) {
    let reach = call.reach();
    let [mut low, mut high, mut h_low, mut h_high] = [0_usize; 4];
    for step in 0..call.steps.count {
        let before = last_nano(reach.start(step));
        let end = last_nano(reach.end(step));
        advance(&mut low, &rows.times, before);
        advance(&mut high, &rows.times, end);
        if !rows.histogram_times.is_empty() {
            advance(&mut h_low, &rows.histogram_times, before);
            advance(&mut h_high, &rows.histogram_times, end);
        }
        if high <= low && h_high <= h_low {
            continue;
        }
        each(Window {
            step,
            at: call.steps.time(step),
            start: call.windows.start(step),
            end: call.windows.end(step),
            first: low,
            times: rows.times.get(low..high).unwrap_or_default(),
            values: rows.values.get(low..high).unwrap_or_default(),
            starts: rows.starts.get(low..high).unwrap_or_default(),
            histogram_times: rows.histogram_times.get(h_low..h_high).unwrap_or_default(),
            histograms: rows.histograms.get(h_low..h_high).unwrap_or_default(),
            histogram_starts: rows.histogram_starts.get(h_low..h_high).unwrap_or_default(),
        });
    }
}

/// Moves `index` past all times up to `time`.
#[inline]
fn advance(index: &mut usize, times: &[i64], time: i64) {
    while times.get(*index).is_some_and(|t| *t <= time) {
        *index += 1;
    }
}

/// Evaluates the function at every step over the rows of one series.
///
/// # Errors
/// An argument that the function refuses.
pub(crate) fn evaluate(
    call: &RangeCall,
    rows: &SeriesRows,
    context: &mut Context<'_>,
    out: &mut Row,
) -> Result<(), Error> {
    match call.function {
        Function::Rate | Function::Increase | Function::Delta => {
            if call.edges == Edges::Plain {
                rate::rate(call, rows, context, out);
            } else {
                extended::rate(call, rows, context, out);
            }
        }
        Function::Irate | Function::Idelta => irate::irate(call, rows, context, out),
        Function::Resets | Function::Changes => changes::count(call, rows, out),
        Function::Deriv | Function::PredictLinear => {
            regression::line(call, rows, context, out);
        }
        Function::DoubleExponentialSmoothing => {
            regression::smooth(call, rows, context, out)?;
        }
        _ if values::evaluate(call, rows, context, out) => {}
        _ if before::evaluate(call, rows, context, out) => {}
        _ => over_time::evaluate(call, rows, context, out),
    }
    Ok(())
}

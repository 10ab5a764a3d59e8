//! `rate`, `increase`, `delta`: the difference over a window, extrapolated to its edges.
//!
//! The steps and their order are those of Prometheus' `extrapolatedRate`.

use std::sync::Arc;

use query_lang::Function;

use super::call::{Context, RangeCall, Window, for_each_window};
use super::histogram_rate::{add_into, histogram_rate};
use crate::math::histogram::multiply;
use crate::math::{StartedAt, is_start_reset, starts_overlap};
use crate::model::{Histogram, TierRow};
use crate::query::annotations::Note;
use crate::query::matrix::Row;
use crate::query::rows::SeriesRows;
use crate::query::steps::to_millis;

/// Evaluates at every step.
pub(super) fn rate(call: &RangeCall, rows: &SeriesRows, context: &mut Context<'_>, out: &mut Row) {
    let is_counter = call.function != Function::Delta;
    let mut falls = is_counter.then(|| Falls::find(rows));
    for_each_window(call, rows, |window| {
        if window.is_mixed() {
            context.note_metric(Note::MixedRange);
        } else if window.times.is_empty() {
            if let Some(histogram) = histogram_increase(call, &window, is_counter, context) {
                out.set_histogram(window.step, Arc::new(histogram));
            }
        } else if let Some(value) = float_increase(call, &window, falls.as_mut(), context) {
            out.set(window.step, value);
        }
    });
}

/// Rows at which a counter began anew, or whose start contradicts the row before: by index, rising.
#[derive(Debug, Default)]
struct Falls {
    resets: Vec<usize>,
    /// The first reset that may lie within the window.
    next: usize,
    overlaps: Vec<usize>,
}

impl Falls {
    fn find(rows: &SeriesRows) -> Self {
        let pairs = rows.values.iter().zip(rows.values.iter().skip(1));
        if rows.starts.is_empty() {
            // Nearly always there is none, and this loop becomes vector code.
            let count = pairs.clone().fold(0_usize, |count, (a, b)| count + usize::from(b < a));
            if count == 0 {
                return Self::default();
            }
            let resets = pairs.enumerate().filter(|(_, (a, b))| b < a).map(|(i, _)| i + 1);
            return Self { resets: resets.collect(), ..Self::default() };
        }
        let mut falls = Self::default();
        for (i, (previous, current)) in pairs.enumerate() {
            let (Some(before), Some(now)) = (started(rows, i), started(rows, i + 1)) else {
                continue;
            };
            if current < previous || is_start_reset(before, now) {
                falls.resets.push(i + 1);
            }
            if starts_overlap(before, now) {
                falls.overlaps.push(i + 1);
            }
        }
        falls
    }
}

fn started(rows: &SeriesRows, i: usize) -> Option<StartedAt> {
    Some(StartedAt { start: to_millis(*rows.starts.get(i)?), time: to_millis(*rows.times.get(i)?) })
}

#[inline]
fn float_increase(
    call: &RangeCall,
    window: &Window<'_>,
    falls: Option<&mut Falls>,
    context: &mut Context<'_>,
) -> Option<f64> {
    let (first, last) = (*window.values.first()?, *window.values.last()?);
    let mut increase = last - first;
    let is_counter = falls.is_some();
    if let Some(falls) = falls {
        // The row before a fall is in the window too, else the fall is none of it.
        while falls.resets.get(falls.next).is_some_and(|fall| *fall <= window.first) {
            falls.next += 1;
        }
        for fall in falls.resets.get(falls.next..).unwrap_or_default() {
            let Some(before) = window.values.get(fall - 1 - window.first) else { break };
            if fall - window.first >= window.values.len() {
                break;
            }
            increase += before;
        }
        if !falls.overlaps.is_empty() {
            let end = window.first + window.values.len();
            let next = falls.overlaps.partition_point(|overlap| *overlap <= window.first);
            if falls.overlaps.get(next).is_some_and(|overlap| *overlap < end) {
                context.note_metric(Note::StartOverlap);
            }
        }
    }
    let mut sampled = Sampled::new(window.times, window.starts.first().copied())?;
    let factor =
        sampled.factor_of_float(Gain::of(call, window, is_counter), first, &mut increase)?;
    Some(increase * factor)
}

fn histogram_increase(
    call: &RangeCall,
    window: &Window<'_>,
    is_counter: bool,
    context: &mut Context<'_>,
) -> Option<Histogram> {
    let first = window.histograms.first()?;
    let mut increase = None;
    if window.histograms.len() > 1 {
        increase = Some(histogram_rate(window, is_counter, context)?);
    }
    let start = window.histogram_starts.first().copied();
    let mut sampled = Sampled::new(window.histogram_times, start)?;
    let gain = Gain::of(call, window, is_counter);
    let factor = sampled.factor_of_histogram(gain, first, &mut increase, context)?;
    let mut increase = increase?;
    multiply(&mut increase, factor);
    Some(increase)
}

/// From where to where a difference is extrapolated.
#[derive(Clone, Copy)]
pub(crate) struct Gain {
    /// The ms before the window.
    pub start: i64,
    /// Its last ms.
    pub end: i64,
    /// Whether it only rises, or begins anew.
    pub is_counter: bool,
    /// By how many seconds it is divided.
    pub per: Option<f64>,
}

impl Gain {
    #[inline]
    fn of(call: &RangeCall, window: &Window<'_>, is_counter: bool) -> Self {
        let per = (call.function == Function::Rate).then(|| call.seconds());
        Self { start: window.start, end: window.end, is_counter, per }
    }
}

/// What extrapolation wants of the values.
enum Ask {
    /// The counter started within the window: its first value counts too.
    AddFirst,
    /// How many sampled intervals before the first row the counter was at zero.
    ZeroShare,
}

/// Where the rows of a window lie.
pub(crate) struct Sampled {
    first: i64,
    last: i64,
    /// Rows but one.
    intervals: u64,
    start: i64,
}

impl Sampled {
    fn new(times: &[i64], start: Option<i64>) -> Option<Self> {
        Some(Self {
            first: to_millis(*times.first()?),
            last: to_millis(*times.last()?),
            intervals: times.len() as u64 - 1,
            start: to_millis(start.unwrap_or(0)),
        })
    }

    /// Of the first and the last of `count` rows.
    pub(crate) fn of<V>(first: &TierRow<V>, last: &TierRow<V>, count: u64) -> Self {
        Self {
            first: to_millis(first.time),
            last: to_millis(last.time),
            intervals: count.saturating_sub(1),
            start: to_millis(first.start),
        }
    }

    /// What an increase between rows is to be multiplied with; the first value may have to be added.
    #[inline]
    pub(crate) fn factor_of_float(
        &mut self,
        gain: Gain,
        first: f64,
        increase: &mut f64,
    ) -> Option<f64> {
        self.factor(gain, &mut |ask| match ask {
            Ask::AddFirst => {
                *increase += first;
                0.0
            }
            Ask::ZeroShare if *increase > 0.0 && first >= 0.0 => first / *increase,
            Ask::ZeroShare => f64::INFINITY,
        })
    }

    /// The same of histograms; where layouts do not combine no increase is left.
    pub(crate) fn factor_of_histogram(
        &mut self,
        gain: Gain,
        first: &Histogram,
        increase: &mut Option<Histogram>,
        context: &mut Context<'_>,
    ) -> Option<f64> {
        let mut failed = false;
        let factor = self.factor(gain, &mut |ask| match ask {
            Ask::AddFirst => {
                match &mut *increase {
                    None => *increase = Some(first.clone()),
                    Some(sum) => failed = !add_into(sum, first, context),
                }
                0.0
            }
            Ask::ZeroShare => match &*increase {
                Some(increase) if increase.count > 0.0 && first.count >= 0.0 => {
                    first.count / increase.count
                }
                _ => f64::INFINITY,
            },
        });
        if failed {
            *increase = None;
        }
        factor
    }

    /// What the increase between the rows is to be multiplied with. None where there are too few.
    #[inline]
    #[expect(clippy::cast_precision_loss, reason = "ms within a window are below 2^53")]
    fn factor(&mut self, gain: Gain, ask: &mut dyn FnMut(Ask) -> f64) -> Option<f64> {
        let mut to_start = self.first.saturating_sub(gain.start) as f64 / 1000.0;
        let mut to_end = gain.end.saturating_sub(self.last) as f64 / 1000.0;
        let mut sampled = self.last.saturating_sub(self.first) as f64 / 1000.0;
        let mut average = 0.0;
        if self.intervals > 0 {
            average = sampled / self.intervals as f64;
        }
        // Rows that come a little late still count as steady.
        let threshold = average * 1.1;
        let starts_within = self.start != 0 && self.start > gain.start && self.start < self.first;
        if gain.is_counter && starts_within {
            to_start = 0.0;
            sampled = self.last.saturating_sub(self.start) as f64 / 1000.0;
            ask(Ask::AddFirst);
        } else if self.intervals == 0 {
            return None;
        } else {
            if to_start >= threshold {
                to_start = average / 2.0;
            }
            if gain.is_counter {
                let to_zero = sampled * ask(Ask::ZeroShare);
                if to_zero < to_start {
                    to_start = to_zero;
                }
            }
        }
        if to_end >= threshold {
            to_end = average / 2.0;
        }
        let mut factor = 1.0;
        if sampled != 0.0 {
            factor = (sampled + to_start + to_end) / sampled;
        }
        if let Some(seconds) = gain.per {
            factor /= seconds;
        }
        Some(factor)
    }
}

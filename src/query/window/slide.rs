//! Aggregations that slide: what a window shares with the one before is not computed again.
//!
//! Nothing is ever taken out of a float by subtraction. Extremes keep a queue of candidates, quantiles
//! a sorted window, and long sums two stacks of partials (Tangwongsan et al., "General Incremental
//! Sliding-Window Aggregation", VLDB 2015, section 3).

use std::collections::VecDeque;

use query_lang::Function;

use super::call::{RangeCall, Window, for_each_window};
use crate::math::{Compensated, Mean, nan_first, quantile_of_sorted};
use crate::query::matrix::Row;
use crate::query::rows::SeriesRows;

/// Windows of fewer rows are folded row by row at each step, as Prometheus does, bit for bit.
const FOLDED_ROWS: usize = 64;

/// `min_over_time`, `max_over_time`: NaN only where all values are.
pub(super) fn extremes(call: &RangeCall, rows: &SeriesRows, out: &mut Row) {
    let is_min = call.function == Function::MinOverTime;
    // Indexes of values that may yet be the extreme, best first.
    let mut queue: VecDeque<usize> = VecDeque::new();
    let mut next = 0;
    for_each_window(call, rows, |window| {
        if window.times.is_empty() {
            return;
        }
        let end = window.first + window.times.len();
        next = next.max(window.first);
        let value = |i: usize| rows.values.get(i).copied().unwrap_or(f64::NAN);
        while next < end {
            let new = value(next);
            let loses = |old: f64| old.is_nan() || if is_min { new < old } else { new > old };
            while queue.back().is_some_and(|last| loses(value(*last))) {
                queue.pop_back();
            }
            queue.push_back(next);
            next += 1;
        }
        while queue.front().is_some_and(|first| *first < window.first) {
            queue.pop_front();
        }
        if let Some(best) = queue.front() {
            out.set(window.step, value(*best));
        }
    });
}

/// `quantile_over_time`: the window kept sorted.
pub(super) fn quantiles(call: &RangeCall, rows: &SeriesRows, out: &mut Row) {
    let mut sorted: Vec<f64> = Vec::new();
    let (mut low, mut high) = (0, 0);
    for_each_window(call, rows, |window| {
        if window.times.is_empty() {
            return;
        }
        let end = window.first + window.times.len();
        if window.first >= high || window.times.len() < FOLDED_ROWS {
            sorted.clear();
            sorted.extend_from_slice(window.values);
            sorted.sort_unstable_by(nan_first);
        } else {
            for value in rows.values.get(low..window.first).unwrap_or_default() {
                if let Ok(at) = sorted.binary_search_by(|other| nan_first(other, value)) {
                    sorted.remove(at);
                }
            }
            for value in rows.values.get(high..end).unwrap_or_default() {
                let at = sorted
                    .binary_search_by(|other| nan_first(other, value))
                    .unwrap_or_else(|at| at);
                sorted.insert(at, *value);
            }
        }
        (low, high) = (window.first, end);
        let q = call.scalars.first().and_then(|values| values.get(window.step));
        out.set(window.step, quantile_of_sorted(q.copied().unwrap_or(f64::NAN), &sorted));
    });
}

/// The sum or the mean of values, as Prometheus folds them.
pub(super) fn total_of(values: &[f64], function: Function) -> f64 {
    if function == Function::AvgOverTime {
        let Some((first, others)) = values.split_first() else { return f64::NAN };
        let mut mean = Mean::new(*first);
        for value in others {
            mean.add(*value);
        }
        return mean.value();
    }
    let mut sum = Compensated::default();
    for value in values {
        sum.add(*value);
    }
    sum.value()
}

/// `sum_over_time`, `avg_over_time`.
pub(super) fn totals(call: &RangeCall, rows: &SeriesRows, out: &mut Row) {
    let mut stacks = Stacks::default();
    let mut end_before = 0;
    for_each_window(call, rows, |window| {
        let shares = window.first < end_before
            && (end_before - window.first) * 2 > window.times.len()
            && window.times.len() >= FOLDED_ROWS;
        end_before = window.first + window.times.len();
        let value = if shares {
            stacks.total(&window, rows, call.function)
        } else {
            total_of(window.values, call.function)
        };
        out.set(window.step, value);
    });
}

/// Partials of a window: of its older rows one from each row on, of its newer rows one of all.
#[derive(Default)]
struct Stacks {
    /// Rows that `newer` ends with.
    end: usize,
    /// Where `older` ends and `newer` begins.
    middle: usize,
    /// For each row before the middle, last first, the mean of it and all up to the middle.
    older: Vec<Mean>,
    newer: Option<Mean>,
}

impl Stacks {
    fn total(&mut self, window: &Window<'_>, rows: &SeriesRows, function: Function) -> f64 {
        let end = window.first + window.times.len();
        if window.first >= self.middle || self.end < window.first {
            self.turn(window.first, end, rows);
        }
        for value in rows.values.get(self.end..end).unwrap_or_default() {
            push(&mut self.newer, *value);
        }
        self.end = end;
        let mut total =
            self.middle.checked_sub(window.first + 1).and_then(|i| self.older.get(i)).copied();
        match (&mut total, self.newer) {
            (Some(older), Some(newer)) => older.merge(newer),
            (None, newer) => total = newer,
            (Some(_), None) => {}
        }
        let total = total.unwrap_or(Mean::new(f64::NAN));
        if function == Function::AvgOverTime { total.value() } else { total.sum() }
    }

    /// Makes all rows of the window older ones.
    fn turn(&mut self, first: usize, end: usize, rows: &SeriesRows) {
        self.older.clear();
        self.newer = None;
        self.middle = end;
        self.end = end;
        let mut partial = None;
        for value in rows.values.get(first..end).unwrap_or_default().iter().rev() {
            push(&mut partial, *value);
            self.older.extend(partial);
        }
    }
}

fn push(mean: &mut Option<Mean>, value: f64) {
    match mean {
        Some(mean) => mean.add(value),
        None => *mean = Some(Mean::new(value)),
    }
}

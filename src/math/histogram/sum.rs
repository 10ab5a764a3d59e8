//! Histograms added up: compensated in every bucket, layouts brought together on the way.
//!
//! Two exponential histograms meet in the coarser schema and the wider zero bucket, two custom ones in
//! the bounds they share. Exponential and custom ones do not add.
//! The rules are those of Prometheus (`model/histogram/float_histogram.go`, `KahanAdd`).

use std::cmp::Ordering;

use super::bounds::{coarser_index, exponential};
use super::buckets::{indexed, to_spans};
use crate::math::Compensated;
use crate::model::{CUSTOM_BUCKETS_SCHEMA, Histogram, ResetHint, Span};

/// An exponential and a custom histogram cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a histogram of exponential and one of custom buckets do not combine")]
pub struct Incompatible;

/// What had to be put up with to add two histograms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Joined {
    /// One said that its counter was reset, the other that it was not.
    pub hints_collide: bool,
    /// Custom bounds differed; only those that both have are left.
    pub bounds_reconciled: bool,
}

/// One bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Slot {
    index: i32,
    count: Compensated,
}

/// A running sum of histograms.
#[derive(Clone, Debug, PartialEq)]
pub struct HistogramSum {
    hint: ResetHint,
    schema: i8,
    threshold: f64,
    zero: Compensated,
    count: Compensated,
    sum: Compensated,
    positive: Vec<Slot>,
    negative: Vec<Slot>,
    bounds: Vec<f64>,
}

impl HistogramSum {
    /// The sum of one.
    pub fn new(histogram: &Histogram) -> Self {
        Self {
            hint: histogram.reset_hint,
            schema: histogram.schema,
            threshold: histogram.zero_threshold,
            zero: Compensated::new(histogram.zero_count),
            count: Compensated::new(histogram.count),
            sum: Compensated::new(histogram.sum),
            positive: slots(&histogram.positive_spans, &histogram.positive),
            negative: slots(&histogram.negative_spans, &histogram.negative),
            bounds: histogram.custom_values.clone(),
        }
    }

    /// Adds a histogram.
    ///
    /// # Errors
    /// [`Incompatible`]; the sum is then as before.
    pub fn add(&mut self, other: &Histogram) -> Result<Joined, Incompatible> {
        self.join(Self::new(other))
    }

    /// Subtracts a histogram.
    ///
    /// # Errors
    /// [`Incompatible`]; the sum is then as before.
    pub fn subtract(&mut self, other: &Histogram) -> Result<Joined, Incompatible> {
        let mut other = Self::new(other);
        other.each(|value| value.scale(-1.0));
        self.join(other)
    }

    /// Adds the histograms that another sum was made of.
    ///
    /// # Errors
    /// [`Incompatible`]; the sum is then as before.
    pub fn merge(&mut self, other: Self) -> Result<Joined, Incompatible> {
        self.join(other)
    }

    /// Multiplies everything.
    pub fn scale(&mut self, factor: f64) {
        self.each(|value| value.scale(factor));
    }

    /// Divides everything.
    pub fn divide(&mut self, divisor: f64) {
        self.each(|value| value.divide(divisor));
    }

    /// Whether a count or the sum became infinite.
    pub fn overflows(&self) -> bool {
        let buckets = self.positive.iter().chain(&self.negative).map(|slot| slot.count);
        [self.zero, self.count, self.sum].into_iter().chain(buckets).any(|v| v.sum.is_infinite())
    }

    /// The sum, with what rounding lost.
    pub fn finish(self) -> Histogram {
        self.into_histogram(Compensated::value)
    }

    /// The sum as plain addition would have it.
    pub(super) fn finish_plain(self) -> Histogram {
        self.into_histogram(|value| value.sum)
    }

    fn into_histogram(self, value: impl Fn(Compensated) -> f64) -> Histogram {
        let side = |slots: &[Slot]| to_spans(slots.iter().map(|s| (s.index, value(s.count))));
        let (positive_spans, positive) = side(&self.positive);
        let (negative_spans, negative) = side(&self.negative);
        Histogram {
            is_integer: false,
            reset_hint: self.hint,
            schema: self.schema,
            zero_threshold: self.threshold,
            zero_count: value(self.zero),
            count: value(self.count),
            sum: value(self.sum),
            positive_spans,
            negative_spans,
            positive,
            negative,
            custom_values: self.bounds,
        }
    }

    fn each(&mut self, change: impl Fn(&mut Compensated)) {
        let buckets = self.positive.iter_mut().chain(&mut self.negative);
        [&mut self.zero, &mut self.count, &mut self.sum]
            .into_iter()
            .chain(buckets.map(|slot| &mut slot.count))
            .for_each(change);
    }

    fn is_custom(&self) -> bool {
        self.schema == CUSTOM_BUCKETS_SCHEMA
    }

    fn join(&mut self, mut other: Self) -> Result<Joined, Incompatible> {
        if self.is_custom() != other.is_custom() {
            return Err(Incompatible);
        }
        let hints_collide = self.adjust_hint(other.hint);
        let mut bounds_reconciled = false;
        if self.is_custom() {
            if self.bounds != other.bounds {
                bounds_reconciled = true;
                let shared = shared_bounds(&self.bounds, &other.bounds);
                self.positive = to_bounds(&self.positive, &self.bounds, &shared);
                other.positive = to_bounds(&other.positive, &other.bounds, &shared);
                self.bounds = shared;
            }
        } else {
            self.reconcile_zero(&mut other);
            self.zero.merge(other.zero);
            let schema = self.schema.min(other.schema);
            // Before buckets become coarser: a coarse one may reach out of the zero bucket.
            other.drop_within_zero(self.threshold);
            self.reduce(schema);
            other.reduce(schema);
        }
        self.count.merge(other.count);
        self.sum.merge(other.sum);
        add_slots(&mut self.positive, &other.positive);
        add_slots(&mut self.negative, &other.negative);
        Ok(Joined { hints_collide, bounds_reconciled })
    }

    /// True where one hint says reset and the other says not.
    fn adjust_hint(&mut self, other: ResetHint) -> bool {
        let (joined, collide) = join_hints(self.hint, other);
        self.hint = joined;
        collide
    }

    /// Widens the zero buckets of both until they are equally wide and cut no populated bucket.
    fn reconcile_zero(&mut self, other: &mut Self) {
        while self.threshold < other.threshold || other.threshold < self.threshold {
            if other.threshold < self.threshold {
                (other.zero, other.threshold) = other.zero_for(self.threshold);
                other.drop_within_zero_edges();
            }
            if self.threshold < other.threshold {
                (self.zero, self.threshold) = self.zero_for(other.threshold);
                self.drop_within_zero_edges();
            }
        }
    }

    /// The zero bucket if it reached to `threshold`, or beyond, to the end of a populated bucket there.
    pub(super) fn zero_for(&self, mut threshold: f64) -> (Compensated, f64) {
        'widen: loop {
            let mut zero = self.zero;
            for (side, is_positive) in [(&self.positive, true), (&self.negative, false)] {
                for slot in side {
                    if exponential(slot.index.saturating_sub(1), self.schema) >= threshold {
                        break;
                    }
                    zero.merge(slot.count);
                    let upper = exponential(slot.index, self.schema);
                    if upper > threshold {
                        if slot.count.sum != 0.0 {
                            threshold = upper;
                            if !is_positive {
                                // The positive side was counted up to the old threshold.
                                continue 'widen;
                            }
                        }
                        break;
                    }
                }
            }
            return (zero, threshold);
        }
    }

    /// Drops buckets that begin within the zero bucket; their counts are in it.
    fn drop_within_zero_edges(&mut self) {
        let (schema, threshold) = (self.schema, self.threshold);
        let begins_outside =
            |slot: &Slot| exponential(slot.index.saturating_sub(1), schema) >= threshold;
        self.positive.retain(begins_outside);
        self.negative.retain(begins_outside);
    }

    /// Drops buckets that end within a zero bucket of `threshold`.
    fn drop_within_zero(&mut self, threshold: f64) {
        let schema = self.schema;
        let ends_outside = |slot: &Slot| exponential(slot.index, schema) > threshold;
        self.positive.retain(ends_outside);
        self.negative.retain(ends_outside);
    }

    /// Merges buckets to a coarser schema.
    pub(super) fn reduce(&mut self, schema: i8) {
        if schema >= self.schema {
            return;
        }
        let from = self.schema;
        for side in [&mut self.positive, &mut self.negative] {
            for slot in side.iter_mut() {
                slot.index = coarser_index(slot.index, from, schema);
            }
            side.dedup_by(|next, kept| {
                let is_same = next.index == kept.index;
                if is_same {
                    kept.count.merge(next.count);
                }
                is_same
            });
        }
        self.schema = schema;
    }
}

/// The hint of a sum, and whether the two contradict each other.
pub(super) fn join_hints(a: ResetHint, b: ResetHint) -> (ResetHint, bool) {
    use ResetHint::{Gauge, Unknown};
    match (a, b) {
        _ if a == b => (a, false),
        (Gauge, _) | (_, Gauge) => (Gauge, false),
        (Unknown, _) | (_, Unknown) => (Unknown, false),
        _ => (Unknown, true),
    }
}

fn slots(spans: &[Span], counts: &[f64]) -> Vec<Slot> {
    indexed(spans, counts)
        .map(|(index, count)| Slot { index, count: Compensated::new(count) })
        .collect()
}

/// Bounds that both have.
fn shared_bounds(a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut shared = Vec::new();
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
        match x.partial_cmp(y) {
            Some(Ordering::Equal) => {
                shared.push(**x);
                a.next();
                b.next();
            }
            Some(Ordering::Less) => _ = a.next(),
            _ => _ = b.next(),
        }
    }
    shared
}

/// Custom buckets brought to fewer bounds; empty ones are left out.
fn to_bounds(slots: &[Slot], bounds: &[f64], fewer: &[f64]) -> Vec<Slot> {
    let mut mapped: Vec<Slot> = Vec::with_capacity(fewer.len() + 1);
    for slot in slots {
        let bound = usize::try_from(slot.index).ok().and_then(|i| bounds.get(i));
        let position =
            bound.map_or(fewer.len(), |bound| fewer.partition_point(|shared| shared < bound));
        let index = i32::try_from(position).unwrap_or(i32::MAX);
        match mapped.last_mut() {
            Some(last) if last.index == index => last.count.merge(slot.count),
            _ => mapped.push(Slot { index, count: slot.count }),
        }
    }
    mapped.retain(|slot| slot.count != Compensated::default());
    mapped
}

/// Adds buckets of the same schema.
fn add_slots(to: &mut Vec<Slot>, from: &[Slot]) {
    let is_same_layout = to.len() == from.len()
        && to.iter().zip(from).all(|(mine, theirs)| mine.index == theirs.index);
    if is_same_layout {
        to.iter_mut().zip(from).for_each(|(mine, theirs)| mine.count.merge(theirs.count));
        return;
    }
    let mut merged = Vec::with_capacity(to.len() + from.len());
    let mut from = from.iter().peekable();
    for mine in to.drain(..) {
        while let Some(theirs) = from.next_if(|theirs| theirs.index < mine.index) {
            merged.push(*theirs);
        }
        let mut slot = mine;
        if let Some(theirs) = from.next_if(|theirs| theirs.index == mine.index) {
            slot.count.merge(theirs.count);
        }
        merged.push(slot);
    }
    merged.extend(from);
    *to = merged;
}

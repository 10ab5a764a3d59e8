//! The increase of native histograms between the rows of a window.

use super::call::{Context, Window};
use crate::math::histogram::{
    Incompatible, add, compact, is_custom, is_reset, subtract, to_schema,
};
use crate::math::{StartedAt, is_start_reset, starts_overlap};
use crate::model::{Histogram, ResetHint};
use crate::query::annotations::{Note, Operation};
use crate::query::steps::to_millis;

/// The increase from the first row to the last, made up for resets. None where layouts do not combine.
pub(super) fn histogram_rate(
    window: &Window<'_>,
    is_counter: bool,
    context: &mut Context<'_>,
) -> Option<Histogram> {
    let [first, second, ..] = window.histograms else { return None };
    let last = window.histograms.last()?;
    let is_gauge = |h: &Histogram| h.reset_hint == ResetHint::Gauge;
    if is_counter && window.histograms.iter().any(|h| is_gauge(h)) {
        context.note_metric(Note::NotCounter);
    }
    let mut base = first.as_ref().clone();
    if is_counter && (is_start_reset_at(window, 1) || is_reset(second, first)) {
        // The first row is before the reset: whatever its layout, it does not matter.
        base = Histogram {
            schema: second.schema,
            custom_values: second.custom_values.clone(),
            ..Histogram::default()
        };
    }
    let inner = window.histograms.get(1..window.histograms.len() - 1).unwrap_or_default();
    let custom = is_custom(&base);
    let mixes =
        is_custom(last) != custom || (is_counter && inner.iter().any(|h| is_custom(h) != custom));
    if mixes {
        context.note_metric(Note::MixedSchemas);
        return None;
    }
    let mut schema = last.schema.min(base.schema);
    if is_counter {
        schema = inner.iter().fold(schema, |schema, h| schema.min(h.schema));
    }
    let mut increase = to_schema(last, schema);
    if !subtract_into(&mut increase, &base, context) {
        return None;
    }
    if is_counter {
        let mut previous = &base;
        let mut overlapped = false;
        for (i, current) in window.histograms.iter().enumerate().skip(1) {
            overlapped |= overlaps_at(window, i);
            let resets = is_start_reset_at(window, i) || is_reset(current, previous);
            if resets && !add_into(&mut increase, previous, context) {
                return None;
            }
            previous = current;
        }
        if overlapped {
            context.note_metric(Note::StartOverlap);
        }
    } else if !is_gauge(first) || !is_gauge(last) {
        context.note_metric(Note::NotGauge);
    }
    increase.reset_hint = ResetHint::Gauge;
    compact(&mut increase);
    Some(increase)
}

fn started(window: &Window<'_>, i: usize) -> Option<StartedAt> {
    Some(StartedAt {
        start: to_millis(*window.histogram_starts.get(i)?),
        time: to_millis(*window.histogram_times.get(i)?),
    })
}

fn is_start_reset_at(window: &Window<'_>, i: usize) -> bool {
    started(window, i - 1).zip(started(window, i)).is_some_and(|(a, b)| is_start_reset(a, b))
}

fn overlaps_at(window: &Window<'_>, i: usize) -> bool {
    started(window, i - 1).zip(started(window, i)).is_some_and(|(a, b)| starts_overlap(a, b))
}

/// `sum += other`, told of. False where the layouts do not combine.
pub(super) fn add_into(sum: &mut Histogram, other: &Histogram, context: &mut Context<'_>) -> bool {
    join(sum, add(sum, other), Operation::Addition, context)
}

/// `difference -= other`, told of. False where the layouts do not combine.
pub(super) fn subtract_into(
    difference: &mut Histogram,
    other: &Histogram,
    context: &mut Context<'_>,
) -> bool {
    join(difference, subtract(difference, other), Operation::Subtraction, context)
}

fn join(
    to: &mut Histogram,
    result: Result<(Histogram, crate::math::histogram::Joined), Incompatible>,
    operation: Operation,
    context: &mut Context<'_>,
) -> bool {
    if let Ok((histogram, joined)) = result {
        *to = histogram;
        if joined.bounds_reconciled {
            context.note(Note::BoundsReconciled(operation));
        }
        true
    } else {
        context.note_metric(Note::MixedSchemas);
        false
    }
}

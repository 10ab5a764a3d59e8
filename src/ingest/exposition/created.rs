//! `_created` lines of `OpenMetrics`: when the counters before them began.
//!
//! A metric's samples come together and its `_created` line after them, so the rows since the last
//! such line are looked through backwards. Nothing is kept where a body has no such line.

use super::Sample;
use super::series::{Item, Items, is_number};
use crate::model::{MetricKind, MetricRows};

const SUFFIX: &[u8] = b"_created";

/// Samples of the metric at hand, and where their rows lie.
pub(super) struct Created<'a> {
    is_used: bool,
    recent: Vec<(&'a [u8], usize)>,
}

impl<'a> Created<'a> {
    pub(super) fn of(body: &[u8]) -> Self {
        Self { is_used: memchr::memmem::find(body, SUFFIX).is_some(), recent: Vec::new() }
    }

    /// Notes that `sample` became the row at `row`.
    #[inline]
    pub(super) fn note(&mut self, sample: &Sample<'a>, row: usize) {
        if self.is_used && has_start(sample.kind) {
            self.recent.push((sample.series, row));
        }
    }

    /// Another metric begins.
    pub(super) fn forget(&mut self) {
        self.recent.clear();
    }

    /// Whether `sample` says when the rows before it began; they are told so.
    pub(super) fn is_start(&mut self, sample: &Sample<'a>, rows: &mut MetricRows) -> bool {
        if !self.is_used || !has_start(sample.kind) || !is_created(sample.series) {
            return false;
        }
        if let Some(start) = super::number::seconds_of(sample.value) {
            while let Some((series, row)) = self.recent.pop() {
                if !has_same_labels(series, sample.series, sample.kind) {
                    break;
                }
                rows.set_start(row, start);
            }
        }
        self.recent.clear();
        true
    }
}

fn has_start(kind: MetricKind) -> bool {
    matches!(kind, MetricKind::Counter | MetricKind::Histogram | MetricKind::Summary)
}

fn is_created(series: &[u8]) -> bool {
    let Ok(mut items) = Items::of(series, false) else { return false };
    match items.name {
        Some(name) => name.ends_with(SUFFIX),
        None => matches!(items.next(), Ok(Some(Item::Name(name))) if name.ends_with(SUFFIX)),
    }
}

/// Whether both have the same labels in the same order, buckets and quantiles left aside.
fn has_same_labels(one: &[u8], other: &[u8], kind: MetricKind) -> bool {
    let next = |items: &mut Items<'_>| loop {
        match items.next() {
            Ok(Some(Item::Label(name, _))) if is_number(kind, name) => {}
            Ok(Some(Item::Name(_))) => {}
            Ok(Some(Item::Label(name, value))) => return Some((name.to_vec(), value.to_vec())),
            Ok(None) | Err(_) => return None,
        }
    };
    let (Ok(mut one), Ok(mut other)) = (Items::of(one, false), Items::of(other, false)) else {
        return false;
    };
    loop {
        match (next(&mut one), next(&mut other)) {
            (None, None) => return true,
            (left, right) if left == right => {}
            _ => return false,
        }
    }
}

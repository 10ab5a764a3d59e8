//! Histograms of which only count and sum are wanted.

use std::sync::Arc;

use super::rows::SeriesRows;
use crate::math::histogram::is_reset;
use crate::model::{Histogram, ResetHint, is_stale};

/// The same rows, histograms without buckets. What buckets told of resets stays as hints.
pub(super) fn only_totals(rows: &SeriesRows) -> SeriesRows {
    let mut previous: Option<&Histogram> = None;
    let histograms = rows.histograms.iter().map(|histogram| {
        let mut reset_hint = histogram.reset_hint;
        if !is_stale(histogram.sum) {
            if let (ResetHint::Unknown, Some(previous)) = (reset_hint, previous) {
                reset_hint = if is_reset(histogram, previous) {
                    ResetHint::Reset
                } else {
                    ResetHint::NoReset
                };
            }
            previous = Some(histogram);
        }
        Arc::new(Histogram {
            reset_hint,
            schema: histogram.schema,
            count: histogram.count,
            sum: histogram.sum,
            ..Histogram::default()
        })
    });
    SeriesRows { histograms: histograms.collect(), ..rows.clone() }
}

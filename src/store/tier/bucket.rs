//! Rows to buckets, and buckets of several files to those that hold.

use std::{collections::BTreeSet, sync::Arc};

use crate::math::{float_partial, histogram_partial};
use crate::model::{FloatPartial, Histogram, Partial, Tier, TierRow, is_stale};
use crate::store::rows::SeriesRows;

use super::columns::short_rest;

const NANOS_IN_MILLI: i64 = 1_000_000;

/// A bucket that says that there is nothing, whatever an earlier file says.
pub(in crate::store) fn hole(tier: Tier, until: i64) -> Partial {
    Partial { tier, until, ends_stale: false, floats: None, histograms: None }
}

/// Whether a bucket says nothing.
pub(in crate::store) fn is_hole(bucket: &Partial) -> bool {
    !bucket.ends_stale && bucket.floats.is_none() && bucket.histograms.is_none()
}

/// The buckets of rows; where `wanted` is given only those that end there, and a hole for each of them
/// that has no row.
pub(in crate::store) fn buckets(
    tier: Tier,
    rows: &SeriesRows,
    wanted: Option<&BTreeSet<i64>>,
) -> Vec<Partial> {
    let mut ends: BTreeSet<i64> = BTreeSet::new();
    let all = || rows.times.iter().copied().chain(rows.histograms.iter().map(|point| point.time));
    match wanted {
        Some(wanted) => ends.clone_from(wanted),
        None => all().for_each(|time| {
            // Rows come by time: most are in the bucket of the one before.
            if ends.last().is_none_or(|last| time > *last || time <= last - tier.width()) {
                ends.insert(tier.bucket(time));
            }
        }),
    }
    ends.into_iter().map(|until| bucket(tier, rows, until)).collect()
}

fn bucket(tier: Tier, rows: &SeriesRows, until: i64) -> Partial {
    let after = until.saturating_sub(tier.width());
    let floats = Floats::of(rows, after, until);
    let points: Vec<TierRow<Arc<Histogram>>> = {
        let begin = rows.histograms.partition_point(|point| point.time <= after);
        let end = rows.histograms.partition_point(|point| point.time <= until);
        let points = rows.histograms.get(begin..end).unwrap_or_default();
        let row = |i: usize| points.get(i).map(|point| point.time);
        let is_seen = |i: &usize| is_last_of_milli(row(*i), row(*i + 1));
        let seen = (0..points.len()).filter(is_seen).filter_map(|i| points.get(i));
        seen.map(|p| TierRow { time: p.time, start: p.start, value: Arc::clone(&p.value) })
            .collect()
    };
    let last_point = points.last().map(|point| (point.time, is_stale(point.value.sum)));
    let last = floats.last().max(last_point);
    let kept: Vec<_> = points.into_iter().filter(|row| !is_stale(row.value.sum)).collect();
    Partial {
        tier,
        until,
        ends_stale: last.is_some_and(|(_, is_stale)| is_stale),
        floats: floats.partial(tier),
        histograms: histogram_partial(&kept).map(Box::new),
    }
}

/// Of several rows in one ms the last is seen, as a query sees them.
fn is_last_of_milli(this: Option<i64>, next: Option<i64>) -> bool {
    let milli = |time: i64| time.div_euclid(NANOS_IN_MILLI);
    next.is_none_or(|next| this.map(milli) != Some(milli(next)))
}

/// The floats of one bucket.
struct Floats<'a> {
    times: &'a [i64],
    values: &'a [f64],
    starts: &'a [i64],
}

impl<'a> Floats<'a> {
    fn of(rows: &'a SeriesRows, after: i64, until: i64) -> Self {
        let begin = rows.times.partition_point(|time| *time <= after);
        let end = rows.times.partition_point(|time| *time <= until);
        Self {
            times: rows.times.get(begin..end).unwrap_or_default(),
            values: rows.values.get(begin..end).unwrap_or_default(),
            starts: rows.starts.get(begin..end).unwrap_or_default(),
        }
    }

    fn last(&self) -> Option<(i64, bool)> {
        Some((*self.times.last()?, is_stale(*self.values.last()?)))
    }

    fn partial(&self, tier: Tier) -> Option<FloatPartial> {
        let drops = |i: usize| {
            self.values.get(i).is_some_and(|value| is_stale(*value))
                || !is_last_of_milli(self.times.get(i).copied(), self.times.get(i + 1).copied())
        };
        let partial = if (0..self.times.len()).any(drops) {
            let kept: Vec<usize> = (0..self.times.len()).filter(|i| !drops(*i)).collect();
            let pick = |column: &[i64]| -> Vec<i64> {
                kept.iter().filter_map(|i| column.get(*i).copied()).collect()
            };
            let values: Vec<f64> =
                kept.iter().filter_map(|i| self.values.get(*i).copied()).collect();
            float_partial(&pick(self.times), &values, &pick(self.starts))
        } else {
            float_partial(self.times, self.values, self.starts)
        };
        partial.map(|partial| kept_of(tier, partial))
    }
}

/// What a tier keeps of what is known.
fn kept_of(tier: Tier, mut partial: FloatPartial) -> FloatPartial {
    partial.rest = short_rest(partial.rest);
    if tier == Tier::Minutes5 {
        partial.has_spread = false;
        (partial.squares, partial.products) = (0.0, 0.0);
        (partial.time_sum, partial.time_squares) = (0, 0);
    }
    if partial.sum.is_finite() || tier == Tier::Minutes5 {
        partial.mean = super::columns::mean(partial.count, partial.sum, partial.rest);
    }
    partial
}

/// Takes in the buckets of a later file: of two that end alike the later holds.
pub(in crate::store) fn overlay(earlier: &mut Vec<Partial>, mut later: Vec<Partial>) {
    let is_behind = match (earlier.last(), later.first()) {
        (Some(last), Some(first)) => last.until < first.until,
        _ => true,
    };
    if is_behind {
        earlier.append(&mut later);
        return;
    }
    let is_replaced =
        |until: i64| later.binary_search_by_key(&until, |bucket| bucket.until).is_ok();
    earlier.retain(|bucket| !is_replaced(bucket.until));
    earlier.append(&mut later);
    earlier.sort_by_key(|bucket| bucket.until);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::STALE_BITS;

    const HOUR: i64 = 3_600_000_000_000;

    fn rows(points: &[(i64, f64)]) -> SeriesRows {
        SeriesRows {
            times: points.iter().map(|point| point.0).collect(),
            values: points.iter().map(|point| point.1).collect(),
            ..SeriesRows::default()
        }
    }

    #[test]
    fn a_row_on_the_edge_is_in_the_bucket_that_it_ends() {
        let found = buckets(Tier::Hour1, &rows(&[(1, 1.0), (HOUR, 2.0), (HOUR + 1, 3.0)]), None);
        let counts: Vec<_> = found.iter().map(|bucket| (bucket.until, bucket.count())).collect();
        assert_eq!(counts, [(HOUR, 2), (2 * HOUR, 1)]);
    }

    #[test]
    fn stale_markers_count_for_nothing_but_the_end() {
        let stale = f64::from_bits(STALE_BITS);
        let found = buckets(Tier::Hour1, &rows(&[(5_000_000, 1.0), (9_000_000, stale)]), None);
        let bucket = found.first().unwrap();
        assert_eq!((bucket.count(), bucket.ends_stale), (1, true));
        let wanted = [2 * HOUR].into();
        assert!(is_hole(&buckets(Tier::Hour1, &rows(&[(1, 1.0)]), Some(&wanted))[0]));
    }

    #[test]
    fn of_two_buckets_that_end_alike_the_later_holds() {
        let one = |until, value| buckets(Tier::Hour1, &rows(&[(until, value)]), None);
        let mut all = one(HOUR, 1.0);
        overlay(&mut all, one(3 * HOUR, 3.0));
        overlay(&mut all, one(2 * HOUR, 2.0));
        overlay(&mut all, one(HOUR, 9.0));
        let sums: Vec<f64> = all.iter().filter_map(|it| Some(it.floats?.sum)).collect();
        assert_eq!(sums, [9.0, 2.0, 3.0]);
    }
}

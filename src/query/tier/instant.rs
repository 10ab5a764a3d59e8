//! The newest value at each step, of buckets and the rows behind them.

use std::sync::Arc;

use super::zones::Zones;
use crate::model::Buckets;
use crate::query::matrix::Row;
use crate::query::rows::SeriesRows;
use crate::query::steps::{last_nano, to_millis};
use crate::query::window::{Context, Instant, Stamp, instant_row, stamp_row};

/// What is asked for at each step: the newest value, or its time.
#[derive(Clone, Copy)]
pub(crate) struct Newest<'a> {
    pub(crate) instant: &'a Instant,
    pub(crate) stamp: Option<Stamp>,
}

impl Newest<'_> {
    /// Puts what is asked for. A bucket counts as old as its end: of one that is less than a lookback
    /// or a bucket old the last row is the newest.
    pub(crate) fn evaluate(
        self,
        rows: &SeriesRows,
        zones: &Zones,
        context: &mut Context<'_>,
        out: &mut Row,
    ) {
        match self.stamp {
            None => instant_row(self.instant, rows, out),
            Some(stamp) => stamp_row(self.instant, stamp, rows, out),
        }
        if self.put_buckets(rows, zones, out)
            && let Some(note) = zones.note(false)
        {
            context.note(note);
        }
    }

    /// Puts buckets where no row is newer; whether there was any.
    fn put_buckets(self, rows: &SeriesRows, zones: &Zones, out: &mut Row) -> bool {
        let Self { instant, stamp } = self;
        let mut is_used = false;
        let (mut next, mut behind, mut behind_histograms) = (0, 0, 0);
        for step in 0..instant.steps.count {
            let end = last_nano(instant.windows.end(step));
            while rows.buckets.untils.get(next).is_some_and(|until| *until <= end) {
                next += 1;
            }
            let window = zones.move_window(instant.windows.end(step), instant.windows.length);
            let Some(window) = window else { break };
            // Any row behind the buckets is newer than all of them, and stale markers end a series.
            for (times, count) in
                [(&rows.times, &mut behind), (&rows.histogram_times, &mut behind_histograms)]
            {
                while times.get(*count).is_some_and(|time| *time <= end) {
                    *count += 1;
                }
            }
            if behind + behind_histograms > 0 {
                continue;
            }
            let oldest = window.start.saturating_mul(1_000_000);
            let is_young = |i: &usize| rows.buckets.untils.get(*i).is_some_and(|it| *it > oldest);
            let newest = next.checked_sub(1).filter(is_young);
            if let Some(i) = newest.filter(|i| rows.buckets.ends_stale.get(*i) == Some(&false)) {
                is_used |= put(&rows.buckets, i, stamp, step, out);
            }
        }
        is_used
    }
}

#[expect(clippy::cast_precision_loss, reason = "times in ms are below 2^53")]
fn put(buckets: &Buckets, i: usize, stamp: Option<Stamp>, step: usize, out: &mut Row) -> bool {
    let float = buckets.float(i).map(|it| it.last);
    let histogram = buckets.histogram(i).map(|it| &it.last);
    let is_histogram = match (&float, histogram) {
        (Some(float), Some(histogram)) => histogram.time > float.time,
        (None, Some(_)) => true,
        (_, None) => false,
    };
    let times = if is_histogram {
        histogram.map(|it| (it.time, it.start))
    } else {
        float.map(|it| (it.time, it.start))
    };
    let Some((time, start)) = times else { return false };
    match stamp {
        Some(Stamp::Time) => out.set(step, to_millis(time) as f64 / 1000.0),
        Some(Stamp::Start) => out.set(step, to_millis(start) as f64 / 1000.0),
        None => match (float, histogram.filter(|_| is_histogram)) {
            (_, Some(histogram)) => out.set_histogram(step, Arc::clone(&histogram.value)),
            (Some(float), None) => out.set(step, float.value),
            (None, None) => return false,
        },
    }
    true
}

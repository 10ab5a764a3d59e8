//! Histograms of explicit buckets, as the series `_bucket`, `_sum` and `_count`.

use crate::ingest::otlp::context::Context;
use crate::ingest::otlp::decoder::{Decoder, Fault};
use crate::ingest::otlp::delta::{Classic, Sum};
use crate::ingest::otlp::number::{stale, start_of};
use crate::ingest::otlp::points::Histogram;
use crate::ingest::otlp::role::Role;
use crate::ingest::wire::Wire;
use crate::model::SeriesRef;

/// The series of a data point.
struct Parts {
    sum: Option<SeriesRef>,
    count: SeriesRef,
    /// One for each finite bound.
    buckets: Vec<SeriesRef>,
    infinite: SeriesRef,
}

impl<'d> Decoder<'d> {
    /// Takes a data point with explicit buckets; its time.
    pub(super) fn take_classic(
        &mut self,
        context: Context<'_, 'd>,
        message: Wire<'d>,
    ) -> Result<i64, Fault> {
        let point = Histogram::read(message, self.intake.config.buckets_max)?;
        let head = &point.head;
        let time = self.begin(head)?;
        let parts = self.parts(context, &point)?;
        if head.is_stale() {
            self.end_sum(context, parts.count);
            self.put_parts(&parts, time, 0, |_| stale());
            return Ok(time);
        }
        let Histogram { count, sum, counts, bounds, .. } = point;
        let mut whole = Classic { count, sum, bounds, counts };
        let mut start = start_of(head, time);
        if context.metric.is_delta() {
            (start, whole) = match self.add(parts.count, head, time, Sum::Classic(whole.clone()))? {
                (start, Sum::Classic(sum)) => (start, sum),
                (_, Sum::Number(_) | Sum::Native(_)) => (start, whole),
            };
        }
        self.put_whole(&parts, time, start, &whole);
        let bounds = &whole.bounds;
        self.take_exemplars(head, time, |value| {
            // NaN is in no bucket but the one of everything.
            let index = bounds.partition_point(|bound| *bound < value || value.is_nan());
            parts.buckets.get(index).copied().unwrap_or(parts.infinite)
        })?;
        Ok(time)
    }

    /// All series first: where one cannot be had, no row is taken.
    fn parts(&mut self, context: Context<'_, 'd>, point: &Histogram<'d>) -> Result<Parts, Fault> {
        let head = &point.head;
        let sum = match point.sum {
            Some(_) => Some(self.series(context, head, Role::Sum)?),
            None => None,
        };
        let count = self.series(context, head, Role::Count)?;
        let finite = point.bounds.iter().filter(|bound| **bound < f64::INFINITY);
        let mut buckets = Vec::with_capacity(point.bounds.len());
        for bound in finite {
            buckets.push(self.series(context, head, Role::Bucket(*bound))?);
        }
        let infinite = self.series(context, head, Role::Infinite)?;
        Ok(Parts { sum, count, buckets, infinite })
    }

    fn put_whole(&mut self, parts: &Parts, time: i64, start: i64, whole: &Classic) {
        let mut below = 0_u64;
        let mut counts = whole.counts.iter();
        self.put_parts(parts, time, start, |part| match part {
            Part::Sum => whole.sum.unwrap_or_default(),
            Part::Count | Part::Infinite => float(whole.count),
            Part::Bucket => {
                below = below.saturating_add(counts.next().copied().unwrap_or(0));
                float(below)
            }
        });
    }

    fn put_parts(
        &mut self,
        parts: &Parts,
        time: i64,
        start: i64,
        mut value: impl FnMut(Part) -> f64,
    ) {
        if let Some(sum) = parts.sum {
            self.put(sum, time, start, value(Part::Sum));
        }
        self.put(parts.count, time, start, value(Part::Count));
        for bucket in &parts.buckets {
            self.put(*bucket, time, start, value(Part::Bucket));
        }
        self.put(parts.infinite, time, start, value(Part::Infinite));
    }
}

#[derive(Clone, Copy)]
enum Part {
    Sum,
    Count,
    Bucket,
    Infinite,
}

/// A count as a sample.
#[expect(clippy::cast_precision_loss, reason = "all samples are floats")]
pub(super) fn float(count: u64) -> f64 {
    count as f64
}

//! Native histograms: of exponential buckets, and of explicit ones where that is wanted.

use crate::ingest::Reason;
use crate::ingest::native::{exact, refused, validate};
use crate::ingest::otlp::context::Context;
use crate::ingest::otlp::decoder::{Decoder, Fault};
use crate::ingest::otlp::delta::Sum;
use crate::ingest::otlp::layout;
use crate::ingest::otlp::number::{stale, start_of};
use crate::ingest::otlp::points::{Exponential, Head, Histogram};
use crate::ingest::otlp::role::Role;
use crate::ingest::wire::Wire;
use crate::model::{self, CUSTOM_BUCKETS_SCHEMA, HistogramRow, SeriesRef};

const SCALE_MIN: i32 = -4;
const SCALE_MAX: i32 = 8;

/// Where a sender names no threshold of its zero bucket: what Prometheus' receiver has.
const ZERO_THRESHOLD: f64 = 1e-128;

impl<'d> Decoder<'d> {
    /// Takes a data point with exponential buckets; its time.
    pub(super) fn take_exponential(
        &mut self,
        context: Context<'_, 'd>,
        message: Wire<'d>,
    ) -> Result<i64, Fault> {
        let point = Exponential::read(message, self.intake.config.buckets_max)?;
        let time = self.begin(&point.head)?;
        let value = if point.head.is_stale() { marker(0, ZERO_THRESHOLD) } else { native(&point)? };
        let series = self.series(context, &point.head, Role::Whole)?;
        self.put_native(context, series, &point.head, (time, value))
    }

    /// Takes a data point with explicit buckets as custom buckets; its time.
    pub(super) fn take_custom(
        &mut self,
        context: Context<'_, 'd>,
        message: Wire<'d>,
    ) -> Result<i64, Fault> {
        let point = Histogram::read(message, self.intake.config.buckets_max)?;
        let time = self.begin(&point.head)?;
        let is_stale = point.head.is_stale();
        let value = if is_stale { marker(CUSTOM_BUCKETS_SCHEMA, 0.0) } else { custom(&point)? };
        let series = self.series(context, &point.head, Role::Whole)?;
        self.put_native(context, series, &point.head, (time, value))
    }

    fn put_native(
        &mut self,
        context: Context<'_, 'd>,
        series: SeriesRef,
        head: &Head<'d>,
        (time, mut value): (i64, model::Histogram),
    ) -> Result<i64, Fault> {
        let mut start = start_of(head, time);
        if head.is_stale() {
            start = self.end_sum(context, series);
        } else if context.metric.is_delta() {
            if let (began, Sum::Native(sum)) =
                self.add(series, head, time, Sum::Native(value.clone().into()))?
            {
                (start, value) = (began, *sum);
            }
            exact("count", as_count(value.count))?;
        }
        self.batch.histograms.push(HistogramRow { series, time, start, value });
        self.take_exemplars(head, time, |_| series)?;
        Ok(time)
    }
}

/// Counts are whole numbers and never negative.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "as a cast, too large a count stays too large"
)]
fn as_count(count: f64) -> u64 {
    count as u64
}

/// The value that says that there is none any more.
fn marker(schema: i8, zero_threshold: f64) -> model::Histogram {
    model::Histogram {
        is_integer: true,
        schema,
        zero_threshold,
        sum: stale(),
        ..Default::default()
    }
}

fn native(point: &Exponential<'_>) -> Result<model::Histogram, Reason> {
    if point.scale < SCALE_MIN {
        return Err(refused(format!(
            "exponential histogram has scale {}, which is below the least of {SCALE_MIN}",
            point.scale
        )));
    }
    let coarser = u32::try_from(point.scale - SCALE_MAX.min(point.scale)).unwrap_or(0);
    let (positive_spans, positive) = layout::exponential(&point.positive, coarser)?;
    let (negative_spans, negative) = layout::exponential(&point.negative, coarser)?;
    let value = model::Histogram {
        is_integer: true,
        schema: i8::try_from(point.scale.min(SCALE_MAX)).unwrap_or(0),
        zero_threshold: threshold(point.zero_threshold)?,
        zero_count: exact("zero count", point.zero_count)?,
        count: exact("count", point.count)?,
        sum: point.sum.unwrap_or_default(),
        positive_spans,
        negative_spans,
        positive,
        negative,
        ..Default::default()
    };
    validate(&value)?;
    Ok(value)
}

fn threshold(said: f64) -> Result<f64, Reason> {
    if said == 0.0 {
        return Ok(ZERO_THRESHOLD);
    }
    if said > 0.0 && said.is_finite() {
        return Ok(said);
    }
    Err(refused(format!("zero threshold of the histogram is {said}")))
}

fn custom(point: &Histogram<'_>) -> Result<model::Histogram, Reason> {
    let (positive_spans, positive) = layout::custom(&point.counts)?;
    let value = model::Histogram {
        is_integer: true,
        schema: CUSTOM_BUCKETS_SCHEMA,
        count: exact("count", point.count)?,
        sum: point.sum.unwrap_or_default(),
        positive_spans,
        positive,
        custom_values: point.bounds.iter().copied().filter(|bound| bound.is_finite()).collect(),
        ..Default::default()
    };
    validate(&value)?;
    Ok(value)
}

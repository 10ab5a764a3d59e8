//! Gauges and sums: a data point is a row.

use crate::ingest::Reason;
use crate::ingest::otlp::context::{Context, Kind};
use crate::ingest::otlp::decoder::{Decoder, Fault};
use crate::ingest::otlp::delta::{Sum, Times};
use crate::ingest::otlp::points::{Head, Number};
use crate::ingest::otlp::role::Role;
use crate::ingest::wire::Wire;
use crate::model::{STALE_BITS, SeriesRef};

impl<'d> Decoder<'d> {
    /// Takes a data point of a gauge or a sum; its time.
    #[inline]
    pub(super) fn take_number(
        &mut self,
        context: Context<'_, 'd>,
        message: Wire<'d>,
    ) -> Result<i64, Fault> {
        let point = Number::read(message)?;
        let head = &point.head;
        let time = self.begin(head)?;
        let value = if head.is_stale() { None } else { Some(point.value.ok_or(Reason::NoValue)?) };
        let series = self.series(context, head, Role::Whole)?;
        let (start, value) = match value {
            None => (self.end_sum(context, series), stale()),
            Some(value) if context.metric.is_delta() => {
                match self.add(series, head, time, Sum::Number(value))? {
                    (start, Sum::Number(sum)) => (start, sum),
                    (_, Sum::Classic(_) | Sum::Native(_)) => (0, value),
                }
            }
            Some(value) => (start_of(head, time), value),
        };
        let only_rises = context.metric.kind == Kind::Sum { is_monotonic: true };
        self.put(series, time, if only_rises { start } else { 0 }, value);
        self.take_exemplars(head, time, |_| series)?;
        Ok(time)
    }

    /// Adds a difference to the sum of a series; the start of the sum, and the sum.
    pub(super) fn add(
        &self,
        series: SeriesRef,
        head: &Head<'_>,
        time: i64,
        difference: Sum,
    ) -> Result<(i64, Sum), Reason> {
        let times = Times { now: self.now, time, start: start_of(head, time) };
        self.deltas.add((self.intake.tenant, series), times, difference)
    }

    /// A series has no value any more: nor has its sum. The start of that: unknown.
    pub(super) fn end_sum(&self, context: Context<'_, '_>, series: SeriesRef) -> i64 {
        if context.metric.is_delta() {
            self.deltas.forget((self.intake.tenant, series));
        }
        0
    }
}

/// The value that says that there is none any more.
pub(super) fn stale() -> f64 {
    f64::from_bits(STALE_BITS)
}

/// When what is counted began, 0 = unknown. One that lies after its data point is no start.
pub(super) fn start_of(head: &Head<'_>, time: i64) -> i64 {
    i64::try_from(head.start).ok().filter(|start| *start <= time).unwrap_or(0)
}

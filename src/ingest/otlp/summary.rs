//! Summaries: quantiles as their sender computed them, with `_sum` and `_count`.

use crate::ingest::otlp::classic::float;
use crate::ingest::otlp::context::Context;
use crate::ingest::otlp::decoder::{Decoder, Fault};
use crate::ingest::otlp::number::{stale, start_of};
use crate::ingest::otlp::points::Summary;
use crate::ingest::otlp::role::Role;
use crate::ingest::wire::Wire;

impl<'d> Decoder<'d> {
    /// Takes a data point of a summary; its time.
    pub(super) fn take_summary(
        &mut self,
        context: Context<'_, 'd>,
        message: Wire<'d>,
    ) -> Result<i64, Fault> {
        let point = Summary::read(message, self.intake.config.buckets_max)?;
        let head = &point.head;
        let time = self.begin(head)?;
        let start = start_of(head, time);
        let mut rows = vec![
            (self.series(context, head, Role::Sum)?, start, point.sum),
            (self.series(context, head, Role::Count)?, start, float(point.count)),
        ];
        for (quantile, value) in &point.quantiles {
            rows.push((self.series(context, head, Role::Quantile(*quantile))?, 0, *value));
        }
        let is_stale = head.is_stale();
        for (series, start, value) in rows {
            self.put(series, time, start, if is_stale { stale() } else { value });
        }
        Ok(time)
    }
}

//! Rows by milliseconds: of several in one, the last.

use std::sync::Arc;

use crate::model::{Histogram, Rows, Timestamp};

/// A row's value.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Float(f64),
    Histogram(Arc<Histogram>),
}

/// Holds a row back until the next is of another millisecond.
#[derive(Debug, Default)]
pub(super) struct Last(Option<(i64, Value)>);

impl Last {
    /// Hands on the rows that are the last of their millisecond.
    pub(super) fn push<E>(
        &mut self,
        rows: Rows<'_>,
        mut take: impl FnMut(i64, Value) -> Result<(), E>,
    ) -> Result<(), E> {
        for (i, time) in rows.times.iter().enumerate() {
            let value = match (rows.values.get(i), rows.histograms.get(i)) {
                (Some(value), _) => Value::Float(*value),
                (None, Some(histogram)) => Value::Histogram(Arc::clone(histogram)),
                (None, None) => continue,
            };
            let millis = Timestamp(*time).millis();
            if let Some((before, held)) = self.0.replace((millis, value))
                && before != millis
            {
                take(before, held)?;
            }
        }
        Ok(())
    }

    /// The row that is held back.
    pub(super) fn take(&mut self) -> Option<(i64, Value)> {
        self.0.take()
    }
}

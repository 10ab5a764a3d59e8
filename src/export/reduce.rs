//! Fewer rows: of each bucket of time one.
//!
//! Buckets are left-open and right-closed, as windows are, and the row stands at the bucket's end. The
//! last value is the default: then counters stay counters, and a rate of the result is a rate.

use std::sync::Arc;

use crate::export::RowWriter;
use crate::model::{Error, Histogram, Labels, Rows, is_stale};

/// What becomes of the values of a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fold {
    /// The last; a staleness marker too.
    #[default]
    Last,
    /// The first that is no staleness marker.
    First,
    /// Their mean, staleness markers left out.
    Mean,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// Their sum.
    Sum,
    /// How many.
    Count,
}

impl Fold {
    /// The fold of a name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "last" => Self::Last,
            "first" => Self::First,
            "avg" | "mean" => Self::Mean,
            "min" => Self::Min,
            "max" => Self::Max,
            "sum" => Self::Sum,
            "count" => Self::Count,
            _ => return None,
        })
    }
}

/// Reduces rows on their way to a writer.
pub struct Reduce<'w, 'a> {
    inner: &'w mut (dyn RowWriter + 'a),
    length: i64,
    fold: Fold,
    open: Option<Bucket>,
    times: Vec<i64>,
    values: Vec<f64>,
}

/// A bucket that may get more rows.
struct Bucket {
    end: i64,
    value: f64,
    count: u32,
    histogram: Option<Arc<Histogram>>,
}

impl<'w, 'a> Reduce<'w, 'a> {
    /// Buckets of `length` ns.
    pub fn new(inner: &'w mut (dyn RowWriter + 'a), length: i64, fold: Fold) -> Self {
        Self {
            inner,
            length: length.max(1),
            fold,
            open: None,
            times: Vec::new(),
            values: Vec::new(),
        }
    }

    /// Hands on what is left of the series at hand.
    ///
    /// # Errors
    /// What the writer returned.
    pub fn end_series(&mut self) -> Result<(), Error> {
        self.close()?;
        self.hand_on()
    }

    fn hand_on(&mut self) -> Result<(), Error> {
        let (times, values) = (&self.times, &self.values);
        if !times.is_empty() {
            self.inner.rows(Rows { times, values, starts: &[], histograms: &[] })?;
        }
        self.times.clear();
        self.values.clear();
        Ok(())
    }

    /// Ends the bucket.
    fn close(&mut self) -> Result<(), Error> {
        let Some(bucket) = self.open.take() else { return Ok(()) };
        if let Some(histogram) = bucket.histogram {
            self.hand_on()?;
            let rows =
                Rows { times: &[bucket.end], values: &[], starts: &[], histograms: &[histogram] };
            return self.inner.rows(rows);
        }
        if bucket.count > 0 || self.fold == Fold::Last {
            let value = match self.fold {
                Fold::Mean => bucket.value / f64::from(bucket.count),
                Fold::Count => f64::from(bucket.count),
                _ => bucket.value,
            };
            self.times.push(bucket.end);
            self.values.push(value);
        }
        Ok(())
    }

    /// The bucket of a time; the one before is closed.
    fn bucket(&mut self, time: i64) -> Result<&mut Bucket, Error> {
        let end = time.saturating_sub(1).div_euclid(self.length).saturating_add(1);
        let end = end.saturating_mul(self.length);
        if self.open.as_ref().is_some_and(|open| open.end != end) {
            self.close()?;
        }
        Ok(self.open.get_or_insert(Bucket { end, value: 0.0, count: 0, histogram: None }))
    }
}

impl Bucket {
    fn add(&mut self, value: f64, fold: Fold) {
        self.histogram = None;
        if fold == Fold::Last {
            self.value = value;
            self.count = self.count.saturating_add(1);
            return;
        }
        if is_stale(value) {
            return;
        }
        self.value = match (fold, self.count) {
            (_, 0) | (Fold::Last, _) => value,
            (Fold::First | Fold::Count, _) => self.value,
            (Fold::Mean | Fold::Sum, _) => self.value + value,
            (Fold::Min, _) => self.value.min(value),
            (Fold::Max, _) => self.value.max(value),
        };
        self.count = self.count.saturating_add(1);
    }
}

impl RowWriter for Reduce<'_, '_> {
    fn series(&mut self, labels: &Labels) -> Result<(), Error> {
        self.end_series()?;
        self.inner.series(labels)
    }

    fn rows(&mut self, rows: Rows<'_>) -> Result<(), Error> {
        let fold = self.fold;
        for (time, value) in rows.times.iter().zip(rows.values) {
            self.bucket(*time)?.add(*value, fold);
        }
        for (time, value) in rows.times.iter().zip(rows.histograms) {
            // Of histograms the last is kept, whatever the fold.
            self.bucket(*time)?.histogram = Some(Arc::clone(value));
        }
        if self.times.len() >= 1024 { self.hand_on() } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> Result<(), Error> {
        self.end_series()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::STALE_BITS;

    #[derive(Default)]
    struct Kept(Vec<(i64, f64)>);

    impl RowWriter for Kept {
        fn series(&mut self, _: &Labels) -> Result<(), Error> {
            Ok(())
        }

        fn rows(&mut self, rows: Rows<'_>) -> Result<(), Error> {
            self.0.extend(rows.times.iter().copied().zip(rows.values.iter().copied()));
            Ok(())
        }

        fn finish(self: Box<Self>) -> Result<(), Error> {
            Ok(())
        }
    }

    fn reduced(fold: &str, rows: &[(i64, f64)]) -> Vec<(i64, f64)> {
        let mut kept = Kept::default();
        let mut reduce = Box::new(Reduce::new(&mut kept, 10, Fold::named(fold).unwrap()));
        reduce.series(&Labels::empty()).unwrap();
        for chunk in rows.chunks(2) {
            let (times, values): (Vec<i64>, Vec<f64>) = chunk.iter().copied().unzip();
            reduce
                .rows(Rows { times: &times, values: &values, starts: &[], histograms: &[] })
                .unwrap();
        }
        reduce.finish().unwrap();
        kept.0
    }

    #[test]
    fn a_bucket_holds_its_end_and_not_its_begin() {
        let stale = f64::from_bits(STALE_BITS);
        let rows = [(10, 1.0), (11, 4.0), (15, 2.0), (20, stale), (35, 7.0)];
        for (fold, expected) in [
            ("first", [(10, 1.0), (20, 4.0), (40, 7.0)]),
            ("avg", [(10, 1.0), (20, 3.0), (40, 7.0)]),
            ("min", [(10, 1.0), (20, 2.0), (40, 7.0)]),
            ("max", [(10, 1.0), (20, 4.0), (40, 7.0)]),
            ("sum", [(10, 1.0), (20, 6.0), (40, 7.0)]),
            ("count", [(10, 1.0), (20, 2.0), (40, 1.0)]),
        ] {
            assert_eq!(reduced(fold, &rows), expected, "{fold}");
        }
        let last = reduced("last", &rows);
        assert_eq!((last[0], last[1].0, last[2]), ((10, 1.0), 20, (40, 7.0)));
        assert!(is_stale(last[1].1));
    }
}

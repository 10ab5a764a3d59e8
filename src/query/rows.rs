//! Rows of one series, as a scan finds them, gathered so that windows can slide over them.

use std::{ops::Range, sync::Arc};

use super::error::Error;
use super::steps::to_millis;
use crate::model::{
    self, Buckets, Budget, FloatPartial, Flow, Histogram, Reading, Rows, Selection, Visitor,
    is_stale,
};

/// Rows of one series by time: floats and histograms apart. Times and starts are ns; starts are empty
/// where all are unknown.
#[derive(Clone, Debug, Default)]
pub(crate) struct SeriesRows {
    pub times: Vec<i64>,
    pub values: Vec<f64>,
    pub starts: Vec<i64>,
    pub histogram_times: Vec<i64>,
    pub histograms: Vec<Arc<Histogram>>,
    pub histogram_starts: Vec<i64>,
    /// Buckets of tiers, all before the first row.
    pub buckets: Buckets,
    /// Chunks in place of rows, among the others.
    pub chunks: Vec<FloatPartial>,
}

impl SeriesRows {
    fn clear(&mut self) {
        self.times.clear();
        self.values.clear();
        self.starts.clear();
        self.histogram_times.clear();
        self.histograms.clear();
        self.histogram_starts.clear();
        self.buckets.clear();
        self.chunks.clear();
    }

    fn extend(&mut self, rows: Rows<'_>) {
        if rows.histograms.is_empty() {
            extend_starts(&mut self.starts, self.times.len(), rows);
            self.times.extend_from_slice(rows.times);
            self.values.extend_from_slice(rows.values);
        } else {
            extend_starts(&mut self.histogram_starts, self.histogram_times.len(), rows);
            self.histogram_times.extend_from_slice(rows.times);
            self.histograms.extend_from_slice(rows.histograms);
        }
    }

    /// Of several rows in one ms leaves the last, and of stale markers none unless they are wanted.
    fn tidy(&mut self, keeps_stale: bool) {
        let drops_float = |value: f64| !keeps_stale && is_stale(value);
        // Folds, not searches: rows are nearly always clean, and these loops become vector code.
        let has_stale = self.values.iter().fold(false, |has, value| has | drops_float(*value));
        if has_stale || share_a_milli(&self.times) {
            let kept = kept(&self.times, |i| self.values.get(i).is_some_and(|v| drops_float(*v)));
            pick(&mut self.times, &kept);
            pick(&mut self.values, &kept);
            pick(&mut self.starts, &kept);
        }
        let drops = |histogram: &Arc<Histogram>| drops_float(histogram.sum);
        if share_a_milli(&self.histogram_times) || self.histograms.iter().any(drops) {
            let kept = kept(&self.histogram_times, |i| self.histograms.get(i).is_some_and(drops));
            pick(&mut self.histogram_times, &kept);
            pick(&mut self.histograms, &kept);
            pick(&mut self.histogram_starts, &kept);
        }
    }
}

fn extend_starts(starts: &mut Vec<i64>, before: usize, rows: Rows<'_>) {
    if !rows.starts.is_empty() {
        starts.resize(before, 0);
        starts.extend_from_slice(rows.starts);
    } else if !starts.is_empty() {
        starts.resize(before + rows.times.len(), 0);
    }
}

/// Whether two neighbours lie in one ms. Rows further apart than that are told without a division.
fn share_a_milli(times: &[i64]) -> bool {
    let pairs = || times.iter().zip(times.iter().skip(1));
    pairs().fold(false, |is_near, (a, b)| is_near | (b.wrapping_sub(*a) < 1_000_000))
        && pairs().any(|(a, b)| to_millis(*a) == to_millis(*b))
}

fn kept(times: &[i64], drops: impl Fn(usize) -> bool) -> Vec<usize> {
    let is_last_of_milli = |i: usize| match (times.get(i), times.get(i + 1)) {
        (Some(this), Some(next)) => to_millis(*this) != to_millis(*next),
        _ => true,
    };
    (0..times.len()).filter(|i| is_last_of_milli(*i) && !drops(*i)).collect()
}

fn pick<T: Clone>(column: &mut Vec<T>, kept: &[usize]) {
    if !column.is_empty() {
        *column = kept.iter().filter_map(|i| column.get(*i).cloned()).collect();
    }
}

/// What is read, and how.
pub(crate) struct Scan<'a> {
    /// Series.
    pub selection: &'a dyn Selection,
    /// Columns and windows.
    pub reading: Reading,
    /// Whether stale markers are rows.
    pub keeps_stale: bool,
    /// What it may cost.
    pub budget: &'a Budget,
}

impl Scan<'_> {
    /// Hands the rows of each series, tidied, to `each`. Series without rows are passed over.
    ///
    /// # Errors
    /// What the source or `each` refused.
    pub(crate) fn run(
        &self,
        series: Range<u32>,
        each: &mut dyn FnMut(u32, &SeriesRows) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut gather = Gather {
            current: None,
            rows: SeriesRows::default(),
            keeps_stale: self.keeps_stale,
            budget: self.budget,
            each,
            failure: None,
        };
        let scanned = self.selection.scan(series, &self.reading, self.budget, &mut gather);
        if let Some(failure) = gather.failure {
            return Err(failure);
        }
        scanned?;
        gather.finish()
    }
}

struct Gather<'a> {
    current: Option<u32>,
    rows: SeriesRows,
    keeps_stale: bool,
    budget: &'a Budget,
    each: &'a mut dyn FnMut(u32, &SeriesRows) -> Result<(), Error>,
    failure: Option<Error>,
}

impl Gather<'_> {
    /// Goes on to a series, if it is another.
    fn begin(&mut self, series: u32) -> Result<(), model::Error> {
        if self.current != Some(series) {
            if let Err(failure) = self.finish() {
                self.failure = Some(failure);
                return Err(model::Error::Cancelled);
            }
            self.current = Some(series);
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Error> {
        let Some(series) = self.current.take() else { return Ok(()) };
        self.budget.check()?;
        self.rows.tidy(self.keeps_stale);
        let result = (self.each)(series, &self.rows);
        self.rows.clear();
        result
    }
}

impl Visitor for Gather<'_> {
    fn rows(&mut self, series: u32, rows: Rows<'_>) -> Result<Flow, model::Error> {
        self.begin(series)?;
        self.rows.extend(rows);
        Ok(Flow::Continue)
    }

    fn buckets(&mut self, series: u32, buckets: &Buckets) -> Result<Flow, model::Error> {
        self.begin(series)?;
        self.rows.buckets.append(buckets);
        Ok(Flow::Continue)
    }

    fn chunks(&mut self, series: u32, chunks: &[FloatPartial]) -> Result<Flow, model::Error> {
        self.begin(series)?;
        self.rows.chunks.extend_from_slice(chunks);
        Ok(Flow::Continue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::STALE_BITS;

    fn tidied(times: &[i64], values: &[f64], keeps_stale: bool) -> (Vec<i64>, Vec<f64>) {
        let mut rows =
            SeriesRows { times: times.to_vec(), values: values.to_vec(), ..SeriesRows::default() };
        rows.tidy(keeps_stale);
        (rows.times, rows.values)
    }

    #[test]
    fn of_rows_in_one_milli_the_last_stays() {
        let (times, values) = tidied(&[1_000_000, 1_999_999, 2_000_000], &[1.0, 2.0, 3.0], true);
        assert_eq!((times, values), (vec![1_999_999, 2_000_000], vec![2.0, 3.0]));
    }

    #[test]
    fn a_stale_marker_hides_the_rows_of_its_milli_and_goes() {
        let stale = f64::from_bits(STALE_BITS);
        let (times, _) = tidied(&[1_000_000, 1_000_001, 5_000_000], &[1.0, stale, 3.0], false);
        assert_eq!(times, vec![5_000_000]);
    }
}

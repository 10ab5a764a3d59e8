//! Rows on their way in, as columns.

use crate::model::{Histogram, Labels, SeriesRef, TenantId};

/// What one request brings. Whole or absent once written.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Whose rows.
    pub tenant: TenantId,
    /// Samples that are floats.
    pub rows: MetricRows,
    /// Samples that are histograms.
    pub histograms: Vec<HistogramRow>,
    /// Samples that point to traces.
    pub exemplars: Vec<Exemplar>,
    /// What metrics are.
    pub metadata: Vec<Metadata>,
}

impl Batch {
    /// Whether nothing would be written.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
            && self.histograms.is_empty()
            && self.exemplars.is_empty()
            && self.metadata.is_empty()
    }

    /// Two batches that together are this one, in order. None where there is but one row.
    pub fn split(mut self) -> Option<(Self, Self)> {
        let mut second = Self { tenant: self.tenant, ..Self::default() };
        if let Some(rows) = self.rows.split_off(self.rows.len() / 2).filter(|rows| !rows.is_empty())
        {
            second.rows = rows;
            second.histograms = std::mem::take(&mut self.histograms);
        } else {
            second.histograms = self.histograms.split_off(self.histograms.len().div_ceil(2));
        }
        second.exemplars = self.exemplars.split_off(self.exemplars.len().div_ceil(2));
        second.metadata = self.metadata.split_off(self.metadata.len().div_ceil(2));
        (!self.is_empty() && !second.is_empty()).then_some((self, second))
    }

    /// Makes it empty, keeping its memory for the next request.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.histograms.clear();
        self.exemplars.clear();
        self.metadata.clear();
    }
}

/// Float samples: runs of rows, each run of one series.
///
/// `series` and `ends` have an entry a run, the other columns an entry a row. A series may come in
/// several runs; rows may be in any order, and of two with one time the later wins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetricRows {
    series: Vec<SeriesRef>,
    ends: Vec<u32>,
    times: Vec<i64>,
    values: Vec<f64>,
    starts: Vec<i64>,
}

impl MetricRows {
    /// From whole columns: `lengths` has the rows of each run. None where columns do not fit together.
    pub fn from_columns(
        series: &[SeriesRef],
        lengths: &[u32],
        times: Vec<i64>,
        values: Vec<f64>,
        starts: Vec<i64>,
    ) -> Option<Self> {
        let mut rows = Self { series: Vec::new(), ends: Vec::new(), times, values, starts };
        let mut end = 0_u32;
        for (series, length) in series.iter().zip(lengths) {
            end = end.checked_add(*length)?;
            if *length > 0 {
                rows.series.push(*series);
                rows.ends.push(end);
            }
        }
        let fits = series.len() == lengths.len()
            && rows.times.len() == end as usize
            && rows.values.len() == end as usize
            && (rows.starts.is_empty() || rows.starts.len() == end as usize);
        fits.then_some(rows)
    }

    /// Each run: its series, and where its rows begin and end.
    pub fn runs(&self) -> impl Iterator<Item = (SeriesRef, std::ops::Range<usize>)> + '_ {
        let begins = std::iter::once(0).chain(self.ends.iter().map(|end| *end as usize));
        self.series
            .iter()
            .zip(begins.zip(&self.ends))
            .map(|(series, (begin, end))| (*series, begin..*end as usize))
    }

    /// Adds a row to the open run. Call [`Self::end_run`] after the last row of a series.
    #[inline]
    pub fn push(&mut self, time: i64, value: f64) {
        self.times.push(time);
        self.values.push(value);
        if !self.starts.is_empty() {
            self.starts.push(0);
        }
    }

    /// Adds a row with a start timestamp (ns; 0 = unknown).
    pub fn push_started(&mut self, time: i64, start: i64, value: f64) {
        if start != 0 && self.starts.is_empty() {
            self.starts.resize(self.times.len(), 0);
        }
        self.times.push(time);
        self.values.push(value);
        if start != 0 || !self.starts.is_empty() {
            self.starts.push(start);
        }
    }

    /// Says when what the row at `row` counts began (ns; 0 = unknown).
    pub fn set_start(&mut self, row: usize, start: i64) {
        if start != 0 && self.starts.is_empty() {
            self.starts.resize(self.times.len(), 0);
        }
        if let Some(there) = self.starts.get_mut(row) {
            *there = start;
        }
    }

    /// Ends the run: rows since the last end are of `series`. A run without rows is no run.
    #[inline]
    pub fn end_run(&mut self, series: SeriesRef) {
        let end = u32::try_from(self.times.len()).unwrap_or(u32::MAX);
        if self.ends.last().copied().unwrap_or(0) != end {
            self.series.push(series);
            self.ends.push(end);
        }
    }

    /// The rows from the `at`-th on. None where that would be none or all of them.
    pub fn split_off(&mut self, at: usize) -> Option<Self> {
        if at == 0 || at >= self.len() {
            return None;
        }
        let mut first = Self::default();
        let mut second = Self::default();
        for (series, range) in self.runs() {
            for row in range {
                let part = if row < at { &mut first } else { &mut second };
                let start = self.starts.get(row).copied().unwrap_or_default();
                let time = self.times.get(row).copied().unwrap_or_default();
                part.push_started(time, start, self.values.get(row).copied().unwrap_or_default());
            }
            // A run that is cut in two is a run of both.
            first.end_run(series);
            second.end_run(series);
        }
        *self = first;
        Some(second)
    }

    /// Drops the rows since the last end.
    pub fn drop_run(&mut self) {
        let end = self.ends.last().copied().unwrap_or(0) as usize;
        self.times.truncate(end);
        self.values.truncate(end);
        self.starts.truncate(end);
        if self.starts.iter().all(|start| *start == 0) {
            self.starts.clear();
        }
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// Makes it empty, keeping its memory.
    pub fn clear(&mut self) {
        self.series.clear();
        self.ends.clear();
        self.times.clear();
        self.values.clear();
        self.starts.clear();
    }

    /// The series of each run.
    pub fn series(&self) -> &[SeriesRef] {
        &self.series
    }

    /// For each run, the number of rows before its end.
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// Nanoseconds since 1970, a row each.
    pub fn times(&self) -> &[i64] {
        &self.times
    }

    /// A value for each row.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Start timestamps in ns (0 = unknown), a row each; empty where all are unknown.
    pub fn starts(&self) -> &[i64] {
        &self.starts
    }
}

/// A sample that is a native histogram.
#[derive(Clone, Debug, PartialEq)]
pub struct HistogramRow {
    /// Whose.
    pub series: SeriesRef,
    /// Nanoseconds since 1970.
    pub time: i64,
    /// Start timestamp in ns, 0 = unknown.
    pub start: i64,
    /// The value.
    pub value: Histogram,
}

/// A sample that points to a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    /// Whose.
    pub series: SeriesRef,
    /// Nanoseconds since 1970.
    pub time: i64,
    /// The observed value.
    pub value: f64,
    /// Mostly `trace_id` and `span_id`.
    pub labels: Labels,
}

/// What kind of thing a metric is. Numbers are those of remote write and stand in files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum MetricKind {
    /// Not said.
    #[default]
    Unknown = 0,
    /// Only rises, or begins anew.
    Counter = 1,
    /// Goes up and down.
    Gauge = 2,
    /// Buckets that are counters.
    Histogram = 3,
    /// Buckets that are gauges.
    GaugeHistogram = 4,
    /// Quantiles computed by the sender.
    Summary = 5,
    /// Labels are the message.
    Info = 6,
    /// One of several states.
    StateSet = 7,
}

impl MetricKind {
    /// The word Prometheus uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::GaugeHistogram => "gaugehistogram",
            Self::Summary => "summary",
            Self::Info => "info",
            Self::StateSet => "stateset",
        }
    }

    /// The kind of a number; numbers not known yet are [`Self::Unknown`].
    pub fn from_number(number: u64) -> Self {
        match number {
            1 => Self::Counter,
            2 => Self::Gauge,
            3 => Self::Histogram,
            4 => Self::GaugeHistogram,
            5 => Self::Summary,
            6 => Self::Info,
            7 => Self::StateSet,
            _ => Self::Unknown,
        }
    }
}

/// What a metric is: type, unit, help.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The metric's name.
    pub metric: String,
    /// Its type.
    pub kind: MetricKind,
    /// Its unit, may be empty.
    pub unit: String,
    /// Its help, may be empty.
    pub help: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_appear_with_the_first_known_one() {
        let mut rows = MetricRows::default();
        rows.push(1, 1.0);
        rows.push_started(2, 0, 2.0);
        assert!(rows.starts().is_empty());
        rows.push_started(3, 7, 3.0);
        rows.push(4, 4.0);
        rows.end_run(SeriesRef(9));
        assert_eq!((rows.starts(), rows.ends()), (&[0, 0, 7, 0][..], &[4][..]));
    }

    #[test]
    fn a_batch_is_split_within_a_run() {
        let mut rows = MetricRows::default();
        for (series, count) in [(1, 3), (2, 4)] {
            (0..count).for_each(|time| rows.push(time, 0.5));
            rows.end_run(SeriesRef(series));
        }
        let (first, second) = Batch { rows, ..Batch::default() }.split().unwrap();
        assert_eq!((first.rows.series(), first.rows.ends()), (&[SeriesRef(1)][..], &[3][..]));
        assert_eq!((second.rows.series(), second.rows.ends()), (&[SeriesRef(2)][..], &[4][..]));
        let (first, second) = second.split().unwrap();
        assert_eq!((first.rows.times(), second.rows.times()), (&[0, 1][..], &[2, 3][..]));
    }

    #[test]
    fn a_dropped_run_leaves_no_trace() {
        let mut rows = MetricRows::default();
        rows.push(1, 1.0);
        rows.end_run(SeriesRef(1));
        rows.push_started(2, 5, 2.0);
        rows.drop_run();
        rows.end_run(SeriesRef(2));
        assert_eq!((rows.len(), rows.series().len()), (1, 1));
        assert!(rows.starts().is_empty());
    }
}

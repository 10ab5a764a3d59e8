//! What chunks decode to.

use crate::model::Histogram;

/// Rows of one series, chunk after chunk. Times are milliseconds, as the chunks have them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns {
    /// Times of floats.
    pub times: Vec<i64>,
    /// Their values.
    pub values: Vec<f64>,
    /// Start timestamps of floats, 0 = unknown; empty where all are unknown.
    pub starts: Vec<i64>,
    /// Histograms.
    pub histograms: Vec<HistogramPoint>,
    /// Histograms that cannot be kept: of a resolution or with counts beyond what is exact.
    pub refused: u64,
}

/// A histogram of an instant.
#[derive(Clone, Debug, PartialEq)]
pub struct HistogramPoint {
    /// Milliseconds.
    pub time: i64,
    /// Start timestamp in milliseconds, 0 = unknown.
    pub start: i64,
    /// The value.
    pub value: Histogram,
}

impl Columns {
    /// Makes it empty, keeping its memory.
    pub fn clear(&mut self) {
        self.times.clear();
        self.values.clear();
        self.starts.clear();
        self.histograms.clear();
        self.refused = 0;
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.times.len() + self.histograms.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Space for the rows of a chunk: their times and values.
    pub(super) fn grow(&mut self, rows: usize) -> (&mut [i64], &mut [f64]) {
        let len = self.times.len();
        if !self.starts.is_empty() {
            self.starts.resize(len + rows, 0);
        }
        self.times.resize(len + rows, 0);
        self.values.resize(len + rows, 0.0);
        (
            self.times.get_mut(len..).unwrap_or_default(),
            self.values.get_mut(len..).unwrap_or_default(),
        )
    }

    /// Notes the start of a float row.
    pub(super) fn set_start(&mut self, row: usize, start: i64) {
        if start == 0 && self.starts.is_empty() {
            return;
        }
        self.starts.resize(self.times.len(), 0);
        if let Some(slot) = self.starts.get_mut(row) {
            *slot = start;
        }
    }

    /// Takes rows away from the end, down to `rows` floats and `histograms` histograms.
    pub(super) fn truncate(&mut self, rows: usize, histograms: usize) {
        self.times.truncate(rows);
        self.values.truncate(rows);
        self.starts.truncate(rows);
        self.histograms.truncate(histograms);
    }
}

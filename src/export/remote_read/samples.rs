//! All rows in one message: `ReadResponse`.

use crate::export::{
    RowWriter,
    remote_write::{Message, Outgoing, Sample, TimedHistogram, encode},
    wire::{put_key, put_varint},
};
use crate::model::{Error, Labels, Rows};

use super::last::{Last, Value};

/// Gathers the rows of all queries.
pub struct Samples {
    /// Whole results.
    out: Vec<u8>,
    /// Series of the query at hand.
    result: Vec<u8>,
    labels: Option<Labels>,
    last: Last,
    floats: Vec<Sample>,
    histograms: Vec<TimedHistogram>,
    rows: u64,
    rows_max: u64,
}

impl Samples {
    /// No more than `rows_max` rows in all.
    pub fn new(rows_max: u64) -> Self {
        Self {
            out: Vec::new(),
            result: Vec::new(),
            labels: None,
            last: Last::default(),
            floats: Vec::new(),
            histograms: Vec::new(),
            rows: 0,
            rows_max,
        }
    }

    /// Ends the result of a query.
    pub fn end_query(&mut self) {
        self.end_series();
        put_key(1, 2, &mut self.out);
        put_varint(self.result.len() as u64, &mut self.out);
        self.out.append(&mut self.result);
    }

    /// The message.
    pub fn message(self) -> Vec<u8> {
        self.out
    }

    fn end_series(&mut self) {
        let Some(labels) = self.labels.take() else { return };
        if let Some((time, value)) = self.last.take() {
            self.keep(time, value);
        }
        let mut series = Outgoing::new(labels);
        series.samples.append(&mut self.floats);
        series.histograms.append(&mut self.histograms);
        if !series.samples.is_empty() || !series.histograms.is_empty() {
            // A series of a result has the fields of one that is written.
            encode(Message::WriteRequest, &[series], &mut self.result);
        }
    }

    fn keep(&mut self, millis: i64, value: Value) {
        let time = millis.saturating_mul(1_000_000);
        match value {
            Value::Float(value) => self.floats.push(Sample { time, start: 0, value }),
            Value::Histogram(value) => {
                self.histograms.push(TimedHistogram { time, start: 0, value });
            }
        }
    }
}

impl RowWriter for Samples {
    fn series(&mut self, labels: &Labels) -> Result<(), Error> {
        self.end_series();
        self.labels = Some(labels.clone());
        Ok(())
    }

    fn rows(&mut self, rows: Rows<'_>) -> Result<(), Error> {
        self.rows = self.rows.saturating_add(rows.times.len() as u64);
        if self.rows > self.rows_max {
            return Err(Error::Limit {
                what: "samples of a remote read",
                actual: self.rows,
                limit: self.rows_max,
                option: "--remote-read-samples-max",
            });
        }
        let mut last = std::mem::take(&mut self.last);
        let kept = last.push(rows, |time, value| {
            self.keep(time, value);
            Ok(())
        });
        self.last = last;
        kept
    }

    fn finish(mut self: Box<Self>) -> Result<(), Error> {
        self.end_series();
        Ok(())
    }
}

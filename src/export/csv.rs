//! Comma-separated values: long, a row a sample, and wide, a row a time.
//!
//! Long: a column for each label that a selected series has, `__name__` first, then `time` and `value`;
//! a histogram is its JSON text. Wide: `time`, then a column a series, headed by one label's value.
//! Quoting: RFC 4180. Values read back to the same bits but for NaN, which is `NaN`.

use std::collections::BTreeSet;

use crate::export::{Pieces, RowWriter, TimeForm, jsonl::write_histogram, write_float};
use crate::model::{Error, Labels, METRIC_NAME, Rows};

/// Appends a field, quoted where it must be.
fn write_field(text: &str, out: &mut Vec<u8>) {
    if !text.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r')) {
        return out.extend_from_slice(text.as_bytes());
    }
    out.push(b'"');
    for byte in text.bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

/// Label names as columns are: the metric's name first, the others in order.
pub fn columns_of(names: BTreeSet<String>) -> Vec<String> {
    let mut columns: Vec<String> = names.into_iter().collect();
    if let Some(at) = columns.iter().position(|name| name == METRIC_NAME) {
        let metric = columns.remove(at);
        columns.insert(0, metric);
    }
    columns
}

/// A row a sample.
pub struct LongCsv<'a> {
    pieces: Pieces<'a>,
    columns: Vec<String>,
    times: TimeForm,
    /// The fields of the series at hand, with a comma behind each.
    head: Vec<u8>,
}

impl<'a> LongCsv<'a> {
    /// `columns` are the names of all labels there will be: [`columns_of`].
    pub fn new(mut pieces: Pieces<'a>, columns: Vec<String>, times: TimeForm) -> Self {
        for name in &columns {
            write_field(name, &mut pieces.out);
            pieces.out.push(b',');
        }
        pieces.out.extend_from_slice(b"time,value\n");
        Self { pieces, columns, times, head: Vec::new() }
    }
}

impl RowWriter for LongCsv<'_> {
    fn series(&mut self, labels: &Labels) -> Result<(), Error> {
        self.head.clear();
        for name in &self.columns {
            write_field(labels.get(name).unwrap_or_default(), &mut self.head);
            self.head.push(b',');
        }
        Ok(())
    }

    fn rows(&mut self, rows: Rows<'_>) -> Result<(), Error> {
        let out = &mut self.pieces.out;
        for (time, value) in rows.times.iter().zip(rows.values) {
            out.extend_from_slice(&self.head);
            self.times.write(*time, out);
            out.push(b',');
            write_float(*value, out);
            out.push(b'\n');
        }
        let mut text = Vec::new();
        for (time, value) in rows.times.iter().zip(rows.histograms) {
            out.extend_from_slice(&self.head);
            self.times.write(*time, out);
            out.push(b',');
            text.clear();
            write_histogram(value, &mut text);
            write_field(&String::from_utf8_lossy(&text), out);
            out.push(b'\n');
        }
        self.pieces.send_full()
    }

    fn finish(mut self: Box<Self>) -> Result<(), Error> {
        self.pieces.send_rest()
    }
}

/// A row a time. Rows come slice of time after slice of time; within one, series after series.
pub struct WideCsv<'a> {
    pieces: Pieces<'a>,
    label: String,
    times: TimeForm,
    heads: Vec<String>,
    /// The column of the series at hand.
    column: u32,
    cells: Vec<(i64, u32, f64)>,
}

impl<'a> WideCsv<'a> {
    /// `heads` are the values of `label`, one a series.
    ///
    /// # Errors
    /// The value that two series have: then the label does not tell them apart.
    pub fn new(
        mut pieces: Pieces<'a>,
        label: &str,
        heads: Vec<String>,
        times: TimeForm,
    ) -> Result<Self, Error> {
        let mut seen = BTreeSet::new();
        if let Some(twice) = heads.iter().find(|head| !seen.insert(head.as_str())) {
            return Err(Error::Invalid(format!(
                "two of the series have {label}={twice:?}: a column would have two values at a time; \
                 select fewer series, or take another label"
            )));
        }
        pieces.out.extend_from_slice(b"time");
        for head in &heads {
            pieces.out.push(b',');
            write_field(head, &mut pieces.out);
        }
        pieces.out.push(b'\n');
        Ok(Self { pieces, label: label.to_owned(), times, heads, column: 0, cells: Vec::new() })
    }

    /// Writes what was gathered: no row of an earlier time comes any more.
    ///
    /// # Errors
    /// What sending returned.
    pub fn end_slice(&mut self) -> Result<(), Error> {
        self.cells.sort_by_key(|(time, column, _)| (*time, *column));
        let cells = std::mem::take(&mut self.cells);
        for row in cells.chunk_by(|a, b| a.0 == b.0) {
            let out = &mut self.pieces.out;
            let Some((time, ..)) = row.first() else { continue };
            self.times.write(*time, out);
            let mut column = 0;
            for (_, at, value) in row {
                for _ in column..=*at {
                    out.push(b',');
                }
                column = *at + 1;
                write_float(*value, out);
            }
            let all = u32::try_from(self.heads.len()).unwrap_or(u32::MAX);
            for _ in column..all {
                out.push(b',');
            }
            out.push(b'\n');
            self.pieces.send_full()?;
        }
        self.cells = cells;
        self.cells.clear();
        Ok(())
    }
}

impl RowWriter for WideCsv<'_> {
    fn series(&mut self, labels: &Labels) -> Result<(), Error> {
        let head = labels.get(&self.label).unwrap_or_default();
        let at = self.heads.iter().position(|it| it == head);
        self.column = at.and_then(|at| u32::try_from(at).ok()).unwrap_or_default();
        Ok(())
    }

    fn rows(&mut self, rows: Rows<'_>) -> Result<(), Error> {
        let column = self.column;
        self.cells.extend(
            rows.times.iter().zip(rows.values).map(|(time, value)| (*time, column, *value)),
        );
        // Of a histogram a cell has the count: a table of numbers has no place for more.
        let histograms = rows.times.iter().zip(rows.histograms);
        self.cells.extend(histograms.map(|(time, value)| (*time, column, value.count)));
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), Error> {
        self.end_slice()?;
        self.pieces.send_rest()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Visit<'a> = (&'a [(&'a str, &'a str)], &'a [(i64, f64)]);

    fn feed(writer: &mut dyn RowWriter, visits: &[Visit<'_>]) {
        for (labels, rows) in visits {
            writer.series(&Labels::new(labels.iter().copied()).unwrap()).unwrap();
            let (times, values): (Vec<i64>, Vec<f64>) = rows.iter().copied().unzip();
            writer
                .rows(Rows { times: &times, values: &values, starts: &[], histograms: &[] })
                .unwrap();
        }
    }

    const VISITS: [Visit<'static>; 2] = [
        (&[("__name__", "up"), ("job", "a,\"b\"")], &[(0, 1.0), (1_500_000_000, f64::NAN)]),
        (&[("__name__", "up"), ("dc", "x")], &[(0, -0.5)]),
    ];

    #[test]
    fn long_has_a_column_a_label() {
        let mut out = Vec::new();
        let mut send = |piece| {
            out.extend::<Vec<u8>>(piece);
            Ok(())
        };
        let names = ["__name__", "Zone", "dc", "job"].map(str::to_owned);
        let columns = columns_of(names.into());
        let mut csv = Box::new(LongCsv::new(Pieces::new(&mut send), columns, TimeForm::Rfc3339));
        feed(&mut *csv, &VISITS);
        csv.finish().unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "__name__,Zone,dc,job,time,value\n\
             up,,,\"a,\"\"b\"\"\",1970-01-01T00:00:00Z,1\n\
             up,,,\"a,\"\"b\"\"\",1970-01-01T00:00:01.5Z,NaN\n\
             up,,x,,1970-01-01T00:00:00Z,-0.5\n"
        );
    }

    #[test]
    fn wide_has_a_column_a_series_and_a_row_a_time() {
        let mut out = Vec::new();
        let mut send = |piece| {
            out.extend::<Vec<u8>>(piece);
            Ok(())
        };
        let heads = vec![String::new(), "x".to_owned()];
        let csv = WideCsv::new(Pieces::new(&mut send), "dc", heads, TimeForm::Seconds);
        let mut csv = Box::new(csv.unwrap());
        feed(&mut *csv, &VISITS);
        csv.finish().unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "time,,x\n0,1,-0.5\n1.5,NaN,\n");
        let mut send = |_| Ok(());
        let twice = vec!["x".to_owned(), "x".to_owned()];
        assert!(WideCsv::new(Pieces::new(&mut send), "dc", twice, TimeForm::Seconds).is_err());
    }
}

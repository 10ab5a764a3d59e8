//! Rows as Arrow record batches: a column a label, then `time`, `value` and `histogram`.
//!
//! Labels are dictionaries, so a series costs a number a row; a label that a series does not have is null.
//! A float row has a value, bit for bit; a histogram row has its JSON text, whole.

use std::{collections::HashMap, sync::Arc};

use arrow_array::{
    ArrayRef, DictionaryArray, Float64Array, Int32Array, RecordBatch, StringArray,
    TimestampNanosecondArray, types::Int32Type,
};
use arrow_schema::{ArrowError, DataType, Field, Schema, TimeUnit};

use crate::export::{Pieces, RowWriter, jsonl::write_histogram};
use crate::model::{Error, Labels, Rows};

/// Rows in a batch.
pub(super) const BATCH_ROWS: usize = 1 << 16;

/// What becomes of batches: one format.
pub trait Sheet {
    /// Appends a batch to what is [`Self::written`].
    ///
    /// # Errors
    /// Where the format cannot hold it.
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Error>;

    /// What was written and not yet taken.
    fn written(&mut self) -> &mut Vec<u8>;

    /// Ends what is written, and gives what was not yet taken.
    ///
    /// # Errors
    /// As [`Self::write`].
    fn finish(self) -> Result<Vec<u8>, Error>;
}

/// Writes rows as batches of one format.
pub struct BatchRows<'a, S> {
    pieces: Pieces<'a>,
    table: Table,
    sheet: S,
}

impl<'a, S: Sheet> BatchRows<'a, S> {
    /// `begin` makes the writer of the format.
    pub(super) fn begin(
        pieces: Pieces<'a>,
        columns: Vec<String>,
        begin: impl FnOnce(Arc<Schema>) -> Result<S, Error>,
    ) -> Result<Self, Error> {
        let table = Table::new(columns)?;
        let sheet = begin(Arc::clone(&table.schema))?;
        Ok(Self { pieces, table, sheet })
    }

    fn end_batch(&mut self) -> Result<(), Error> {
        if self.table.times.is_empty() {
            return Ok(());
        }
        self.sheet.write(&self.table.batch()?)?;
        self.pieces.out.append(self.sheet.written());
        self.pieces.send_full()
    }
}

impl<S: Sheet> RowWriter for BatchRows<'_, S> {
    fn series(&mut self, labels: &Labels) -> Result<(), Error> {
        self.table.series(labels);
        Ok(())
    }

    fn rows(&mut self, rows: Rows<'_>) -> Result<(), Error> {
        self.table.rows(rows);
        if self.table.times.len() >= BATCH_ROWS { self.end_batch() } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> Result<(), Error> {
        self.end_batch()?;
        let rest = self.sheet.finish()?;
        self.pieces.out.extend_from_slice(&rest);
        self.pieces.send_rest()
    }
}

/// Rows gathered for a batch.
struct Table {
    schema: Arc<Schema>,
    columns: Vec<Column>,
    times: Vec<i64>,
    values: Vec<Option<f64>>,
    histograms: Vec<Option<String>>,
    /// The series at hand began at this row.
    begin: usize,
    labels: Labels,
}

/// A label's values.
struct Column {
    name: String,
    numbers: HashMap<String, i32>,
    texts: Vec<String>,
    rows: Vec<Option<i32>>,
}

impl Column {
    fn number(&mut self, text: &str) -> i32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = i32::try_from(self.texts.len()).unwrap_or(i32::MAX);
        self.texts.push(text.to_owned());
        self.numbers.insert(text.to_owned(), number);
        number
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        self.numbers.clear();
        let values = Arc::new(StringArray::from(std::mem::take(&mut self.texts)));
        let keys = Int32Array::from(std::mem::take(&mut self.rows));
        Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, values)?))
    }
}

impl Table {
    /// `columns` are the names of all labels there will be.
    ///
    /// # Errors
    /// [`Error::Invalid`] where a label has the name of another column.
    fn new(columns: Vec<String>) -> Result<Self, Error> {
        if let Some(name) = columns.iter().find(|name| OWN.contains(&name.as_str())) {
            return Err(Error::Invalid(format!(
                "a selected series has a label {name:?}, which is the name of a column of its own here"
            )));
        }
        let text = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        let labels = columns.iter().map(|name| Field::new(name, text.clone(), true));
        let time = DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
        let own = [
            Field::new("time", time, false),
            Field::new("value", DataType::Float64, true),
            Field::new("histogram", DataType::Utf8, true),
        ];
        let schema = Schema::new(labels.chain(own).collect::<Vec<_>>());
        let column =
            |name| Column { name, numbers: HashMap::new(), texts: Vec::new(), rows: Vec::new() };
        Ok(Self {
            schema: Arc::new(schema),
            columns: columns.into_iter().map(column).collect(),
            times: Vec::new(),
            values: Vec::new(),
            histograms: Vec::new(),
            begin: 0,
            labels: Labels::empty(),
        })
    }

    /// The rows that follow are of this series.
    fn series(&mut self, labels: &Labels) {
        self.end_series();
        self.labels = labels.clone();
    }

    /// Gives the rows of the series at hand their labels.
    fn end_series(&mut self) {
        let count = self.times.len() - self.begin;
        self.begin = self.times.len();
        if count == 0 {
            return;
        }
        for column in &mut self.columns {
            let number = match self.labels.get(&column.name) {
                Some(text) => Some(column.number(text)),
                None => None,
            };
            column.rows.resize(column.rows.len() + count, number);
        }
    }

    fn rows(&mut self, rows: Rows<'_>) {
        self.times.extend_from_slice(rows.times);
        self.values.extend(rows.values.iter().copied().map(Some));
        self.histograms.resize(self.values.len(), None);
        let mut text = Vec::new();
        for histogram in rows.histograms {
            text.clear();
            write_histogram(histogram, &mut text);
            self.values.push(None);
            self.histograms.push(Some(String::from_utf8_lossy(&text).into_owned()));
        }
    }

    /// The rows gathered so far; it is empty then.
    fn batch(&mut self) -> Result<RecordBatch, Error> {
        self.end_series();
        self.begin = 0;
        self.build().map_err(|error| Error::Invalid(error.to_string()))
    }

    fn build(&mut self) -> Result<RecordBatch, ArrowError> {
        let mut arrays =
            self.columns.iter_mut().map(Column::finish).collect::<Result<Vec<_>, _>>()?;
        let times = TimestampNanosecondArray::from(std::mem::take(&mut self.times));
        arrays.push(Arc::new(times.with_timezone("UTC")));
        arrays.push(Arc::new(Float64Array::from(std::mem::take(&mut self.values))));
        arrays.push(Arc::new(StringArray::from(std::mem::take(&mut self.histograms))));
        RecordBatch::try_new(Arc::clone(&self.schema), arrays)
    }
}

/// Columns that are no labels.
const OWN: [&str; 3] = ["time", "value", "histogram"];

#[cfg(test)]
mod tests {
    use arrow_array::{Array, cast::AsArray, types::TimestampNanosecondType};
    use arrow_ipc::reader::StreamReader;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;
    use crate::export::{ArrowRows, ParquetRows, Pieces, RowWriter};
    use crate::model::{Histogram, STALE_BITS};

    /// Series, time, bits of the value, histogram.
    type Read = Vec<(String, i64, Option<u64>, Option<String>)>;

    fn read(batches: impl Iterator<Item = RecordBatch>) -> Read {
        let mut rows = Vec::new();
        for batch in batches {
            let text = |name: &str| {
                let column = batch.column_by_name(name).unwrap().as_dictionary::<Int32Type>();
                let texts = column.values().as_string::<i32>().clone();
                column.keys().iter().map(move |key| {
                    key.map(|key| texts.value(usize::try_from(key).unwrap()).to_owned())
                })
            };
            let names: Vec<String> = text("__name__")
                .zip(text("job"))
                .map(|(name, job)| format!("{} {}", name.unwrap(), job.unwrap_or_default()))
                .collect();
            let times = batch.column_by_name("time").unwrap();
            let times = times.as_primitive::<TimestampNanosecondType>();
            let values = batch.column_by_name("value").unwrap();
            let values = values.as_primitive::<arrow_array::types::Float64Type>();
            let histograms = batch.column_by_name("histogram").unwrap().as_string::<i32>();
            for (row, name) in names.into_iter().enumerate() {
                let value = values.is_valid(row).then(|| values.value(row).to_bits());
                let histogram = histograms.is_valid(row).then(|| histograms.value(row).to_owned());
                rows.push((name, times.value(row), value, histogram));
            }
        }
        rows
    }

    /// More rows than a batch holds, of two series, and a histogram.
    fn fill(writer: &mut dyn RowWriter) -> Read {
        let mut expected = Read::new();
        let odd = [f64::from_bits(STALE_BITS), f64::NAN, -0.0, f64::INFINITY, 0.1];
        for (job, count) in [("", 70_000_i64), ("b", 10)] {
            let labels = Labels::new([("__name__", "m"), ("job", job)]).unwrap();
            writer.series(&labels).unwrap();
            for begin in (0..count).step_by(1000) {
                let times: Vec<i64> = (begin..count.min(begin + 1000)).collect();
                let values: Vec<f64> =
                    times.iter().map(|time| odd[usize::try_from(time % 5).unwrap()]).collect();
                let rows = Rows { times: &times, values: &values, starts: &[], histograms: &[] };
                writer.rows(rows).unwrap();
                let bits = values.iter().map(|value| value.to_bits());
                expected.extend(
                    times
                        .iter()
                        .zip(bits)
                        .map(|(t, bits)| (format!("m {job}"), *t, Some(bits), None)),
                );
            }
        }
        let histograms = [Arc::new(Histogram { count: 3.0, ..Histogram::default() })];
        let rows = Rows { times: &[99], values: &[], starts: &[], histograms: &histograms };
        writer.rows(rows).unwrap();
        let mut text = Vec::new();
        write_histogram(&histograms[0], &mut text);
        expected.push(("m b".into(), 99, None, Some(String::from_utf8(text).unwrap())));
        expected
    }

    fn columns() -> Vec<String> {
        vec!["__name__".to_owned(), "job".to_owned()]
    }

    #[test]
    fn parquet_reads_back_bit_for_bit() {
        let mut out = Vec::new();
        let mut send = |piece| {
            out.extend::<Vec<u8>>(piece);
            Ok(())
        };
        let mut writer = Box::new(ParquetRows::new(Pieces::new(&mut send), columns()).unwrap());
        let expected = fill(&mut *writer);
        writer.finish().unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(out)).unwrap();
        assert!(read(reader.build().unwrap().map(Result::unwrap)) == expected);
    }

    #[test]
    fn arrow_reads_back_bit_for_bit() {
        let mut out = Vec::new();
        let mut send = |piece| {
            out.extend::<Vec<u8>>(piece);
            Ok(())
        };
        let mut writer = Box::new(ArrowRows::new(Pieces::new(&mut send), columns()).unwrap());
        let expected = fill(&mut *writer);
        writer.finish().unwrap();
        let reader = StreamReader::try_new(out.as_slice(), None).unwrap();
        assert!(read(reader.map(Result::unwrap)) == expected);
    }

    #[test]
    fn a_label_named_as_a_column_is_refused() {
        assert!(Table::new(vec!["time".to_owned()]).is_err());
    }
}

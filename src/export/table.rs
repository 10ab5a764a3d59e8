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

use crate::export::jsonl::write_histogram;
use crate::model::{Error, Labels, Rows};

/// Rows in a batch.
pub(super) const BATCH_ROWS: usize = 1 << 16;

/// Rows gathered for a batch.
pub(super) struct Table {
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
    pub(super) fn new(columns: Vec<String>) -> Result<Self, Error> {
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

    pub(super) fn schema(&self) -> Arc<Schema> {
        Arc::clone(&self.schema)
    }

    pub(super) fn len(&self) -> usize {
        self.times.len()
    }

    /// The rows that follow are of this series.
    pub(super) fn series(&mut self, labels: &Labels) {
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

    pub(super) fn rows(&mut self, rows: Rows<'_>) {
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
    pub(super) fn batch(&mut self) -> Result<RecordBatch, Error> {
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

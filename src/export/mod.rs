//! Rows to other people's formats: the mirror of `ingest`.
//!
//! What is written by the million is written by hand: numbers and JSON text go straight into the
//! caller's buffer. Doors that speak milliseconds floor, and of several rows in one millisecond they
//! give the last. A [`RowWriter`] is a format: rows go in, pieces of bytes come out, and memory stays
//! bounded whatever is exported.

mod csv;
mod format;
mod json;
mod jsonl;
mod lines;
mod number;
mod open_metrics;
mod reduce;
mod time;
mod writer;

pub use csv::{LongCsv, WideCsv, columns_of};
pub use format::Format;
pub use json::{write_labels, write_seconds, write_string, write_value};
pub use jsonl::{JsonLines, LINE_ROWS_MAX};
pub use lines::Lines;
pub use number::{write_float, write_integer};
pub use open_metrics::{Known, OpenMetrics, family};
pub use reduce::{Fold, Reduce};
pub use time::TimeForm;
pub use writer::{Pieces, RowWriter, Send};

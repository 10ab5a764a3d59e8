//! Rows to other people's formats: the mirror of `ingest`.
//!
//! What is written by the million is written by hand: numbers and JSON text go straight into the
//! caller's buffer. Doors that speak milliseconds floor, and of several rows in one millisecond they
//! give the last. A [`RowWriter`] is a format: rows go in, pieces of bytes come out, and memory stays
//! bounded whatever is exported.

#[cfg(feature = "parquet")]
mod arrow;
mod csv;
mod federation;
mod format;
mod json;
mod jsonl;
mod lines;
mod number;
mod open_metrics;
#[cfg(feature = "parquet")]
mod parquet;
mod reduce;
mod remote_read;
pub mod remote_write;
#[cfg(feature = "parquet")]
mod table;
mod time;
mod wire;
mod writer;

#[cfg(feature = "parquet")]
pub use arrow::ArrowRows;
pub use csv::{LongCsv, WideCsv, columns_of};
pub use federation::{Federated, FederatedValue, FederationForm, write_federation};
pub use format::Format;
pub use json::{write_labels, write_seconds, write_string, write_value};
pub use jsonl::{JsonLines, LINE_ROWS_MAX};
pub use lines::Lines;
pub use number::{write_float, write_integer};
pub use open_metrics::{Known, OpenMetrics, family};
#[cfg(feature = "parquet")]
pub use parquet::ParquetRows;
pub use reduce::{Fold, Reduce};
pub use remote_read::{Frames, Samples, read_request};
pub use time::TimeForm;
pub use writer::{Pieces, RowWriter, Send};

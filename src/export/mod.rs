//! Rows to other people's formats: the mirror of `ingest`.
//!
//! What is written by the million is written by hand: numbers and JSON text go straight into the
//! caller's buffer. Doors that speak milliseconds floor, and of several rows in one millisecond they
//! give the last.

mod json;
mod jsonl;
mod number;
pub mod remote_write;

pub use json::{write_labels, write_seconds, write_string, write_value};
pub use jsonl::{JsonLines, LINE_ROWS_MAX};
pub use number::{write_float, write_integer};

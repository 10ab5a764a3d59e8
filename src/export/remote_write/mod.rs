//! Prometheus remote write, both messages, written by hand into the caller's buffer.
//!
//! [`encode`] makes a request of series with their rows; [`encode_metadata`] one that says what metrics
//! are, which message 1 tells apart and message 2 with each series; [`pack`] compresses either.
//! Rows of nanoseconds are floored to milliseconds; of several in one the last is sent.
//!
//! Source: prometheus.io, "Remote-Write 1.0" and "2.0"; `prompb/` of prometheus/prometheus.

mod message;
mod rows;
mod symbols;

pub use message::{Message, Outgoing, Sample, TimedHistogram, encode, encode_metadata, pack};

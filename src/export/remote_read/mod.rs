//! Prometheus remote read: a question, and answers: all rows in one message, or frames of chunks.
//!
//! [`Samples`] is the message `ReadResponse`, a snappy block that is held whole and so has a limit;
//! [`Frames`] is a stream of `ChunkedReadResponse`, each with at most one series: memory stays bounded.
//! Chunks are those of a TSDB: XOR for floats, two more for native histograms. Rows of nanoseconds are
//! floored to milliseconds, and of several in one the last is sent.
//!
//! Source: `prompb/remote.proto`, `storage/remote/codec.go` and `tsdb/chunkenc` of
//! prometheus/prometheus.

mod bits;
mod frames;
mod histogram;
mod last;
mod request;
mod samples;
mod xor;

pub use frames::Frames;
pub use request::read_request;
pub use samples::Samples;

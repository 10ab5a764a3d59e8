//! What targets show and clients push: Prometheus' text format 0.0.4, `OpenMetrics` 1.0 as text, and
//! the protobuf messages `io.prometheus.client.MetricFamily`.
//!
//! A series is found by its bytes as they came; only one not seen before has its labels read, changed
//! by the caller's [`Relabel`], checked and registered. So a scrape of known series costs a look at
//! each line's braces and number.
//!
//! [`Parser`] takes text apart and knows no series; [`decode()`] writes what it yields into a batch.
//! Which series came is left in [`Session::present`](super::Session::present), from which a scraper
//! knows what ended.
//!
//! Source: prometheus/docs "Exposition formats"; openmetrics.io, version 1.0; `model/textparse` and
//! `prompb/io/prometheus/client/metrics.proto` of prometheus/prometheus 3.

mod created;
mod decode;
mod families;
mod family;
mod format;
mod histogram;
mod lookup;
mod number;
mod parser;
mod series;
mod shape;
mod text;

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;

pub use decode::{Ask, Relabel, decode};
pub use format::Format;
pub use parser::{Entry, ExemplarText, Fault, MetadataText, Parser, Sample, Says, What};
pub use series::{Pair, SeriesText};

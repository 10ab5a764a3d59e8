//! OTLP metrics: `ExportMetricsServiceRequest`, as protobuf and as JSON.
//!
//! A request is a tree: resources hold scopes, scopes hold metrics, metrics hold data points. A data
//! point becomes one row or several, as Prometheus' receiver has it: names are translated, a resource
//! becomes `job`, `instance` and the series `target_info`, differences are summed up.
//!
//! The body is walked where it lies. A series is found by the key of the bytes that name it (resource,
//! scope, metric, attributes), before any of them is read as text; only a series not seen before has
//! its labels made. JSON is rewritten as protobuf first, so there is one decoder.
//!
//! Source: `opentelemetry-proto` 1.9; the OTLP specification; `otlptranslator` and
//! `storage/remote/otlptranslator` of prometheus/prometheus.

mod attributes;
mod classic;
mod config;
mod context;
mod decoder;
mod delta;
mod encodings;
mod exemplars;
mod exponential;
mod fields;
mod json;
mod labels;
mod layout;
mod metadata;
mod metric;
mod names;
mod number;
mod points;
mod receiver;
mod role;
mod shapes;
mod summary;
mod target;

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;

pub use config::{Config, Conflict, Strategy};
pub use receiver::{Form, Receiver, Sent};

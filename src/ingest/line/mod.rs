//! Influx line protocol, versions 1 and 2.
//!
//! A line that looks as senders write it is read in one pass, and all its fields are found with one
//! look-up: measurement, tags and names of fields are the key of a run of consecutive series. What
//! looks otherwise (escapes, quoted text, anything wrong) goes to a slower reader that follows
//! `InfluxDB` 1 step by step, its errors included: clients look for those texts.
//!
//! A numeric field `f` of measurement `m` becomes a sample of the metric `m_f`; tags become labels.
//!
//! Source: docs.influxdata.com, "Line protocol"; `models/points.go` of influxdata/influxdb 1.x.

mod decode;
mod field;
mod precision;
mod quick;
mod series;
mod strict;

#[cfg(test)]
mod tests;

pub use decode::{Ask, decode};
pub(super) use field::Field;
pub use precision::Precision;

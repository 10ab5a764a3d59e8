//! Line protocol as clients of `InfluxDB` 1 and 2 send it, and the few questions they ask first.
//!
//! Texts of errors are those that clients look for: "partial write", "unable to parse", "points beyond
//! retention policy". Every answer has `X-Influxdb-Version`; some clients end without it.

mod buckets;
mod delete;
mod predicate;
mod query;
mod routes;
mod write;

pub(super) use routes::routes;

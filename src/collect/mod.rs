//! What this machine says: `/proc` and `/sys`, as batches.
//!
//! Names and labels are those of `node_exporter`, process groups those of `process-exporter`, so that
//! boards made for them work; control groups have names of their own, `cgroup_*`.
//! A [`Collector`] asks its sources one by one. Each is a pure function from text to rows over a
//! [`Machine`] that tests replace; one that fails says so in `node_scrape_collector_success` and
//! stops no other. A series that is gone gets a stale marker, as after a scrape.
//!
//! Deliberately absent: a timer (the caller says when), a socket, and any setting a machine's owner
//! would have to make.

mod collector;
mod error;
mod machine;
mod samples;
pub mod scrape;
mod series;
mod sources;
mod text;

pub use collector::{Collector, Config};
pub use error::Error;
pub use machine::{Machine, ThisMachine};
pub use series::Counter;

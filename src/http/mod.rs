//! Every URL, one folder a product: parse, ask, print; no logic.
//!
//! A request passes the gate (`server`), the shape of its path (`path`), the router and what its route
//! declares (`routes`), then its handler: parameters or a body are read within limits (`params`,
//! `body`, `admission`), the house is asked, the answer is printed. Questions run where blocking is
//! allowed (`question`); batches wait for their sync without a thread (`intake`).

mod admission;
mod answer;
mod body;
mod connection;
mod context;
mod error;
mod guard;
mod influx;
mod intake;
mod metrics;
mod operations;
mod own;
mod params;
mod path;
mod prometheus;
mod question;
mod routes;
mod server;

#[cfg(test)]
mod tests;

pub use context::{Context, Doors, Options};
pub use error::Error;
pub use guard::AllowedHosts;
pub use metrics::{Counter, Kind, Metrics, Pair, Sample, Timings, Watch, write_text};
pub use operations::{BackupMade, Operations, Storage, StorageKind, StoreCounter};
pub use prometheus::rfc3339;
pub use prometheus::{parse_duration, parse_time};
pub use server::{Gate, Server};

//! Every URL, one folder a product: parse, ask, print; no logic.
//!
//! A request passes the gate (`server`), the shape of its path (`path`), the router and what its route
//! declares (`routes`, `access`, `guard`), then its handler: parameters or a body are read within limits (`params`,
//! `body`, `admission`), the house is asked, the answer is printed. Questions run where blocking is
//! allowed (`question`); batches wait for their sync without a thread (`intake`).

mod access;
mod admission;
mod answer;
mod body;
mod certificate;
mod connection;
mod context;
mod control;
mod cors;
mod error;
mod guard;
mod influx;
mod intake;
mod metrics;
mod operations;
mod otlp;
mod outlet;
mod own;
mod params;
mod path;
mod prefix;
mod prometheus;
mod pushgateway;
mod queries;
mod question;
mod routes;
mod server;
mod tls;

#[cfg(test)]
mod tests;

pub use access::Access;
pub use certificate::common_name;
pub use context::{Context, Doors, Options};
pub use control::{Control, LastReload, Reloaded};
pub use error::Error;
pub use guard::AllowedHosts;
pub use metrics::{Counter, Kind, Metrics, Pair, Sample, Timings, Watch, write_text};
pub use operations::{BackupMade, Operations, RowFile, Storage, StorageKind, StoreCounter};
pub use params::percent_decode;
pub use prometheus::{parse_duration, parse_time, rfc3339, selector};
pub use server::{Gate, Server};
pub use tls::{Tls, TlsError, TlsPem, TlsReady, TlsVersion};

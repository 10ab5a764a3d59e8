//! What is scraped and how, as `prometheus.yml` says it.
//!
//! Types here read YAML with Prometheus' names and defaults and refuse what they do not know; what
//! Prometheus knows and we do not do is refused by name. [`ScrapeFile::jobs`] fills in what `global`
//! says and gives [`Job`]s, which everything else works with.

mod client;
mod discovery;
mod error;
mod file;
mod job;
mod protocol;
mod resolved;
mod secret;
mod size;

#[cfg(test)]
mod tests;

pub use client::{Authorization, BasicAuth, HeaderValues, HttpSettings, TlsSettings};
pub use discovery::{DnsConfig, FileConfig, Group, HttpConfig, RecordType, read_groups};
pub use error::ConfigError;
pub use file::{GlobalConfig, ScrapeFile};
pub use job::JobConfig;
pub use protocol::ScrapeProtocol;
pub use resolved::{Job, Limits};
pub use secret::Secret;
pub use size::ByteSize;

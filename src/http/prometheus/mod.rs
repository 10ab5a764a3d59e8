//! The Prometheus HTTP API and remote write, as their clients expect them.
//!
//! Answers are the envelope `{"status":…}`; refusals too, except those of remote write, which are
//! plain text. Source: Prometheus `web/api/v1/api.go`.

mod admin;
mod envelope;
mod exemplars;
mod explain;
mod export;
mod format;
mod import;
mod labels;
mod moment;
mod query;
mod routes;
mod scope;
mod status;
mod targets;
mod value;
mod write;

pub(super) use import::encoding;
pub use moment::{parse_duration, parse_time};
pub(super) use routes::routes;
pub use scope::selector;
pub use status::rfc3339;

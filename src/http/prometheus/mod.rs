//! The Prometheus HTTP API and remote write, as their clients expect them.
//!
//! Answers are the envelope `{"status":…}`; refusals too, except those of remote write, which are
//! plain text. Source: Prometheus `web/api/v1/api.go`.

mod admin;
mod ast;
mod envelope;
mod exemplars;
mod export;
mod federate;
mod format;
mod house;
mod import;
mod labels;
mod moment;
mod notifications;
mod query;
mod read;
mod routes;
mod rules;
mod running;
mod scope;
mod stats;
mod status;
mod targets;
mod value;
mod write;

pub(super) use import::encoding;
pub use moment::{parse_duration, parse_time};
pub(super) use routes::routes;
pub use scope::selector;
pub use status::rfc3339;

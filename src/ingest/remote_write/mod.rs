//! Prometheus remote write, both messages.
//!
//! The body is walked where it lies. A series is found by its label bytes as they came, before any
//! of them is read as text; only a series not seen before has its labels parsed. Message 2 refers
//! to a table of symbols whose numbers differ from request to request; its series are found by the
//! keys of their texts, each of which is hashed once a request.
//!
//! Source: prometheus.io, "Remote-Write 1.0" and "2.0"; `prompb/` of prometheus/prometheus.

mod decoder;
mod exemplar;
mod histogram;
pub(super) mod labels;
mod message;
mod metadata;
mod one;
mod replica;
mod sample;
mod shapes;
mod two;

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;

pub(super) use decoder::Fault;
pub(super) use histogram::Raw as RawHistogram;
pub use message::{Form, Message, decode, decode_of_replicas};
pub use replica::Replicas;
pub(super) use two::Symbol;

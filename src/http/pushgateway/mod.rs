//! The write API of Prometheus' Pushgateway: `/metrics/job/NAME{/LABEL/VALUE}`.
//!
//! PUT replaces a group, POST its metrics of the same names, DELETE ends it. Texts and statuses are
//! those of the Pushgateway: 200 for a push, 202 for a deletion, plain text for refusals.

mod path;
mod push;
mod routes;

pub(super) use routes::routes;

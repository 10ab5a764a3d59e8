//! Quipu: a time-series database that is a whole performance-monitoring platform in one binary.
//!
//! Every signal is a table; rows belong to series; a block keeps rows as column chunks; what we
//! conclude is rows again. The rooms below stand on floors (docs/architecture.md draws them): a room
//! imports only from floors under its own, and `tests/house.rs` holds them to it.

// Ground: files and clock, columns to bytes, the words.
pub mod codec;
pub mod model;
pub mod os;

pub mod math;

pub mod access;
pub mod export;
pub mod ingest;
pub mod query;
pub mod store;

pub mod collect;
pub mod continuous;
pub mod dashboard;

pub mod advise;
pub mod alert;
pub mod apm;
pub mod load;

pub mod http;
pub mod net;

pub mod app;

pub mod cli;

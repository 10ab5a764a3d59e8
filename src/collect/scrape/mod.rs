//! The life of scrape targets, as pure machines: what is due, what a body means, what is stale.

mod config;

pub use config::*;

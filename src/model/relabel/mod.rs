//! Relabelling: a list of rules that change the labels of a target or a series, or drop it.
//!
//! The rules, their names and their defaults are those of Prometheus (`model/relabel/relabel.go`), so
//! that a list copied from there does the same here. Scraping, remote write and rules all use this.

mod builder;
mod config;
mod rule;
mod template;

#[cfg(test)]
mod tests;

pub use builder::LabelBuilder;
pub use config::{RelabelAction, RelabelConfig, RelabelError};
pub use rule::{RelabelRule, relabel, relabel_in_place};

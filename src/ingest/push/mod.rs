//! Metrics of jobs that end before anyone could scrape them: what Prometheus' Pushgateway keeps.
//!
//! A push belongs to a group, named by labels that all its series get. It replaces the group or merges
//! into it metric by metric; what it takes away ends with staleness markers. A Pushgateway is scraped
//! again and again, so pushed values are written again and again here, too: they stay visible until
//! somebody deletes them. [`Groups`] knows what is there and what follows; who calls it writes, and
//! [`SharedGroups`] has a [`Keeper`] make it outlive the process.
//!
//! Source: prometheus/pushgateway, README and `handler/push.go`.

mod groups;
mod read;
mod saved;
mod shared;

#[cfg(test)]
mod tests;

pub use groups::{Group, Groups, How, Limits, Push, PushError};
pub use read::{Pushed, read};
pub use saved::SavedError;
pub use shared::{Keeper, SharedGroups};

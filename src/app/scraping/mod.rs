//! Drives scraping: has the clock, the sockets and the files that `collect::scrape` does without.
//!
//! One task a target waits until it is due, fetches, and writes what the target's life makes of it;
//! one task a list of targets reads it again and again. A target's next scrape begins after the last
//! one is written, so a store that is slow slows scraping instead of filling the memory.

mod drive;
mod error;
mod fetch;
mod lists;
mod lookup;
mod paths;

pub(super) use drive::{Into, Scraping};
pub use error::Error;
pub(super) use error::read_file;

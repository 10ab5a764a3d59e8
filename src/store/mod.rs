//! Rows in, kept safe, rows out. Knows no query and no wire format.
//!
//! A batch goes to the log, then to the head; a flush writes the head as parts, merges make few of
//! many, a partition that is over is sealed to blocks. `Db` wires this; policy is in `plan`.

mod bytes;
mod catalog;
mod config;
mod crash;
mod error;
mod file;
mod histogram;
mod head;
mod manifest;
mod matching;
mod rows;
mod wal;

pub use config::{Config, SyncPolicy};
pub use crash::CRASH_POINTS;
pub use error::{Damage, Error};

//! Reads the configuration, wires the house, drives it, starts it and stops it.
//!
//! [`serve`] takes the address, lets the store recover, opens the gate, and on a signal goes the way
//! back: no new requests, those that run end, then the store. Threads: the runtime's for sockets, one
//! that commits, one that does upkeep, one that collects where that is asked for.

mod backups;
mod collecting;
mod error;
mod local;
mod options;
mod pace;
mod pool;
mod process;
mod serve;
mod store;

pub use backups::{BackupOptions, backup_place};
pub use error::Error;
pub use local::Local;
pub use options::Options;
pub use pace::Steady;
pub use serve::{Ready, serve};
pub use store::{describe, open_store};

//! Reads the configuration, wires the house, drives it, starts it and stops it.
//!
//! [`serve`] takes the address, lets the store recover, opens the gate, and on a signal goes the way
//! back: no new requests, those that run end, then the store. Threads: the runtime's for sockets, one
//! that commits, one that does upkeep, one that collects where that is asked for. [`run_agent`] is the
//! same house with a log only: what comes in goes out again.

mod agent;
mod agent_file;
mod backups;
mod collecting;
mod config;
mod error;
mod files;
mod forwarding;
mod import;
mod local;
mod options;
mod pace;
mod pool;
mod process;
mod pushing;
mod replicas;
mod scraping;
mod serve;
mod steward;
mod store;
mod tokens;
mod units;

pub use agent::{AgentReady, run_agent};
pub use agent_file::AgentFile;
pub use backups::{BackupOptions, backup_place};
pub use config::{
    Converted, Fault, Faults, Key, Kind, Loaded, Loader, Origin, SECTIONS, Setting, Variables,
    convert, convert_text, reference, schema,
};
pub use error::Error;
pub use files::read_file;
pub use import::{ImportError, Progress, Summary, TsdbImport, import_tsdb};
pub use local::Local;
pub use options::{Options, TlsFiles};
pub use pace::Steady;
pub use serve::{Ready, serve};
pub use store::{describe, open_store};
pub use tokens::{TokenFile, Wanted, hash_of};
pub use units::{duration, size};

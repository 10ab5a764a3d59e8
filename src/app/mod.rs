//! Reads the configuration, wires the house, drives it, starts it and stops it.
//!
//! [`serve`] takes the address, lets the store recover, opens the gate, and on a signal goes the way
//! back: no new requests, those that run end, then the store. Threads: the runtime's for sockets, one
//! that commits, one that does upkeep, one that collects where that is asked for. [`run_agent`] is the
//! same house with a log only: what comes in goes out again.

mod agent;
mod agent_file;
mod collecting;
mod error;
mod forwarding;
mod local;
mod options;
mod pool;
mod process;
mod replicas;
mod scraping;
mod serve;
mod store;

pub use agent::{AgentReady, run_agent};
pub use agent_file::AgentFile;
pub use error::Error;
pub use local::Local;
pub use options::Options;
pub use scraping::Error as ScrapeError;
pub use serve::{Ready, serve};
pub use store::describe;

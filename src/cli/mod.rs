//! The verbs of the command line.
//!
//! Standard output is data, standard error is talk. Exit codes: 0 fine, 1 a check or the work failed, 2
//! the command is wrong, 3 the server cannot be reached. Colour only on a terminal.

mod agent;
mod bench;
mod client;
mod command;
mod error;
mod files;
mod query;
mod run;
mod serve;
mod table;
mod units;

pub use command::Command;
pub use run::main;

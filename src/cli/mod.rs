//! The verbs of the command line.
//!
//! Standard output is data, standard error is talk. Exit codes: 0 fine, 1 a check or the work failed, 2
//! the command is wrong, 3 the server cannot be reached. Colour only on a terminal.

mod agent;
mod backup;
mod backup_words;
mod bench;
mod client;
mod command;
mod config;
mod error;
mod explain;
mod export;
mod files;
mod import;
mod inspect;
mod query;
mod run;
mod serve;
mod settings;
mod table;
mod token;
mod units;

pub use command::Command;
pub use run::main;

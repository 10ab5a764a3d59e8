//! From words to work to an exit code.

use std::{
    io::{self, IsTerminal},
    process::ExitCode,
};

use clap::{CommandFactory, Parser};
use tracing_subscriber::EnvFilter;

use crate::app;
use crate::cli::{
    Command, agent, backup, bench,
    command::Verb,
    config,
    error::Error,
    explain, export, files, import, inspect, query,
    serve::{self, say},
    token,
};

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    // clap prints help to standard output and complaints to standard error, with codes 0 and 2.
    let command = Command::parse();
    start_log();
    let done = match &command.verb {
        Verb::Serve(serve) => serve::run(serve),
        Verb::Agent(agent) => agent::run(agent),
        Verb::Query(query) => query::run(query),
        Verb::Import(words) => import::run(words),
        Verb::Export(words) => export::run(words),
        Verb::Inspect(words) => inspect::run(words),
        Verb::Verify(verify) => files::verify(verify),
        Verb::Repair(repair) => files::repair(repair),
        Verb::Config(config) => config::run(config),
        Verb::Token(token) => token::run(token),
        Verb::Backup(backup) => backup::run(&backup.verb),
        Verb::Restore(restore) => backup::restore_now(restore),
        Verb::Bench(bench) => bench::run(bench),
        Verb::Ingest(ingest) => explain::run(ingest),
        Verb::Completions { shell } => {
            clap_complete::generate(*shell, &mut Command::command(), "quipu", &mut io::stdout());
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is_closed_pipe() => ExitCode::SUCCESS,
        Err(Error::App(app::Error::Configuration(faults))) => {
            say(&faults.picture());
            Error::App(app::Error::Configuration(faults)).exit_code()
        }
        Err(error @ Error::Question(_)) => {
            say(&error.to_string());
            error.exit_code()
        }
        Err(error) => {
            say(&format!("error: {error}"));
            error.exit_code()
        }
    }
}

/// The log goes to standard error; `QUIPU_LOG=debug` shows more of it.
fn start_log() {
    let filter = EnvFilter::try_from_env("QUIPU_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let is_colourful = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    // A second start, as in a test, changes nothing.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(is_colourful)
        .with_target(false)
        .try_init();
}

//! The words of `quipu import`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Import rows of another database, or of files.
#[derive(Debug, Args)]
pub(in crate::cli) struct Import {
    #[command(subcommand)]
    pub(super) from: From,
}

#[derive(Debug, Subcommand)]
pub(super) enum From {
    /// The blocks of a Prometheus data directory, or of a snapshot of one
    Prometheus(Prometheus),
}

#[derive(Debug, Args)]
pub(super) struct Prometheus {
    /// Their directory: the one that holds blocks
    #[arg(value_name = "DIR")]
    pub(super) directory: PathBuf,
    /// The data directory to write into; made if missing; no server may have it open
    #[arg(long, value_name = "DIR", default_value = "quipu-data", env = "QUIPU_DATA")]
    pub(super) data: PathBuf,
    #[command(flatten)]
    pub(super) choice: Choice,
}

/// Which rows.
#[derive(Debug, Args)]
pub(super) struct Choice {
    /// Only series that match this selector, like '{job="api"}'; may be repeated
    #[arg(long = "match", value_name = "SELECTOR")]
    pub(super) selectors: Vec<String>,
    /// Only rows from this time on
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(super) start: Option<String>,
    /// Only rows up to this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(super) end: Option<String>,
}

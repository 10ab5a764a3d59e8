//! The words of `quipu export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::command::Hidden;

/// Write rows of selected series.
#[derive(Debug, Args)]
pub(in crate::cli) struct Export {
    /// The server to ask
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7847", env = "QUIPU_URL")]
    pub(super) url: String,
    /// A token that the server knows
    #[arg(long, value_name = "TOKEN", env = "QUIPU_TOKEN", hide_env_values = true)]
    pub(super) token: Option<Hidden>,
    /// Ask a data directory without a server, whatever --url says
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// The series to export, like '{job="api"}'; may be repeated; all if not given
    #[arg(long = "match", value_name = "SELECTOR")]
    pub(super) selectors: Vec<String>,
    /// Only rows from this time on
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(super) start: Option<String>,
    /// Only rows up to this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(super) end: Option<String>,
    /// The format; by the ending of --output, or jsonl, if not given
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Option<String>,
    /// One row a bucket, like 1m, 5m,avg or 1h,max; the last one if not said which
    #[arg(long, value_name = "TIME")]
    pub(super) reduce: Option<String>,
    /// CSV with a column a series, headed by this label's values
    #[arg(long, value_name = "LABEL")]
    pub(super) pivot: Option<String>,
    /// Times of CSV: rfc3339, `unix_s`, `unix_ms` or `unix_ns`
    #[arg(long, value_name = "FORM")]
    pub(super) times: Option<String>,
    /// A file a day (UTC) below --output: day=2026-11-25/part-0.parquet
    #[arg(long, value_name = "SPAN", requires = "output")]
    pub(super) partition: Option<Span>,
    /// The file, or with --partition the folder; standard output if not given
    #[arg(long, short, value_name = "PATH")]
    pub(super) output: Option<PathBuf>,
}

/// What a file of a folder holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Span {
    /// A day, from midnight to midnight in UTC
    Day,
}

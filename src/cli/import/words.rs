//! The words of `quipu import`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::command::Hidden;

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
    /// OpenMetrics text, as promtool and quipu export write it
    Openmetrics(File),
    /// Comma-separated values
    Csv(Csv),
    /// JSON lines, as VictoriaMetrics and quipu export write them
    Jsonl(File),
    /// InfluxDB line protocol
    Lines(Lines),
    /// A server that speaks Prometheus remote read
    RemoteRead(Server),
    /// A VictoriaMetrics server
    Victoriametrics(Server),
    /// A database of an InfluxDB 1 server
    Influxdb(Influx),
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
    #[command(flatten)]
    pub(super) time: Time,
}

/// Rows of which time.
#[derive(Debug, Args)]
pub(super) struct Time {
    /// Only rows from this time on
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(super) start: Option<String>,
    /// Only rows up to this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(super) end: Option<String>,
}

/// Where rows go.
#[derive(Debug, Args)]
#[expect(clippy::struct_field_names, reason = "each is the name of an option")]
pub(super) struct To {
    /// The server to write to
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7847", env = "QUIPU_URL")]
    pub(super) to: String,
    /// A token that the server knows
    #[arg(long, value_name = "TOKEN", env = "QUIPU_TOKEN", hide_env_values = true)]
    pub(super) token: Option<Hidden>,
    /// Write into a data directory without a server, whatever --to says; made if missing
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// A file that notes how far it is; where it is there, the import goes on from its note
    #[arg(long, value_name = "FILE")]
    pub(super) resume: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct File {
    /// The file; .gz and .zst are unpacked; - is standard input
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) to: To,
}

#[derive(Debug, Args)]
pub(super) struct Csv {
    #[command(flatten)]
    pub(super) file: File,
    /// What the columns are, like `1:label:job,2:metric:temperature,3:time:unix_s`
    #[arg(long, value_name = "COLUMNS")]
    pub(super) format: String,
    /// Leave out the first line
    #[arg(long)]
    pub(super) skip_header: bool,
}

#[derive(Debug, Args)]
pub(super) struct Lines {
    #[command(flatten)]
    pub(super) file: File,
    /// What the times count: ns, us, ms or s
    #[arg(long, value_name = "UNIT", default_value = "ns")]
    pub(super) precision: String,
    /// The database, which becomes the label db
    #[arg(long, value_name = "NAME", default_value = "")]
    pub(super) db: String,
}

#[derive(Debug, Args)]
pub(super) struct Server {
    /// Its address, like <http://127.0.0.1:9090>
    #[arg(value_name = "URL")]
    pub(super) url: String,
    #[command(flatten)]
    pub(super) choice: Choice,
    #[command(flatten)]
    pub(super) to: To,
}

#[derive(Debug, Args)]
pub(super) struct Influx {
    /// Its address, like <http://127.0.0.1:8086>
    #[arg(value_name = "URL")]
    pub(super) url: String,
    /// The database
    #[arg(long, value_name = "NAME")]
    pub(super) db: String,
    /// Do not keep the database's name as the label db
    #[arg(long)]
    pub(super) no_db_label: bool,
    #[command(flatten)]
    pub(super) time: Time,
    #[command(flatten)]
    pub(super) to: To,
}

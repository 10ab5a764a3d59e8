//! The words of the command line. `-h` fits a screen, `--help` says all.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::access::{Scopes, Secret};
use crate::app::size;
use crate::cli::{
    backup_words::{Backup, Restore},
    export::Export,
    import::Import,
    settings::Settings,
    units::{duration, label},
};

/// A time-series database: send it rows, ask it with PromQL.
#[derive(Debug, Parser)]
#[command(name = "quipu", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Command {
    #[command(subcommand)]
    pub(super) verb: Verb,
}

const EXIT_CODES: &str = "Exit codes: 0 fine, 1 failed, 2 wrong command, 3 server not reached.
Start with: quipu serve";

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Run the server
    Serve(Box<Serve>),
    /// Collect here and send all of it to a server, with a buffer on disk
    Agent(Agent),
    /// Ask a question, of a server or of a data directory
    Query(Query),
    /// Bring in rows of another database, or of files
    Import(Import),
    /// Write rows as JSON lines, CSV, OpenMetrics, line protocol, Parquet or Arrow
    Export(Export),
    /// Show what lies in a data directory
    Inspect(Inspect),
    /// Check every byte of a data directory
    Verify(Verify),
    /// Set damaged files aside, so that the rest can be served
    Repair(Repair),
    /// Check, print and convert configurations
    #[command(subcommand)]
    Config(Config),
    /// Say who may use the server
    #[command(subcommand)]
    Token(Token),
    /// Make, list, check and prune backups
    Backup(Backup),
    /// Bring a backup back, into an empty directory
    Restore(Restore),
    /// Load a server and measure it
    Bench(Bench),
    /// Show what becomes of rows on their way in
    Ingest(Ingest),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// A file of options, quipu.yml; SIGHUP reads it again
    #[arg(long, value_name = "FILE", env = "QUIPU_CONFIG")]
    pub(super) config: Option<PathBuf>,
    #[command(flatten)]
    pub(super) settings: Settings,
}

#[derive(Debug, Args)]
pub(super) struct Agent {
    /// A server to send to: its address, or a whole remote write URL; may be repeated
    #[arg(long, value_name = "URL", required_unless_present = "config", env = "QUIPU_TO")]
    pub(super) to: Vec<String>,
    /// Where rows wait until they are sent; made if missing
    #[arg(long, value_name = "DIR", default_value = "quipu-agent", env = "QUIPU_DATA")]
    pub(super) data: PathBuf,
    /// YAML in the form of prometheus.yml: what is scraped, where it is sent, labels of all of it
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Collect what this machine says, which is the default
    #[arg(long, overrides_with = "no_collect", hide_short_help = true)]
    pub(super) collect: bool,
    /// Do not collect what this machine says
    #[arg(long, overrides_with = "collect")]
    pub(super) no_collect: bool,
    /// How often to collect
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = duration)]
    pub(super) collect_interval: Duration,
    /// Take rows by HTTP, too, at this address and port; not at all if not given
    #[arg(long, value_name = "ADDR")]
    pub(super) listen: Option<SocketAddr>,
    /// Size of the buffer; past it the oldest rows are given up
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = size)]
    pub(super) buffer_max: u64,
    /// A label of all that is sent, as NAME=VALUE, where it has none of the name; may be repeated
    #[arg(long, value_name = "LABEL", value_parser = label)]
    pub(super) label: Vec<(String, String)>,
    /// Listen where other machines can reach, although nobody is asked who they are
    #[arg(long)]
    pub(super) insecure_no_auth: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Config {
    /// Say all that is wrong with a file
    Check {
        /// The file
        #[arg(value_name = "FILE", default_value = "quipu.yml")]
        file: PathBuf,
    },
    /// Print what is in effect, secrets left out
    Print {
        /// The file
        #[arg(long, value_name = "FILE", env = "QUIPU_CONFIG")]
        config: Option<PathBuf>,
        /// Say where each value is from
        #[arg(long)]
        origin: bool,
        #[command(flatten)]
        settings: Settings,
    },
    /// Print the JSON schema of the file, for editors
    Schema,
    /// Print the tables of all options, in Markdown
    Reference,
    /// Turn a file of Prometheus into one of Quipu, and say what does not carry over
    Convert {
        /// The file, prometheus.yml
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Token {
    /// Make a token, and print it: it is shown this once
    Create {
        /// What to call it
        #[arg(long, value_name = "NAME")]
        name: String,
        /// What it allows: read, write, admin
        #[arg(long, value_name = "SCOPES", default_value = "read")]
        scope: Scopes,
        /// The only tenant it is for
        #[arg(long, value_name = "NAME")]
        tenant: Option<String>,
        /// How long it lives, like 90d; for ever if not given
        #[arg(long, value_name = "TIME", value_parser = duration)]
        expires: Option<Duration>,
        /// The data directory; a server may run on it
        #[arg(long, value_name = "DIR", default_value = "quipu-data", env = "QUIPU_DATA")]
        data: PathBuf,
    },
    /// Show the tokens that are there
    List(Files),
    /// Strike a token out; a server that runs refuses it within a second
    Revoke {
        /// Its name or id
        #[arg(value_name = "NAME")]
        token: String,
        /// The data directory
        #[arg(long, value_name = "DIR", default_value = "quipu-data", env = "QUIPU_DATA")]
        data: PathBuf,
    },
    /// Read a password from standard input and print its hash, for access.users
    HashPassword,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    #[default]
    Table,
    Json,
    Csv,
}

#[derive(Debug, Args)]
pub(super) struct Query {
    /// The question, in PromQL
    #[arg(value_name = "EXPR")]
    pub(super) text: String,
    /// The server to ask
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7847", env = "QUIPU_URL")]
    pub(super) url: String,
    /// A token that the server knows
    #[arg(long, value_name = "TOKEN", env = "QUIPU_TOKEN", hide_env_values = true)]
    pub(super) token: Option<Hidden>,
    /// Ask a data directory without a server, whatever --url says
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// The instant to ask for: now-5m, 2026-11-23, RFC 3339, Unix seconds
    #[arg(long, value_name = "TIME", conflicts_with_all = ["start", "end", "step"], allow_hyphen_values = true)]
    pub(super) at: Option<String>,
    /// Begin of a range
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(super) start: Option<String>,
    /// End of a range; now if not given
    #[arg(long, value_name = "TIME", requires = "start", allow_hyphen_values = true)]
    pub(super) end: Option<String>,
    /// Distance of points; a hundredth of the range if not given
    #[arg(long, value_name = "TIME", requires = "start", value_parser = duration)]
    pub(super) step: Option<Duration>,
    /// How to print the answer
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(super) format: Format,
    /// Show how the query would run; with =analyze, run it and show what each part took
    #[arg(long, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "plan")]
    pub(super) explain: Option<ExplainHow>,
}

/// Whether a query that is explained runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ExplainHow {
    /// It does not.
    Plan,
    /// It does.
    Analyze,
}

#[derive(Debug, Args)]
pub(super) struct Files {
    /// The data directory
    #[arg(
        long,
        value_name = "DIR",
        default_value = "quipu-data",
        env = "QUIPU_DATA",
        global = true
    )]
    pub(super) data: PathBuf,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table", global = true)]
    pub(super) format: Format,
}

#[derive(Debug, Args)]
pub(super) struct Inspect {
    /// What to look at; all of it, shortly, if not given
    #[command(subcommand)]
    pub(super) look: Option<Look>,
    #[command(flatten)]
    pub(super) files: Files,
    /// How many metrics, labels and pairs are listed, those with most first
    #[arg(long, value_name = "COUNT", default_value_t = 20, global = true)]
    pub(super) limit: usize,
}

#[derive(Debug, Subcommand)]
pub(super) enum Look {
    /// Every part and block: times, positions, rows, bytes
    Blocks,
    /// One part or block: its sections, its columns by encoding, its largest metrics
    Block {
        /// Its path below the data directory, as `inspect blocks` lists it
        file: String,
    },
    /// The segments of the write-ahead log
    Wal,
    /// Which metrics, labels and values make many series
    Series,
    /// What differs from another data directory
    Diff {
        /// The other
        #[arg(value_name = "DIR")]
        other: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(super) struct Verify {
    #[command(flatten)]
    pub(super) files: Files,
    /// Decode every row as well
    #[arg(long)]
    pub(super) deep: bool,
    /// Where archived blocks are, to read them too: a directory, or `s3://bucket/prefix`
    #[arg(long, value_name = "PLACE", env = "QUIPU_ARCHIVE_TO")]
    pub(super) archive: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Repair {
    #[command(flatten)]
    pub(super) files: Files,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Do not ask
    #[arg(long)]
    pub(super) yes: bool,
}

#[derive(Debug, Args)]
pub(super) struct Bench {
    /// What to load it with
    #[arg(value_name = "WHAT")]
    pub(super) what: BenchKind,
    /// The server
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7847", env = "QUIPU_URL")]
    pub(super) against: String,
    /// A token that the server knows
    #[arg(long, value_name = "TOKEN", env = "QUIPU_TOKEN", hide_env_values = true)]
    pub(super) token: Option<Hidden>,
    /// How long
    #[arg(long = "for", value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub(super) length: Duration,
    /// Connections
    #[arg(long, value_name = "COUNT", default_value_t = 4)]
    pub(super) connections: usize,
    /// Series to write
    #[arg(long, value_name = "COUNT", default_value_t = 10_000)]
    pub(super) series: usize,
    /// The question to ask
    #[arg(long, value_name = "EXPR", default_value = "sum(quipu_bench)")]
    pub(super) question: String,
}

#[derive(Debug, Args)]
pub(super) struct Ingest {
    #[command(subcommand)]
    pub(super) verb: IngestVerb,
}

#[derive(Debug, Subcommand)]
pub(super) enum IngestVerb {
    /// Print what each line of a file becomes: its series and value, or why it is refused
    Explain(Explain),
}

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// How the lines are written
    #[arg(long, value_name = "PROTOCOL")]
    pub(super) protocol: Protocol,
    /// Which column of separated values is what: POSITION:TYPE:CONTEXT, separated by commas
    #[arg(long, value_name = "FORMAT", required_if_eq("protocol", "csv"))]
    pub(super) format: Option<String>,
    /// What stands between columns
    #[arg(long, value_name = "CHAR")]
    pub(super) delimiter: Option<String>,
    /// The unit of times in line protocol: ns, us, ms, s
    #[arg(long, value_name = "UNIT", default_value = "ns")]
    pub(super) precision: String,
    /// The database that lines of line protocol are sent to
    #[arg(long, value_name = "NAME", default_value = "")]
    pub(super) db: String,
    /// The file; - is standard input
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Protocol {
    /// Line protocol
    Influx,
    /// Prometheus' text format
    Prometheus,
    /// `OpenMetrics` as text
    Openmetrics,
    /// Separated values
    Csv,
    /// JSON lines of an export
    Jsonl,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum BenchKind {
    /// Line protocol, a thousand rows a request
    Ingest,
    /// One question again and again
    Query,
}

/// A secret on the command line.
#[derive(Clone, Debug)]
pub(super) struct Hidden(pub(super) Secret);

impl From<&str> for Hidden {
    fn from(text: &str) -> Self {
        Self(Secret::new(text))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_words_do_not_contradict_each_other() {
        Command::command().debug_assert();
    }

    #[test]
    fn short_help_fits_a_screen() {
        let mut command = Command::command();
        assert!(command.render_help().to_string().lines().count() <= 30);
        for verb in command.get_subcommands_mut() {
            let lines = verb.render_help().to_string().lines().count();
            assert!(lines <= 40, "{} has {lines} lines", verb.get_name());
        }
    }

    #[test]
    fn a_range_needs_a_start() {
        for words in [
            vec!["quipu", "query", "up", "--end", "now"],
            vec!["quipu", "query", "up", "--at", "now", "--start", "-1h"],
            vec!["quipu", "serve", "--retention", "soon"],
        ] {
            assert!(Command::try_parse_from(&words).is_err(), "{words:?}");
        }
        let words = ["quipu", "query", "up", "--start", "-1h", "--step", "15s"];
        assert!(Command::try_parse_from(words).is_ok());
    }
}

//! The words of the command line. `-h` fits a screen, `--help` says all.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::cli::units::{duration, label, size};

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
    /// Show what lies in a data directory
    Inspect(Files),
    /// Check every byte of a data directory
    Verify(Verify),
    /// Set damaged files aside, so that the rest can be served
    Repair(Repair),
    /// Load a server and measure it
    Bench(Bench),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(super) struct Serve {
    /// Where the data lies; made if missing
    #[arg(long, value_name = "DIR", default_value = "quipu-data", env = "QUIPU_DATA")]
    pub(super) data: PathBuf,
    /// Address and port; port 0 lets the system choose
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7847", env = "QUIPU_LISTEN")]
    pub(super) listen: SocketAddr,
    /// How long rows are kept, like 30d; for ever if not given
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(super) retention: Option<Duration>,
    /// When a write is acknowledged: commit (after its sync), interval (synced every 100 ms), none
    #[arg(long, value_name = "WHEN", default_value = "commit")]
    pub(super) sync: Sync,
    /// Write what this machine and this server say into the store
    #[arg(long, overrides_with = "no_collect")]
    pub(super) collect: bool,
    /// Do not collect, which is the default
    #[arg(long, overrides_with = "collect", hide_short_help = true)]
    pub(super) no_collect: bool,
    /// How often to collect
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration, hide_short_help = true)]
    pub(super) collect_interval: Duration,
    /// Send all that is written to this remote write URL, too; may be repeated
    #[arg(long, value_name = "URL", hide_short_help = true)]
    pub(super) forward_to: Vec<String>,
    /// Bytes of the log that wait for a receiver that is away; past it the oldest are given up
    #[arg(long, value_name = "SIZE", value_parser = size, hide_short_help = true)]
    pub(super) forward_buffer_max: Option<u64>,
    /// Scrape targets as this file says, in the form of prometheus.yml
    #[arg(long, value_name = "FILE")]
    pub(super) scrape_config: Option<PathBuf>,
    /// Let outgoing requests reach link-local addresses, and metadata services of clouds among them
    #[arg(long, hide_short_help = true)]
    pub(super) allow_link_local: bool,
    /// Listen where other machines can reach, although nobody is asked who they are
    #[arg(long)]
    pub(super) insecure_no_auth: bool,
    /// A name under which this server is reached, for calls that change it; may be repeated
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    pub(super) allow_host: Vec<String>,
    /// Memory that the store may use
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(super) memory_max: Option<u64>,
    /// How far ahead of the clock a row may lie
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration, hide_short_help = true)]
    pub(super) future_max: Duration,
    /// Rows in memory that call for a flush
    #[arg(long, value_name = "COUNT", hide_short_help = true)]
    pub(super) flush_rows: Option<u64>,
    /// Read files with plain calls instead of mappings
    #[arg(long, hide_short_help = true)]
    pub(super) no_mmap: bool,
    /// Threads for sockets; one a core if not given
    #[arg(long, value_name = "COUNT", default_value_t = 0, hide_short_help = true)]
    pub(super) threads: usize,
    #[command(flatten)]
    pub(super) replicas: ReplicaWords,
    #[command(flatten)]
    pub(super) ingest: IngestLimits,
    #[command(flatten)]
    pub(super) queries: QueryLimits,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Pairs of Prometheus servers")]
#[expect(clippy::struct_field_names, reason = "each is the name of an option")]
pub(super) struct ReplicaWords {
    /// Take rows of one replica of each cluster only, by two labels of remote write
    #[arg(long, hide_short_help = true)]
    pub(super) ha_dedup: bool,
    /// The label that names what replicas have in common
    #[arg(long, value_name = "NAME", default_value = "cluster", hide_short_help = true)]
    pub(super) ha_cluster_label: String,
    /// The label that tells replicas apart; it is removed
    #[arg(long, value_name = "NAME", default_value = "__replica__", hide_short_help = true)]
    pub(super) ha_replica_label: String,
    /// How long the replica that is heard may be silent before another is
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration, hide_short_help = true)]
    pub(super) ha_failover_after: Duration,
    /// Clusters that are known at once
    #[arg(long, value_name = "COUNT", default_value_t = 100, hide_short_help = true)]
    pub(super) ha_clusters_max: usize,
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

#[derive(Debug, Args)]
#[command(next_help_heading = "Limits of writes")]
#[expect(clippy::struct_field_names, reason = "each is the name of an option")]
pub(super) struct IngestLimits {
    /// Size of a body, packed or not
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = size, hide_short_help = true)]
    pub(super) ingest_body_max: u64,
    /// Bytes of bodies held at once; more is answered with 429
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = size, hide_short_help = true)]
    pub(super) ingest_memory_max: u64,
    /// Size of a line of line protocol
    #[arg(long, value_name = "SIZE", value_parser = size, hide_short_help = true)]
    pub(super) ingest_line_max: Option<u64>,
    /// Labels of a series
    #[arg(long, value_name = "COUNT", hide_short_help = true)]
    pub(super) ingest_labels_max: Option<usize>,
    /// Size of a label's name
    #[arg(long, value_name = "SIZE", value_parser = size, hide_short_help = true)]
    pub(super) ingest_label_name_max: Option<u64>,
    /// Size of a label's value
    #[arg(long, value_name = "SIZE", value_parser = size, hide_short_help = true)]
    pub(super) ingest_label_value_max: Option<u64>,
    /// Characters of an exemplar's labels
    #[arg(long, value_name = "COUNT", hide_short_help = true)]
    pub(super) ingest_exemplar_max: Option<usize>,
    /// Symbols of a remote write 2 request
    #[arg(long, value_name = "COUNT", hide_short_help = true)]
    pub(super) ingest_symbols_max: Option<usize>,
    /// Buckets of a native histogram
    #[arg(long, value_name = "COUNT", hide_short_help = true)]
    pub(super) ingest_buckets_max: Option<usize>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Limits of queries")]
pub(super) struct QueryLimits {
    /// Queries that run at once; two a core if not given
    #[arg(long, value_name = "COUNT", default_value_t = 0, hide_short_help = true)]
    pub(super) queries_max: usize,
    /// How long a query may run
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = duration, hide_short_help = true)]
    pub(super) query_timeout: Duration,
    /// How far back an instant looks for a value
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration, hide_short_help = true)]
    pub(super) query_lookback: Duration,
    /// Series that a selector may match
    #[arg(long, value_name = "COUNT", default_value_t = 5_000_000, hide_short_help = true)]
    pub(super) query_series_max: u64,
    /// Rows that a query may read
    #[arg(long, value_name = "COUNT", default_value_t = 2_000_000_000, hide_short_help = true)]
    pub(super) query_samples_max: u64,
    /// Memory that a query may use
    #[arg(long, value_name = "SIZE", default_value = "512MiB", value_parser = size, hide_short_help = true)]
    pub(super) query_memory_max: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Sync {
    /// After a sync that the write shares with its neighbours
    Commit,
    /// At once; synced every 100 ms
    Interval,
    /// At once; the system syncs when it likes
    None,
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
}

#[derive(Debug, Args)]
pub(super) struct Files {
    /// The data directory
    #[arg(long, value_name = "DIR", default_value = "quipu-data", env = "QUIPU_DATA")]
    pub(super) data: PathBuf,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(super) format: Format,
}

#[derive(Debug, Args)]
pub(super) struct Verify {
    #[command(flatten)]
    pub(super) files: Files,
    /// Decode every row as well
    #[arg(long)]
    pub(super) deep: bool,
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum BenchKind {
    /// Line protocol, a thousand rows a request
    Ingest,
    /// One question again and again
    Query,
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
        assert!(command.render_help().to_string().lines().count() <= 24);
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

//! The words of `quipu backup` and `quipu restore`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::app::size;
use crate::cli::command::{Format, Hidden};

/// Where backups are, as help has it.
const PLACE: &str = "PLACE";

#[derive(Debug, Args)]
pub(super) struct Backup {
    #[command(subcommand)]
    pub(super) verb: BackupVerb,
}

#[derive(Debug, Subcommand)]
pub(super) enum BackupVerb {
    /// Make a backup, of a server or of a data directory
    Create(CreateBackup),
    /// List backups
    List(ListBackups),
    /// Check that backups can be restored
    Verify(VerifyBackup),
    /// Remove backups that no rule keeps, and what no backup needs
    Prune(PruneBackups),
}

#[derive(Debug, Args)]
pub(super) struct CreateBackup {
    /// A server, which goes on serving and writes to the place itself
    #[arg(long, value_name = "URL", conflicts_with = "data")]
    pub(super) url: Option<String>,
    /// A token that the server knows
    #[arg(long, value_name = "TOKEN", env = "QUIPU_TOKEN", hide_env_values = true)]
    pub(super) token: Option<Hidden>,
    /// A data directory that no server has
    #[arg(long, value_name = "DIR", default_value = "quipu-data", env = "QUIPU_DATA")]
    pub(super) data: PathBuf,
    /// Where to: a directory, or `s3://bucket/prefix`
    #[arg(long, value_name = PLACE, env = "QUIPU_BACKUPS")]
    pub(super) to: String,
    /// Copy the tokens of the directory, too: a server does as its own --backup-access says
    #[arg(long, conflicts_with = "url")]
    pub(super) access: bool,
    /// Where archived blocks of the directory are, to copy those that no backup has
    #[arg(long, value_name = PLACE, env = "QUIPU_ARCHIVE_TO")]
    pub(super) archive: Option<String>,
    /// Bytes a second; 0 is without limit
    #[arg(long, value_name = "SIZE", default_value = "0", value_parser = size)]
    pub(super) rate: u64,
}

#[derive(Debug, Args)]
pub(super) struct ListBackups {
    /// Where they are: a directory, or `s3://bucket/prefix`
    #[arg(long, value_name = PLACE, env = "QUIPU_BACKUPS")]
    pub(super) from: String,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(super) format: Format,
}

#[derive(Debug, Args)]
pub(super) struct VerifyBackup {
    /// The backup; all if not given
    #[arg(value_name = "ID")]
    pub(super) id: Option<String>,
    /// Where they are: a directory, or `s3://bucket/prefix`
    #[arg(long, value_name = PLACE, env = "QUIPU_BACKUPS")]
    pub(super) from: String,
    /// Read every byte as well
    #[arg(long)]
    pub(super) deep: bool,
    /// Bytes a second; 0 is without limit
    #[arg(long, value_name = "SIZE", default_value = "0", value_parser = size)]
    pub(super) rate: u64,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(super) format: Format,
}

#[derive(Debug, Args)]
pub(super) struct PruneBackups {
    /// Where they are: a directory, or `s3://bucket/prefix`
    #[arg(long, value_name = PLACE, env = "QUIPU_BACKUPS")]
    pub(super) from: String,
    #[command(flatten)]
    pub(super) keep: KeepBackups,
    /// Say what would be removed, and remove nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(super) format: Format,
}

#[derive(Debug, Args)]
pub(super) struct KeepBackups {
    /// Newest backups that are kept
    #[arg(long = "keep-last", value_name = "COUNT", default_value_t = 0)]
    pub(super) last: usize,
    /// Hours of which one is kept
    #[arg(long = "keep-hourly", value_name = "COUNT", default_value_t = 0)]
    pub(super) hourly: usize,
    /// Days of which one is kept
    #[arg(long = "keep-daily", value_name = "COUNT", default_value_t = 0)]
    pub(super) daily: usize,
    /// Weeks of which one is kept
    #[arg(long = "keep-weekly", value_name = "COUNT", default_value_t = 0)]
    pub(super) weekly: usize,
    /// Months of which one is kept
    #[arg(long = "keep-monthly", value_name = "COUNT", default_value_t = 0)]
    pub(super) monthly: usize,
}

#[derive(Debug, Args)]
pub(super) struct Restore {
    /// Where the backups are: a directory, or `s3://bucket/prefix`
    #[arg(long, value_name = PLACE, env = "QUIPU_BACKUPS")]
    pub(super) from: String,
    /// The data directory, empty or not there yet
    #[arg(long, value_name = "DIR")]
    pub(super) data: PathBuf,
    /// The backup; the newest that fits if not given
    #[arg(long, value_name = "ID")]
    pub(super) backup: Option<String>,
    /// Go on in the archive of the log up to this time: now, -1h, RFC 3339, Unix seconds
    #[arg(long, value_name = "TIME", conflicts_with = "to_position", allow_hyphen_values = true)]
    pub(super) to_time: Option<String>,
    /// Go on in the archive of the log up to this position
    #[arg(long, value_name = "NUMBER")]
    pub(super) to_position: Option<u64>,
    /// Bytes a second; 0 is without limit
    #[arg(long, value_name = "SIZE", default_value = "0", value_parser = size)]
    pub(super) rate: u64,
}

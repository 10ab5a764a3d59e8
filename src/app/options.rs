//! Everything that may be set, with its defaults.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use crate::app::{ArchiveOptions, BackupOptions};
use crate::http;
use crate::ingest::{ReplicaConfig, push};
use crate::model::Limits;
use crate::net::{AddressPolicy, remote_write::RemoteWriteConfig};
use crate::store;

/// What `quipu serve` may be told. The defaults need no telling.
///
/// Names, texts and documentation of these stand in `config/keys.rs`, one row an option.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Options {
    /// Where the data lies.
    pub data: PathBuf,
    /// Where to listen; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Under which URL others reach the server, where that is another.
    pub external_url: Option<String>,
    /// Certificates of this server and of its clients.
    pub tls: TlsFiles,
    /// Whether `/-/quit` ends the server.
    pub is_quit_allowed: bool,
    /// Whether the ports of OTLP are served as well.
    pub compat_ports: bool,
    /// Whether strangers may come in.
    pub insecure_no_auth: bool,
    /// Whether this machine is looked at.
    pub is_collecting: bool,
    /// How often.
    pub collect_interval: Duration,
    /// Where outgoing requests may go.
    pub addresses: AddressPolicy,
    /// Whether files are read through mappings.
    pub mmap: bool,
    /// Threads for sockets; 0 is one a core, at least two.
    pub threads: usize,
    /// How far back an instant looks for a value.
    pub lookback: Duration,
    /// Bytes of results that are kept for queries that come again.
    pub results_max: u64,
    /// How often pushed values are written again; well below `lookback`.
    pub push_repeat: Duration,
    /// How much that was pushed is kept.
    pub push_limits: push::Limits,
    /// Copies of the data elsewhere.
    pub backup: BackupOptions,
    /// Old blocks elsewhere.
    pub archive: ArchiveOptions,
    /// How the store behaves.
    pub store: store::Config,
    /// Limits of the doors.
    pub http: http::Options,
    /// Whether of senders that say the same one alone is heard.
    pub ha_dedup: bool,
    /// How they are told apart.
    pub replicas: ReplicaConfig,
    /// Who gets all that is written, as `--forward-to` says.
    pub forward_to: Vec<RemoteWriteConfig>,
    /// The same, as `remote_write` says.
    pub remote_write: Vec<RemoteWriteConfig>,
    /// Labels of what goes out, where it has none of the name.
    pub external_labels: Vec<(String, String)>,
}

/// Files of certificates and keys, in PEM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, and those that signed it.
    pub cert: Option<PathBuf>,
    /// Its key.
    pub key: Option<PathBuf>,
    /// Who signs certificates of clients; where it is set, a client may show one.
    pub client_ca: Option<PathBuf>,
    /// The oldest version that is spoken.
    pub min_version: http::TlsVersion,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            data: PathBuf::from("quipu-data"),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7847)),
            external_url: None,
            tls: TlsFiles::default(),
            is_quit_allowed: false,
            compat_ports: false,
            insecure_no_auth: false,
            is_collecting: false,
            collect_interval: Duration::from_secs(10),
            addresses: AddressPolicy::default(),
            mmap: true,
            threads: 0,
            lookback: Duration::from_mins(5),
            results_max: 64 << 20,
            push_repeat: Duration::from_mins(1),
            push_limits: push::Limits::default(),
            backup: BackupOptions::default(),
            archive: ArchiveOptions::default(),
            store: store::Config::default(),
            http: http::Options {
                queries_max: 0,
                query_limits: Limits { memory_max: 384 << 20, ..Limits::default() },
                ..http::Options::default()
            },
            ha_dedup: false,
            replicas: ReplicaConfig::default(),
            forward_to: Vec::new(),
            remote_write: Vec::new(),
            external_labels: Vec::new(),
        }
    }
}

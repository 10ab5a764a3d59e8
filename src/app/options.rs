//! Everything that may be set, with its defaults.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use crate::http;
use crate::ingest::ReplicaConfig;
use crate::net::{AddressPolicy, remote_write::RemoteWriteConfig};
use crate::store;

/// What `quipu serve` may be told. The defaults need no telling.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the data lies.
    pub data: PathBuf,
    /// Where to listen; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Whether strangers may come in.
    pub insecure_no_auth: bool,
    /// How often this machine is looked at; None is never.
    pub collect_every: Option<Duration>,
    /// A file that says what is scraped.
    pub scrape_config: Option<PathBuf>,
    /// Where outgoing requests may go.
    pub addresses: AddressPolicy,
    /// Whether files are read through mappings.
    pub mmap: bool,
    /// Threads for sockets; 0 is one a core, at least two.
    pub threads: usize,
    /// How far back an instant looks for a value.
    pub lookback: Duration,
    /// How the store behaves.
    pub store: store::Config,
    /// Limits of the doors.
    pub http: http::Options,
    /// How senders that say the same are told apart; None where all are heard.
    pub replicas: Option<ReplicaConfig>,
    /// Who gets all that is written.
    pub remote_write: Vec<RemoteWriteConfig>,
    /// Labels of what goes out, where it has none of the name.
    pub external_labels: Vec<(String, String)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            data: PathBuf::from("quipu-data"),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7847)),
            insecure_no_auth: false,
            collect_every: None,
            scrape_config: None,
            addresses: AddressPolicy::default(),
            mmap: true,
            threads: 0,
            lookback: Duration::from_mins(5),
            store: store::Config::default(),
            http: http::Options::default(),
            replicas: None,
            remote_write: Vec::new(),
            external_labels: Vec::new(),
        }
    }
}

//! Everything that may be set, with its defaults.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use crate::app::BackupOptions;
use crate::http;
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
    /// Whether files are read through mappings.
    pub mmap: bool,
    /// Threads for sockets; 0 is one a core, at least two.
    pub threads: usize,
    /// How far back an instant looks for a value.
    pub lookback: Duration,
    /// Copies of the data elsewhere.
    pub backup: BackupOptions,
    /// How the store behaves.
    pub store: store::Config,
    /// Limits of the doors.
    pub http: http::Options,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            data: PathBuf::from("quipu-data"),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7847)),
            insecure_no_auth: false,
            collect_every: None,
            mmap: true,
            threads: 0,
            lookback: Duration::from_mins(5),
            backup: BackupOptions::default(),
            store: store::Config::default(),
            http: http::Options::default(),
        }
    }
}

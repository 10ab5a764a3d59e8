//! Why the server does not start.

use std::{io, net::SocketAddr, path::PathBuf};

use crate::access;
use crate::app::Faults;
use crate::http::TlsError;
use crate::net::remote_write::StartError;
use crate::store;

/// Why the server does not start, or ended in disorder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The place of archived blocks cannot be used.
    #[error("the archive: {0}; name another with --archive-to")]
    Archive(#[source] crate::model::Error),
    /// The configuration is wrong.
    #[error("{0}")]
    Configuration(Box<Faults>),
    /// Others could reach it, and nothing asks who they are.
    #[error(
        "{address} can be reached from other machines, and nobody is known here who could say who \
         they are: make a token with `quipu token create --name NAME --scope read,write,admin --data \
         {data}`, listen on 127.0.0.1, or say --insecure-no-auth",
        data = data.display()
    )]
    Exposed {
        /// The address asked for.
        address: SocketAddr,
        /// Where tokens lie.
        data: PathBuf,
    },
    /// The address cannot be had.
    #[error("cannot listen on {address}: {source}; choose another with --listen")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A port that others know cannot be had.
    #[error("cannot listen on {address}: {source}; leave out --compat-ports, or end who has it")]
    CompatPort {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The data directory cannot be used.
    #[error("cannot use {directory}: {source}; choose another with --data", directory = directory.display())]
    Directory {
        /// As it was given.
        directory: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The store does not open.
    #[error("cannot open {directory}: {source}", directory = directory.display())]
    Store {
        /// As it was given.
        directory: PathBuf,
        /// What the store said.
        source: store::Error,
    },
    /// The tokens cannot be had.
    #[error("cannot use {file}: {source}", file = file.display())]
    TokenFile {
        /// Where they lie.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The tokens are not as they should be.
    #[error("{file}: {source}", file = file.display())]
    Tokens {
        /// Where they lie.
        file: PathBuf,
        /// What is wrong.
        source: access::Error,
    },
    /// A certificate or key cannot be used.
    #[error("cannot use {file} for TLS: {source}", file = file.display())]
    Tls {
        /// The certificate's file.
        file: PathBuf,
        /// What is wrong.
        source: TlsError,
    },
    /// A certificate or key cannot be read.
    #[error("cannot read {file}: {source}", file = file.display())]
    TlsFile {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system has no random bytes to give.
    #[error("the system gives no random bytes")]
    Random,
    /// The system gives no thread, no timer or no signal.
    #[error("cannot start {what}: {source}")]
    Start {
        /// What was to start.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A receiver of what is written cannot be started.
    #[error(transparent)]
    RemoteWrite(#[from] StartError),
}

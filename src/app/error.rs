//! Why the server does not start.

use std::{io, net::SocketAddr, path::PathBuf};

use crate::app::scraping;
use crate::net::remote_write::StartError;
use crate::store;

/// Why the server does not start, or ended in disorder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Others could reach it, and nothing asks who they are.
    #[error(
        "{address} can be reached from other machines, and there is no authentication: listen on \
         127.0.0.1, or say --insecure-no-auth"
    )]
    Exposed {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The address cannot be had.
    #[error("cannot listen on {address}: {source}; choose another with --listen")]
    Listen {
        /// The address asked for.
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
    /// What is to be scraped cannot be read.
    #[error(transparent)]
    Scraping(#[from] scraping::Error),
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

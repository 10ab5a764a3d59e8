//! Why an import ended.

use std::{io, path::PathBuf};

use crate::ingest::tsdb;
use crate::model;
use crate::store;

/// Why an import ended. What was imported before stays; the same command goes on from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// A file or folder of theirs cannot be read.
    #[error("cannot read {file}: {source}", file = file.display())]
    Read {
        /// Which.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no block.
    #[error("{directory} holds no block of Prometheus: name its data directory or a snapshot of it", directory = directory.display())]
    NoBlocks {
        /// As it was given.
        directory: PathBuf,
    },
    /// What a block says of itself cannot be read.
    #[error("cannot use {file}: {why}", file = file.display())]
    Meta {
        /// Its `meta.json`.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A block is damaged where series could not be told apart any more.
    #[error(
        "cannot read block {block}: {source}; take it out of the directory to import the others"
    )]
    Damaged {
        /// Its name.
        block: String,
        /// What is wrong, and where.
        source: tsdb::Error,
    },
    /// A selector does not compile.
    #[error("{0}")]
    Selector(model::Error),
    /// The store refused.
    #[error("cannot write {data}: {source}", data = data.display())]
    Store {
        /// The data directory.
        data: PathBuf,
        /// What it said.
        source: store::Error,
    },
    /// The data directory does not open.
    #[error(transparent)]
    Open(#[from] crate::app::Error),
}

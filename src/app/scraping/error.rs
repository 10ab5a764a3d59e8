//! What keeps scraping from beginning.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::paths::Tree;
use crate::collect::scrape::{ConfigError, Job, ScrapeFile};

/// A configuration is text that people write.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// Why a configuration is not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read {file}: {source}", file = file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It does not say what to scrape.
    #[error("{file}: {source}", file = file.display())]
    Config {
        /// Which.
        file: PathBuf,
        /// What is wrong.
        source: ConfigError,
    },
}

/// Reads the jobs of a file.
///
/// # Errors
/// Where it cannot be read, or means nothing.
pub(in crate::app) fn read_file(file: &Path) -> Result<Vec<Job>, Error> {
    let unread = |source| Error::File { file: file.to_owned(), source };
    let bytes = Tree::open(Path::new("."))
        .and_then(|tree| tree.read(file, FILE_BYTES_MAX))
        .map_err(unread)?;
    let text = String::from_utf8(bytes)
        .map_err(|error| unread(io::Error::new(io::ErrorKind::InvalidData, error)))?;
    ScrapeFile::read(&text)
        .and_then(|read| read.jobs())
        .map_err(|source| Error::Config { file: file.to_owned(), source })
}

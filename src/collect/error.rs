//! Why a source said nothing.

use std::io;

/// Why a source of this machine could not be read. One source's error stops no other.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not there, or not for us.
    #[error("cannot read /{path}")]
    Read {
        /// Without the leading slash.
        path: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// The text is not what it has been in any kernel we know.
    #[error("/{path}, line {line}: expected {expected}, found {found:?}")]
    Malformed {
        /// Without the leading slash.
        path: String,
        /// Counted from 1; 0 where the file as a whole is meant.
        line: usize,
        /// What should stand there.
        expected: &'static str,
        /// What does, shortened.
        found: String,
    },
    /// More than is looked at in one collection.
    #[error("{what}: found more than {limit}; the rest was left out")]
    TooMany {
        /// What was counted.
        what: &'static str,
        /// How many are looked at.
        limit: usize,
    },
}

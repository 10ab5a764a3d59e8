//! What the doors of this house refuse, and why.

/// Why a door did not do what was asked. Callers choose a status by variant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Wrong input: asking again will not help.
    #[error("{0}")]
    Invalid(String),
    /// A limit was met; `option` raises it.
    #[error("{what}: {actual} is over the limit of {limit}; raise it with {option}")]
    Limit {
        /// What was counted.
        what: &'static str,
        /// The count that was met.
        actual: u64,
        /// The count allowed.
        limit: u64,
        /// The option that sets `limit`.
        option: &'static str,
    },
    /// The asker went away or asked to stop.
    #[error("query was cancelled")]
    Cancelled,
    /// The time allowed is over.
    #[error("query timed out in expression evaluation")]
    TimedOut,
    /// Try later: memory is short, writes are suspended, or the server is going down.
    #[error("{0}")]
    Unavailable(String),
    /// The disk is full; reads go on.
    #[error("{0}")]
    Full(String),
    /// Stored bytes are damaged. The text names file and place.
    #[error("{0}")]
    Damaged(String),
    /// The disk failed. The text names file and cause.
    #[error("{0}")]
    Io(String),
}

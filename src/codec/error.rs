//! What can be wrong with the bytes of a column.

/// Why bytes are not a column of the rows asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes end before the last row.
    #[error("column ends at byte {len}, more was expected")]
    Truncated {
        /// How many bytes there were.
        len: usize,
    },
    /// A tag that this version does not know: written by a newer one, or damaged.
    #[error("unknown encoding {number}")]
    UnknownEncoding {
        /// The number in the tag.
        number: u8,
    },
    /// An encoding that is known, at a place where it may not stand.
    #[error("encoding {number} may not stand here")]
    MisplacedEncoding {
        /// The number in the tag.
        number: u8,
    },
    /// More rows than a column may have: nothing was allocated for them.
    #[error("column of {rows} rows, limit is {limit}")]
    TooManyRows {
        /// How many were asked for.
        rows: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A number of the header that no writer would have written.
    #[error("column has {what} {found}, limit is {limit}")]
    OutOfRange {
        /// What the number is.
        what: &'static str,
        /// The number found.
        found: u64,
        /// The largest that makes sense here.
        limit: u64,
    },
    /// A stream whose rows end elsewhere than its cursor says.
    #[error("stream ends at bit {found}, cursor says {expected}")]
    Misaligned {
        /// Where the cursor ends.
        expected: u64,
        /// Where the rows end.
        found: u64,
    },
    /// A string below the one before it.
    #[error("string {index} is not in order")]
    NotSorted {
        /// Which string, from 0.
        index: usize,
    },
    /// Text that is not UTF-8.
    #[error("string {index} is not UTF-8")]
    NotText {
        /// Which string, from 0.
        index: usize,
    },
}

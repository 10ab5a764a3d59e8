//! What can be wrong with a page.

use std::io;
use std::path::PathBuf;

/// Why bytes of a data file cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PageError {
    /// The device or the system failed; the file may be whole.
    #[error("cannot read {}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A page is not what was written.
    #[error(
        "{} is damaged: checksum of page {page} at byte {offset} is {found:#010x}, \
         expected {expected:#010x}", file.display()
    )]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Index of the page.
        page: u64,
        /// Where it begins.
        offset: u64,
        /// The checksum in the array.
        expected: u32,
        /// The checksum of the bytes.
        found: u32,
    },
    /// The file ends before its data do.
    #[error("{} is damaged: it has {found} bytes, expected at least {expected}", file.display())]
    Truncated {
        /// The file.
        file: PathBuf,
        /// Size of the data.
        expected: u64,
        /// Size of the file.
        found: u64,
    },
    /// The array of checksums does not fit the size of the data.
    #[error("{} is damaged: it has {found} page checksums, expected {expected}", file.display())]
    Checksums {
        /// The file.
        file: PathBuf,
        /// Pages in the data.
        expected: u64,
        /// Checksums in the array.
        found: u64,
    },
    /// Bytes were asked for that no offset inside a whole file leads to.
    #[error(
        "{} has no {length} bytes at {offset}: its data end at {size}", file.display()
    )]
    Range {
        /// The file.
        file: PathBuf,
        /// Where the bytes should begin.
        offset: u64,
        /// How many they should be.
        length: u64,
        /// Size of the data.
        size: u64,
    },
}

impl PageError {
    /// Is the file to blame, rather than the device at this moment?
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Io { .. } => false,
            Self::Damaged { .. }
            | Self::Truncated { .. }
            | Self::Checksums { .. }
            | Self::Range { .. } => true,
        }
    }
}

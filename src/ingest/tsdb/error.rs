//! Why a block cannot be read.

/// Bytes of a block that are not what they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{part} is damaged at byte {at}: {fault}")]
pub struct Error {
    /// Which of its files.
    pub part: &'static str,
    /// Where, counted in that file, or in the chunk where it is one.
    pub at: u64,
    /// What is wrong there.
    pub fault: Fault,
}

/// What is wrong with bytes of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// They end inside something.
    #[error("it ends inside {0}")]
    Truncated(&'static str),
    /// They do not begin as such a file does.
    #[error("magic number is {found:#010x}, not {expected:#010x}")]
    Magic {
        /// As it should be.
        expected: u32,
        /// As it is.
        found: u32,
    },
    /// Written by something newer, or very old.
    #[error("version is {found}, only {known} is known")]
    Version {
        /// As it is.
        found: u8,
        /// What can be read.
        known: u8,
    },
    /// The checksum does not hold.
    #[error("checksum is {found:#010x}, the bytes give {expected:#010x}")]
    Checksum {
        /// What the bytes give.
        expected: u32,
        /// As it is written.
        found: u32,
    },
    /// An encoding of chunks that is not known.
    #[error("chunk encoding {0} is not known")]
    Encoding(u8),
    /// Two things that cannot both be.
    #[error("{0}")]
    Contradiction(&'static str),
}

impl Fault {
    /// Names the file and the place.
    pub(super) fn at(self, part: &'static str, at: usize) -> Error {
        Error { part, at: at as u64, fault: self }
    }
}

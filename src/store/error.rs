//! What can go wrong in the store.

use std::{io, path::PathBuf};

use crate::codec;
use crate::model;

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system failed a call.
    #[error("cannot {call} {file}: {source}", file = file.display())]
    Io {
        /// What was tried.
        call: &'static str,
        /// On which file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Bytes are not what was written.
    #[error("{file} is damaged at byte {at}: {what}", file = file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Where in it.
        at: u64,
        /// What is wrong there.
        what: Damage,
    },
    /// Bytes of a form that came after this version: no damage, and not to be touched.
    #[error("{file} was written by a newer version, at byte {at}: {what}; nothing was changed, start that version", file = file.display())]
    Newer {
        /// The file.
        file: PathBuf,
        /// Where in it.
        at: u64,
        /// What is not known.
        what: Damage,
    },
    /// A file that the manifest lists is not there.
    #[error("{file} is missing, though the manifest lists it", file = file.display())]
    Missing {
        /// The file.
        file: PathBuf,
    },
    /// Another process has the directory.
    #[error("{directory} is in use by another process: stop it first", directory = directory.display())]
    Locked {
        /// The directory.
        directory: PathBuf,
    },
    /// Files without the manifest that would list them.
    #[error("{directory} holds data but no manifest in {manifest}: restore it from a backup, or run `quipu repair --data {directory}`", directory = directory.display(), manifest = manifest.display())]
    NoManifest {
        /// The directory.
        directory: PathBuf,
        /// Where the manifest should be.
        manifest: PathBuf,
    },
    /// There is less room than the reserve that upkeep needs.
    #[error("disk is full: {free} bytes are free below {directory}, {reserve} are kept back for upkeep; writes go on when there is room", directory = directory.display())]
    Full {
        /// Where the files are.
        directory: PathBuf,
        /// Bytes free.
        free: u64,
        /// Bytes kept back.
        reserve: u64,
    },
    /// More memory is in use than the budget allows.
    #[error(
        "memory is short: {used} of {limit} bytes are in use; try again later or raise --memory-max"
    )]
    OutOfMemory {
        /// Bytes in use.
        used: u64,
        /// The budget.
        limit: u64,
    },
    /// The database was closed.
    #[error("the database is closed")]
    Closed,
    /// A restore was cut off.
    #[error("{directory} holds a restore that did not come to its end: run `quipu restore` again with the same words, or empty the directory", directory = directory.display())]
    Restoring {
        /// The directory.
        directory: PathBuf,
    },
    /// A restore goes into an empty directory only.
    #[error("{directory} is not empty, it has {found:?}: restore into an empty directory", directory = directory.display())]
    NotEmpty {
        /// The directory.
        directory: PathBuf,
        /// Something that is in it.
        found: String,
    },
    /// A block is in the archive, and the archive does not give it.
    #[error("cannot read {file} of the archive: {source}", file = file.display())]
    Archive {
        /// The block.
        file: PathBuf,
        /// What the archive said.
        source: Box<model::Error>,
    },
    /// Where backups are kept refuses or cannot be reached.
    #[error("{place}: {source}")]
    Repository {
        /// Where the backups are.
        place: String,
        /// What it said.
        source: Box<model::Error>,
    },
    /// Somebody else is at work on the same backups.
    #[error(
        "{place} is in use by {by}: try again when it is done, at most {wait_s} s after it was last seen"
    )]
    Busy {
        /// Where the backups are.
        place: String,
        /// Who has it.
        by: String,
        /// When a lost one is forgotten.
        wait_s: u64,
    },
    /// What was asked for makes no sense.
    #[error("{0}")]
    Invalid(String),
}

impl Error {
    /// Itself, unless it takes for damage what a newer version wrote: that stops whoever meets it.
    pub(super) fn refuse_newer(self) -> Result<Self, Self> {
        match self {
            Self::Damaged { file, at, what } if what.is_newer() => {
                Err(Self::Newer { file, at, what })
            }
            other => Ok(other),
        }
    }
}

/// What is wrong with bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// Not the bytes that begin this kind of file or record.
    #[error("no {0} begins here")]
    NoMagic(&'static str),
    /// The bytes do not give the checksum that was written with them.
    #[error("checksum is {found:08x}, {expected:08x} was written")]
    Checksum {
        /// Written with the bytes.
        expected: u32,
        /// Computed from them.
        found: u32,
    },
    /// Fewer bytes than there must be.
    #[error("{0} ends too early")]
    Truncated(&'static str),
    /// A format that this version does not read.
    #[error("format {found} of {kind} is not known to this version, which reads up to {newest}")]
    Format {
        /// The kind of file.
        kind: &'static str,
        /// Its format number.
        found: u16,
        /// The newest known.
        newest: u16,
    },
    /// A part that must be understood and is not.
    #[error("{what} of type {number} is required and not known to this version")]
    Unknown {
        /// What it is.
        what: &'static str,
        /// Its number.
        number: u64,
    },
    /// A file of another database.
    #[error("it belongs to another database")]
    Foreign,
    /// A column does not decode.
    #[error("column does not decode: {0}")]
    Column(#[from] codec::Error),
    /// Bytes that are not those that were stored.
    #[error("digest begins with {found:016x}, that of what was stored with {expected:016x}")]
    Digest {
        /// Noted when the bytes were stored: its upper half.
        expected: u64,
        /// Computed from them.
        found: u64,
    },
    /// Numbers that contradict each other.
    #[error("{0}")]
    Contradiction(&'static str),
    /// Records that were durable once and are not there.
    #[error("{0} durable records are missing behind this place")]
    RecordsMissing(u64),
}

impl Damage {
    /// Whether the bytes are right, and only this version does not know what they say.
    pub(super) fn is_newer(&self) -> bool {
        matches!(self, Self::Format { .. } | Self::Unknown { .. })
    }
}

impl From<&Error> for model::Error {
    fn from(error: &Error) -> Self {
        let text = error.to_string();
        match error {
            Error::Io { source, .. } if !is_full(source) => Self::Io(text),
            Error::Io { .. } | Error::Full { .. } => Self::Full(text),
            Error::Damaged { .. }
            | Error::Newer { .. }
            | Error::Missing { .. }
            | Error::NoManifest { .. } => Self::Damaged(text),
            Error::Locked { .. }
            | Error::OutOfMemory { .. }
            | Error::Busy { .. }
            | Error::Closed => Self::Unavailable(text),
            Error::Archive { source, .. } | Error::Repository { source, .. } => match **source {
                model::Error::Unavailable(_) => Self::Unavailable(text),
                model::Error::Invalid(_) => Self::Invalid(text),
                model::Error::Full(_) => Self::Full(text),
                _ => Self::Io(text),
            },
            Error::Restoring { .. } | Error::NotEmpty { .. } | Error::Invalid(_) => {
                Self::Invalid(text)
            }
        }
    }
}

impl From<Error> for model::Error {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

/// Whether the system said that there is no room.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

/// Names the call and the file of an error of the system.
pub(super) fn failed<'a>(
    files: &'a dyn crate::os::Files,
    call: &'static str,
    path: &'a str,
) -> impl FnOnce(io::Error) -> Error + 'a {
    move |source| Error::Io { call, file: files.path_of(path), source }
}

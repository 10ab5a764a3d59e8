//! Why a command failed, and the exit code that says so.

use std::{io, process::ExitCode};

use crate::app;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum Error {
    /// Exit code 1: it was tried and failed, or a check found something.
    #[error("{0}")]
    Failed(String),
    /// Exit code 1, with a picture of the place; already drawn.
    #[error("{0}")]
    Question(String),
    /// Exit code 2: the words of the command do not fit.
    #[error("{0}")]
    Usage(String),
    /// Exit code 3.
    #[error("cannot reach {url}: {why}; is the server running? start it with: quipu serve")]
    Unreachable {
        /// Where it was looked for.
        url: String,
        /// What went wrong.
        why: String,
    },
    /// The server does not start.
    #[error(transparent)]
    App(#[from] app::Error),
    /// Output cannot be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
}

impl Error {
    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_)
            | Self::App(app::Error::Exposed { .. } | app::Error::Configuration(_)) => {
                ExitCode::from(2)
            }
            Self::Unreachable { .. } => ExitCode::from(3),
            Self::Failed(_) | Self::Question(_) | Self::App(_) | Self::Output(_) => {
                ExitCode::from(1)
            }
        }
    }

    /// Whoever reads our output has enough, as `quipu query … | head` does.
    pub(super) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

//! What an operator asks of the whole server, as far as a URL needs to know it.

use crate::http::Error;

/// The life of the server and its configuration.
pub trait Control: Send + Sync {
    /// Reads the configuration anew and applies it, whole or not at all.
    ///
    /// # Errors
    /// What is wrong with it. The old one stays.
    fn reload(&self) -> Result<Reloaded, Error>;

    /// The configuration in effect as YAML, without its secrets.
    fn config(&self) -> String;

    /// How the last reload went.
    fn last_reload(&self) -> LastReload;

    /// Ends the server as a signal would.
    ///
    /// # Errors
    /// Where this is not allowed.
    fn quit(&self) -> Result<(), Error>;
}

/// What a reload did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reloaded {
    /// Keys whose values are others now.
    pub changed: Vec<String>,
    /// Keys that are changed in the configuration and wait for a restart.
    pub waiting: Vec<String>,
}

/// How the last reload went; the start counts as one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastReload {
    /// Whether it was applied.
    pub is_good: bool,
    /// When the last good one was, milliseconds since 1970.
    pub good_ms: i64,
    /// When it was, good or not, milliseconds since 1970.
    pub tried_ms: i64,
}

/// No server: a directory that is asked from the command line.
pub(super) struct NoControl;

impl Control for NoControl {
    fn reload(&self) -> Result<Reloaded, Error> {
        Err(Error::Unavailable("there is no server to reload".into()))
    }

    fn config(&self) -> String {
        String::new()
    }

    fn last_reload(&self) -> LastReload {
        LastReload { is_good: true, good_ms: 0, tried_ms: 0 }
    }

    fn quit(&self) -> Result<(), Error> {
        Err(Error::Unavailable("there is no server to end".into()))
    }
}

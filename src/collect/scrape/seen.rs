//! What goes into a life and what is seen of it.

use std::time::Duration;

use crate::model::Timestamp;

/// Whether a target answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// Not asked yet.
    #[default]
    Unknown,
    /// The last scrape was taken.
    Up,
    /// It was not.
    Down,
}

impl Health {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// What was last seen of a target.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Whether it answers.
    pub health: Health,
    /// When it was last asked.
    pub at: Option<Timestamp>,
    /// How long that took.
    pub took: Duration,
    /// Why the scrape failed; empty where it did not.
    pub error: String,
}

/// One scrape, done.
#[derive(Clone, Copy, Debug)]
pub struct Scrape<'a> {
    /// When it was due.
    pub due: Timestamp,
    /// When it began.
    pub began: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// What came, or why nothing did.
    pub got: Result<Body<'a>, &'a str>,
}

/// The body of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Body<'a> {
    /// Its `Content-Type`.
    pub content_type: &'a str,
    /// Unpacked.
    pub bytes: &'a [u8],
}

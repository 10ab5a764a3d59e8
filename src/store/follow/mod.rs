//! Readers of the log: each reads what was made durable, in order, and keeps a mark of how far it is.
//!
//! A [`Follower`] reads, a [`Bookmark`] remembers on disk. Segments stay until all readers have them,
//! or until they are more than the configuration allows: then the oldest go, and a reader is told how
//! many records it missed. What a reader does with rows is its own affair; the store only promises
//! that each record comes once after the last mark.

mod bookmark;
mod followers;
mod reader;

#[cfg(test)]
mod tests;

pub use bookmark::{Bookmark, MARKS_MAX, Mark};
pub use reader::{Followed, Follower};

pub(super) use followers::{Followers, check_log_only};

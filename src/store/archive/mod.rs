//! Blocks that live in object storage: sealed, old enough, and no more on this disk.
//!
//! `place` is where they are: how their objects are named, and how ranges of them are read. `upload`
//! brings a block there, reads back what arrived, and only then lets the manifest say so and the local
//! file go. `sweep` removes the objects that no manifest names any more.
//!
//! The manifest is the one place that says where a block is, so a kill at any byte leaves one copy that
//! is listed and whole; what else is left is removed at the next start, here and there.

mod place;
mod sweep;
mod upload;

pub(super) use place::Archive;
pub use upload::Archived;

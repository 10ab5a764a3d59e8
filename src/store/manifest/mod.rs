//! The one place that says which files live.
//!
//! An append-only log of edits, each a group that holds or does not as a whole, begun by a snapshot.
//! `edit` is one change as bytes, `state` what all changes amount to, `log` the file.

mod edit;
mod log;
mod state;

pub(super) use edit::{Edit, FileId, FileKind, FileMeta, Partition, Tombstone, civil, file_path};
pub(super) use log::{FOLDER, Manifest, read};
pub(super) use state::State;

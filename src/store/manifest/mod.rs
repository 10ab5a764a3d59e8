//! The one place that says which files live.
//!
//! An append-only log of edits, each a group that holds or does not as a whole, begun by a snapshot.
//! `edit` is one change as bytes, `deletion` the part of it that is longest, `state` what all changes amount to, `log` the file.

mod deletion;
mod edit;
mod log;
mod state;

pub(super) use deletion::{Deletion, Tombstone};
pub(super) use edit::{
    DAY, Edit, FileId, FileKind, FileMeta, Partition, Retired, Tiered, check_kind, file_path,
    tier_of,
};
pub(super) use log::{FOLDER, Manifest, read};
pub(super) use state::State;

//! Copies of a database elsewhere: whole ones, and the log as it grows.
//!
//! `snapshot` holds one moment still by second names, `repository` is the place of the copies behind the
//! door [`Blocks`](crate::model::Blocks), `record` what one backup is, `directory` that door over a
//! folder. `create`, `verify`, `prune` and `restore` do what they say. `retired`, `ship` and `replay`
//! are the archive of the log: what is no longer needed here waits until it is there, and a restore
//! reads it again up to a moment.
//!
//! A backup is there once its record is; what it names was stored before. So whoever is killed at any
//! byte leaves the backups before as they were, and pieces that the next prune removes.

mod create;
mod directory;
mod memo;
mod prune;
mod record;
mod replay;
mod repository;
mod restore;
mod retired;
mod ship;
mod snapshot;
mod verify;

pub use create::{Created, Pace, create};
pub use directory::DirectoryBlocks;
pub(super) use memo::Memo;
pub use prune::{Keep, Pruned, prune};
pub(super) use record::with_digest;
pub use record::{Backup, BackupFile, decode_backup};
pub use replay::Reached;
pub use repository::{Listed, Repository};
pub(super) use restore::restoring;
pub use restore::{Restored, Until, restore};
pub(super) use retired::Retired;
pub use ship::{Shipped, Shipper};
pub(super) use snapshot::remove_leftovers;
pub use verify::{Check, Trouble, verify_backup};

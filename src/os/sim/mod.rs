//! A disk in memory that loses, tears, refuses and rots as told, the same way for the same seed.
//!
//! [`SimFiles`] is the disk and its controls. What it models, and what the store must live with:
//! - **Power cut**: of what was not synced, a file keeps everything, nothing, a prefix, any subset,
//!   or the right length full of zeros; single writes are torn at a byte or a sector of 512 bytes.
//! - **Directory entries** are pending until their directory is synced ([`Directories`]).
//! - **Process kill**: everything written stays, but is no more durable than it was.
//! - **Failed sync**: what was pending is never durable, though it can still be read; a later sync
//!   that succeeds does not bring it back.
//! - **Full disk**: a write stores what fits, then fails.
//! - **Any call fails** when a [`Fault`] says so; a write that fails has written a part.
//! - **Rot**: bits flip, files get shorter, bytes are overwritten.
//!
//! Harsher than most file systems where POSIX allows it, and nowhere harsher than POSIX.
//! Not modelled: stale blocks of other files in unsynced space, a rename that is half done, time.
//! Files: `body` is one file, `tree` the names, `reboot` what is left, `fault` when calls fail,
//! `files` and `handles` the doors of [`super::Files`], `controls` the hands of a test.

mod body;
mod chance;
mod controls;
mod fault;
mod files;
mod handles;
mod reboot;
#[cfg(test)]
mod tests;
mod tree;

pub use controls::{Directories, SimFiles};
pub use fault::{Call, Calls, Fault, Injected, PowerCut, is_power_cut};

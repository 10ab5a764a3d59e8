//! Places where the process can be made to die, by name, to see that nothing is lost there.
//!
//! `QUIPU_CRASH_AT=name` ends the process at the first pass of that place: abort, no unwinding.
//! In every build, so that what is tested is what runs; a pass costs one load and a compare.

use std::sync::OnceLock;

/// All names, in the order of a row's life.
pub const CRASH_POINTS: &[&str] = &[
    "wal-append",
    "wal-before-sync",
    "wal-rotate",
    "catalog-before-sync",
    "head-flush",
    "part-written",
    "block-written",
    "block-before-rename",
    "block-after-rename",
    "manifest-before-append",
    "manifest-after-append",
    "manifest-before-rename",
    "manifest-after-rename",
    "compact-before-delete",
    "compact-after-delete",
    "retention-delete",
    "retention-retire",
    "replay-half",
    "bulk-written",
    "bulk-listed",
    "archive-piece",
    "archive-uploaded",
    "archive-listed",
];

/// Dies here if the environment says so.
pub(super) fn crash_point(name: &'static str) {
    static WANTED: OnceLock<Option<String>> = OnceLock::new();
    debug_assert!(CRASH_POINTS.contains(&name), "{name} is listed");
    let wanted = WANTED.get_or_init(|| std::env::var("QUIPU_CRASH_AT").ok());
    if wanted.as_deref() == Some(name) {
        std::process::abort();
    }
}

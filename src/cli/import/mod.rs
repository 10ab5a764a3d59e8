//! `quipu import`: rows of other databases and files.
//!
//! `words` is what may be said, `progress` what is said meanwhile; each source has a file of its name.

mod progress;
mod prometheus;
mod run;
mod words;

pub(super) use run::run;
pub(super) use words::Import;

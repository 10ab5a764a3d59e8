//! `quipu import`: rows of other databases and files.
//!
//! `words` is what may be said, `target` where rows go, `note` how far it is in a file, `slices` a range
//! day by day, `progress` what is said meanwhile; each source has a file of its own.

mod influx;
mod note;
mod progress;
mod prometheus;
mod remote_read;
mod run;
mod slices;
mod target;
mod text;
mod victoria;
mod words;

pub(super) use run::run;
pub(super) use words::Import;

//! `quipu export`: rows to a file, to standard output, or to a folder with a file a day.

mod days;
mod run;
mod words;

pub(super) use run::run;
pub(super) use words::Export;

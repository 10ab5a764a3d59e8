//! A Prometheus TSDB directory to a data directory, a day of the store at a time.
//!
//! `window` reads files forwards, `block` is one block of theirs, `merge` brings the series of several
//! together in order, `run` goes over the days and says how far it is.

mod block;
mod error;
mod merge;
mod plan;
mod run;
mod window;

pub use error::ImportError;
pub use run::{Progress, Summary, TsdbImport, import_tsdb};

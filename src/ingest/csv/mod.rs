//! Separated values as VictoriaMetrics imports them: a `format` says which column is what.
//!
//! `2:metric:ask,3:metric:bid,1:label:ticker,4:time:unix_s`: the metrics `ask` and `bid`, the label
//! `ticker`, and seconds since 1970. A line without a time has the time of the request; an empty
//! metric is no row.

mod decode;
mod format;
mod layout;

#[cfg(test)]
mod tests;

pub use decode::{Ask, decode};
pub use format::{Format, FormatError};

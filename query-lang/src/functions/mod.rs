//! The functions: one table for type check, documentation, completion and hints.
//!
//! A function is a row in `numbers`, `windows` or `series`; `table` makes the enum and the look-up of
//! all rows, so that none can lack one. `match`es over [`Function`] then show where it must be
//! evaluated. Names, types and what is experimental are those of Prometheus
//! (`promql/parser/functions.go`) and, behind them, of `MetricsQL`.

mod numbers;
mod series;
mod signature;
mod table;
mod windows;

pub use signature::{Argument, Family, Maturity, Origin, Signature, Times};
pub use table::Function;

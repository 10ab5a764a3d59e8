//! Results kept from one question to the next: a board that asks again every half minute has only its
//! new steps evaluated.
//!
//! Kept is what a question over steps yielded, under its printed text, its step and what else decides
//! its values. It is used step by step, and only where no row that the step reads may have changed
//! since. Never kept: what depends on where the question begins or ends (`@ end()`, `range()`), what
//! looks ahead, what a tier answered, and the newest minutes, whose rows are still coming.
//!
//! An answer is bit-equal whether it was kept or not. Sums over more series than one run are put
//! together run by run, so there the series must be the same ones too, whatever the step.

mod ask;
mod patch;
mod reads;
mod table;

pub(super) use ask::{Asked, Ticket};
pub use table::{ResultCache, ResultCounters};

//! How a question runs: plan, execute over a [`Source`](crate::model::Source), vectorised.
//!
//! A tree becomes a plan with its times resolved; the plan is carried out node by node, each for all
//! steps at once: rows of floats with a bit a step, in one slab. Leaves scan series in runs and hand
//! each one's row on, into a matrix or straight into the groups of an aggregation, so that no labels
//! are made but those of the answer.
//!
//! This room knows no store: it asks whatever is a `Source`. It knows no product's wire format either,
//! but its texts are Prometheus'.

mod aggregate;
mod annotations;
mod binary;
mod date;
mod engine;
mod error;
mod evaluate;
mod functions;
mod labels;
mod leaf;
mod matrix;
pub mod memory;
mod merge;
mod plan;
#[cfg(test)]
mod reference;
mod rows;
mod sampled;
mod step_counts;
mod steps;
mod subquery;
#[cfg(test)]
mod tests;
mod tier;
mod totals;
mod union;
mod value;
mod window;

pub use engine::{Config, Engine, Question, When};
pub use error::{Error, ErrorKind};
pub use leaf::Pool;
pub use value::{Answer, Point, Sample, Series, Stats, Value};

//! Operators between two operands.

mod among;
mod choice;
mod elements;
mod evaluate;
mod matching;
mod operators;
mod pairs;
mod scalar;
mod sets;

pub(super) use among::among;
pub(super) use evaluate::evaluate;
pub(in crate::query) use operators::between_scalars;

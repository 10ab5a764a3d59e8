//! Operators between two operands.

mod elements;
mod evaluate;
mod matching;
mod operators;
mod pairs;
mod scalar;
mod sets;

pub(super) use evaluate::evaluate;

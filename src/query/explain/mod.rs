//! How a question would run, and how it ran: the plan as a tree, with what its parts read and took.

mod build;
mod measure;
mod text;
mod tree;

pub(super) use build::tree;
pub(super) use measure::{Measures, Spent};
pub use tree::{Explained, Node, Ran, Reading};

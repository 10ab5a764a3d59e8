//! Buckets of a tier in place of rows: where windows begin and end then, and what functions make of them.
//!
//! `zones` says which tier stands for rows when and moves windows to the edges of its buckets, `fold`
//! makes one partial of the buckets and rows of a window, `range` and `instant` make values of that.
//! `panes` does the same with chunks that stand whole among rows: their windows do not move.

mod fold;
mod instant;
mod panes;
mod range;
mod zones;

pub(crate) use instant::Newest;
pub(crate) use panes::{evaluate_chunks, facts_of_chunks};
pub(crate) use range::{evaluate, facts};
pub(crate) use zones::Zones;

//! Recent rows, in memory.
//!
//! `arena` is where open streams live, `shard` the series of a share of the slots, `generation` all
//! rows since the last flush. A generation takes rows until it is frozen; then it is only read.

mod arena;
mod generation;
mod shard;

pub(super) use generation::Generation;

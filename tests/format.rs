//! Every released format opens, byte for byte, and writing gives the same bytes.
//!
//! The values are made by code, the bytes stand in `tests/golden/`. A byte that changes is a new
//! format: it gets a tag of its own, and the old file stays. `GOLDEN=write cargo test --test format`
//! writes files that are not there yet, and never one that is.

#[path = "format/codec.rs"]
mod codec;
#[path = "format/database.rs"]
mod database;
#[path = "format/golden.rs"]
mod golden;
#[path = "format/page.rs"]
mod page;
#[path = "support/rows.rs"]
mod rows;
#[path = "format/tiers.rs"]
mod tiers;

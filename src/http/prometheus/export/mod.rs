//! `/api/v1/export`: rows of selected series in a format of choice, streamed.
//!
//! `wish` is what a request asks for, `walk` goes over the series and writes, `wide` the way of a table
//! with a column a series. Memory is bounded: a thread walks and waits for the asker to read. The
//! selection pins one version of the store for as long, so an asker who does not read is let go.

mod door;
mod walk;
mod wide;
mod wish;

pub(super) use door::{csv, export};
pub(super) use walk::{scan_into, send_piece};

//! Immutable files: parts and blocks over one layout.
//!
//! `layout` is what every file has (header, sections, page checksums, footer), `writer` and `reader`
//! the two sides of it, `frame` what is read first, `buckets` reads those of tiers. `chunks` cuts rows into chunks and writes them, `tables` finds them again, `statistics` says what is in long ones,
//! `labels` is what a block has so that it needs no catalog.

mod buckets;
mod chunks;
mod frame;
mod labels;
mod layout;
mod reader;
mod statistics;
mod tables;
mod writer;

pub(super) use frame::{Frame, read_frame};
pub(super) use labels::{BlockLabels, LabelsWriter, SERIES_MAX};
pub(super) use layout::Section;
pub(super) use reader::{DataFile, FileKey};
pub(super) use tables::{ChunkKind, Tables};
pub(super) use writer::{DataWriter, Written};

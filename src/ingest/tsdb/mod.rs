//! A Prometheus TSDB on disk: index, chunk segments, tombstones and `meta.json` of a block, as bytes.
//!
//! Pure: slices in, columns out; whoever reads the files hands over their bytes. Understood are blocks
//! of index version 2 with every encoding there is up to Prometheus 3.14: XOR, XOR2, histograms and
//! float histograms, with and without start timestamps. The log of the head (`wal`, `chunks_head`) is
//! not read: a snapshot makes blocks of it.
//! Formats: `tsdb/docs/format` of prometheus/prometheus. Idea of XOR chunks: Pelkonen et al., "Gorilla",
//! VLDB 2015.

mod bits;
mod chunk;
mod columns;
mod error;
mod float_histogram;
mod histogram;
mod index;
mod integer_histogram;
mod meta;
mod segment;
mod start;
#[cfg(test)]
mod tests;
mod tombstones;
mod wire;
mod xor;
mod xor2;

pub use chunk::{Encoding, decode};
pub use columns::{Columns, HistogramPoint};
pub use error::{Error, Fault};
pub use index::{ChunkRef, INDEX_TAIL_BYTES, IndexTail, Series, Symbols, read_series};
pub use meta::{BlockMeta, BlockStats, Compaction, Parent, read_meta};
pub use segment::{CHUNK_HEAD_BYTES, ChunkFrame, check_segment, open_frame};
pub use tombstones::{Tombstone, read_tombstones};

//! Tiers: what rows are made into when they are no longer kept one by one.
//!
//! `bucket` makes buckets of rows, `columns` (read by `decode`) and `histograms` are
//! their bytes, `downsample` writes them
//! beside the blocks of a seal, `merge` makes few files of many, `retention` says what may go (`plan`)
//! and lets it go, `read` gives buckets to a scan.

mod bucket;
mod columns;
mod decode;
mod downsample;
mod histograms;
mod merge;
mod plan;
mod read;
mod retention;

pub(super) use bucket::buckets;
pub(super) use columns::{encode as encode_floats, rest_bits, rest_of, short_rest};
pub(super) use decode::decode as decode_floats;
pub(super) use downsample::Downsampling;
pub(super) use histograms::{decode as decode_histograms, encode as encode_histograms};
pub(super) use read::{Sought, TierView, read};
pub(super) use retention::Rules;

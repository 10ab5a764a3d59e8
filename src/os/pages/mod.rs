//! Data files in pages of 64 KiB, none of which is lent before its checksum held.
//!
//! A data file is a sequence of bytes, cut in pages of [`PAGE_SIZE`], the last one short. The
//! CRC-32C of each is kept in an array beside the data; where the array is stored is the format's
//! matter. [`PageWriter`] makes both, [`PageReader`] lends verified bytes from a mapping or a
//! [`PageCache`], [`PageStream`] reads once through without either.
//!
//! A page is checked when it is first read by `pread`, so that a device error or a cut file has a
//! name and no mapping is touched where a fault would end the process. A mapped page is not checked
//! again when the kernel has dropped it and reads it back; `verify_all` is for that.

mod cache;
mod error;
mod reader;
mod source;
mod stream;
#[cfg(test)]
mod tests;
mod writer;

pub use cache::PageCache;
pub use error::PageError;
pub use reader::{Lent, PageReader};
pub use source::{PAGE_SIZE, page_count};
pub use stream::PageStream;
pub use writer::PageWriter;

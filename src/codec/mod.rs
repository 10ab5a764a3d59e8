//! A column of one type to bytes and back. Pure: slices in, bytes out.
//!
//! Two families. `gorilla` is the head's: a stream that takes one row at a time. The rest are the
//! columns of parts and blocks, written at once: a tag, then the payload, whichever encoding is the
//! cheapest for these rows. Everything is lossless, bit for bit. Bytes: storage-format.md.

mod bits;
mod error;
pub mod gorilla;
mod varint;
mod xor;

pub use error::Error;
pub use varint::{VARINT_BYTES_MAX, decode_varint, encode_varint, unzigzag, varint_bytes, zigzag};

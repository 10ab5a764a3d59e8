//! A column of one type to bytes and back. Pure: slices in, bytes out.
//!
//! Two families. `gorilla` is the head's: a stream that takes one row at a time. The rest are the
//! columns of parts and blocks, written at once: a tag, then the payload, whichever encoding is the
//! cheapest for these rows. Everything is lossless, bit for bit. Bytes: storage-format.md.

mod bits;
mod decimals;
mod dictionary;
mod differences;
mod encoding;
mod error;
mod floats;
pub mod gorilla;
mod ints;
mod mixed;
mod pack;
mod residuals;
mod runs;
mod scale;
mod text;
mod varint;
mod xor;

pub use encoding::{ENCODINGS, Encoding, RESERVED_FOR_PAGES, RESERVED_FOR_TRIALS, encoding_of};
pub use error::Error;
pub use floats::{decode_floats, encode_floats};
pub use ints::{decode_ints, encode_ints};
pub use mixed::{decode_mixed, encode_mixed};
pub use text::{Strings, decode_sorted, encode_sorted};
pub use varint::{VARINT_BYTES_MAX, decode_varint, encode_varint, unzigzag, varint_bytes, zigzag};

/// Rows that a column may have: no reader allocates for more.
pub const COLUMN_ROWS_MAX: usize = 65_536;

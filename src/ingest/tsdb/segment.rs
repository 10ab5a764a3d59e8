//! Chunk segments: `chunks/000001` and on, each a header and then chunks one behind the other.

use super::{
    error::{Error, Fault},
    wire::Wire,
};

const MAGIC: u32 = 0x85bd_40dd;
const VERSION: u8 = 1;
const PART: &str = "chunk segment";
/// Bytes at the beginning of a segment.
const HEADER_BYTES: usize = 8;
/// What is before the rows of a chunk at most: its length and its encoding.
pub const CHUNK_HEAD_BYTES: usize = 6;
/// Writers aim at 1 KiB a chunk; one of few huge histograms is larger.
const CHUNK_BYTES_MAX: u64 = 4 << 20;

/// Sees that `bytes` begin as a segment does.
///
/// # Errors
/// [`Error`] where they do not.
pub fn check_segment(bytes: &[u8]) -> Result<(), Error> {
    let mut wire = Wire::new(bytes, PART, 0);
    let found = wire.u32("its header")?;
    if found != MAGIC {
        return Err(wire.fault(Fault::Magic { expected: MAGIC, found }));
    }
    let found = wire.u8("its header")?;
    if found != VERSION {
        return Err(wire.fault(Fault::Version { found, known: VERSION }));
    }
    wire.take(HEADER_BYTES - 5, "its header").map(drop)
}

/// A chunk in its segment.
#[derive(Clone, Copy, Debug)]
pub struct ChunkFrame<'a> {
    /// The number of its encoding.
    pub encoding: u8,
    /// Its rows.
    pub data: &'a [u8],
}

/// Opens the chunk that begins at `bytes`, which stand at `at` of their segment. `Ok(Err(size))` where
/// `size` bytes are needed and `bytes` are fewer.
///
/// # Errors
/// [`Error`] for a chunk of impossible length or with a wrong checksum.
pub fn open_frame(bytes: &[u8], at: u64) -> Result<Result<ChunkFrame<'_>, usize>, Error> {
    let mut wire = Wire::new(bytes, PART, at);
    let length = wire.uvarint("the length of a chunk")?;
    if length > CHUNK_BYTES_MAX {
        return Err(wire.fault(Fault::Contradiction("a chunk is longer than 4 MiB")));
    }
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let size = wire.position() + 1 + length + 4;
    if bytes.len() < size {
        return Ok(Err(size));
    }
    let covered = wire.take(1 + length, "a chunk")?;
    wire.check(covered)?;
    let (encoding, data) = covered.split_first().unwrap_or((&0, &[]));
    Ok(Ok(ChunkFrame { encoding: *encoding, data }))
}

//! The file `tombstones`: which rows of a block were deleted and are still in it.

use super::{
    error::{Error, Fault},
    wire::Wire,
};

const MAGIC: u32 = 0x0130_ba30;
const VERSION: u8 = 1;
const PART: &str = "tombstones file";

/// Rows of a series that were deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tombstone {
    /// The series, as the index of the block numbers it.
    pub series: u64,
    /// From this millisecond.
    pub first: i64,
    /// To this one, included.
    pub last: i64,
}

/// Reads the whole file: tombstones by series.
///
/// # Errors
/// [`Error`] where the bytes are no such file.
pub fn read_tombstones(bytes: &[u8]) -> Result<Vec<Tombstone>, Error> {
    let mut wire = Wire::new(bytes, PART, 0);
    let found = wire.u32("its header")?;
    if found != MAGIC {
        return Err(wire.fault(Fault::Magic { expected: MAGIC, found }));
    }
    let found = wire.u8("its header")?;
    if found != VERSION {
        return Err(wire.fault(Fault::Version { found, known: VERSION }));
    }
    let length = wire.rest().len().checked_sub(4);
    let length = length.ok_or_else(|| wire.fault(Fault::Truncated("its checksum")))?;
    let stones = wire.take(length, "its tombstones")?;
    wire.check(stones)?;
    let mut wire = Wire::new(stones, PART, 5);
    let mut found = Vec::new();
    while !wire.rest().is_empty() {
        let series = wire.uvarint("a tombstone")?;
        let (first, last) = (wire.varint("a tombstone")?, wire.varint("a tombstone")?);
        found.push(Tombstone { series, first, last });
    }
    found.sort_unstable();
    Ok(found)
}

//! Whole numbers of which few are distinct: those in order, and for each row which.
//!
//! ```text
//!   distinct - 1 (1 byte) · distinct values, ascending, a column · places, packed
//! ```

use super::Error;
use super::bits::width_of;
use super::encoding::{Encoding, Tag};
use super::ints::{Place, decode_column, encode_column};
use super::pack::{Word, pack, packed_bytes, unpack};

/// The most distinct values there may be.
const DISTINCT_MAX: usize = 128;
/// Slots of the table that finds them: twice the values, a power of two.
const SLOTS: usize = 2 * DISTINCT_MAX;
/// Columns below this many bits a row are not made smaller by a dictionary worth having.
const ROW_BITS_MIN: usize = 3;

/// The column, tag and all, where it takes less than `limit` bytes.
pub(super) fn encode(values: &[i64], limit: usize) -> Option<Vec<u8>> {
    if limit * 8 <= values.len() * ROW_BITS_MIN {
        return None;
    }
    let mut distinct = Distinct::of(values)?;
    let width = width_of(distinct.values.len() as u64 - 1);
    if distinct.values.len() + packed_bytes(values.len(), width) >= limit {
        return None;
    }
    distinct.values.sort_unstable();
    let mut out = vec![Tag::new(Encoding::Dictionary, 0).byte()];
    out.push(u8::try_from(distinct.values.len() - 1).ok()?);
    encode_column(&distinct.values, Place::Inside, &mut out);
    let place = |value: &i64| distinct.values.binary_search(value).unwrap_or(0) as u64;
    pack(values.iter().map(place), width, &mut out);
    (out.len() < limit).then_some(out)
}

/// Reads into all of `out` what [`encode`] wrote behind the tag; returns the bytes used.
pub(super) fn decode<T: Word>(bytes: &[u8], out: &mut [T]) -> Result<usize, Error> {
    let last = *bytes.first().ok_or(Error::Truncated { len: 0 })?;
    let mut distinct = [0_i64; 256];
    let distinct = distinct.get_mut(..=usize::from(last)).unwrap_or_default();
    let mut used = 1;
    used += decode_column(bytes.get(used..).unwrap_or_default(), Place::Inside, distinct)?;
    let places = bytes.get(used..).unwrap_or_default();
    used += unpack(places, width_of(u64::from(last)), out)?;
    for slot in out {
        let found = slot.int().cast_unsigned();
        let value = usize::try_from(found).ok().and_then(|place| distinct.get(place));
        let limit = u64::from(last);
        *slot = T::from_int(*value.ok_or(Error::OutOfRange { what: "place", found, limit })?);
    }
    Ok(used)
}

/// The distinct values of a column, in the order they come.
struct Distinct {
    values: Vec<i64>,
}

impl Distinct {
    /// None where there are too many, in all or for so few rows.
    fn of(values: &[i64]) -> Option<Self> {
        let limit = DISTINCT_MAX.min(values.len() / 2);
        // Open addressing; a slot holds a place in `found` plus one.
        let mut slots = [0_u8; SLOTS];
        let mut found: Vec<i64> = Vec::with_capacity(limit);
        for value in values {
            let hash = value.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56;
            let mut at = usize::try_from(hash).unwrap_or(0);
            loop {
                let slot = slots.get_mut(at)?;
                if *slot == 0 {
                    if found.len() == limit {
                        return None;
                    }
                    found.push(*value);
                    *slot = u8::try_from(found.len()).ok()?;
                    break;
                }
                if found.get(usize::from(*slot) - 1) == Some(value) {
                    break;
                }
                at = (at + 1) % SLOTS;
            }
        }
        Some(Self { values: found })
    }
}

//! Whole numbers that stay as they are for long: each value once, with how often it comes.
//!
//! ```text
//!   runs (varint) · values, a column · lengths - 1, a column
//! ```

use super::Error;
use super::encoding::{Encoding, Tag};
use super::ints::{Place, decode_column, encode_column};
use super::pack::Word;
use super::varint::{decode_varint, encode_varint};

/// Fewer rows than this in a run, and differences packed are smaller and quicker.
const RUN_ROWS_MIN: usize = 4;

/// The column, tag and all, where it takes less than `limit` bytes. `deltas` are the differences
/// of `values` in some unit.
pub(super) fn encode(values: &[i64], deltas: &[i64], limit: usize) -> Option<Vec<u8>> {
    let count = 1 + deltas.iter().filter(|delta| **delta != 0).count();
    if count * RUN_ROWS_MIN > values.len() || count >= limit {
        return None;
    }
    let runs = values.chunk_by(|a, b| a == b);
    let (heads, lengths): (Vec<i64>, Vec<i64>) =
        runs.filter_map(|run| Some((*run.first()?, i64::try_from(run.len()).ok()? - 1))).unzip();
    let mut out = vec![Tag::new(Encoding::Runs, 0).byte()];
    encode_varint(count as u64, &mut out);
    encode_column(&heads, Place::Inside, &mut out);
    encode_column(&lengths, Place::Inside, &mut out);
    (out.len() < limit).then_some(out)
}

/// Reads into all of `out` what [`encode`] wrote behind the tag; returns the bytes used.
pub(super) fn decode<T: Word>(bytes: &[u8], out: &mut [T]) -> Result<usize, Error> {
    let (found, mut used) = decode_varint(bytes)?;
    let limit = out.len() as u64;
    if found > limit {
        return Err(Error::OutOfRange { what: "runs", found, limit });
    }
    let count = usize::try_from(found).unwrap_or(usize::MAX);
    let (mut values, mut lengths) = (vec![0_i64; count], vec![0_i64; count]);
    used += decode_column(bytes.get(used..).unwrap_or_default(), Place::Inside, &mut values)?;
    used += decode_column(bytes.get(used..).unwrap_or_default(), Place::Inside, &mut lengths)?;
    let mut rest = out;
    for (value, length) in values.into_iter().zip(lengths) {
        let found = length.cast_unsigned().saturating_add(1);
        let limit = rest.len() as u64;
        let length = usize::try_from(found).unwrap_or(usize::MAX);
        let Some((run, behind)) = rest.split_at_mut_checked(length) else {
            return Err(Error::OutOfRange { what: "run of rows", found, limit });
        };
        run.fill(T::from_int(value));
        rest = behind;
    }
    if rest.is_empty() {
        Ok(used)
    } else {
        Err(Error::OutOfRange { what: "rows without a run", found: rest.len() as u64, limit: 0 })
    }
}

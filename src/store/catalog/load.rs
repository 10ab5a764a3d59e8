//! Reading a catalog file, up to the first bytes that are no record.
//!
//! Bytes: storage-format.md, "Catalog".

use crate::model::{Label, Metadata};
use crate::store::bytes::Reader;
use crate::store::error::Damage;
use crate::store::wal::take_metadata;

use super::index::Index;
use super::log::{
    FILE_HEADER_BYTES, FILE_MAGIC, FORMAT, METADATA, RECORD_HEADER_BYTES, RECORD_MAGIC, SERIES,
    seed,
};
use super::pairs::PairId;

/// A higher ref is never given: so that sums of refs and slots stay numbers.
const REF_MAX: u64 = 1 << 62;

/// What reading a catalog file found.
#[derive(Debug, Default)]
pub(in crate::store) struct Loaded {
    /// The pairs that the file spells out, in the order of their numbers.
    pub(in crate::store) pairs: Vec<PairId>,
    /// The last good record.
    pub(in crate::store) sequence: u64,
    /// The offset behind it.
    pub(in crate::store) end: u64,
    /// One more than the largest ref.
    pub(in crate::store) next_series: u64,
    /// What is wrong, and where. Behind the first there is nothing that could be read: pairs that
    /// were spelled out there are not known.
    pub(in crate::store) damage: Option<(u64, Damage)>,
}

/// Reads a catalog file into `index`, up to the first bytes that are no record.
pub(in crate::store) fn load(
    bytes: &[u8],
    database: u128,
    number: u64,
    index: &mut Index,
    metadata: &mut dyn FnMut(Metadata),
) -> Loaded {
    let mut loaded = Loaded { end: FILE_HEADER_BYTES as u64, ..Loaded::default() };
    match read_header(bytes, database, number) {
        Ok(first) => loaded.sequence = first.saturating_sub(1),
        Err(damage) => {
            loaded.damage = Some((0, damage));
            return loaded;
        }
    }
    let mut rest = bytes.get(FILE_HEADER_BYTES..).unwrap_or_default();
    let mut list = Vec::new();
    while !rest.is_empty() {
        let expected = loaded.sequence.saturating_add(1);
        let read =
            read_record(rest, seed(database, number, loaded.end), expected).and_then(|payload| {
                apply(payload, index, &mut loaded, &mut list, metadata).map(|()| payload.len())
            });
        match read {
            Ok(length) => {
                loaded.sequence = expected;
                loaded.end += (RECORD_HEADER_BYTES + length) as u64;
                rest = rest.get(RECORD_HEADER_BYTES + length..).unwrap_or_default();
            }
            Err(damage) => {
                loaded.damage = Some((loaded.end, damage));
                break;
            }
        }
    }
    loaded
}

fn read_header(bytes: &[u8], database: u128, number: u64) -> Result<u64, Damage> {
    let fields = bytes.get(..FILE_HEADER_BYTES).ok_or(Damage::Truncated("catalog header"))?;
    let mut reader = Reader::new(fields, "catalog header");
    if reader.take(8)? != FILE_MAGIC {
        return Err(Damage::NoMagic("catalog"));
    }
    let format = reader.u16()?;
    reader.take(6)?;
    let (found_database, found_number, first) = (reader.u128()?, reader.u64()?, reader.u64()?);
    let (covered, crc) = fields.split_at(FILE_HEADER_BYTES - 4);
    let (expected, found) = (Reader::new(crc, "catalog header").u32()?, crc32c::crc32c(covered));
    if expected != found {
        return Err(Damage::Checksum { expected, found });
    }
    if format > FORMAT {
        return Err(Damage::Format { kind: "catalog", found: format, newest: FORMAT });
    }
    if found_database != database || found_number != number {
        return Err(Damage::Foreign);
    }
    Ok(first)
}

fn read_record(bytes: &[u8], seed: u32, sequence: u64) -> Result<&[u8], Damage> {
    let header = bytes.get(..RECORD_HEADER_BYTES).ok_or(Damage::Truncated("catalog record"))?;
    let mut reader = Reader::new(header, "catalog record");
    if reader.u32()? != RECORD_MAGIC {
        return Err(Damage::NoMagic("catalog record"));
    }
    let length = reader.u32()? as usize;
    let found_sequence = reader.u64()?;
    let end = RECORD_HEADER_BYTES + length;
    let payload = bytes.get(RECORD_HEADER_BYTES..end).ok_or(Damage::Truncated("catalog record"))?;
    let (covered, crc) = header.split_at(RECORD_HEADER_BYTES - 4);
    let expected = Reader::new(crc, "catalog record").u32()?;
    let found = crc32c::crc32c_append(crc32c::crc32c_append(seed, covered), payload);
    if expected != found {
        return Err(Damage::Checksum { expected, found });
    }
    if found_sequence != sequence {
        return Err(Damage::Contradiction(
            "catalog record has another number than the one before calls for",
        ));
    }
    Ok(payload)
}

fn apply(
    payload: &[u8],
    index: &mut Index,
    loaded: &mut Loaded,
    list: &mut Vec<PairId>,
    metadata: &mut dyn FnMut(Metadata),
) -> Result<(), Damage> {
    let mut reader = Reader::new(payload, "catalog record");
    match reader.u8()? {
        SERIES => apply_series(&mut reader, index, loaded, list),
        METADATA => {
            for _ in 0..reader.count(4)? {
                metadata(take_metadata(&mut reader)?);
            }
            Ok(())
        }
        number => Err(Damage::Unknown { what: "catalog record", number: number.into() }),
    }
}

fn apply_series(
    reader: &mut Reader<'_>,
    index: &mut Index,
    loaded: &mut Loaded,
    list: &mut Vec<PairId>,
) -> Result<(), Damage> {
    let mut expected = 0_u64;
    list.clear();
    for _ in 0..reader.count(4)? {
        let series = expected.wrapping_add(reader.signed()?.cast_unsigned());
        expected = series.wrapping_add(1);
        if series > REF_MAX {
            return Err(Damage::Contradiction("ref is out of range"));
        }
        let mut count = || Ok::<_, Damage>(usize::try_from(reader.varint()?).unwrap_or(usize::MAX));
        let [length, first, behind] = [count()?, count()?, count()?];
        let shared =
            first.checked_add(behind).filter(|shared| *shared <= length && *shared <= list.len());
        let middle =
            shared.map(|shared| length - shared).filter(|middle| *middle <= reader.rest().len());
        let Some(middle) = middle else {
            return Err(Damage::Contradiction("series shares more labels than there are"));
        };
        let tail = list.split_off(list.len() - behind);
        list.truncate(first);
        for _ in 0..middle {
            let pair = take_pair(reader, index, loaded)?;
            list.push(pair);
        }
        list.extend(tail);
        check_order(index, list, first.saturating_sub(1)..first + middle + 1)?;
        let added = index
            .insert_list(list, series)
            .ok_or(Damage::Contradiction("series has too many labels"))?;
        if !added.1 && index.series(added.0).0 != series {
            return Err(Damage::Contradiction("series stands twice under two refs"));
        }
        loaded.next_series = loaded.next_series.max(expected);
    }
    Ok(())
}

/// Names rise, each once: of the pairs in `range` and the one behind; the others were checked with the
/// series before.
fn check_order(
    index: &Index,
    list: &[PairId],
    range: std::ops::Range<usize>,
) -> Result<(), Damage> {
    let pairs = list.get(range.start..list.len().min(range.end)).unwrap_or_default();
    let name = |pair: &PairId| index.pairs().text(*pair).0;
    if pairs.is_sorted_by(|left, right| name(left) < name(right)) {
        return Ok(());
    }
    Err(Damage::Contradiction("labels of a series are not in order"))
}

fn take_pair(
    reader: &mut Reader<'_>,
    index: &mut Index,
    loaded: &mut Loaded,
) -> Result<PairId, Damage> {
    let number = usize::try_from(reader.varint()?).unwrap_or(usize::MAX);
    if number > 0 {
        return loaded
            .pairs
            .get(number - 1)
            .copied()
            .ok_or(Damage::Contradiction("pair of labels is not known"));
    }
    let label: Label<'_> = (reader.text()?, reader.text()?);
    let pair = index.intern(label).ok_or(Damage::Contradiction("too many pairs of labels"))?;
    loaded.pairs.push(pair);
    Ok(pair)
}

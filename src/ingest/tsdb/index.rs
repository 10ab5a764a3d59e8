//! The index of a block, version 2: symbols, and series with their labels and chunks.
//!
//! An import reads series from front to back; postings, which find series by label, are not needed.

use std::{cmp::Ordering, ops::Range};

use super::{
    error::{Error, Fault},
    wire::Wire,
};
use crate::model::Label;

const MAGIC: u32 = 0xbaaa_d700;
const VERSION: u8 = 2;
const PART: &str = "index";
/// Series begin at steps of so many bytes; their number is the place in steps.
const SERIES_STEP: usize = 16;
/// Bytes at the end of an index that [`IndexTail::read`] needs.
pub const INDEX_TAIL_BYTES: usize = 52;
const HEADER_BYTES: u64 = 5;

/// Where in an index its parts are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexTail {
    /// The symbol table, with its length and checksum.
    pub symbols: Range<u64>,
    /// Series, one behind the other.
    pub series: Range<u64>,
}

impl IndexTail {
    /// Reads the first bytes of an index and the [`INDEX_TAIL_BYTES`] last ones, of `size` in all.
    ///
    /// # Errors
    /// [`Error`] where this is no index, or one of another version.
    pub fn read(head: &[u8], tail: &[u8], size: u64) -> Result<Self, Error> {
        let mut wire = Wire::new(head, PART, 0);
        let found = wire.u32("its header")?;
        if found != MAGIC {
            return Err(wire.fault(Fault::Magic { expected: MAGIC, found }));
        }
        let found = wire.u8("its header")?;
        if found != VERSION {
            return Err(wire.fault(Fault::Version { found, known: VERSION }));
        }
        let begin = size.saturating_sub(INDEX_TAIL_BYTES as u64);
        let mut wire = Wire::new(tail, PART, begin);
        let places = wire.take(INDEX_TAIL_BYTES - 4, "its table of contents")?;
        wire.check(places)?;
        let mut wire = Wire::new(places, PART, begin);
        let mut at = [0_u64; 6];
        for place in &mut at {
            *place = wire.u64("its table of contents")?;
        }
        let [symbols, series, ..] = at;
        // A part ends where the next one begins; which come next, versions differ in.
        let end_of =
            |part: u64| at.iter().copied().filter(|place| *place > part).fold(begin, u64::min);
        let is_inside = |part: u64| (HEADER_BYTES..begin).contains(&part);
        if !is_inside(symbols) || (series != 0 && !is_inside(series)) {
            return Err(wire.fault(Fault::Contradiction("a part of the index is outside of it")));
        }
        let series = if series == 0 { 0..0 } else { series..end_of(series) };
        Ok(Self { symbols: symbols..end_of(symbols), series })
    }
}

/// Every name and value of a block, by number.
#[derive(Debug)]
pub struct Symbols {
    text: String,
    ends: Vec<u32>,
}

impl Symbols {
    /// Reads the part of the index that [`IndexTail::symbols`] names; it begins at `begin`.
    ///
    /// # Errors
    /// [`Error`] with the place.
    pub fn read(bytes: &[u8], begin: u64) -> Result<Self, Error> {
        let mut wire = Wire::new(bytes, PART, begin);
        let length = wire.u32("its symbols")? as usize;
        let covered = wire.take(length, "its symbols")?;
        wire.check(covered)?;
        if covered.len() > u32::MAX as usize {
            return Err(wire.fault(Fault::Contradiction("symbols have more than 4 GiB")));
        }
        let mut wire = Wire::new(covered, PART, begin.saturating_add(4));
        let count = wire.u32("its symbols")? as usize;
        if count > covered.len() {
            return Err(wire.fault(Fault::Truncated("its symbols")));
        }
        let mut text = String::with_capacity(covered.len());
        let mut ends = Vec::with_capacity(count);
        for _ in 0..count {
            text.push_str(wire.text("a symbol")?);
            ends.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
        }
        Ok(Self { text, ends })
    }

    /// The text of a number.
    pub fn get(&self, number: u32) -> Option<&str> {
        let number = number as usize;
        let end = *self.ends.get(number)? as usize;
        let before = number.checked_sub(1).and_then(|before| self.ends.get(before));
        self.text.get(before.copied().unwrap_or(0) as usize..end)
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes held.
    pub fn size_bytes(&self) -> usize {
        self.text.capacity() + self.ends.capacity() * 4
    }
}

/// Where a chunk is, and of which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkRef {
    /// The segment, from 0.
    pub segment: u32,
    /// Where in the segment it begins.
    pub at: u32,
    /// First millisecond.
    pub first: i64,
    /// Last millisecond.
    pub last: i64,
}

/// A series of a block.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// Its number in the block.
    pub number: u64,
    /// Name and value of each label, as numbers of symbols, by name.
    pub labels: Vec<(u32, u32)>,
    /// Its chunks, by time.
    pub chunks: Vec<ChunkRef>,
}

impl Series {
    /// Its labels, by name.
    pub fn texts<'a>(&self, symbols: &'a Symbols) -> impl Iterator<Item = Label<'a>> {
        self.labels.iter().map(|(name, value)| {
            (symbols.get(*name).unwrap_or_default(), symbols.get(*value).unwrap_or_default())
        })
    }

    /// Which of two series of two blocks comes first.
    pub fn compare(&self, symbols: &Symbols, other: &Self, others: &Symbols) -> Ordering {
        self.texts(symbols).cmp(other.texts(others))
    }
}

/// Reads the series at the front of `bytes`, which begin at `at` of the index, and how many bytes it
/// takes with what is skipped before it. `Ok(Err(size))` where `size` bytes are needed; `Ok(Ok(0))` where
/// nothing but padding is left.
///
/// # Errors
/// [`Error`] with the place.
pub fn read_series(
    bytes: &[u8],
    at: u64,
    symbols: &Symbols,
    series: &mut Series,
) -> Result<Result<usize, usize>, Error> {
    let padding = usize::try_from(at.wrapping_neg() % SERIES_STEP as u64).unwrap_or(0);
    let mut wire = Wire::new(bytes, PART, at);
    if bytes.len() < padding + 10 && bytes.iter().all(|byte| *byte == 0) {
        return Ok(Ok(0));
    }
    if bytes.len() <= padding {
        return Ok(Err(padding + 10));
    }
    wire.take(padding, "padding")?;
    let number = at.saturating_add(padding as u64) / SERIES_STEP as u64;
    let length = wire.uvarint("the length of a series")?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let size = wire.position().saturating_add(length).saturating_add(4);
    if bytes.len() < size {
        return Ok(Err(size));
    }
    let begin = at.saturating_add(wire.position() as u64);
    let covered = wire.take(length, "a series")?;
    wire.check(covered)?;
    read_entry(Wire::new(covered, PART, begin), symbols, series)?;
    series.number = number;
    Ok(Ok(size))
}

fn read_entry(mut wire: Wire<'_>, symbols: &Symbols, series: &mut Series) -> Result<(), Error> {
    series.labels.clear();
    series.chunks.clear();
    for _ in 0..wire.count("the labels of a series")? {
        let mut number = || {
            let number = wire.uvarint("a label")?;
            let known = u32::try_from(number).ok().filter(|it| (*it as usize) < symbols.len());
            known.ok_or(wire.fault(Fault::Contradiction("a label has an unknown symbol")))
        };
        let pair = (number()?, number()?);
        series.labels.push(pair);
    }
    let (mut reference, mut time) = (0_i64, 0_i64);
    for i in 0..wire.count("the chunks of a series")? {
        let first = if i == 0 {
            wire.varint("a chunk")?
        } else {
            time.wrapping_add(wire.uvarint("a chunk")?.cast_signed())
        };
        let last = first.wrapping_add(wire.uvarint("a chunk")?.cast_signed());
        reference = if i == 0 {
            wire.uvarint("a chunk")?.cast_signed()
        } else {
            reference.wrapping_add(wire.varint("a chunk")?)
        };
        if last < first {
            return Err(wire.fault(Fault::Contradiction("a chunk ends before it begins")));
        }
        let place = reference.cast_unsigned();
        let [segment, at] = [place >> 32, place & u64::from(u32::MAX)];
        series.chunks.push(ChunkRef {
            segment: u32::try_from(segment).unwrap_or(u32::MAX),
            at: u32::try_from(at).unwrap_or(u32::MAX),
            first,
            last,
        });
        time = last;
    }
    Ok(())
}

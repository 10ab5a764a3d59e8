//! What every data file has: a header, sections, a directory of them, page checksums, a footer.
//!
//! ```text
//! header 64 B │ sections … │ directory │ CRC-32C of each 64 KiB page │ footer 64 B
//! └────────────── pages, each checked on first touch ──┘
//! ```
//! Bytes: storage-format.md, "Data file".

use crate::codec;
use crate::model::{Table, TenantId};
use crate::store::{
    bytes::Reader,
    error::Damage,
    manifest::{FileId, FileKind, FileMeta, Partition, check_kind, tier_of},
};

pub(super) const HEADER_BYTES: usize = 64;
pub(in crate::store) const FOOTER_BYTES: usize = 64;
const MAGIC: &[u8; 8] = b"QUIPUDAT";
const END_MAGIC: &[u8; 8] = b"QUIPUEND";
const FORMAT: u16 = 1;

/// What a section holds. Numbers stand in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u16)]
pub(in crate::store) enum Section {
    /// Encoded columns, one behind the other.
    Data = 1,
    /// Distinct time columns: where, how long, rows, first and last time.
    Times = 2,
    /// Chunks, by series then time.
    Chunks = 3,
    /// Of a part: the refs of its series, rising.
    Refs = 4,
    /// Exemplars.
    Exemplars = 5,
    /// Of a block: pairs of labels, sorted.
    Pairs = 6,
    /// Of a block: the pairs of each series.
    Series = 7,
    /// Of a block: the series that have each pair.
    Postings = 8,
    /// What is known of long chunks without decoding them.
    Statistics = 9,
}

impl Section {
    fn of(number: u16) -> Option<Self> {
        Some(match number {
            1 => Self::Data,
            2 => Self::Times,
            3 => Self::Chunks,
            4 => Self::Refs,
            5 => Self::Exemplars,
            6 => Self::Pairs,
            7 => Self::Series,
            8 => Self::Postings,
            9 => Self::Statistics,
            _ => return None,
        })
    }
}

/// Whether one who does not know a section may read the file.
const REQUIRED: u16 = 1;

/// What a file says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Header {
    pub(in crate::store) database: u128,
    pub(in crate::store) id: FileId,
    pub(in crate::store) kind: FileKind,
    pub(in crate::store) partition: Partition,
}

impl Header {
    /// What a manifest says of the file, as far as the header knows it: nothing of its rows.
    pub(super) fn meta(&self, bytes: u64, footer_crc: u32) -> FileMeta {
        FileMeta {
            id: self.id,
            kind: self.kind,
            tenant: TenantId(0),
            table: Table::Metrics,
            partition: self.partition,
            positions: (0, 0),
            times: (0, 0),
            series: 0,
            rows: 0,
            bytes,
            footer_crc,
        }
    }

    /// As it begins the file.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&FORMAT.to_le_bytes());
        let tier = self.partition.tier.map_or(0, |tier| tier as u8);
        let table = Table::Metrics as u8;
        out.extend_from_slice(&[self.kind as u8, tier, table, 0, 0, 0]);
        out.extend_from_slice(&self.database.to_le_bytes());
        out.extend_from_slice(&self.id.0.to_le_bytes());
        out.extend_from_slice(&self.partition.after.to_le_bytes());
        out.extend_from_slice(&self.partition.until.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        let crc = crc32c::crc32c(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads and checks the header of a file.
    pub(in crate::store) fn read(bytes: &[u8]) -> Result<Self, Damage> {
        let fields = bytes.get(..HEADER_BYTES).ok_or(Damage::Truncated("file header"))?;
        let mut reader = Reader::new(fields, "file header");
        if reader.take(8)? != MAGIC {
            return Err(Damage::NoMagic("data file"));
        }
        let format = reader.u16()?;
        let (kind, tier) = (reader.u8()?, reader.u8()?);
        reader.take(4)?;
        let database = reader.u128()?;
        let id = FileId(reader.u64()?);
        let (after, until) = (reader.i64()?, reader.i64()?);
        reader.take(4)?;
        check(reader.u32()?, fields.get(..HEADER_BYTES - 4))?;
        if format > FORMAT {
            return Err(Damage::Format { kind: "data file", found: format, newest: FORMAT });
        }
        let kind = FileKind::of(kind)
            .ok_or(Damage::Unknown { what: "kind of file", number: kind.into() })?;
        let tier = tier_of(tier)?;
        check_kind(kind, tier)?;
        let partition = Partition { after, until, tier };
        Ok(Self { database, id, kind, partition })
    }
}

fn check(expected: u32, covered: Option<&[u8]>) -> Result<(), Damage> {
    let found = crc32c::crc32c(covered.unwrap_or_default());
    if expected == found { Ok(()) } else { Err(Damage::Checksum { expected, found }) }
}

/// Where a section is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Entry {
    pub(in crate::store) section: Section,
    pub(in crate::store) offset: u64,
    pub(in crate::store) length: u64,
}

/// Appends the directory.
pub(super) fn put_directory(entries: &[Entry], out: &mut Vec<u8>) {
    codec::encode_varint(entries.len() as u64, out);
    for entry in entries {
        let is_required = !matches!(entry.section, Section::Exemplars | Section::Statistics);
        out.extend_from_slice(&(entry.section as u16).to_le_bytes());
        out.extend_from_slice(&(if is_required { REQUIRED } else { 0 }).to_le_bytes());
        out.extend_from_slice(&entry.offset.to_le_bytes());
        out.extend_from_slice(&entry.length.to_le_bytes());
    }
}

/// Reads what [`put_directory`] wrote; sections lie below `data_bytes`.
pub(super) fn take_directory(bytes: &[u8], data_bytes: u64) -> Result<Vec<Entry>, Damage> {
    let mut reader = Reader::new(bytes, "directory");
    let mut entries = Vec::new();
    for _ in 0..reader.count(20)? {
        let (number, flags) = (reader.u16()?, reader.u16()?);
        let (offset, length) = (reader.u64()?, reader.u64()?);
        if offset.checked_add(length).is_none_or(|end| end > data_bytes) {
            return Err(Damage::Contradiction("section ends behind the data"));
        }
        match Section::of(number) {
            Some(section) => entries.push(Entry { section, offset, length }),
            None if flags & REQUIRED != 0 => {
                return Err(Damage::Unknown { what: "section", number: number.into() });
            }
            None => {}
        }
    }
    Ok(entries)
}

/// What stands at the end of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Footer {
    /// Bytes in pages: all before the checksums.
    pub(in crate::store) data_bytes: u64,
    pub(in crate::store) directory_at: u64,
    pub(in crate::store) directory_bytes: u64,
    /// Of the page checksums.
    pub(in crate::store) checksums_crc: u32,
    /// Of the footer itself.
    pub(in crate::store) crc: u32,
}

impl Footer {
    /// As it ends the file.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut out = END_MAGIC.to_vec();
        for number in [self.data_bytes, self.directory_at, self.directory_bytes] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&self.checksums_crc.to_le_bytes());
        out.resize(FOOTER_BYTES - 4, 0);
        let crc = crc32c::crc32c(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads and checks the footer of a file.
    pub(in crate::store) fn read(fields: &[u8]) -> Result<Self, Damage> {
        let mut reader = Reader::new(fields, "file footer");
        if reader.take(8)? != END_MAGIC {
            return Err(Damage::NoMagic("file footer"));
        }
        let (data_bytes, directory_at, directory_bytes) =
            (reader.u64()?, reader.u64()?, reader.u64()?);
        let checksums_crc = reader.u32()?;
        reader.take(FOOTER_BYTES - 4 - 36)?;
        let crc = reader.u32()?;
        check(crc, fields.get(..FOOTER_BYTES - 4))?;
        if directory_at.checked_add(directory_bytes).is_none_or(|end| end > data_bytes) {
            return Err(Damage::Contradiction("directory ends behind the data"));
        }
        Ok(Self { data_bytes, directory_at, directory_bytes, checksums_crc, crc })
    }
}

//! One entry of the log: a header of 64 bytes, then the packed columns, at steps of 8 bytes.
//!
//! The payload's checksum is taken by whoever packs it, many at once; the header's, seeded with the
//! place of the record, by the one who appends. So stale or moved bytes fail, and zeros never pass.
//! Bytes: storage-format.md, "Log record".

use crate::codec;
use crate::model::{Position, StreamId, TenantId};
use crate::store::{bytes::Reader, error::Damage};

/// Bytes of a header.
pub(super) const HEADER_BYTES: usize = 64;
/// Records begin at multiples of this.
pub(super) const STEP: usize = 8;
/// The largest payload: what one checksum answers for, and what replay holds at once.
pub(in crate::store) const RECORD_BYTES_MAX: usize = 8 << 20;

const MAGIC: u32 = u32::from_le_bytes(*b"QREC");

/// What the payload of a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::store) enum Form {
    /// Rows of series of this store's catalog.
    Refs = 1,
    /// Rows with their labels, as a gateway ships them. Reserved: not written by a single node.
    Labels = 2,
    /// A deletion.
    Delete = 3,
}

impl Form {
    fn of(number: u8) -> Result<Self, Damage> {
        match number {
            1 => Ok(Self::Refs),
            2 => Ok(Self::Labels),
            3 => Ok(Self::Delete),
            _ => Err(Damage::Unknown { what: "record form", number: number.into() }),
        }
    }
}

/// A payload with its checksum, ready for the log.
#[derive(Debug)]
pub(in crate::store) struct Sealed {
    pub(in crate::store) tenant: TenantId,
    pub(in crate::store) form: Form,
    pub(in crate::store) payload: Vec<u8>,
    crc: u32,
}

/// Takes the checksum of `payload`.
pub(in crate::store) fn seal(tenant: TenantId, form: Form, payload: Vec<u8>) -> Sealed {
    let crc = crc32c::crc32c(&payload);
    Sealed { tenant, form, payload, crc }
}

/// What was durable when a record's group was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Durable {
    /// The position known synced.
    pub(in crate::store) position: u64,
    /// Catalog records that were synced, this record's own series among them.
    pub(in crate::store) catalog: u64,
    /// Manifest edits that were synced.
    pub(in crate::store) manifest: u64,
    /// When the group was written, µs since 1970, 56 bits of it; 0: not known.
    pub(in crate::store) written_us: u64,
}

/// A header, checked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::store) struct Header {
    pub(super) length: usize,
    pub(in crate::store) position: Position,
    pub(in crate::store) tenant: TenantId,
    pub(super) form: Form,
    pub(in crate::store) durable: Durable,
    payload_crc: u32,
}

/// Appends a record that will stand at `place`.
pub(super) fn append(
    sealed: &Sealed,
    position: Position,
    durable: Durable,
    place: Place,
    out: &mut Vec<u8>,
) {
    let begin = out.len();
    out.extend_from_slice(&MAGIC.to_le_bytes());
    out.extend_from_slice(&u32::try_from(sealed.payload.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(&position.stream.0.to_le_bytes());
    out.extend_from_slice(&sealed.tenant.0.to_le_bytes());
    for number in [position.sequence, durable.position, durable.catalog, durable.manifest] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    // What was zeros once: the upper 24 bits of the time here, the lower 32 behind the payload's CRC.
    let [low @ .., a, b, c, _] = durable.written_us.to_le_bytes();
    out.extend_from_slice(&[sealed.form as u8, a, b, c]);
    out.extend_from_slice(&sealed.crc.to_le_bytes());
    out.extend_from_slice(&low);
    let crc = place.crc(out.get(begin..).unwrap_or_default());
    out.extend_from_slice(&crc.to_le_bytes());
    out.extend_from_slice(&sealed.payload);
    out.resize(out.len().next_multiple_of(STEP), 0);
}

/// How many bytes [`append`] will take.
pub(super) fn size_of(sealed: &Sealed) -> u64 {
    (HEADER_BYTES + sealed.payload.len()).next_multiple_of(STEP) as u64
}

/// Where a record stands: part of its checksum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) database: u128,
    pub(super) segment: u64,
    pub(super) offset: u64,
}

impl Place {
    fn crc(self, bytes: &[u8]) -> u32 {
        let seed = crc32c::crc32c(&self.database.to_le_bytes());
        let seed = crc32c::crc32c_append(seed, &self.segment.to_le_bytes());
        let seed = crc32c::crc32c_append(seed, &self.offset.to_le_bytes());
        crc32c::crc32c_append(seed, bytes)
    }
}

/// Reads the header that begins `bytes`.
pub(super) fn read_header(bytes: &[u8], place: Place) -> Result<Header, Damage> {
    let fields = bytes.get(..HEADER_BYTES).ok_or(Damage::Truncated("record header"))?;
    let mut reader = Reader::new(fields, "record header");
    if reader.u32()? != MAGIC {
        return Err(Damage::NoMagic("log record"));
    }
    let length = reader.u32()? as usize;
    let stream = StreamId(reader.u32()?);
    let tenant = TenantId(reader.u32()?);
    let sequence = reader.u64()?;
    let [durable_position, catalog, manifest] = [reader.u64()?, reader.u64()?, reader.u64()?];
    let [form, a, b, c] = *reader.take(4)? else {
        return Err(Damage::Truncated("record header"));
    };
    let payload_crc = reader.u32()?;
    let [low0, low1, low2, low3] = reader.u32()?.to_le_bytes();
    let written_us = u64::from_le_bytes([low0, low1, low2, low3, a, b, c, 0]);
    let durable = Durable { position: durable_position, catalog, manifest, written_us };
    let expected = reader.u32()?;
    let found = place.crc(fields.get(..HEADER_BYTES - 4).unwrap_or_default());
    if found != expected {
        return Err(Damage::Checksum { expected, found });
    }
    if length > RECORD_BYTES_MAX {
        return Err(Damage::Contradiction("record is longer than any may be"));
    }
    let position = Position { stream, sequence };
    Ok(Header { length, position, tenant, form: Form::of(form)?, durable, payload_crc })
}

/// Whether `bytes` begin like a record: cheap, for looking for the next one behind damage.
pub(super) fn may_begin(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC.to_le_bytes())
}

impl Header {
    /// The payload behind the header that begins `bytes`, checked.
    pub(super) fn payload<'a>(&self, bytes: &'a [u8]) -> Result<&'a [u8], Damage> {
        let end = HEADER_BYTES + self.length;
        let payload = bytes.get(HEADER_BYTES..end).ok_or(Damage::Truncated("record"))?;
        let found = crc32c::crc32c(payload);
        if found != self.payload_crc {
            return Err(Damage::Checksum { expected: self.payload_crc, found });
        }
        Ok(payload)
    }

    /// Bytes to the next record.
    pub(super) fn size(&self) -> usize {
        (HEADER_BYTES + self.length).next_multiple_of(STEP)
    }
}

/// Rows that one column may have: what `codec` takes at once.
pub(super) const COLUMN_ROWS_MAX: usize = 65_536;

/// Appends integers of any number, in columns of at most [`COLUMN_ROWS_MAX`].
pub(super) fn put_ints(values: &[i64], out: &mut Vec<u8>) {
    for column in values.chunks(COLUMN_ROWS_MAX) {
        codec::encode_ints(column, out);
    }
}

/// Reads `rows` integers that [`put_ints`] wrote.
pub(super) fn take_ints(
    reader: &mut Reader<'_>,
    rows: usize,
    out: &mut Vec<i64>,
) -> Result<(), Damage> {
    let mut left = rows;
    while left > 0 {
        let count = left.min(COLUMN_ROWS_MAX);
        reader.column(|bytes| codec::decode_ints(bytes, count, out))?;
        left -= count;
    }
    Ok(())
}

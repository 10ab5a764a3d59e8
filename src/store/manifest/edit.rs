//! One change of what lives, as bytes.
//!
//! Bytes: storage-format.md, "Manifest".

use crate::codec;
use crate::model::{Matcher, Table, TenantId, Tier, TimeRange, Timestamp};
use crate::store::{
    bytes::{Reader, put_signed},
    error::Damage,
};

use super::deletion::{
    Deletion, Tombstone, decode_matchers, decode_tombstone, encode_matchers, encode_tombstone,
};

/// The number of a file: given once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::store) struct FileId(pub(in crate::store) u64);

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::store) enum FileKind {
    /// Its chunks refer to the catalog.
    Part = 1,
    /// It has its own labels.
    Block = 2,
    /// It has its own labels, and buckets of a tier in place of rows.
    Tier = 3,
}

impl FileKind {
    /// The kind of a number.
    pub(in crate::store) fn of(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Part),
            2 => Some(Self::Block),
            3 => Some(Self::Tier),
            _ => None,
        }
    }
}

/// A span of time of one table: tenant, table, tier, and the time it ends. Left-open, right-closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::store) struct Partition {
    /// ns; itself not in the span.
    pub(in crate::store) after: i64,
    /// ns; in the span.
    pub(in crate::store) until: i64,
    /// Raw rows where there is none.
    pub(in crate::store) tier: Option<Tier>,
}

/// A day in ns: how long a partition of raw metrics is.
pub(in crate::store) const DAY: i64 = 86_400_000_000_000;

impl Partition {
    /// The partition of a row.
    pub(in crate::store) fn of(time: i64) -> Self {
        Self::aligned(time, DAY, None)
    }

    /// The partition of a bucket, by any time in it.
    pub(in crate::store) fn of_tier(tier: Tier, time: i64) -> Self {
        Self::aligned(time, tier.partition(), Some(tier))
    }

    fn aligned(time: i64, length: i64, tier: Option<Tier>) -> Self {
        // Right-closed: midnight itself belongs to the day before it.
        let number = time.saturating_sub(1).div_euclid(length);
        let until = number.saturating_add(1).saturating_mul(length);
        Self { after: number.saturating_mul(length), until, tier }
    }

    /// The instants in it.
    pub(in crate::store) fn range(self) -> TimeRange {
        let range =
            TimeRange::closed(Timestamp(self.after.saturating_add(1)), Timestamp(self.until));
        range.unwrap_or(TimeRange::ALL)
    }

    /// The name of its folder: the day, and the tier's name behind it.
    pub(in crate::store) fn folder(self) -> String {
        // Any count of ns lies within what a calendar holds.
        let day = jiff::Timestamp::from_nanosecond(self.after.into()).unwrap_or_default();
        let (dot, tier) = self.tier.map_or(("", ""), |tier| (".", tier.name()));
        format!("t0/metrics/{}{dot}{tier}", day.strftime("%Y-%m-%d"))
    }
}

/// A file, as the manifest knows it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::store) struct FileMeta {
    pub(in crate::store) id: FileId,
    pub(in crate::store) kind: FileKind,
    pub(in crate::store) tenant: TenantId,
    pub(in crate::store) table: Table,
    pub(in crate::store) partition: Partition,
    /// The positions whose rows it holds: from, not included, to, included.
    pub(in crate::store) positions: (u64, u64),
    /// First and last row, ns.
    pub(in crate::store) times: (i64, i64),
    pub(in crate::store) series: u64,
    pub(in crate::store) rows: u64,
    pub(in crate::store) bytes: u64,
    /// Checksum of its footer: tells it from another file of the same name.
    pub(in crate::store) footer_crc: u32,
    /// Of a block in the archive: the lineage of the directory that brought it there. None: on this disk.
    pub(in crate::store) archived: Option<u128>,
}

impl FileMeta {
    /// Its path below the root.
    pub(in crate::store) fn path(&self) -> String {
        file_path(self.kind, self.id, self.partition)
    }
}

/// The path of a file below the root.
pub(in crate::store) fn file_path(kind: FileKind, id: FileId, partition: Partition) -> String {
    let suffix = match kind {
        FileKind::Part => "part",
        FileKind::Block => "block",
        FileKind::Tier => "tier",
    };
    format!("{}/{:010}.{suffix}", partition.folder(), id.0)
}

/// Rows, or buckets of a tier, that retention dropped.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::store) struct Retired {
    /// Of this tier; None: raw rows.
    pub(in crate::store) tier: Option<Tier>,
    /// Up to this instant: the end of a partition.
    pub(in crate::store) until: i64,
    /// Of series that match all of these; none: of all series.
    pub(in crate::store) matchers: Vec<Matcher>,
}

/// What of a partition a tier holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Tiered {
    /// The tier.
    pub(in crate::store) tier: Tier,
    /// The end of the partition of raw rows.
    pub(in crate::store) until: i64,
    /// The rows of its files of lower number; 0: nothing, since the rows are gone.
    pub(in crate::store) files_below: u64,
}

/// One change. Numbers stand in files; new kinds say whether one who does not know them may go on.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::store) enum Edit {
    /// A file lives.
    AddFile(Box<FileMeta>),
    /// A file lives no more.
    RemoveFile(FileId),
    /// Rows up to this position are in files.
    InFiles(u64),
    /// The oldest log segment that is needed, and one more than the newest that was begun.
    Segments(u64, u64),
    /// The catalog file that lives.
    Catalog(u64),
    /// The next ref to give: refs below were given.
    NextSeries(u64),
    /// Rows up to this instant were dropped by retention, and do not come back from the log.
    DroppedUntil(i64),
    /// A deletion.
    Delete(Tombstone),
    /// So many of the oldest deletions were carried out everywhere.
    DeletesDone(u64),
    /// A bulk load of this note is done.
    Note(u128),
    /// Rows of some series, or buckets, were dropped by retention.
    Retired(Retired),
    /// Buckets of a tier hold the rows of a partition.
    Tiered(Tiered),
    /// A block is in the archive, brought there by the directory of this lineage.
    Archived(FileId, u128),
    /// A deletion that the archive of the log is to have.
    ToArchive(Box<Deletion>),
    /// It has those up to this number.
    InArchive(u64),
}

const UNKNOWN_IS_REFUSED: u8 = 1;

impl Edit {
    /// Appends it: kind, flags, length, fields.
    pub(in crate::store) fn encode(&self, out: &mut Vec<u8>) {
        let mut fields = Vec::new();
        let kind = self.encode_fields(&mut fields);
        out.extend_from_slice(&[kind, UNKNOWN_IS_REFUSED]);
        codec::encode_varint(fields.len() as u64, out);
        out.extend_from_slice(&fields);
    }

    fn encode_fields(&self, out: &mut Vec<u8>) -> u8 {
        let mut one = |number: u64, kind: u8| {
            codec::encode_varint(number, out);
            kind
        };
        match self {
            Self::AddFile(meta) => {
                encode_meta(meta, out);
                1
            }
            Self::RemoveFile(id) => one(id.0, 2),
            Self::InFiles(position) => one(*position, 3),
            Self::Segments(first, end) => {
                one(*first, 4);
                one(*end, 4)
            }
            Self::Catalog(number) => one(*number, 5),
            Self::NextSeries(series) => one(*series, 6),
            Self::DroppedUntil(time) => one(codec::zigzag(*time), 7),
            Self::Delete(tombstone) => {
                encode_tombstone(tombstone, out);
                8
            }
            Self::DeletesDone(position) => one(*position, 9),
            Self::Note(note) => {
                out.extend_from_slice(&note.to_le_bytes());
                20
            }
            Self::Retired(retired) => {
                out.push(retired.tier.map_or(0, |tier| tier as u8));
                put_signed(retired.until, out);
                encode_matchers(&retired.matchers, out);
                10
            }
            Self::Tiered(tiered) => {
                out.push(tiered.tier as u8);
                put_signed(tiered.until, out);
                codec::encode_varint(tiered.files_below, out);
                11
            }
            Self::Archived(id, lineage) => {
                codec::encode_varint(id.0, out);
                out.extend_from_slice(&lineage.to_le_bytes());
                12
            }
            Self::ToArchive(deletion) => {
                deletion.encode(out);
                13
            }
            Self::InArchive(number) => one(*number, 14),
        }
    }

    /// Reads the next edit; None where it is of a kind that may be passed over.
    pub(in crate::store) fn decode(reader: &mut Reader<'_>) -> Result<Option<Self>, Damage> {
        let (kind, flags) = (reader.u8()?, reader.u8()?);
        let length = reader.count(1)?;
        let mut fields = Reader::new(reader.take(length)?, "manifest edit");
        Ok(Some(match kind {
            1 => Self::AddFile(Box::new(decode_meta(&mut fields)?)),
            2 => Self::RemoveFile(FileId(fields.varint()?)),
            3 => Self::InFiles(fields.varint()?),
            4 => Self::Segments(fields.varint()?, fields.varint()?),
            5 => Self::Catalog(fields.varint()?),
            6 => Self::NextSeries(fields.varint()?),
            7 => Self::DroppedUntil(fields.signed()?),
            8 => Self::Delete(decode_tombstone(&mut fields)?),
            9 => Self::DeletesDone(fields.varint()?),
            20 => Self::Note(fields.u128()?),
            10 => Self::Retired(Retired {
                tier: take_tier(&mut fields)?,
                until: fields.signed()?,
                matchers: decode_matchers(&mut fields)?,
            }),
            11 => Self::Tiered(Tiered {
                tier: take_tier(&mut fields)?
                    .ok_or(Damage::Contradiction("raw rows are no tier of themselves"))?,
                until: fields.signed()?,
                files_below: fields.varint()?,
            }),
            12 => Self::Archived(FileId(fields.varint()?), fields.u128()?),
            13 => Self::ToArchive(Box::new(Deletion::decode(&mut fields)?)),
            14 => Self::InArchive(fields.varint()?),
            number if flags & UNKNOWN_IS_REFUSED != 0 => {
                return Err(Damage::Unknown { what: "manifest edit", number: number.into() });
            }
            _ => return Ok(None),
        }))
    }
}

fn encode_meta(meta: &FileMeta, out: &mut Vec<u8>) {
    let tier = meta.partition.tier.map_or(0, |tier| tier as u8);
    out.extend_from_slice(&[meta.kind as u8, meta.table as u8, tier]);
    codec::encode_varint(meta.id.0, out);
    codec::encode_varint(u64::from(meta.tenant.0), out);
    for time in [meta.partition.after, meta.partition.until, meta.times.0, meta.times.1] {
        put_signed(time, out);
    }
    for number in [meta.positions.0, meta.positions.1, meta.series, meta.rows, meta.bytes] {
        codec::encode_varint(number, out);
    }
    out.extend_from_slice(&meta.footer_crc.to_le_bytes());
}

fn decode_meta(reader: &mut Reader<'_>) -> Result<FileMeta, Damage> {
    let (kind, table, tier) = (reader.u8()?, reader.u8()?, take_tier(reader)?);
    let kind =
        FileKind::of(kind).ok_or(Damage::Unknown { what: "kind of file", number: kind.into() })?;
    if table != Table::Metrics as u8 {
        return Err(Damage::Unknown { what: "table", number: table.into() });
    }
    check_kind(kind, tier)?;
    let id = FileId(reader.varint()?);
    let tenant = u32::try_from(reader.varint()?)
        .map_err(|_| Damage::Contradiction("tenant is out of range"))?;
    let partition = Partition { after: reader.signed()?, until: reader.signed()?, tier };
    let times = (reader.signed()?, reader.signed()?);
    let positions = (reader.varint()?, reader.varint()?);
    let [series, rows, bytes] = [reader.varint()?, reader.varint()?, reader.varint()?];
    let (tenant, footer_crc) = (TenantId(tenant), reader.u32()?);
    let table = Table::Metrics;
    Ok(FileMeta {
        id,
        kind,
        tenant,
        table,
        partition,
        positions,
        times,
        series,
        rows,
        bytes,
        footer_crc,
        archived: None,
    })
}

/// The tier that comes next; None: raw rows.
fn take_tier(reader: &mut Reader<'_>) -> Result<Option<Tier>, Damage> {
    tier_of(reader.u8()?)
}

/// The tier of a number in a file.
pub(in crate::store) fn tier_of(number: u8) -> Result<Option<Tier>, Damage> {
    match (number, Tier::of(number)) {
        (0, _) => Ok(None),
        (_, None) => Err(Damage::Unknown { what: "tier", number: number.into() }),
        (_, tier) => Ok(tier),
    }
}

/// Buckets are in files of their own kind, and nothing else is.
pub(in crate::store) fn check_kind(kind: FileKind, tier: Option<Tier>) -> Result<(), Damage> {
    if (kind == FileKind::Tier) == tier.is_some() {
        return Ok(());
    }
    Err(Damage::Contradiction("kind of file and tier do not go together"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::MatchOp;

    #[test]
    fn partitions_are_days_that_hold_their_last_instant() {
        let midnight = 20_000 * DAY;
        assert_eq!(Partition::of(midnight).until, midnight);
        assert_eq!(
            Partition::of(midnight + 1),
            Partition { after: midnight, until: midnight + DAY, tier: None }
        );
        assert_eq!(Partition::of(midnight + 1).folder(), "t0/metrics/2024-10-04");
        assert_eq!(Partition::of(0).folder(), "t0/metrics/1969-12-31");
        let hours = Partition::of_tier(Tier::Hour1, midnight);
        assert_eq!(hours.folder(), "t0/metrics/2024-09-02.1h");
        assert_eq!((hours.until - hours.after) / DAY, 32);
        for time in [i64::MIN, i64::MAX, -1, 0, 1] {
            assert!(
                Partition::of(time).range().contains(Timestamp(time))
                    || time == i64::MIN
                    || time == i64::MAX
            );
        }
    }

    #[test]
    fn every_edit_comes_back() {
        let meta = FileMeta {
            id: FileId(7),
            kind: FileKind::Block,
            tenant: TenantId(0),
            table: Table::Metrics,
            partition: Partition::of(5),
            positions: (3, 9),
            times: (-4, 5),
            series: 2,
            rows: 3,
            bytes: 4,
            footer_crc: 0xdead_beef,
            archived: None,
        };
        let matchers =
            vec![Matcher { name: "a".into(), op: MatchOp::NotRegex, value: "b.*".into() }];
        let tombstone = Tombstone { files_below: 8, matchers, range: TimeRange::ALL };
        let edits = [
            Edit::AddFile(Box::new(meta)),
            Edit::RemoveFile(FileId(1)),
            Edit::InFiles(2),
            Edit::Segments(3, 4),
            Edit::Catalog(5),
            Edit::NextSeries(6),
            Edit::DroppedUntil(-7),
            Edit::Delete(tombstone.clone()),
            Edit::DeletesDone(9),
            Edit::Note(u128::MAX - 10),
            Edit::Retired(Retired {
                tier: None,
                until: -1,
                matchers: vec![Matcher::equal("a", "b")],
            }),
            Edit::Tiered(Tiered { tier: Tier::Hour1, until: 10, files_below: 11 }),
            Edit::Archived(FileId(12), u128::MAX - 13),
            Edit::ToArchive(Box::new(Deletion { number: 14, at: -15, position: 16, tombstone })),
            Edit::InArchive(17),
        ];
        let mut bytes = Vec::new();
        for edit in &edits {
            edit.encode(&mut bytes);
        }
        let mut reader = Reader::new(&bytes, "manifest");
        for edit in edits {
            assert_eq!(Edit::decode(&mut reader), Ok(Some(edit)));
        }
        assert!(reader.is_empty());
    }

    #[test]
    fn an_unknown_edit_is_refused_only_where_it_says_so() {
        let decode = |flags| Edit::decode(&mut Reader::new(&[200, flags, 2, 1, 1], "manifest"));
        assert_eq!(decode(0), Ok(None));
        assert_eq!(decode(1), Err(Damage::Unknown { what: "manifest edit", number: 200 }));
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_edit_or_an_error(bytes: Vec<u8>) {
            let _ = Edit::decode(&mut Reader::new(&bytes, "manifest"));
        }
    }
}

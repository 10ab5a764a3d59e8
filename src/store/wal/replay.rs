//! Reading the log back, and judging what is missing in it.
//!
//! A record that does not check is damage if anything written later knew its position to be durable:
//! the header of the next segment, or a good record behind it in its own. Else it was never
//! acknowledged, and it and all behind it in its segment are a torn tail.
//! [`scan`] looks at one segment, [`judge`] at all of them: both pure, so that a table of cases and
//! `verify` can use them.

use crate::store::error::Damage;

use super::{
    record::{self, Header as RecordHeader, Place, STEP},
    segment::{Header as SegmentHeader, SEGMENT_HEADER_BYTES},
};

/// A good record.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Found {
    pub(in crate::store) offset: usize,
    header: RecordHeader,
}

impl Found {
    /// Its header.
    pub(in crate::store) fn header(&self) -> &RecordHeader {
        &self.header
    }

    /// Its payload in the bytes of its segment.
    pub(in crate::store) fn payload<'a>(&self, segment: &'a [u8]) -> Result<&'a [u8], Damage> {
        self.header.payload(segment.get(self.offset..).unwrap_or_default())
    }
}

/// Bytes between good records, or behind the last, that are none.
#[derive(Clone, Debug, PartialEq)]
struct Gap {
    offset: usize,
    what: Damage,
    /// The position of the good record behind it; None at the end.
    next: Option<u64>,
}

/// What a segment holds.
#[derive(Clone, Debug)]
pub(in crate::store) struct Scan {
    /// From the file's name.
    pub(in crate::store) number: u64,
    /// Good records, by offset; their positions rise.
    pub(in crate::store) records: Vec<Found>,
    /// Bytes in the file.
    pub(in crate::store) length: usize,
    header: Result<SegmentHeader, Damage>,
    gaps: Vec<Gap>,
}

impl Scan {
    /// The first offset behind the good records.
    pub(in crate::store) fn end(&self) -> u64 {
        self.records
            .last()
            .map_or(SEGMENT_HEADER_BYTES, |last| (last.offset + last.header.size()) as u64)
    }

    /// The position of its first record; None where the header does not check.
    pub(in crate::store) fn first(&self) -> Option<u64> {
        self.header.as_ref().ok().map(|header| header.first)
    }

    /// The position of the last good record, or of the one before the segment.
    pub(in crate::store) fn last(&self) -> u64 {
        let before = self.header.as_ref().map_or(0, |header| header.first.saturating_sub(1));
        self.records.last().map_or(before, |last| last.header.position.sequence)
    }

    /// What a newer version wrote, and where: this one must not judge it.
    pub(in crate::store) fn newer(&self) -> Option<(u64, &Damage)> {
        let header = self.header.as_ref().err().map(|what| (0, what));
        let gaps = self.gaps.iter().map(|gap| (gap.offset as u64, &gap.what));
        header.into_iter().chain(gaps).find(|(_, what)| what.is_newer())
    }

    /// The position that was known to be durable when it was begun: of earlier segments' records.
    pub(in crate::store) fn durable_before(&self) -> u64 {
        self.header.as_ref().map_or(0, |header| header.durable_before)
    }

    /// When its last record was written, µs since 1970; 0: not known.
    pub(in crate::store) fn written_us(&self) -> u64 {
        self.records.iter().map(|it| it.header.durable.written_us).max().unwrap_or(0)
    }

    /// What its own records know to be durable.
    fn durable(&self) -> u64 {
        let before = self.durable_before();
        self.records.iter().map(|it| it.header.durable.position).fold(before, u64::max)
    }
}

/// Finds the good records of a segment.
pub(in crate::store) fn scan(bytes: &[u8], number: u64, database: u128) -> Scan {
    let header = SegmentHeader::read(bytes).and_then(|header| match header {
        it if it.database != database => Err(Damage::Foreign),
        it if it.number != number => {
            Err(Damage::Contradiction("segment has another number than its file"))
        }
        it => Ok(it),
    });
    let mut expected = header.as_ref().ok().map(|header| header.first);
    let mut scan =
        Scan { number, records: Vec::new(), length: bytes.len(), header, gaps: Vec::new() };
    let mut offset = usize::try_from(SEGMENT_HEADER_BYTES).unwrap_or(0);
    while offset < bytes.len() {
        match read_record(bytes, offset, number, database) {
            Ok(header) => {
                let sequence = header.position.sequence;
                if let Some(missing) =
                    expected.and_then(|it| sequence.checked_sub(it)).filter(|it| *it > 0)
                {
                    scan.gaps.push(Gap {
                        offset,
                        what: Damage::RecordsMissing(missing),
                        next: Some(sequence),
                    });
                }
                expected = Some(sequence.saturating_add(1));
                scan.records.push(Found { offset, header });
                offset += header.size();
            }
            // A file whose length grew before its bytes came: nothing was here.
            Err(_)
                if bytes.get(offset..).is_some_and(|rest| rest.iter().all(|byte| *byte == 0)) =>
            {
                break;
            }
            Err(what) => {
                let next = next_record(bytes, offset + STEP, number, database);
                let position = next.map(|(_, header)| header.position.sequence);
                scan.gaps.push(Gap { offset, what, next: position });
                let Some((found, _)) = next else { break };
                expected = position;
                offset = found;
            }
        }
    }
    scan
}

fn read_record(
    bytes: &[u8],
    offset: usize,
    segment: u64,
    database: u128,
) -> Result<RecordHeader, Damage> {
    let rest = bytes.get(offset..).unwrap_or_default();
    let header = record::read_header(rest, Place { database, segment, offset: offset as u64 })?;
    header.payload(rest)?;
    Ok(header)
}

fn next_record(
    bytes: &[u8],
    from: usize,
    segment: u64,
    database: u128,
) -> Option<(usize, RecordHeader)> {
    (from..bytes.len()).step_by(STEP).find_map(|offset| {
        bytes.get(offset..).filter(|rest| record::may_begin(rest))?;
        read_record(bytes, offset, segment, database).ok().map(|header| (offset, header))
    })
}

/// Something wrong in a segment.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::store) struct Finding {
    /// Which segment.
    pub(in crate::store) number: u64,
    /// Where in it.
    pub(in crate::store) at: u64,
    /// What.
    pub(in crate::store) what: Damage,
}

/// What to make of a log.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::store) struct Judgement {
    /// Durable records that are gone. What is good before and behind them is to be kept.
    pub(in crate::store) damage: Vec<Finding>,
    /// For each scan, the offset from which on nothing was acknowledged.
    pub(in crate::store) ends: Vec<u64>,
    /// Catalog records that the log knows to be durable.
    pub(in crate::store) catalog: u64,
    /// Manifest edits that the log knows to be durable.
    pub(in crate::store) manifest: u64,
}

/// What the manifest says of the log.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Expected {
    /// The oldest segment that there must be.
    pub(in crate::store) first: u64,
    /// One more than the newest segment that there must be.
    pub(in crate::store) end: u64,
    /// The position up to which rows are in files: no record up to it is missed.
    pub(in crate::store) in_files: u64,
}

/// Missing segments that are named: a manifest can list more than anyone would read of.
const MISSING_MAX: usize = 1000;

/// Tells torn tails from damage. `scans` are by number, of the segments from `expected.first` on.
pub(in crate::store) fn judge(scans: &[Scan], expected: Expected) -> Judgement {
    let mut judgement = Judgement::default();
    let is_missing = |number: &u64| !scans.iter().any(|scan| scan.number == *number);
    for number in (expected.first..expected.end).filter(is_missing).take(MISSING_MAX) {
        let what = Damage::Contradiction("segment is missing, though the manifest lists it");
        judgement.damage.push(Finding { number, at: 0, what });
    }
    for (index, scan) in scans.iter().enumerate() {
        for found in &scan.records {
            judgement.catalog = judgement.catalog.max(found.header.durable.catalog);
            judgement.manifest = judgement.manifest.max(found.header.durable.manifest);
        }
        // The next segment's header says how far this one was durable; only the newest has to
        // say so itself.
        let next = scans.get(index + 1).and_then(|next| next.header.as_ref().ok());
        let durable = next.map_or_else(|| scan.durable(), |next| next.durable_before);
        judge_one(scan, durable, expected, &mut judgement);
    }
    judgement
}

fn judge_one(scan: &Scan, durable: u64, expected: Expected, judgement: &mut Judgement) {
    let mut damaged = |at: u64, what: Damage| {
        judgement.damage.push(Finding { number: scan.number, at, what });
    };
    if let Err(what) = &scan.header {
        if scan.records.is_empty() && scan.number >= expected.end {
            // A segment that was being made: it holds nothing yet.
            judgement.ends.push(0);
            return;
        }
        damaged(0, what.clone());
    }
    let mut end = scan.length as u64;
    let mut records = scan.records.iter().peekable();
    let mut reached = scan.header.as_ref().map_or(0, |header| header.first.saturating_sub(1));
    for gap in &scan.gaps {
        while let Some(found) = records.next_if(|found| found.offset < gap.offset) {
            reached = found.header.position.sequence;
        }
        let last_missing = gap.next.map_or(u64::MAX, |next| next.saturating_sub(1));
        if reached.max(expected.in_files) < last_missing.min(durable) {
            damaged(gap.offset as u64, gap.what.clone());
        } else if last_missing > expected.in_files {
            end = gap.offset as u64;
            break;
        }
    }
    let is_cut_clean = scan.gaps.is_empty() && scan.last().max(expected.in_files) < durable;
    if is_cut_clean {
        damaged(scan.end(), Damage::RecordsMissing(durable - scan.last().max(expected.in_files)));
    }
    judgement.ends.push(end.min(scan.length as u64));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Position, StreamId, TenantId};
    use crate::store::wal::record::{Durable, Form, seal};

    const DATABASE: u128 = 77;

    /// A segment of records from `first` on; each knows `durable(position)`.
    fn segment(number: u64, first: u64, count: u64, durable_before: u64) -> Vec<u8> {
        let header = SegmentHeader { database: DATABASE, number, first, durable_before };
        let mut bytes = header.bytes();
        for sequence in first..first + count {
            let sealed = seal(TenantId(0), Form::Refs, vec![7; 20]);
            let place = Place { database: DATABASE, segment: number, offset: bytes.len() as u64 };
            let position = Position { stream: StreamId(0), sequence };
            let durable = Durable {
                position: sequence - 1,
                catalog: sequence,
                manifest: 1,
                written_us: sequence << 40 | 5,
            };
            record::append(&sealed, position, durable, place, &mut bytes);
        }
        bytes
    }

    fn judged(segments: &[&[u8]], in_files: u64) -> (Vec<Scan>, Judgement) {
        let scans: Vec<Scan> =
            (1..).zip(segments).map(|(number, bytes)| scan(bytes, number, DATABASE)).collect();
        let expected = Expected { first: 1, end: 1 + segments.len() as u64, in_files };
        let judgement = judge(&scans, expected);
        (scans, judgement)
    }

    /// Bytes of one record of [`segment`].
    const SIZE: usize = 88;

    #[test]
    fn what_is_whole_is_kept_whole() {
        let (scans, judgement) = judged(&[&segment(1, 1, 4, 0), &segment(2, 5, 2, 4)], 0);
        assert_eq!(scans.iter().map(|scan| scan.records.len()).sum::<usize>(), 6);
        assert_eq!((judgement.damage.len(), judgement.catalog), (0, 6));
        assert_eq!(scans[1].records[1].header.durable.written_us, 6 << 40 | 5);
    }

    #[test]
    fn a_bad_last_record_is_a_torn_tail() {
        let mut bytes = segment(1, 1, 4, 0);
        let at = 64 + 3 * SIZE;
        bytes[at + 70] ^= 1;
        let (_, judgement) = judged(&[&bytes], 0);
        assert_eq!((judgement.damage.len(), &judgement.ends[..]), (0, &[at as u64][..]));
        bytes.truncate(at + 30);
        assert_eq!(judged(&[&bytes], 0).1.ends, [at as u64]);
    }

    #[test]
    fn a_bad_record_that_a_later_one_knew_to_be_durable_is_damage() {
        let mut bytes = segment(1, 1, 4, 0);
        bytes[64 + SIZE + 10] ^= 1;
        let (scans, judgement) = judged(&[&bytes], 0);
        assert_eq!((scans[0].records.len(), judgement.damage.len()), (3, 1));
        assert_eq!(judgement.damage[0].at, 64 + SIZE as u64);
        assert_eq!(judgement.ends, [bytes.len() as u64]);
    }

    #[test]
    fn damage_to_rows_that_are_in_files_is_no_loss() {
        let mut bytes = segment(1, 1, 4, 0);
        bytes[64 + SIZE + 10] ^= 1;
        assert_eq!(judged(&[&bytes], 2).1.damage, []);
    }

    #[test]
    fn a_segment_cut_between_two_records_is_damage_where_the_next_knew_better() {
        let mut bytes = segment(1, 1, 4, 0);
        bytes.truncate(64 + 2 * SIZE);
        let (_, judgement) = judged(&[&bytes, &segment(2, 5, 2, 4)], 0);
        assert_eq!(judgement.damage[0].what, Damage::RecordsMissing(2));
    }

    #[test]
    fn a_group_whose_sync_failed_may_be_missing() {
        let mut bytes = segment(1, 1, 4, 0);
        bytes[64 + 3 * SIZE + 3] ^= 1;
        let (_, judgement) = judged(&[&bytes, &segment(2, 5, 2, 3)], 0);
        assert_eq!(judgement.damage, []);
    }

    #[test]
    fn a_missing_segment_is_noticed() {
        let scans = [scan(&segment(2, 5, 2, 4), 2, DATABASE)];
        let judgement = judge(&scans, Expected { first: 1, end: 3, in_files: 0 });
        assert_eq!(judgement.damage[0].number, 1);
    }

    #[test]
    fn zeros_behind_the_last_record_are_nothing() {
        let mut bytes = segment(1, 1, 2, 0);
        bytes.resize(4096, 0);
        let (scans, judgement) = judged(&[&bytes], 0);
        assert_eq!((scans[0].records.len(), judgement.damage.len()), (2, 0));
        assert_eq!(scans[0].end(), 64 + 2 * SIZE as u64);
    }
}

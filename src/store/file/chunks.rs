//! Rows cut into chunks, and the chunks' columns written.
//!
//! Chunks are cut on aligned spans, so that all series of one target are cut alike: their time
//! columns are equal then, and stored once.

use std::{collections::HashMap, io, ops::Range};

use crate::codec;
use crate::model::{Partial, Tier};
use crate::os::PageWriter;
use crate::store::{
    histogram,
    rows::{HistogramPoint, SeriesRows},
    tier,
};

use super::{
    statistics::{Statistic, is_long},
    tables::{Chunk, ChunkKind, TimeColumn},
};

/// Rows in a chunk: what one decode gives, small enough for a cache, large enough that its entry in
/// the table is nothing.
pub(in crate::store) const CHUNK_ROWS_MAX: usize = 1024;

const MINUTE: i64 = 60_000_000_000;
/// Spans that chunks are cut on, largest first.
const SPANS: [i64; 11] = [
    1440 * MINUTE,
    720 * MINUTE,
    360 * MINUTE,
    240 * MINUTE,
    120 * MINUTE,
    60 * MINUTE,
    30 * MINUTE,
    20 * MINUTE,
    15 * MINUTE,
    10 * MINUTE,
    5 * MINUTE,
];
/// Time columns that are remembered, to be found again.
const TIMES_KNOWN_MAX: usize = 1 << 16;

/// Where rows of one series, by time, are cut: pieces of at most [`CHUNK_ROWS_MAX`], on the largest
/// aligned span that allows it.
pub(super) fn cut(times: &[i64], mut piece: impl FnMut(Range<usize>)) {
    if times.len() <= CHUNK_ROWS_MAX {
        if !times.is_empty() {
            piece(0..times.len());
        }
        return;
    }
    let fits = |span: i64| pieces(times, span).all(|range| range.len() <= CHUNK_ROWS_MAX);
    let span = SPANS.into_iter().find(|span| fits(*span)).unwrap_or(5 * MINUTE);
    for range in pieces(times, span) {
        // Rows denser than the smallest span allows are cut by number.
        for begin in range.clone().step_by(CHUNK_ROWS_MAX) {
            piece(begin..range.end.min(begin + CHUNK_ROWS_MAX));
        }
    }
}

/// Runs of rows within one span. Left-open, as partitions are. Times rise, so the end of a run is
/// searched: to divide every time, for span after span, took as long as encoding the values.
fn pieces(times: &[i64], span: i64) -> impl Iterator<Item = Range<usize>> {
    let mut begin = 0;
    std::iter::from_fn(move || {
        let rest = times.get(begin..)?;
        let number = rest.first()?.saturating_sub(1).div_euclid(span);
        let last = number.saturating_add(1).saturating_mul(span);
        let end = begin + rest.partition_point(|time| *time <= last);
        let run = begin..end.max(begin + 1);
        begin = run.end;
        Some(run)
    })
}

/// Writes columns, and remembers where.
#[derive(Debug, Default)]
pub(super) struct ChunkWriter {
    pub(super) chunks: Vec<Chunk>,
    pub(super) times: Vec<TimeColumn>,
    /// Of the chunks that are long, in their order.
    pub(super) statistics: Vec<Statistic>,
    known: HashMap<u128, u32>,
    column: Vec<u8>,
}

impl ChunkWriter {
    /// Writes the rows of one series, which lie in one partition; how many chunks it took.
    pub(super) fn write(&mut self, rows: &SeriesRows, pages: &mut PageWriter) -> io::Result<u32> {
        let before = self.chunks.len();
        let mut ranges = Vec::new();
        cut(&rows.times, |range| ranges.push(range));
        for range in ranges {
            self.write_floats(rows, range, pages)?;
        }
        for points in rows.histograms.chunks(CHUNK_ROWS_MAX) {
            self.write_histograms(points, pages)?;
        }
        Ok(u32::try_from(self.chunks.len() - before).unwrap_or(u32::MAX))
    }

    fn write_floats(
        &mut self,
        rows: &SeriesRows,
        range: Range<usize>,
        pages: &mut PageWriter,
    ) -> io::Result<()> {
        let times = rows.times.get(range.clone()).unwrap_or_default();
        let values = rows.values.get(range.clone()).unwrap_or_default();
        let starts = rows.starts.get(range).unwrap_or_default();
        let time = self.write_times(times, pages)?;
        self.column.clear();
        codec::encode_floats(values, &mut self.column);
        if is_long(ChunkKind::Floats, u32::try_from(values.len()).unwrap_or(u32::MAX)) {
            self.statistics.push(Statistic::of(times, values));
        }
        self.finish(ChunkKind::Floats, time, starts, pages)
    }

    /// Writes the buckets of one series; how many chunks it took.
    pub(super) fn write_buckets(
        &mut self,
        tier: Tier,
        buckets: &[Partial],
        pages: &mut PageWriter,
    ) -> io::Result<u32> {
        let before = self.chunks.len();
        // Holes and mere ends are in the columns of floats.
        let is_columns = |it: &&Partial| it.floats.is_some() || it.histograms.is_none();
        let columns: Vec<&Partial> = buckets.iter().filter(is_columns).collect();
        for some in columns.chunks(CHUNK_ROWS_MAX) {
            let time = self.write_times(&ends(some), pages)?;
            self.column.clear();
            tier::encode_floats(tier, some.iter().copied(), &mut self.column);
            self.finish(ChunkKind::Buckets, time, &[], pages)?;
        }
        let histograms: Vec<&Partial> =
            buckets.iter().filter(|it| it.histograms.is_some()).collect();
        for some in histograms.chunks(CHUNK_ROWS_MAX) {
            let time = self.write_times(&ends(some), pages)?;
            self.column.clear();
            tier::encode_histograms(some.iter().copied(), &mut self.column);
            self.finish(ChunkKind::HistogramBuckets, time, &[], pages)?;
        }
        Ok(u32::try_from(self.chunks.len() - before).unwrap_or(u32::MAX))
    }

    fn write_histograms(
        &mut self,
        points: &[HistogramPoint],
        pages: &mut PageWriter,
    ) -> io::Result<()> {
        let times: Vec<i64> = points.iter().map(|point| point.time).collect();
        let starts: Vec<i64> = points.iter().map(|point| point.start).collect();
        let time = self.write_times(&times, pages)?;
        self.column.clear();
        for point in points {
            histogram::encode(&point.value, &mut self.column);
        }
        self.finish(ChunkKind::Histograms, time, &starts, pages)
    }

    /// Writes the column at hand and the starts behind it.
    fn finish(
        &mut self,
        kind: ChunkKind,
        time: u32,
        starts: &[i64],
        pages: &mut PageWriter,
    ) -> io::Result<()> {
        let at = pages.position();
        let length = self.column.len();
        if starts.iter().any(|start| *start != 0) {
            codec::encode_ints(starts, &mut self.column);
        }
        pages.append(&self.column)?;
        let length_of = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
        let (values_bytes, starts_bytes) =
            (length_of(length), length_of(self.column.len() - length));
        self.chunks.push(Chunk { at, values_bytes, starts_bytes, time, kind });
        Ok(())
    }

    /// The number of a time column, written now if it is new.
    fn write_times(&mut self, times: &[i64], pages: &mut PageWriter) -> io::Result<u32> {
        let hash = hash(times);
        if let Some(known) = self.known.get(&hash) {
            return Ok(*known);
        }
        let at = pages.position();
        self.column.clear();
        codec::encode_ints(times, &mut self.column);
        pages.append(&self.column)?;
        let number = u32::try_from(self.times.len())
            .map_err(|_| io::Error::other("file has too many time columns"))?;
        self.times.push(TimeColumn {
            at,
            bytes: u32::try_from(self.column.len()).unwrap_or(u32::MAX),
            rows: u32::try_from(times.len()).unwrap_or(u32::MAX),
            first: times.first().copied().unwrap_or_default(),
            last: times.last().copied().unwrap_or_default(),
        });
        if self.known.len() >= TIMES_KNOWN_MAX {
            self.known.clear();
        }
        self.known.insert(hash, number);
        Ok(number)
    }
}

fn ends(buckets: &[&Partial]) -> Vec<i64> {
    buckets.iter().map(|bucket| bucket.until).collect()
}

/// Two folded products over all times: 128 bits, so that equal means the same column. Times are ours
/// or were accepted within a window; who can choose them gains nothing from two that meet but the
/// mangling of his own rows, and even that asks for a 2^64 search.
fn hash(times: &[i64]) -> u128 {
    let fold = |hash: u64, time: u64, by: u64| {
        let product = u128::from(hash ^ time) * u128::from(by);
        #[expect(clippy::cast_possible_truncation, reason = "both halves are wanted")]
        let low = product as u64;
        (product >> 64) as u64 ^ low
    };
    let (mut left, mut right) = (0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344 ^ times.len() as u64);
    for time in times {
        left = fold(left, time.cast_unsigned(), 0x9e37_79b9_7f4a_7c15).rotate_left(5);
        right = fold(right, time.cast_unsigned(), 0xc2b2_ae3d_27d4_eb4f).rotate_left(7);
    }
    u128::from(left) << 64 | u128::from(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cuts(count: i64, step: i64) -> Vec<Range<usize>> {
        let times: Vec<i64> = (1..=count).map(|i| i * step).collect();
        let mut cuts = Vec::new();
        cut(&times, |range| cuts.push(range));
        cuts
    }

    #[test]
    fn few_rows_are_one_chunk_and_many_are_cut_on_the_largest_span_that_fits() {
        assert!(cuts(0, MINUTE).is_empty());
        assert_eq!(cuts(1000, MINUTE), vec![Range { start: 0, end: 1000 }]);
        // 1,440 rows a day: two halves of a day.
        assert_eq!(cuts(1440, MINUTE).as_slice(), [0..720, 720..1440].as_slice());
        // A row each second for ten minutes fits ten minutes; for an hour, six of them.
        assert_eq!(cuts(3600, MINUTE / 60).len(), 4);
    }

    #[test]
    fn rows_too_dense_for_any_span_are_cut_by_number() {
        let cuts = cuts(5000, 1_000_000);
        assert!(cuts.iter().all(|range| range.len() <= CHUNK_ROWS_MAX));
        assert_eq!(cuts.iter().map(Range::len).sum::<usize>(), 5000);
    }

    #[test]
    fn columns_that_differ_have_other_hashes() {
        let hashes = [hash(&[]), hash(&[0]), hash(&[0, 0]), hash(&[1, 2]), hash(&[2, 1])];
        for (i, left) in hashes.iter().enumerate() {
            assert!(hashes.iter().skip(i + 1).all(|right| left != right));
        }
    }
}

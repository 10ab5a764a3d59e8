//! Reading a data file: its tables once, its chunks as they are asked for.

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use roaring::RoaringBitmap;

use crate::codec;
use crate::model::{Exemplar, SeriesRef, TimeRange, Timestamp};
use crate::os::{Files, Lent, PAGE_SIZE, PageCache, PageError, PageReader};
use crate::store::{
    bytes::Reader,
    catalog::Index,
    error::{Damage, Error},
    histogram,
    manifest::{FileKind, FileMeta},
    rows::{HistogramPoint, SeriesRows},
    wal::take_labels,
};

use super::{
    frame::Framed,
    labels::BlockLabels,
    layout::{self, Entry, HEADER_BYTES, Header, Section},
    statistics::Statistics,
    tables::{Chunk, ChunkKind, Tables, TimeColumn, take_column},
};

/// Refs in a part: not more than a file of 1 GiB could hold.
const REFS_MAX: usize = 1 << 28;

/// Which file it should be.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct FileKey<'a> {
    /// Monotonic time of the opening.
    pub(in crate::store) now: std::time::Duration,
    pub(in crate::store) database: u128,
    pub(in crate::store) meta: &'a FileMeta,
}

/// A part or block, open for reading.
#[derive(Debug)]
pub(in crate::store) struct DataFile {
    pub(in crate::store) meta: FileMeta,
    /// When it was opened, by the monotonic clock.
    pub(in crate::store) opened: std::time::Duration,
    path: PathBuf,
    pages: PageReader,
    directory: Vec<Entry>,
    tables: OnceLock<Tables>,
    refs: OnceLock<Vec<u64>>,
    labels: OnceLock<BlockLabels>,
    slots: OnceLock<RoaringBitmap>,
    statistics: OnceLock<Statistics>,
}

impl DataFile {
    /// Opens a file and checks what frames it: header, footer, page checksums, directory.
    ///
    /// # Errors
    /// [`Error::Missing`], or [`Error::Damaged`] with the place.
    pub(in crate::store) fn open(
        files: &dyn Files,
        key: FileKey<'_>,
        cache: Option<Arc<PageCache>>,
    ) -> Result<Self, Error> {
        let frame = Framed::open(files, key.meta)?;
        let footer = frame.footer()?;
        let checksums = frame.checksums(footer)?;
        let Framed { file, path, meta, .. } = frame;
        let damaged = |at: u64| {
            let file = path.clone();
            move |what: Damage| Error::Damaged { file, at, what }
        };
        let pages = PageReader::new(file, path.clone(), footer.data_bytes, checksums.into(), cache)
            .map_err(|error| page_error(&path, error))?;
        let header =
            Header::read(&page_read(&pages, &path, 0, HEADER_BYTES)?).map_err(damaged(0))?;
        if header.database != key.database
            || header.id != meta.id
            || header.partition != meta.partition
        {
            return Err(damaged(0)(Damage::Foreign));
        }
        let directory_bytes = usize::try_from(footer.directory_bytes).unwrap_or(usize::MAX);
        let directory = page_read(&pages, &path, footer.directory_at, directory_bytes)?;
        let directory = layout::take_directory(&directory, footer.data_bytes)
            .map_err(damaged(footer.directory_at))?;
        Ok(Self {
            meta: meta.clone(),
            opened: key.now,
            path,
            pages,
            directory,
            tables: OnceLock::new(),
            refs: OnceLock::new(),
            labels: OnceLock::new(),
            slots: OnceLock::new(),
            statistics: OnceLock::new(),
        })
    }

    pub(super) fn damaged(&self, at: u64, what: Damage) -> Error {
        Error::Damaged { file: self.path.clone(), at, what }
    }

    pub(super) fn read(&self, at: u64, length: usize) -> Result<Lent<'_>, Error> {
        page_read(&self.pages, &self.path, at, length)
    }

    fn entry(&self, section: Section) -> Option<&Entry> {
        self.directory.iter().find(|entry| entry.section == section)
    }

    /// Where sections are.
    pub(in crate::store) fn directory(&self) -> &[Entry] {
        &self.directory
    }

    /// A whole section; empty where there is none.
    fn section(&self, section: Section) -> Result<(u64, Lent<'_>), Error> {
        let entry = self.entry(section).copied();
        let (offset, length) = entry.map_or((0, 0), |entry| (entry.offset, entry.length));
        Ok((offset, self.read(offset, usize::try_from(length).unwrap_or(usize::MAX))?))
    }

    /// Decodes something once. A failure is not remembered: it is found, and named, each time.
    fn once<'a, T>(
        &'a self,
        cell: &'a OnceLock<T>,
        decode: impl FnOnce() -> Result<T, Error>,
    ) -> Result<&'a T, Error> {
        if let Some(done) = cell.get() {
            return Ok(done);
        }
        // Two may decode at once: the first to end is kept.
        drop(cell.set(decode()?));
        cell.get().ok_or_else(|| self.damaged(0, Damage::Truncated("table")))
    }

    /// The chunks of all series.
    pub(in crate::store) fn tables(&self) -> Result<&Tables, Error> {
        self.once(&self.tables, || {
            let (_, times) = self.section(Section::Times)?;
            let (at, chunks) = self.section(Section::Chunks)?;
            let data = self.entry(Section::Data).map_or(0, |entry| entry.offset + entry.length);
            Tables::decode(&times, &chunks, data).map_err(|what| self.damaged(at, what))
        })
    }

    /// What is known of long chunks.
    pub(in crate::store) fn statistics(&self) -> Result<&Statistics, Error> {
        self.once(&self.statistics, || {
            let (at, bytes) = self.section(Section::Statistics)?;
            Statistics::decode(&bytes, self.tables()?).map_err(|what| self.damaged(at, what))
        })
    }

    /// Of a part: the refs of its series, rising.
    pub(in crate::store) fn refs(&self) -> Result<&[u64], Error> {
        let refs = self.once(&self.refs, || {
            let (at, bytes) = self.section(Section::Refs)?;
            let mut reader = Reader::new(&bytes, "refs");
            let refs = take_column(&mut reader, REFS_MAX).map_err(|what| self.damaged(at, what))?;
            let refs: Vec<u64> = refs.into_iter().map(i64::cast_unsigned).collect();
            if !refs.is_sorted_by(|a, b| a < b) {
                return Err(self.damaged(at, Damage::Contradiction("refs do not rise")));
            }
            Ok(refs)
        })?;
        Ok(refs)
    }

    /// The place of a series in a part.
    pub(in crate::store) fn find(&self, series: SeriesRef) -> Result<Option<usize>, Error> {
        Ok(self.refs()?.binary_search(&series.0).ok())
    }

    /// Of a part: the slots of its series; those of series that are not known are left out.
    pub(in crate::store) fn slots(&self, index: &Index) -> Result<&RoaringBitmap, Error> {
        self.once(&self.slots, || {
            let refs = self.refs()?;
            Ok(refs.iter().filter_map(|it| index.slot(SeriesRef(*it))).collect())
        })
    }

    /// Names what is wrong in the labels of a block.
    pub(in crate::store) fn damaged_in_labels(&self, what: Damage) -> Error {
        self.damaged(self.entry(Section::Postings).map_or(0, |entry| entry.offset), what)
    }

    /// Of a block: its labels.
    pub(in crate::store) fn labels(&self) -> Result<&BlockLabels, Error> {
        self.once(&self.labels, || {
            let (pairs_at, pairs) = self.section(Section::Pairs)?;
            let (series_at, series) = self.section(Section::Series)?;
            let (postings_at, postings) = self.section(Section::Postings)?;
            let decoded = BlockLabels::decode(&pairs, &series, &postings);
            decoded.map_err(|(section, what)| {
                let at = match section {
                    Section::Pairs => pairs_at,
                    Section::Series => series_at,
                    _ => postings_at,
                };
                self.damaged(at, what)
            })
        })
    }

    /// Whether it has its own labels.
    pub(in crate::store) fn is_block(&self) -> bool {
        self.meta.kind != FileKind::Part
    }

    /// Adds the rows of one series that lie in `range` to `rows`, which holds none of later time.
    pub(in crate::store) fn read_series(
        &self,
        series: usize,
        range: TimeRange,
        rows: &mut SeriesRows,
    ) -> Result<(), Error> {
        let tables = self.tables()?;
        for chunk in tables.of(series) {
            let Some(time) = tables.time_of(chunk) else { continue };
            let span = TimeRange::closed(Timestamp(time.first), Timestamp(time.last));
            if span.is_some_and(|span| span.overlaps(range)) {
                self.read_chunk(chunk, time, range, rows)?;
            }
        }
        Ok(())
    }

    /// As [`Self::read_series`], of one chunk, by its number.
    pub(in crate::store) fn read_chunk_of(
        &self,
        number: usize,
        range: TimeRange,
        rows: &mut SeriesRows,
    ) -> Result<(), Error> {
        let tables = self.tables()?;
        let chunk = tables.chunks.get(number);
        let time = chunk.and_then(|chunk| tables.time_of(chunk));
        chunk.zip(time).map_or(Ok(()), |(chunk, time)| self.read_chunk(chunk, time, range, rows))
    }

    fn read_chunk(
        &self,
        chunk: &Chunk,
        time: &TimeColumn,
        range: TimeRange,
        rows: &mut SeriesRows,
    ) -> Result<(), Error> {
        let count = time.rows as usize;
        let times = self.read(time.at, time.bytes as usize)?;
        let values = self.read(chunk.at, chunk.values_bytes as usize)?;
        let starts_at = chunk.at + u64::from(chunk.values_bytes);
        let starts = self.read(starts_at, chunk.starts_bytes as usize)?;
        let wrong = |what: Damage| self.damaged(chunk.at, what);
        let column = |error: codec::Error| self.damaged(chunk.at, Damage::Column(error));
        match chunk.kind {
            ChunkKind::Floats => {
                let begin = rows.times.len();
                codec::decode_ints(&times, count, &mut rows.times)
                    .map_err(|error| self.damaged(time.at, error.into()))?;
                codec::decode_floats(&values, count, &mut rows.values).map_err(column)?;
                if !starts.is_empty() || !rows.starts.is_empty() {
                    rows.starts.resize(begin, 0);
                    if starts.is_empty() {
                        rows.starts.resize(begin + count, 0);
                    } else {
                        codec::decode_ints(&starts, count, &mut rows.starts).map_err(column)?;
                    }
                }
                trim(rows, begin, range);
            }
            ChunkKind::Buckets | ChunkKind::HistogramBuckets => {
                if self.meta.partition.tier.is_none() {
                    return Err(wrong(Damage::Contradiction("buckets in a file of rows")));
                }
            }
            ChunkKind::Histograms => {
                let (mut all_times, mut all_starts) = (Vec::new(), Vec::new());
                codec::decode_ints(&times, count, &mut all_times)
                    .map_err(|error| self.damaged(time.at, error.into()))?;
                if starts.is_empty() {
                    all_starts.resize(count, 0);
                } else {
                    codec::decode_ints(&starts, count, &mut all_starts).map_err(column)?;
                }
                let mut reader = Reader::new(&values, "histograms");
                for (time, start) in all_times.into_iter().zip(all_starts) {
                    let value = histogram::decode(&mut reader).map_err(wrong)?;
                    if range.contains(Timestamp(time)) {
                        rows.histograms.push(HistogramPoint {
                            time,
                            start,
                            value: Arc::new(value),
                        });
                    }
                }
            }
        }
        Ok(())
    }

    /// Exemplars with the place of their series.
    pub(in crate::store) fn exemplars(&self) -> Result<Vec<(usize, Exemplar)>, Error> {
        let (at, bytes) = self.section(Section::Exemplars)?;
        if bytes.is_empty() {
            return Ok(Vec::new());
        }
        let mut reader = Reader::new(&bytes, "exemplars");
        let mut read = || -> Result<_, Damage> {
            let mut exemplars = Vec::new();
            for _ in 0..reader.count(11)? {
                let series = usize::try_from(reader.varint()?).unwrap_or(usize::MAX);
                let (time, value) = (reader.signed()?, reader.f64()?);
                let labels = take_labels(&mut reader)?;
                exemplars.push((series, Exemplar { series: SeriesRef(0), time, value, labels }));
            }
            Ok(exemplars)
        };
        read().map_err(|what| self.damaged(at, what))
    }

    /// How many pages it has.
    pub(in crate::store) fn page_count(&self) -> u64 {
        self.pages.page_count() as u64
    }

    /// Reads and checks some pages; about how many bytes those are.
    pub(in crate::store) fn verify_pages(&self, pages: std::ops::Range<u64>) -> Result<u64, Error> {
        let index = |page: u64| usize::try_from(page).unwrap_or(usize::MAX);
        self.pages
            .verify_pages(index(pages.start)..index(pages.end))
            .map_err(|error| page_error(&self.path, error))?;
        Ok(pages.end.saturating_sub(pages.start).saturating_mul(PAGE_SIZE as u64))
    }

    /// Checks every page, and that all tables decode.
    pub(in crate::store) fn verify(&self) -> Result<(), Error> {
        self.pages.verify_all().map_err(|error| page_error(&self.path, error))?;
        self.verify_tables()
    }

    /// Checks bytes of it that were read at `at`, where a page begins; they may end behind its pages.
    pub(in crate::store) fn check(&self, at: u64, bytes: &[u8]) -> Result<(), Error> {
        self.pages.check(at, bytes).map_err(|error| page_error(&self.path, error))
    }

    /// Checks that all tables decode.
    pub(in crate::store) fn verify_tables(&self) -> Result<(), Error> {
        let tables = self.tables()?;
        self.statistics()?;
        let series = if self.is_block() { self.labels()?.len() } else { self.refs()?.len() };
        if series != tables.series() {
            return Err(self.damaged(
                0,
                Damage::Contradiction("labels and chunks are of other numbers of series"),
            ));
        }
        Ok(())
    }

    /// Decodes every chunk.
    pub(in crate::store) fn verify_rows(&self) -> Result<u64, Error> {
        let mut rows = SeriesRows::default();
        let mut count = 0;
        for series in 0..self.tables()?.series() {
            rows.clear();
            count += self.verify_buckets(series)?;
            self.read_series(series, TimeRange::ALL, &mut rows)?;
            if !rows.times.is_sorted_by(|a, b| a < b) {
                return Err(self.damaged(0, Damage::Contradiction("rows are not in order")));
            }
            count += rows.len() as u64;
        }
        if count != self.meta.rows {
            return Err(self.damaged(
                0,
                Damage::Contradiction("file has another number of rows than the manifest says"),
            ));
        }
        Ok(count)
    }

    fn verify_buckets(&self, series: usize) -> Result<u64, Error> {
        let buckets = self.read_all_buckets(series)?;
        if !buckets.is_sorted_by(|a, b| a.until < b.until) {
            return Err(self.damaged(0, Damage::Contradiction("buckets are not in order")));
        }
        Ok(buckets.len() as u64)
    }

    /// Bytes held in memory besides mapped pages.
    pub(in crate::store) fn memory_bytes(&self) -> usize {
        self.tables.get().map_or(0, Tables::bytes)
            + self.refs.get().map_or(0, |refs| refs.capacity() * 8)
            + self.labels.get().map_or(0, BlockLabels::bytes)
            + self.statistics.get().map_or(0, Statistics::bytes)
    }
}

/// Cuts the rows from `begin` on to those in `range`.
fn trim(rows: &mut SeriesRows, begin: usize, range: TimeRange) {
    let new = rows.times.get(begin..).unwrap_or_default();
    let first = begin + new.partition_point(|time| *time < range.start().0);
    let end = begin + new.partition_point(|time| *time < range.end().0);
    rows.times.truncate(end);
    rows.values.truncate(end);
    if !rows.starts.is_empty() {
        rows.starts.truncate(end);
    }
    if first > begin {
        rows.times.drain(begin..first.min(end));
        rows.values.drain(begin..first.min(end));
        if !rows.starts.is_empty() {
            rows.starts.drain(begin..first.min(end));
        }
    }
}

fn page_read<'a>(
    pages: &'a PageReader,
    path: &std::path::Path,
    at: u64,
    length: usize,
) -> Result<Lent<'a>, Error> {
    pages.read(at, length).map_err(|error| page_error(path, error))
}

fn page_error(path: &std::path::Path, error: PageError) -> Error {
    let file = path.to_owned();
    match error {
        PageError::Io { source, .. } => Error::Io { call: "read", file, source },
        PageError::Damaged { offset, expected, found, .. } => {
            Error::Damaged { file, at: offset, what: Damage::Checksum { expected, found } }
        }
        _ => Error::Damaged { file, at: 0, what: Damage::Truncated("data file") },
    }
}

//! Over the days: what is done is skipped, what is not is loaded, each day as a whole.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::PathBuf,
    sync::Arc,
};

use super::{
    block::{Block, Span, read_error},
    error::ImportError,
    merge::Merge,
    plan::{self, as_float, share},
};
use crate::app::store::open_store;
use crate::ingest::tsdb::{BlockMeta, Columns};
use crate::model::{Matcher, TimeRange};
use crate::os::{Clock, Disk, SystemClock};
use crate::store::{Bulk, BulkRows, Config, Db, Selectors};

/// Nanoseconds of a millisecond.
const MILLISECOND: i64 = 1_000_000;
/// Series between two words of progress.
const SERIES_A_WORD: u64 = 256;

/// What to import from where to where.
#[derive(Clone, Debug)]
pub struct TsdbImport {
    /// Their directory: that of a server, or of a snapshot.
    pub directory: PathBuf,
    /// Ours; made where it is missing.
    pub data: PathBuf,
    /// Rows outside are left out.
    pub range: TimeRange,
    /// Series that match none of these are left out; where there is none, all are taken.
    pub selectors: Vec<Vec<Matcher>>,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// Rows written by now.
    pub rows: u64,
    /// The share that is done, from 0 to 1, about.
    pub done: f64,
    /// The part of it that earlier runs did.
    pub skipped: f64,
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// Blocks with rows of the range.
    pub blocks: u64,
    /// Days loaded.
    pub days: u64,
    /// Days that an earlier run had loaded.
    pub days_skipped: u64,
    /// Series loaded, counted each day.
    pub series: u64,
    /// Rows loaded.
    pub rows: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Rows left out, by reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// What the reader should know.
    pub notes: Vec<String>,
}

/// Imports a directory. `progress` is told every now and then.
///
/// # Errors
/// [`ImportError`]; what was imported before stays, and the same call goes on from there.
pub fn import_tsdb(
    import: &TsdbImport,
    progress: &mut dyn FnMut(Progress),
) -> Result<Summary, ImportError> {
    let selectors = Selectors::new(&import.selectors).map_err(ImportError::Selector)?;
    let reading = |source| ImportError::Read { file: import.directory.clone(), source };
    // Not mapped: these files are not ours, and may be cut while they are read.
    let files = Disk::open(&import.directory).map_err(reading)?.mmap(false);
    let found = plan::find(&files)?;
    if found.blocks.is_empty() {
        return Err(ImportError::NoBlocks { directory: import.directory.clone() });
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let (db, _) = open_store(&import.data, (true, true), clock, Config::default())?;
    let span = millis_in(import.range);
    let blocks: Vec<BlockMeta> = found
        .blocks
        .into_iter()
        .filter(|block| span.overlaps(block.min_time, block.max_time.saturating_sub(1)))
        .collect();
    let total = blocks.iter().map(|block| share(block, span)).sum::<f64>().max(1.0);
    let mut run = Run {
        import,
        files,
        db: &db,
        selectors,
        span,
        total,
        open: BTreeMap::new(),
        at: Progress::default(),
        summary: Summary { blocks: blocks.len() as u64, notes: found.notes, ..Summary::default() },
        reaching: BTreeSet::new(),
        progress,
    };
    let done = run.days(&blocks);
    let summary = run.summary;
    db.close();
    done.map(|()| summary)
}

/// The whole milliseconds in a range.
fn millis_in(range: TimeRange) -> Span {
    let (start, last) = (range.start().nanos(), range.end().nanos().saturating_sub(1));
    let first = start.div_euclid(MILLISECOND) + i64::from(start.rem_euclid(MILLISECOND) > 0);
    Span { first, last: last.div_euclid(MILLISECOND) }
}

struct Run<'a> {
    import: &'a TsdbImport,
    files: Disk,
    db: &'a Db,
    selectors: Selectors,
    span: Span,
    total: f64,
    /// Blocks that the day at hand needs, by name.
    open: BTreeMap<String, Block>,
    at: Progress,
    summary: Summary,
    /// Damaged chunks that reach into the next day: told already.
    reaching: BTreeSet<(String, u64, u64)>,
    progress: &'a mut dyn FnMut(Progress),
}

impl Run<'_> {
    fn days(&mut self, blocks: &[BlockMeta]) -> Result<(), ImportError> {
        let mut next = self.span.first;
        loop {
            // The first time from `next` on that a block has.
            let first =
                blocks.iter().filter(|it| it.max_time > next).map(|it| it.min_time.max(next)).min();
            let Some(first) = first.filter(|first| *first <= self.span.last) else { return Ok(()) };
            let Some(time) = first.checked_mul(MILLISECOND) else { return Ok(()) };
            next = self.day(blocks, time)?;
        }
    }

    /// Loads the day that holds `time` (ns), if it was not loaded before; the millisecond behind it.
    fn day(&mut self, blocks: &[BlockMeta], time: i64) -> Result<i64, ImportError> {
        let day = millis_in(Db::bulk_range(time));
        let next = day.last.saturating_add(1);
        let span =
            Span { first: day.first.max(self.span.first), last: day.last.min(self.span.last) };
        let mine: Vec<&BlockMeta> = blocks
            .iter()
            .filter(|it| span.overlaps(it.min_time, it.max_time.saturating_sub(1)))
            .collect();
        let share = mine.iter().map(|block| share(block, span)).sum::<f64>() / self.total;
        let note = self.note(&mine, span)?;
        if self.db.is_loaded(note) {
            self.summary.days_skipped += 1;
            self.at.skipped += share;
            self.at.done += share;
            return Ok(next);
        }
        self.open(&mine)?;
        let bulk = self.db.bulk(time, note).map_err(store_error(self.import))?;
        self.load(bulk, span, share)?;
        self.summary.days += 1;
        Ok(next)
    }

    /// Opens the blocks of a day, and closes the others.
    fn open(&mut self, wanted: &[&BlockMeta]) -> Result<(), ImportError> {
        self.open.retain(|name, _| wanted.iter().any(|block| block.ulid == *name));
        for meta in wanted {
            if !self.open.contains_key(&meta.ulid) {
                self.open.insert(meta.ulid.clone(), Block::open(&self.files, meta)?);
            }
        }
        Ok(())
    }

    /// What tells this day of this import from any other: blocks never change, but for what was
    /// deleted in them.
    fn note(&self, blocks: &[&BlockMeta], span: Span) -> Result<u128, ImportError> {
        use crate::os::Files;
        let mut text = format!("tsdb {} {} {:?}", span.first, span.last, self.import.selectors);
        for block in blocks {
            let path = format!("{}/tombstones", block.ulid);
            let size = match self.files.open_read(&path).and_then(|file| file.len()) {
                Ok(size) => size,
                Err(none) if none.kind() == std::io::ErrorKind::NotFound => 0,
                Err(source) => return Err(read_error(&self.files, &path)(source)),
            };
            let _ = write!(text, " {} {size}", block.ulid);
        }
        Ok(xxhash_rust::xxh3::xxh3_128(text.as_bytes()))
    }

    fn load(&mut self, mut bulk: Bulk<'_>, span: Span, share: f64) -> Result<(), ImportError> {
        let before = self.at;
        let mut rows = BulkRows::default();
        let mut blocks: Vec<&mut Block> = self.open.values_mut().collect();
        blocks
            .sort_by(|a, b| (a.meta.min_time, &a.meta.ulid).cmp(&(b.meta.min_time, &b.meta.ulid)));
        let expected = (share * self.total).max(1.0);
        let mut merge = Merge::new(blocks, span)?;
        merge.damaged.told = std::mem::take(&mut self.reaching);
        let (mut series, mut refused, mut loaded) = (0_u64, 0_u64, 0_u64);
        let (selectors, import) = (&self.selectors, self.import);
        while merge.next(
            |labels| selectors.pass(labels),
            |labels, columns| {
                refused += columns.refused;
                fill(columns, span, &mut rows);
                loaded += (rows.times.len() + rows.histograms.len()) as u64;
                bulk.push(labels, &mut rows).map_err(store_error(import))
            },
        )? {
            series += 1;
            if series.is_multiple_of(SERIES_A_WORD) {
                self.at.rows = before.rows + loaded;
                self.at.done = before.done + share * (as_float(loaded) / expected).min(1.0);
                (self.progress)(self.at);
            }
        }
        let damaged = merge.damaged;
        let loaded = bulk.finish().map_err(store_error(import))?;
        self.at.rows = before.rows + loaded.rows;
        self.at.done = before.done + share;
        (self.progress)(self.at);
        self.summary.series += loaded.series;
        self.summary.rows += loaded.rows;
        self.summary.bytes += loaded.bytes;
        self.refuse("older than retention, or too far in the future", loaded.refused);
        self.refuse("histograms finer than schema 8, or counts above 2^53", refused);
        self.refuse("chunks that are damaged", damaged.chunks);
        self.summary.notes.extend(damaged.shown);
        self.reaching = damaged.reaching;
        Ok(())
    }

    fn refuse(&mut self, reason: &'static str, count: u64) {
        if count > 0 {
            *self.summary.refused.entry(reason).or_default() += count;
        }
    }
}

fn store_error(import: &TsdbImport) -> impl FnOnce(crate::store::Error) -> ImportError + '_ {
    |source| ImportError::Store { data: import.data.clone(), source }
}

/// The rows of `columns` in `span`, by time, each time once, in nanoseconds.
fn fill(columns: &mut Columns, span: Span, rows: &mut BulkRows) {
    if !columns.times.is_sorted_by(|a, b| a < b) {
        sort(columns);
    }
    let begin = columns.times.partition_point(|time| *time < span.first);
    let end = columns.times.partition_point(|time| *time <= span.last);
    rows.times.clear();
    rows.values.clear();
    rows.starts.clear();
    rows.histograms.clear();
    let times = columns.times.get(begin..end).unwrap_or_default();
    rows.times.extend(times.iter().map(|time| time.wrapping_mul(MILLISECOND)));
    rows.values.extend_from_slice(columns.values.get(begin..end).unwrap_or_default());
    let starts = columns.starts.get(begin..end).unwrap_or_default();
    rows.starts.extend(starts.iter().map(|start| start.saturating_mul(MILLISECOND)));
    let is_in = |time: i64| span.first <= time && time <= span.last;
    let points = columns.histograms.drain(..).filter(|point| is_in(point.time));
    rows.histograms.extend(points.map(|point| {
        let start = point.start.saturating_mul(MILLISECOND);
        (point.time.wrapping_mul(MILLISECOND), start, point.value)
    }));
    if !rows.histograms.is_sorted_by(|a, b| a.0 < b.0) {
        rows.histograms.sort_by_key(|point| point.0);
        rows.histograms.reverse();
        // Of several of one time the last of the order they came in.
        rows.histograms.dedup_by_key(|point| point.0);
        rows.histograms.reverse();
    }
}

/// Sorts rows of blocks that overlap; of those of one time the last holds.
fn sort(columns: &mut Columns) {
    let mut order: Vec<usize> = (0..columns.times.len()).collect();
    let time = |i: usize| columns.times.get(i).copied().unwrap_or_default();
    order.sort_by_key(|i| time(*i));
    let mut kept: Vec<usize> = Vec::with_capacity(order.len());
    for i in order {
        match kept.last_mut().filter(|last| time(**last) == time(i)) {
            Some(last) => *last = i,
            None => kept.push(i),
        }
    }
    let pick = |from: &[i64]| kept.iter().filter_map(|i| from.get(*i).copied()).collect::<Vec<_>>();
    let values = kept.iter().filter_map(|i| columns.values.get(*i).copied()).collect();
    let (times, starts) = (pick(&columns.times), pick(&columns.starts));
    (columns.times, columns.values, columns.starts) = (times, values, starts);
}

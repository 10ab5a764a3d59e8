//! The bulk door: whole series of one partition straight into blocks, past log and head.
//!
//! For imports. What is loaded counts as written at the moment the load began: it replaces rows that
//! were there, rows that come later replace it. A load is in the manifest as a whole, with its note, or
//! not at all; a note that is there says that the load need not be done again.
//! Upkeep waits while a load is open, so one should take seconds, not hours.

use std::{collections::HashMap, sync::MutexGuard};

use crate::model::{Histogram, Label, Registry, TimeRange, Timestamp};

use super::{
    counters::Counters,
    crash::crash_point,
    db::{Db, held},
    error::Error,
    file::{DataWriter, LabelsWriter, SERIES_MAX, Written},
    manifest::{Edit, FileKind, Partition},
    rows::{HistogramPoint, SeriesRows},
};

/// A block that grows past this is ended, and the next begun.
const BLOCK_BYTES_MAX: u64 = 1 << 30;

/// All rows of one series in the partition of a load.
#[derive(Debug, Default)]
pub struct BulkRows {
    /// Nanoseconds, rising.
    pub times: Vec<i64>,
    /// A value each.
    pub values: Vec<f64>,
    /// Start timestamps in ns, 0 = unknown; empty where all are unknown.
    pub starts: Vec<i64>,
    /// Histograms with time and start, rising.
    pub histograms: Vec<(i64, i64, Histogram)>,
}

/// What became of a load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Series with a row.
    pub series: u64,
    /// Rows.
    pub rows: u64,
    /// Rows outside the times that the store takes.
    pub refused: u64,
    /// Bytes of the blocks.
    pub bytes: u64,
}

/// A load of one partition, open.
pub struct Bulk<'a> {
    db: &'a Db,
    partition: Partition,
    window: TimeRange,
    position: u64,
    note: u128,
    open: Option<Open>,
    written: Vec<Written>,
    loaded: Loaded,
    last: Vec<(String, String)>,
    rows: SeriesRows,
    _upkeep: MutexGuard<'a, ()>,
}

/// A block that is being written.
struct Open {
    writer: DataWriter,
    labels: BulkLabels,
}

impl Db {
    /// Whether a load with this note is done.
    pub fn is_loaded(&self, note: u128) -> bool {
        held(&self.manifest).state().notes.contains(&note)
    }

    /// The times of the partition that holds `time` (ns): those of one load.
    pub fn bulk_range(time: i64) -> TimeRange {
        Partition::of(time).range()
    }

    /// Begins to load rows of the partition that holds `time` (ns).
    ///
    /// # Errors
    /// Where the head cannot be flushed, or the disk is full.
    pub fn bulk(&self, time: i64, note: u128) -> Result<Bulk<'_>, Error> {
        let upkeep = held(&self.upkeep);
        self.check_space()?;
        // Rows that are there get positions below that of the load.
        while self.flush_head()? {}
        let position = held(&self.manifest).state().in_files;
        Ok(Bulk {
            db: self,
            partition: Partition::of(time),
            window: self.window(),
            position,
            note,
            open: None,
            written: Vec::new(),
            loaded: Loaded::default(),
            last: Vec::new(),
            rows: SeriesRows::default(),
            _upkeep: upkeep,
        })
    }
}

impl Bulk<'_> {
    /// Adds a series: labels by name, above those of the series added before. `rows` is left empty.
    ///
    /// # Errors
    /// [`Error::Invalid`] where labels or times are not in order; where the disk fails.
    pub fn push(&mut self, labels: &[Label<'_>], rows: &mut BulkRows) -> Result<(), Error> {
        self.check_order(labels, rows)?;
        self.take(rows);
        if self.rows.is_empty() {
            return Ok(());
        }
        if self.open.is_none() {
            let id = held(&self.db.manifest).next_file();
            let db = self.db;
            let writer =
                DataWriter::create(&db.files, db.database, id, FileKind::Block, self.partition)?;
            self.open = Some(Open { writer, labels: BulkLabels::default() });
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        open.writer.write(&self.rows)?;
        open.labels.push(labels);
        self.loaded.series += 1;
        self.loaded.rows += self.rows.len() as u64;
        if open.labels.len() >= SERIES_MAX || open.writer.bytes() >= BLOCK_BYTES_MAX {
            self.end_block()?;
        }
        Ok(())
    }

    fn check_order(&mut self, labels: &[Label<'_>], rows: &BulkRows) -> Result<(), Error> {
        let is_next = self.last.is_empty()
            || self
                .last
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .lt(labels.iter().copied());
        let is_set = labels.is_sorted_by(|a, b| a.0 < b.0)
            && !labels.is_empty()
            && labels.iter().all(|label| !label.1.is_empty());
        if !is_next || !is_set {
            return Err(Error::Invalid("series of a load are not in order of labels".to_owned()));
        }
        let range = self.partition.range();
        let is_inside =
            |time: Option<&i64>| time.is_none_or(|time| range.contains(Timestamp(*time)));
        let times = rows.times.as_slice();
        let is_rising = times.is_sorted_by(|a, b| a < b)
            && rows.histograms.is_sorted_by(|a, b| a.0 < b.0)
            && [times.first(), times.last()].into_iter().all(is_inside)
            && rows.histograms.iter().all(|it| is_inside(Some(&it.0)));
        let is_whole = times.len() == rows.values.len()
            && (rows.starts.is_empty() || rows.starts.len() == times.len());
        if !is_rising || !is_whole {
            return Err(Error::Invalid("rows of a load are not in order of time".to_owned()));
        }
        self.last.resize(labels.len(), Default::default());
        for (kept, (name, value)) in self.last.iter_mut().zip(labels) {
            (*name).clone_into(&mut kept.0);
            (*value).clone_into(&mut kept.1);
        }
        Ok(())
    }

    /// Moves the rows over, without those that the store would not take from anyone.
    fn take(&mut self, rows: &mut BulkRows) {
        let mine = &mut self.rows;
        mine.clear();
        std::mem::swap(&mut mine.times, &mut rows.times);
        std::mem::swap(&mut mine.values, &mut rows.values);
        std::mem::swap(&mut mine.starts, &mut rows.starts);
        let point = |(time, start, value): (i64, i64, Histogram)| HistogramPoint {
            time,
            start,
            value: std::sync::Arc::new(value),
        };
        mine.histograms.extend(rows.histograms.drain(..).map(point));
        if !(mine.times.is_empty() || mine.histograms.is_empty()) {
            // One row a time: where both have one, the histogram stays.
            let points = std::mem::take(&mut mine.histograms);
            let has = |time: i64| points.binary_search_by_key(&time, |point| point.time).is_ok();
            mine.retain(|time| !has(time));
            mine.histograms = points;
        }
        let before = mine.len();
        mine.clip(self.window);
        self.loaded.refused += (before - mine.len()) as u64;
    }

    fn end_block(&mut self) -> Result<(), Error> {
        let Some(Open { writer, labels }) = self.open.take() else { return Ok(()) };
        let positions = (self.position, self.position);
        self.written.push(writer.finish_block(labels.finish(), positions)?);
        Ok(())
    }

    /// Ends the load: from now on all of it is there, also after a power cut.
    ///
    /// # Errors
    /// Where the disk fails; nothing of the load is there then.
    pub fn finish(mut self) -> Result<Loaded, Error> {
        self.end_block()?;
        crash_point("bulk-written");
        let db = self.db;
        let written = std::mem::take(&mut self.written);
        let files = db.open_written(&written)?;
        let mut edits: Vec<Edit> =
            written.iter().map(|it| Edit::AddFile(Box::new(it.meta.clone()))).collect();
        edits.push(Edit::Note(self.note));
        held(&db.manifest).apply(&edits)?;
        db.change_live(|live| live.replace(&[], files));
        crash_point("bulk-listed");
        self.loaded.bytes = written.iter().map(|it| it.meta.bytes).sum();
        Counters::add(&db.counters.bulk_rows, self.loaded.rows);
        Ok(self.loaded)
    }
}

impl Drop for Bulk<'_> {
    /// A load that did not come to its end leaves nothing.
    fn drop(&mut self) {
        if let Some(open) = self.open.take() {
            open.writer.abandon();
        }
        for written in self.written.drain(..) {
            // Best effort: a file that the manifest does not list is removed at the next start.
            drop(self.db.files.remove(&written.meta.path()));
        }
    }
}

/// Labels of the series of a block, of which the pairs are not known beforehand.
#[derive(Default)]
struct BulkLabels {
    /// Names, each with its values and their numbers.
    numbers: HashMap<String, HashMap<String, u32>>,
    count: u32,
    lists: Vec<u32>,
    ends: Vec<usize>,
}

impl BulkLabels {
    fn push(&mut self, labels: &[Label<'_>]) {
        for (name, value) in labels {
            if !self.numbers.contains_key(*name) {
                self.numbers.insert((*name).to_owned(), HashMap::new());
            }
            let Some(values) = self.numbers.get_mut(*name) else { continue };
            let number = if let Some(number) = values.get(*value) {
                *number
            } else {
                values.insert((*value).to_owned(), self.count);
                self.count += 1;
                self.count - 1
            };
            self.lists.push(number);
        }
        self.ends.push(self.lists.len());
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    /// Numbers the pairs in their order.
    fn finish(self) -> LabelsWriter {
        let of_name = |(name, values): (String, HashMap<String, u32>)| {
            values.into_iter().map(move |(value, number)| (name.clone(), value, number))
        };
        let mut pairs: Vec<_> = self.numbers.into_iter().flat_map(of_name).collect();
        pairs.sort_unstable();
        let mut ranks = vec![0_u32; pairs.len()];
        for (rank, (_, _, number)) in (0_u32..).zip(&pairs) {
            if let Some(slot) = ranks.get_mut(*number as usize) {
                *slot = rank;
            }
        }
        let texts = pairs.iter().map(|(name, value, _)| (name.as_str(), value.as_str()));
        let mut writer = LabelsWriter::new(texts);
        let (mut begin, mut list) = (0, Vec::new());
        for end in self.ends {
            list.clear();
            let numbers = self.lists.get(begin..end).unwrap_or_default();
            list.extend(numbers.iter().filter_map(|it| ranks.get(*it as usize).copied()));
            // Pairs are ordered by name, and so are the labels of a series.
            writer.push(&list);
            begin = end;
        }
        writer
    }
}

//! From head to parts: the head is frozen, a new one takes rows, the old one is written.

use std::{collections::BTreeMap, sync::Arc};

use crate::model::Exemplar;

use super::{
    catalog::Slot,
    counters::Counters,
    crash::crash_point,
    db::{Db, held},
    error::{Damage, Error},
    file::{DataFile, DataWriter, FileKey, Written},
    head::Generation,
    manifest::{Edit, FileKind, Partition},
    rows::SeriesRows,
};

/// Partitions written at once: each holds a buffer. A head of more is gone through again.
const PARTITIONS_AT_ONCE: usize = 16;

impl Db {
    /// Writes the head as parts; false where it was empty. The caller holds `upkeep`.
    pub(super) fn flush_head(&self) -> Result<bool, Error> {
        let Some(frozen) = self.freeze() else { return Ok(false) };
        crash_point("head-flush");
        let written = self.write_parts(&frozen)?;
        let (_, position) = frozen.positions();
        let mut edits: Vec<Edit> =
            written.iter().map(|it| Edit::AddFile(Box::new(it.meta.clone()))).collect();
        edits.push(Edit::InFiles(position));
        edits.push(Edit::NextSeries(self.catalog.next_series()));
        let readable = self.forgettable(position);
        self.apply_with_segments(edits, readable)?;
        let files = self.open_written(&written)?;
        self.change_live(|live| {
            live.replace(&[], files);
            live.frozen = None;
        });
        held(&self.commit).wal.trim(readable)?;
        Counters::add(&self.counters.flushes, 1);
        Counters::add(&self.counters.flushed_rows, frozen.rows());
        Ok(true)
    }

    /// Makes an edit durable that moves the beginning of the log behind `position`.
    pub(super) fn apply_with_segments(
        &self,
        mut edits: Vec<Edit>,
        position: u64,
    ) -> Result<(), Error> {
        let commit = held(&self.commit);
        let mut manifest = held(&self.manifest);
        let end = manifest.state().segments.1;
        edits.push(Edit::Segments(commit.wal.first_number_above(position), end));
        manifest.apply(&edits)
    }

    /// The head to be written: one whose flush failed before, or the one that took rows until now.
    fn freeze(&self) -> Option<Arc<Generation>> {
        let mut commit = held(&self.commit);
        // What comes now goes to a new segment, so that the old ones can be removed.
        commit.wal.end_segment();
        let mut frozen = None;
        self.change_live(|live| {
            if live.frozen.is_none() && !live.active.is_empty() {
                let next = Arc::new(Generation::new(commit.wal.last()));
                live.active.pass(commit.wal.last());
                live.frozen = Some(std::mem::replace(&mut live.active, next));
            }
            frozen.clone_from(&live.frozen);
        });
        frozen
    }

    fn write_parts(&self, head: &Generation) -> Result<Vec<Written>, Error> {
        let slots = head.active(self.catalog.visible());
        let mut exemplars: BTreeMap<Slot, Vec<Exemplar>> = BTreeMap::new();
        for (slot, exemplar) in head.exemplars() {
            exemplars.entry(slot).or_default().push(exemplar);
        }
        let rows = FrozenRows { head, slots, exemplars, oldest: self.seen_from() };
        let mut written = Vec::new();
        let partitions = partitions_of(head, &rows.slots)?;
        for group in partitions.chunks(PARTITIONS_AT_ONCE) {
            let mut parts: BTreeMap<Partition, Part> = BTreeMap::new();
            let done = self.write_group(&rows, group, &mut parts);
            if let Err(error) = done {
                for part in parts.into_values() {
                    part.writer.abandon();
                }
                return Err(error);
            }
            for part in parts.into_values() {
                written.push(part.writer.finish_part(&part.refs, head.positions())?);
            }
        }
        Ok(written)
    }

    fn write_group(
        &self,
        frozen: &FrozenRows<'_>,
        group: &[Partition],
        parts: &mut BTreeMap<Partition, Part>,
    ) -> Result<(), Error> {
        let mut rows = SeriesRows::default();
        for slot in &frozen.slots {
            rows.clear();
            frozen.head.read(*slot, &mut rows).map_err(in_memory)?;
            rows.retain(|time| time >= frozen.oldest);
            let series = self.catalog.with(|index| index.series(*slot));
            for partition in group {
                let mine = rows.slice(partition.range());
                if mine.is_empty() {
                    continue;
                }
                if !parts.contains_key(partition) {
                    let id = held(&self.manifest).next_file();
                    let files = &self.files;
                    let writer =
                        DataWriter::create(files, self.database, id, FileKind::Part, *partition)?;
                    parts.insert(*partition, Part { writer, refs: Vec::new() });
                }
                let Some(part) = parts.get_mut(partition) else { continue };
                part.writer.write(&mine)?;
                part.refs.push(series.0);
                for exemplar in frozen.exemplars.get(slot).into_iter().flatten() {
                    if partition.range().contains(crate::model::Timestamp(exemplar.time)) {
                        part.writer.write_exemplar(exemplar);
                    }
                }
            }
        }
        Ok(())
    }

    /// Opens files that were just written.
    pub(super) fn open_written(&self, written: &[Written]) -> Result<Vec<Arc<DataFile>>, Error> {
        let open = |it: &Written| {
            let key =
                FileKey { now: self.clock.monotonic(), database: self.database, meta: &it.meta };
            DataFile::open(&*self.files, key, Some(Arc::clone(&self.page_cache))).map(Arc::new)
        };
        written.iter().map(open).collect()
    }
}

/// What a flush writes.
struct FrozenRows<'a> {
    head: &'a Generation,
    /// Series that have a row, rising.
    slots: Vec<Slot>,
    exemplars: BTreeMap<Slot, Vec<Exemplar>>,
    /// Rows before this instant are dropped.
    oldest: i64,
}

/// A part of one partition, being written.
struct Part {
    writer: DataWriter,
    refs: Vec<u64>,
}

/// The partitions that a head has rows of.
fn partitions_of(head: &Generation, slots: &[Slot]) -> Result<Vec<Partition>, Error> {
    let Some((first, last)) = head.times() else { return Ok(Vec::new()) };
    if Partition::of(first) == Partition::of(last) {
        return Ok(vec![Partition::of(first)]);
    }
    let mut partitions = std::collections::BTreeSet::new();
    let mut rows = SeriesRows::default();
    for slot in slots {
        rows.clear();
        head.read(*slot, &mut rows).map_err(in_memory)?;
        let histograms = rows.histograms.iter().map(|point| point.time);
        partitions.extend(rows.times.iter().copied().chain(histograms).map(Partition::of));
    }
    Ok(partitions.into_iter().collect())
}

/// A stream in memory that does not decode.
pub(super) fn in_memory(error: crate::codec::Error) -> Error {
    Error::Damaged { file: "memory of the head".into(), at: 0, what: Damage::Column(error) }
}

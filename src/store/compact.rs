//! Few files of many: neighbouring parts to one, a partition to blocks.
//!
//! Inputs are read in order of position and overlaid, so the later row wins; deletions are carried
//! out on the way. Outputs are listed and inputs unlisted in one edit; files go after that.

use std::{collections::BTreeMap, sync::Arc};

use roaring::RoaringBitmap;

use crate::model::{Exemplar, Labels, SeriesRef, TimeRange};

use super::{
    counters::Counters,
    crash::crash_point,
    db::{Db, held},
    error::Error,
    file::{DataFile, DataWriter, LabelsWriter, SERIES_MAX, Written},
    label_order::{LabelOrder, Member, Ordered, SourceLabels},
    live::Live,
    manifest::{Edit, FileId, FileKind, Partition},
    rows::SeriesRows,
    tier::Downsampling,
    tombstones::Deletions,
};

/// A partition being sealed.
#[derive(Clone, Copy)]
struct Sealing<'a> {
    partition: Partition,
    inputs: &'a [Arc<DataFile>],
    ordered: &'a Ordered,
    deletions: &'a Deletions,
}

/// A block that grows past this is ended, and the next begun.
const BLOCK_BYTES_MAX: u64 = 1 << 30;

impl Db {
    /// Makes one part of neighbours. The caller holds `upkeep`.
    pub(super) fn merge_parts(&self, partition: Partition, inputs: &[FileId]) -> Result<(), Error> {
        let live = self.live();
        let inputs: Vec<_> =
            live.of(partition).filter(|file| inputs.contains(&file.meta.id)).cloned().collect();
        if inputs.len() < 2 {
            return Ok(());
        }
        let deletions = Deletions::new(&live.tombstones)?;
        let id = held(&self.manifest).next_file();
        let mut writer =
            DataWriter::create(&self.files, self.database, id, FileKind::Part, partition)?;
        let merged = self.write_merged(&inputs, &deletions, &mut writer);
        let refs = match merged {
            Ok(refs) => refs,
            Err(error) => {
                writer.abandon();
                return Err(error);
            }
        };
        let written = if refs.is_empty() {
            writer.abandon();
            Vec::new()
        } else {
            vec![writer.finish_part(&refs, positions(&inputs))?]
        };
        self.exchange(&inputs, &written, Vec::new())?;
        Counters::add(&self.counters.merges, 1);
        Ok(())
    }

    /// Writes the rows of parts by ref; the refs that have rows.
    fn write_merged(
        &self,
        inputs: &[Arc<DataFile>],
        deletions: &Deletions,
        writer: &mut DataWriter,
    ) -> Result<Vec<u64>, Error> {
        let mut sources: BTreeMap<u64, Vec<(usize, usize)>> = BTreeMap::new();
        for (input, file) in inputs.iter().enumerate() {
            for (series, it) in file.refs()?.iter().enumerate() {
                sources.entry(*it).or_default().push((input, series));
            }
        }
        let exemplars = Exemplars::gather(inputs)?;
        let mut refs = Vec::with_capacity(sources.len());
        let (mut all, mut one) = (SeriesRows::default(), SeriesRows::default());
        for (series, sources) in sources {
            all.clear();
            for (input, place) in &sources {
                let Some(file) = inputs.get(*input) else { continue };
                one.clear();
                file.read_series(*place, TimeRange::ALL, &mut one)?;
                if !deletions.is_empty() {
                    let labels = self.labels_of(series);
                    deletions.apply(file.meta.id, labels.as_ref(), &mut one);
                }
                all.overlay(&mut one);
            }
            if !all.is_empty() {
                writer.write(&all)?;
                refs.push(series);
                exemplars.write(&sources, writer);
            }
        }
        Ok(refs)
    }

    fn labels_of(&self, series: u64) -> Option<Labels> {
        self.catalog.with(|index| index.slot(SeriesRef(series)).map(|slot| index.labels(slot)))
    }

    /// Makes blocks of all files of a partition. The caller holds `upkeep`.
    pub(super) fn seal(&self, partition: Partition) -> Result<(), Error> {
        let live = self.live();
        let inputs: Vec<_> = live.of(partition).cloned().collect();
        let mut tiers = Downsampling::new(self, &live, partition, &inputs)?;
        let is_sealed = inputs.iter().all(|file| file.is_block())
            && !Self::has_deletions(&live, partition)
            && !tiers.thins(&inputs)?;
        if is_sealed && (inputs.is_empty() || !tiers.is_due()) {
            return Ok(());
        }
        let Some(ordered) = order(self, &inputs)? else {
            // Rows of series that a damaged catalog lost: their part stays as it is.
            return Ok(());
        };
        let deletions = Deletions::new(&live.tombstones)?;
        let sealing =
            Sealing { partition, inputs: &inputs, ordered: &ordered, deletions: &deletions };
        let written = if is_sealed {
            self.write_tiers(&sealing, &mut tiers).map(|()| Vec::new())
        } else {
            self.write_blocks(&sealing, &mut tiers)
        };
        let written = match written.and_then(|written| Ok((written, tiers.finish()?))) {
            Ok((mut written, mut of_tiers)) => {
                written.append(&mut of_tiers);
                written
            }
            Err(error) => {
                tiers.abandon();
                return Err(error);
            }
        };
        drop(ordered);
        let gone = if is_sealed { &[] } else { &inputs[..] };
        self.exchange(gone, &written, tiers.records())?;
        Counters::add(&self.counters.seals, 1);
        Ok(())
    }

    pub(super) fn has_deletions(live: &Live, partition: Partition) -> bool {
        live.of(partition).any(|file| {
            live.tombstones
                .iter()
                .any(|it| file.meta.id.0 < it.files_below && it.range.overlaps(partition.range()))
        })
    }

    /// Reads the rows of a series that are to stay, into `all`, and tells the tiers what changed; where
    /// they were.
    fn gather(
        &self,
        sealing: &Sealing<'_>,
        series: u32,
        tiers: &mut Downsampling<'_>,
        all: &mut SeriesRows,
    ) -> Result<Vec<(usize, usize)>, Error> {
        let Sealing { partition, inputs, ordered, deletions } = *sealing;
        all.clear();
        let mut one = SeriesRows::default();
        let sources = sources(self, inputs, ordered.members(series))?;
        let labels = ordered.labels(series);
        for (input, place) in &sources {
            let Some(file) = inputs.get(*input) else { continue };
            one.clear();
            file.read_series(*place, TimeRange::ALL, &mut one)?;
            tiers.drop_retired(&labels, &mut one);
            // What a deletion touches is told anew even where it had no row: readers take older
            // buckets that it touches for deleted.
            let is_touched = deletions.touch(file.meta.id, &labels, partition.range());
            tiers.note(file, &one, is_touched);
            deletions.apply(file.meta.id, Some(&labels), &mut one);
            all.overlay(&mut one);
        }
        Ok(sources)
    }

    /// Writes the buckets of blocks that stay as they are.
    fn write_tiers(
        &self,
        sealing: &Sealing<'_>,
        tiers: &mut Downsampling<'_>,
    ) -> Result<(), Error> {
        let mut all = SeriesRows::default();
        for series in 0..sealing.ordered.len() {
            self.gather(sealing, series, tiers, &mut all)?;
            tiers.write(sealing.ordered, series, &all)?;
        }
        Ok(())
    }

    fn write_blocks(
        &self,
        sealing: &Sealing<'_>,
        tiers: &mut Downsampling<'_>,
    ) -> Result<Vec<Written>, Error> {
        let Sealing { partition, inputs, ordered, .. } = *sealing;
        let exemplars = Exemplars::gather(inputs)?;
        let mut written = Vec::new();
        let mut open: Option<(DataWriter, LabelsWriter, usize)> = None;
        let mut all = SeriesRows::default();
        for series in 0..ordered.len() {
            let sources = self.gather(sealing, series, tiers, &mut all)?;
            tiers.write(ordered, series, &all)?;
            if all.is_empty() {
                continue;
            }
            if open.is_none() {
                let id = held(&self.manifest).next_file();
                let writer =
                    DataWriter::create(&self.files, self.database, id, FileKind::Block, partition)?;
                let pairs =
                    ordered.pairs().iter().map(|(name, value)| (name.as_str(), value.as_str()));
                open = Some((writer, LabelsWriter::new(pairs), 0));
            }
            let Some((writer, labels, count)) = &mut open else { continue };
            writer.write(&all)?;
            labels.push(ordered.list(series));
            exemplars.write(&sources, writer);
            *count += 1;
            if (*count >= SERIES_MAX || writer.bytes() >= BLOCK_BYTES_MAX)
                && let Some((writer, labels, _)) = open.take()
            {
                written.push(writer.finish_block(labels, positions(inputs))?);
            }
        }
        if let Some((writer, labels, _)) = open {
            written.push(writer.finish_block(labels, positions(inputs))?);
        }
        Ok(written)
    }

    /// Lists new files in place of others, and removes those.
    pub(super) fn exchange(
        &self,
        gone: &[Arc<DataFile>],
        written: &[Written],
        more: Vec<Edit>,
    ) -> Result<(), Error> {
        let files = self.open_written(written)?;
        let ids: Vec<FileId> = gone.iter().map(|file| file.meta.id).collect();
        let mut edits: Vec<Edit> =
            written.iter().map(|it| Edit::AddFile(Box::new(it.meta.clone()))).collect();
        edits.extend(ids.iter().map(|id| Edit::RemoveFile(*id)));
        edits.extend(more);
        {
            let mut manifest = held(&self.manifest);
            manifest.apply(&edits)?;
            self.change_live(|live| {
                live.replace(&ids, files);
                live.take_over(manifest.state());
            });
        }
        crash_point("compact-before-delete");
        self.remove_files(gone);
        crash_point("compact-after-delete");
        self.drop_done_deletions()
    }

    /// Removes files that the manifest no longer lists.
    pub(super) fn remove_files(&self, gone: &[Arc<DataFile>]) {
        for file in gone {
            // Best effort: what stays is removed at the next start.
            drop(self.files.remove(&file.meta.path()));
        }
    }
}

pub(super) fn positions(inputs: &[Arc<DataFile>]) -> (u64, u64) {
    let from = inputs.iter().map(|file| file.meta.positions.0).min();
    let to = inputs.iter().map(|file| file.meta.positions.1).max();
    (from.unwrap_or_default(), to.unwrap_or_default())
}

/// Exemplars of inputs, by input and place of the series.
struct Exemplars(BTreeMap<(usize, usize), Vec<Exemplar>>);

impl Exemplars {
    fn gather(inputs: &[Arc<DataFile>]) -> Result<Self, Error> {
        let mut all: BTreeMap<_, Vec<Exemplar>> = BTreeMap::new();
        for (input, file) in inputs.iter().enumerate() {
            for (series, exemplar) in file.exemplars()? {
                all.entry((input, series)).or_default().push(exemplar);
            }
        }
        Ok(Self(all))
    }

    fn write(&self, sources: &[(usize, usize)], writer: &mut DataWriter) {
        if self.0.is_empty() {
            return;
        }
        for exemplar in sources.iter().filter_map(|source| self.0.get(source)).flatten() {
            writer.write_exemplar(exemplar);
        }
    }
}

/// The catalog's number among the sources; blocks follow, by their place among the inputs.
const CATALOG: u32 = 0;

/// The series of all inputs, by metric and labels. None where a part has a series that the catalog does
/// not know: its labels are lost.
pub(super) fn order(db: &Db, inputs: &[Arc<DataFile>]) -> Result<Option<Ordered>, Error> {
    let mut order = LabelOrder::default();
    let is_known = db.catalog.with(|index| {
        let mut slots = RoaringBitmap::new();
        for file in inputs.iter().filter(|file| !file.is_block()) {
            let found = file.slots(index)?;
            if found.len() != file.refs()?.len() as u64 {
                return Ok::<_, Error>(false);
            }
            slots |= found;
        }
        let labels = SourceLabels {
            pair_count: index.pairs().len(),
            list: &|slot| index.list(slot),
            text: &|pair| index.pairs().text(pair),
            rank: &|pair| pair,
        };
        order.add(CATALOG, &labels, slots.iter());
        Ok(true)
    })?;
    for (source, file) in (1..).zip(inputs).filter(|(_, file)| file.is_block()) {
        let labels = file.labels()?;
        let source_labels = SourceLabels {
            pair_count: labels.pair_count(),
            list: &|series| labels.list(series as usize),
            text: &|pair| labels.pair(pair),
            rank: &|pair| pair,
        };
        order.add(source, &source_labels, 0..u32::try_from(labels.len()).unwrap_or(u32::MAX));
    }
    Ok(is_known.then(|| order.sort(true)))
}

/// Where a series is: inputs, and its place in each, oldest rows first.
pub(super) fn sources(
    db: &Db,
    inputs: &[Arc<DataFile>],
    members: &[Member],
) -> Result<Vec<(usize, usize)>, Error> {
    let slot = members.iter().find(|member| member.source == CATALOG).map(|member| member.id);
    let series = slot.map(|slot| db.catalog.with(|index| index.series(slot)));
    let mut found = Vec::with_capacity(inputs.len());
    for (input, file) in inputs.iter().enumerate() {
        let place = if file.is_block() {
            let member = members.iter().find(|member| member.source as usize == input + 1);
            member.map(|member| member.id as usize)
        } else {
            series.map_or(Ok(None), |series| file.find(series))?
        };
        found.extend(place.map(|place| (input, place)));
    }
    Ok(found)
}

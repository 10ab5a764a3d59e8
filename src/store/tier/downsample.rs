//! Buckets written beside the blocks of a seal: of the rows that no tier holds yet, no others.
//!
//! A tier's file has the buckets that changed; older ones stay where they are, and of two the one in
//! the later file holds. The manifest says, with the same edit that lists the file, which rows it holds.

use std::{collections::BTreeSet, sync::Arc};

use crate::model::{Labels, Partial, Tier};
use crate::store::{
    counters::Counters,
    db::{Db, held},
    error::Error,
    file::{DataFile, DataWriter, LabelsWriter, SERIES_MAX, Written},
    label_order::Ordered,
    live::Live,
    manifest::{Edit, FileKind, Partition, Tiered},
    rows::SeriesRows,
};

use super::{Rules, buckets, merge::BYTES_MAX};

/// What a seal does for the tiers.
pub(in crate::store) struct Downsampling<'a> {
    db: &'a Db,
    rules: Rules,
    partition: Partition,
    tiers: Vec<TierWriter<'a>>,
}

/// One tier, being written.
struct TierWriter<'a> {
    tier: Tier,
    /// Rows of files of lower number are held already; 0 where none are.
    files_below: u64,
    positions: (u64, u64),
    is_due: bool,
    /// Buckets of the series at hand that changed.
    dirty: BTreeSet<i64>,
    out: TierOutput<'a>,
}

impl<'a> Downsampling<'a> {
    pub(in crate::store) fn new(
        db: &'a Db,
        live: &Live,
        partition: Partition,
        inputs: &[Arc<DataFile>],
    ) -> Result<Self, Error> {
        let newest = inputs.iter().map(|file| file.meta.id.0).max().unwrap_or(0);
        let from = inputs.iter().map(|file| file.meta.positions.0).min().unwrap_or(0);
        let to = inputs.iter().map(|file| file.meta.positions.1).max().unwrap_or(0);
        let writer = |tier: Tier| {
            let target = Partition::of_tier(tier, partition.until);
            let files_below = live.tiered.get(&(tier, partition.until)).copied().unwrap_or(0);
            // Later than all that is there, whatever positions its rows have.
            let to = live.of(target).map(|file| file.meta.positions.1).max().unwrap_or(0).max(to);
            TierWriter {
                tier,
                files_below,
                positions: (from, to),
                is_due: newest >= files_below,
                dirty: BTreeSet::new(),
                out: TierOutput::new(db, target),
            }
        };
        let tiers = db.config.tiers().all().map(writer).collect();
        Ok(Self { db, rules: Rules::new(&live.retired)?, partition, tiers })
    }

    /// Whether a tier does not hold all rows.
    pub(in crate::store) fn is_due(&self) -> bool {
        self.tiers.iter().any(|tier| tier.is_due)
    }

    /// Whether a file has rows that retention has dropped.
    pub(in crate::store) fn thins(&self, inputs: &[Arc<DataFile>]) -> Result<bool, Error> {
        inputs.iter().try_fold(false, |hit, file| Ok(hit || self.rules.hit(file)?))
    }

    /// Takes away rows of a series that retention has dropped: late ones came too late.
    pub(in crate::store) fn drop_retired(&self, labels: &Labels, rows: &mut SeriesRows) {
        if !self.rules.asks_labels() {
            return;
        }
        let until = self.rules.until(None, Some(labels));
        let before = rows.len();
        rows.retain(|time| time > until);
        Counters::add(&self.db.counters.retired_rows, (before - rows.len()) as u64);
    }

    /// Notes that rows of a file are new to the tiers, or not what they were.
    pub(in crate::store) fn note(&mut self, file: &DataFile, rows: &SeriesRows, is_changed: bool) {
        for tier in &mut self.tiers {
            if tier.files_below > 0 && (is_changed || file.meta.id.0 >= tier.files_below) {
                let times = rows.times.iter().copied();
                let times = times.chain(rows.histograms.iter().map(|point| point.time));
                tier.dirty.extend(times.map(|time| tier.tier.bucket(time)));
            }
        }
    }

    /// Writes the buckets of a series.
    pub(in crate::store) fn write(
        &mut self,
        ordered: &Ordered,
        series: u32,
        rows: &SeriesRows,
    ) -> Result<(), Error> {
        for tier in &mut self.tiers {
            let dirty = std::mem::take(&mut tier.dirty);
            let made = if tier.files_below == 0 {
                buckets(tier.tier, rows, None)
            } else {
                buckets(tier.tier, rows, Some(&dirty))
            };
            tier.out.write(ordered, series, &made, tier.positions)?;
        }
        Ok(())
    }

    /// Ends the files.
    pub(in crate::store) fn finish(&mut self) -> Result<Vec<Written>, Error> {
        let mut written = Vec::new();
        for tier in &mut self.tiers {
            written.append(&mut tier.out.finish(tier.positions)?);
        }
        Ok(written)
    }

    /// Gives up what is being written.
    pub(in crate::store) fn abandon(self) {
        self.tiers.into_iter().for_each(|tier| tier.out.abandon());
    }

    /// What the manifest is to say: that all files there are now are held.
    pub(in crate::store) fn records(&self) -> Vec<Edit> {
        let files_below = held(&self.db.manifest).state().next_file;
        let record = |it: &TierWriter<'_>| {
            Edit::Tiered(Tiered { tier: it.tier, until: self.partition.until, files_below })
        };
        self.tiers.iter().map(record).collect()
    }
}

/// Files of a tier, being written: each ended when it is full, and the next begun.
pub(super) struct TierOutput<'a> {
    db: &'a Db,
    partition: Partition,
    open: Option<(DataWriter, LabelsWriter, usize)>,
    written: Vec<Written>,
}

impl<'a> TierOutput<'a> {
    pub(super) fn new(db: &'a Db, partition: Partition) -> Self {
        Self { db, partition, open: None, written: Vec::new() }
    }

    /// Adds the buckets of the next series, if there are any.
    pub(super) fn write(
        &mut self,
        ordered: &Ordered,
        series: u32,
        buckets: &[Partial],
        positions: (u64, u64),
    ) -> Result<(), Error> {
        if buckets.is_empty() {
            return Ok(());
        }
        if self.open.is_none() {
            let id = held(&self.db.manifest).next_file();
            let (files, database) = (&self.db.files, self.db.database);
            let writer = DataWriter::create(files, database, id, FileKind::Tier, self.partition)?;
            let pairs = ordered.pairs().iter().map(|(name, value)| (name.as_str(), value.as_str()));
            self.open = Some((writer, LabelsWriter::new(pairs), 0));
        }
        let Some((writer, labels, count)) = &mut self.open else { return Ok(()) };
        writer.write_buckets(buckets)?;
        labels.push(ordered.list(series));
        *count += 1;
        if *count >= SERIES_MAX || writer.bytes() >= BYTES_MAX {
            self.end(positions)?;
        }
        Ok(())
    }

    fn end(&mut self, positions: (u64, u64)) -> Result<(), Error> {
        if let Some((writer, labels, _)) = self.open.take() {
            self.written.push(writer.finish_block(labels, positions)?);
        }
        Ok(())
    }

    /// Ends the last file; all that were written.
    pub(super) fn finish(&mut self, positions: (u64, u64)) -> Result<Vec<Written>, Error> {
        self.end(positions)?;
        Ok(std::mem::take(&mut self.written))
    }

    pub(super) fn abandon(self) {
        if let Some((writer, ..)) = self.open {
            writer.abandon();
        }
    }
}

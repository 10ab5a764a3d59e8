//! Retiring series: what no open partition and no head names is forgotten.
//!
//! Sealed rows have their labels in their block, so the catalog need not keep them. A series that was
//! idle at two looks some time apart is retired: its labels leave memory, and a new file of the catalog
//! leaves it out. Comes it back, it is a new series with a new ref.

use std::time::Duration;

use roaring::RoaringBitmap;

use crate::model::Batch;

use super::db::{Db, held};
use super::error::Error;

/// Series that were idle at the last look.
#[derive(Debug, Default)]
pub(super) struct Idle {
    looked_at: Duration,
    /// The position of the log then.
    position: u64,
    slots: RoaringBitmap,
    /// Series written to since, where nothing but the log knows.
    active: RoaringBitmap,
}

impl Db {
    /// Retires what was idle at the last look and is now, if that is a part worth a new catalog file.
    /// The caller holds `upkeep`.
    pub(super) fn retire_series(&self) -> Result<(), Error> {
        let now = self.clock.monotonic();
        {
            let idle = held(&self.idle);
            if now < idle.looked_at + self.config.retire_after {
                return Ok(());
            }
        }
        // No rows come while this is held.
        let mut commit = held(&self.commit);
        let live = self.live();
        if !self.followers.have_read(self.last_of_idle()) {
            return Ok(());
        }
        let (idle, known) = self.catalog.with(|index| {
            let known = index.slots();
            let mut idle = known.clone();
            idle.remove_range(commit.logged..);
            for file in live.files.iter().filter(|file| !file.is_block()) {
                idle -= file.slots(index)?;
            }
            for head in live.heads() {
                let active: RoaringBitmap = head.active(index.len()).into_iter().collect();
                idle -= active;
            }
            idle -= &held(&self.idle).active;
            Ok::<_, Error>((idle, known.len()))
        })?;
        let gone = {
            let mut last = held(&self.idle);
            let gone = &idle & &last.slots;
            let position = commit.wal.last();
            *last = Idle { looked_at: now, position, slots: idle, active: RoaringBitmap::new() };
            gone
        };
        if gone.len() * 8 < known || gone.is_empty() {
            return Ok(());
        }
        self.catalog.retire(&gone);
        self.begin_catalog(&mut commit)?;
        Ok(())
    }

    /// No record of a series that is idle for the second time is above this position.
    fn last_of_idle(&self) -> u64 {
        if self.config.is_log_only {
            // It was not written to since the last look.
            return held(&self.idle).position;
        }
        // Its rows are sealed; they may have come since the last look.
        held(&self.manifest).state().in_files
    }

    /// Notes whose rows came, for a store that has no head that would know.
    pub(super) fn note_active<'a>(&self, batches: impl Iterator<Item = &'a Batch>) {
        let mut idle = held(&self.idle);
        self.catalog.with(|index| {
            for batch in batches {
                let histograms = batch.histograms.iter().map(|row| row.series);
                let series = batch.rows.series().iter().copied().chain(histograms);
                idle.active.extend(series.filter_map(|series| index.slot(series)));
            }
        });
    }
}

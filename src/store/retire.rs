//! Retiring series: what no open partition and no head names is forgotten.
//!
//! Sealed rows have their labels in their block, so the catalog need not keep them. A series that was
//! idle at two looks some time apart is retired: its labels leave memory, and a new file of the catalog
//! leaves it out. Comes it back, it is a new series with a new ref.

use std::time::Duration;

use roaring::RoaringBitmap;

use super::db::{Db, held};
use super::error::Error;

/// Series that were idle at the last look.
#[derive(Debug, Default)]
pub(super) struct Idle {
    looked_at: Duration,
    slots: RoaringBitmap,
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
            Ok::<_, Error>((idle, known.len()))
        })?;
        let gone = {
            let mut last = held(&self.idle);
            let gone = &idle & &last.slots;
            *last = Idle { looked_at: now, slots: idle };
            gone
        };
        if gone.len() * 8 < known || gone.is_empty() {
            return Ok(());
        }
        self.catalog.retire(&gone);
        self.begin_catalog(&mut commit)?;
        Ok(())
    }
}

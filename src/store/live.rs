//! What a reader sees: the files and heads of one moment.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::model::Tier;

use super::{
    file::DataFile,
    head::Generation,
    manifest::{FileId, Partition, Retired, State, Tombstone},
};

/// Files and heads that hold all rows, each row once but for those of one series and time.
#[derive(Clone, Debug)]
pub(super) struct Live {
    /// Files of rows that could be opened, oldest rows first: by position.
    pub(super) files: Vec<Arc<DataFile>>,
    /// Files of tiers, in the same order.
    pub(super) tiers: Vec<Arc<DataFile>>,
    /// Rows that are being flushed.
    pub(super) frozen: Option<Arc<Generation>>,
    /// Rows that came after those.
    pub(super) active: Arc<Generation>,
    /// Deletions that files have yet to carry out.
    pub(super) tombstones: Arc<[Tombstone]>,
    /// Rows up to this instant were dropped.
    pub(super) dropped_until: i64,
    /// What retention dropped besides.
    pub(super) retired: Arc<[Retired]>,
    /// Which rows tiers hold.
    pub(super) tiered: Arc<BTreeMap<(Tier, i64), u64>>,
}

impl Live {
    /// What is there after opening: files, and rows of the log.
    pub(super) fn new(files: Vec<Arc<DataFile>>, head: Generation, state: &State) -> Self {
        let (tiers, files) = files.into_iter().partition(|file| is_of_tier(file));
        Self {
            files,
            tiers,
            frozen: None,
            active: Arc::new(head),
            tombstones: state.tombstones.clone().into(),
            dropped_until: state.dropped_until,
            retired: state.retired.clone().into(),
            tiered: Arc::new(state.tiered.clone()),
        }
    }

    /// Takes over what changes say besides files.
    pub(super) fn take_over(&mut self, state: &State) {
        self.dropped_until = self.dropped_until.max(state.dropped_until);
        self.retired = state.retired.clone().into();
        self.tiered = Arc::new(state.tiered.clone());
    }

    /// Heads, oldest rows first.
    pub(super) fn heads(&self) -> impl Iterator<Item = &Arc<Generation>> {
        self.frozen.iter().chain([&self.active])
    }

    /// Takes files in and others out.
    pub(super) fn replace(
        &mut self,
        gone: &[FileId],
        new: impl IntoIterator<Item = Arc<DataFile>>,
    ) {
        let (tiers, rows): (Vec<_>, Vec<_>) = new.into_iter().partition(|file| is_of_tier(file));
        for (files, new) in [(&mut self.files, rows), (&mut self.tiers, tiers)] {
            files.retain(|file| !gone.contains(&file.meta.id));
            files.extend(new);
            files.sort_by_key(|file| (file.meta.positions.1, file.meta.id));
        }
    }

    /// The files of a partition, oldest rows first.
    pub(super) fn of(&self, partition: Partition) -> impl Iterator<Item = &Arc<DataFile>> {
        let files = if partition.tier.is_some() { &self.tiers } else { &self.files };
        files.iter().filter(move |file| file.meta.partition == partition)
    }

    /// The partitions of files of rows.
    pub(super) fn partitions(&self) -> BTreeSet<Partition> {
        self.files.iter().map(|file| file.meta.partition).collect()
    }

    /// All files.
    pub(super) fn all_files(&self) -> impl Iterator<Item = &Arc<DataFile>> {
        self.files.iter().chain(&self.tiers)
    }
}

fn is_of_tier(file: &DataFile) -> bool {
    file.meta.partition.tier.is_some()
}

//! What a reader sees: the files and heads of one moment.

use std::sync::Arc;

use super::{
    file::DataFile,
    head::Generation,
    manifest::{FileId, Partition, State, Tombstone},
};

/// Files and heads that hold all rows, each row once but for those of one series and time.
#[derive(Clone, Debug)]
pub(super) struct Live {
    /// Files that could be opened, oldest rows first: by position.
    pub(super) files: Vec<Arc<DataFile>>,
    /// Rows that are being flushed.
    pub(super) frozen: Option<Arc<Generation>>,
    /// Rows that came after those.
    pub(super) active: Arc<Generation>,
    /// Deletions that files have yet to carry out.
    pub(super) tombstones: Arc<[Tombstone]>,
    /// Rows up to this instant were dropped.
    pub(super) dropped_until: i64,
}

impl Live {
    /// What is there after opening: files, and rows of the log.
    pub(super) fn new(files: Vec<Arc<DataFile>>, head: Generation, state: &State) -> Self {
        Self {
            files,
            frozen: None,
            active: Arc::new(head),
            tombstones: state.tombstones.clone().into(),
            dropped_until: state.dropped_until,
        }
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
        self.files.retain(|file| !gone.contains(&file.meta.id));
        self.files.extend(new);
        self.files.sort_by_key(|file| (file.meta.positions.1, file.meta.id));
    }

    /// The files of a partition, oldest rows first.
    pub(super) fn of(&self, partition: Partition) -> impl Iterator<Item = &Arc<DataFile>> {
        self.files.iter().filter(move |file| file.meta.partition == partition)
    }
}

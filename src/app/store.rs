//! The store, as this floor opens it and as a URL asks for it.

use std::{path::Path, sync::Arc};

use crate::app::{Error, backups::Backups};
use crate::http::{BackupMade, Operations, RowFile, Storage, StorageKind, StoreCounter};
use crate::model;
use crate::os::{Clock, Disk, Files};
use crate::store::{Config, Counter, Db, FileFigures, KindBytes, Recovery};

/// Opens the store in `directory`, which is made where `is_new_allowed`.
///
/// # Errors
/// Where the directory cannot be used or the store does not open.
pub fn open_store(
    directory: &Path,
    (is_new_allowed, mmap): (bool, bool),
    clock: Arc<dyn Clock>,
    config: Config,
) -> Result<(Arc<Db>, Recovery), Error> {
    let disk = if is_new_allowed { Disk::create(directory) } else { Disk::open(directory) };
    let disk =
        disk.map_err(|source| Error::Directory { directory: directory.to_owned(), source })?;
    let files: Arc<dyn Files> = Arc::new(disk.mmap(mmap));
    Db::open(files, clock, config)
        .map_err(|source| Error::Store { directory: directory.to_owned(), source })
}

/// What a recovery found, in a line.
pub fn describe(recovery: &Recovery) -> String {
    format!(
        "{} series, {} rows of {} log records",
        recovery.series, recovery.rows, recovery.records
    )
}

/// The store behind the admin calls.
pub(super) struct Keeper(pub(super) Arc<Db>, pub(super) Option<Arc<Backups>>);

impl Operations for Keeper {
    fn flush(&self) -> Result<(), model::Error> {
        self.0.flush().map_err(model::Error::from)
    }

    fn compact(&self) -> Result<(), model::Error> {
        self.0.compact().map_err(model::Error::from)
    }

    fn retention(&self) -> Result<(), model::Error> {
        self.0.retention().map_err(model::Error::from)
    }

    fn delete(
        &self,
        matchers: &[model::Matcher],
        range: model::TimeRange,
    ) -> Result<(), model::Error> {
        self.0.delete(matchers, range)
    }

    fn clean_deleted(&self) -> Result<(), model::Error> {
        self.0.clean_deleted().map_err(model::Error::from)
    }

    fn scrub(&self) -> Vec<String> {
        self.0.scrub()
    }

    fn scrub_findings(&self) -> Vec<String> {
        self.0.scrub_findings()
    }

    fn storage(&self) -> Result<Storage, model::Error> {
        let storage = self.0.storage().map_err(model::Error::from)?;
        let kind = |it: &KindBytes| StorageKind { name: it.kind, files: it.files, bytes: it.bytes };
        Ok(Storage {
            kinds: storage.kinds.iter().map(kind).collect(),
            index_bytes: storage.index_bytes,
            total_bytes: storage.total_bytes,
            rows: storage.rows,
        })
    }

    fn row_files(&self) -> Vec<RowFile> {
        let file = |it: FileFigures| RowFile {
            id: it.id,
            is_block: it.is_block,
            times: it.times,
            series: it.series,
            rows: it.rows,
            bytes: it.bytes,
        };
        self.0.row_files().into_iter().map(file).collect()
    }

    fn log_segments(&self) -> Result<Option<(u64, u64)>, model::Error> {
        self.0.log_segments().map_err(model::Error::from)
    }

    fn back_up(&self, to: Option<&str>) -> Result<BackupMade, model::Error> {
        let Some(backups) = &self.1 else {
            let what = "a directory that no server has is backed up with quipu backup create";
            return Err(model::Error::Invalid(what.into()));
        };
        let made = backups.run(to)?;
        Ok(BackupMade {
            id: made.id,
            files: made.files,
            bytes: made.bytes,
            stored_bytes: made.stored_bytes,
            position: made.position,
        })
    }

    fn snapshot(&self, name: &str, with_log: bool) -> Result<(), model::Error> {
        self.0.snapshot(name, with_log).map(drop).map_err(model::Error::from)
    }

    fn counters(&self) -> Vec<StoreCounter> {
        let counter = |Counter { name, help, is_counter, value }| StoreCounter {
            name,
            is_counter,
            help,
            value,
        };
        self.0.counters().into_iter().map(counter).collect()
    }
}

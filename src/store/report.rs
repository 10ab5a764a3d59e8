//! What the store says of itself: bytes by kind, counters and gauges.

use std::sync::atomic::Ordering::Relaxed;

use super::{
    catalog,
    db::{Db, held},
    error::{Error, failed},
    file::Section,
    recover::{QUARANTINE, TABLES},
    wal,
};

/// Files of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindBytes {
    /// What they are.
    pub kind: &'static str,
    /// How many.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What is on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Storage {
    /// Files by kind.
    pub kinds: Vec<KindBytes>,
    /// Bytes that serve to find series and chunks: catalog, labels, postings, tables.
    pub index_bytes: u64,
    /// All bytes, the log's too.
    pub total_bytes: u64,
    /// Rows in files, those that are there twice counted twice.
    pub rows: u64,
}

/// What a file of rows says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileFigures {
    /// Its number: no other file ever has it.
    pub id: u64,
    /// Whether it has its own labels.
    pub is_block: bool,
    /// First and last row, ns.
    pub times: (i64, i64),
    /// How many series.
    pub series: u64,
    /// How many rows.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
}

/// A number that the store counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Counter {
    /// Its name as a metric.
    pub name: &'static str,
    /// What it means.
    pub help: &'static str,
    /// Whether it only rises.
    pub is_counter: bool,
    /// Its value now.
    pub value: f64,
}

impl Db {
    /// What is on disk now.
    ///
    /// # Errors
    /// Where a folder cannot be listed.
    pub fn storage(&self) -> Result<Storage, Error> {
        let live = self.live();
        let mut storage = Storage::default();
        let logs = [
            ("log", wal::FOLDER),
            ("manifest", super::manifest::FOLDER),
            ("catalog", catalog::FOLDER),
            ("quarantine", QUARANTINE),
        ];
        for (kind, folder) in logs {
            let (files, bytes) = self.folder_bytes(folder)?;
            storage.kinds.push(KindBytes { kind, files, bytes });
            storage.index_bytes += if kind == "catalog" { bytes } else { 0 };
        }
        let of = |is_block: bool, kind: &'static str| {
            let files = live.files.iter().filter(|file| file.is_block() == is_block);
            let (files, bytes) =
                files.fold((0, 0), |(files, bytes), file| (files + 1, bytes + file.meta.bytes));
            KindBytes { kind, files, bytes }
        };
        storage.kinds.extend([of(false, "parts"), of(true, "blocks")]);
        let of_tiers: u64 = live.tiers.iter().map(|file| file.meta.bytes).sum();
        let files = live.tiers.len() as u64;
        storage.kinds.push(KindBytes { kind: "tiers", files, bytes: of_tiers });
        for file in live.all_files() {
            let index = file
                .directory()
                .iter()
                .filter(|entry| !matches!(entry.section, Section::Data | Section::Exemplars));
            storage.index_bytes += index.map(|entry| entry.length).sum::<u64>();
            storage.rows += if is_rows(file) { file.meta.rows } else { 0 };
        }
        storage.total_bytes = storage.kinds.iter().map(|kind| kind.bytes).sum();
        Ok(storage)
    }

    /// The files that hold rows, oldest rows first; not those of tiers.
    pub fn row_files(&self) -> Vec<FileFigures> {
        let live = self.live();
        let figures = |file: &std::sync::Arc<super::file::DataFile>| FileFigures {
            id: file.meta.id.0,
            is_block: file.is_block(),
            times: file.meta.times,
            series: file.meta.series,
            rows: file.meta.rows,
            bytes: file.meta.bytes,
        };
        let mut files: Vec<_> = live.files.iter().map(figures).collect();
        files.sort_by_key(|file| (file.times, file.id));
        files
    }

    /// Numbers of the first and the last segment of the log; None where there is none.
    ///
    /// # Errors
    /// Where the folder cannot be listed.
    pub fn log_segments(&self) -> Result<Option<(u64, u64)>, Error> {
        let segments = super::recover::segments(&*self.files)?;
        Ok(segments.first().zip(segments.last()).map(|(first, last)| (first.0, last.0)))
    }

    fn folder_bytes(&self, folder: &str) -> Result<(u64, u64), Error> {
        match self.files.list(folder) {
            Ok(entries) => {
                let files = entries.iter().filter(|entry| !entry.is_dir);
                Ok(files.fold((0, 0), |(files, bytes), entry| (files + 1, bytes + entry.size)))
            }
            Err(none) if none.kind() == std::io::ErrorKind::NotFound => Ok((0, 0)),
            Err(source) => Err(failed(&*self.files, "list", folder)(source)),
        }
    }

    /// Counters and gauges, each with what it means.
    pub fn counters(&self) -> Vec<Counter> {
        let live = self.live();
        let counted = self.counters.list();
        let counted = counted.map(|(name, help, value)| Counter {
            name,
            help,
            is_counter: true,
            value: as_float(value),
        });
        let gauge = |name, help, value: u64| Counter {
            name,
            help,
            is_counter: false,
            value: as_float(value),
        };
        let head_rows = live.heads().map(|head| head.rows()).sum();
        let (parts, blocks) = live.files.iter().fold((0, 0), |(parts, blocks), file| {
            if file.is_block() { (parts, blocks + 1) } else { (parts + 1, blocks) }
        });
        let (position, durable) = {
            let commit = held(&self.commit);
            (commit.wal.last(), commit.wal.durable())
        };
        counted
            .chain([
                gauge("quipu_head_rows", "Rows in memory that are not in files yet.", head_rows),
                gauge("quipu_series", "Series in the catalog.", u64::from(self.catalog.visible())),
                gauge(
                    "quipu_store_memory_bytes",
                    "Bytes that the store holds in memory, as last counted.",
                    self.memory.load(Relaxed),
                ),
                gauge(
                    "quipu_store_memory_max_bytes",
                    "Bytes that the store may hold in memory.",
                    self.config.memory_max,
                ),
                gauge("quipu_parts", "Live parts.", parts),
                gauge("quipu_blocks", "Live blocks.", blocks),
                gauge("quipu_tier_files", "Live files of tiers.", live.tiers.len() as u64),
                gauge("quipu_wal_position", "Position of the record appended last.", position),
                gauge("quipu_wal_durable_position", "Position known durable.", durable),
            ])
            .collect()
    }

    /// Where the partitions' folders are, for people.
    pub fn tables_path(&self) -> std::path::PathBuf {
        self.files.path_of(TABLES)
    }
}

/// Whether a file has rows, not buckets.
fn is_rows(file: &super::file::DataFile) -> bool {
    file.meta.partition.tier.is_none()
}

#[expect(clippy::cast_precision_loss, reason = "counts as floats, as every metric is")]
fn as_float(count: u64) -> f64 {
    count as f64
}

//! Bringing a block to the archive.
//!
//! The block is copied without any lock: it is immutable, and whoever rewrites it meanwhile makes the
//! copy one that nobody lists. Each piece is read back and compared. Then, with upkeep held, the manifest
//! says where the block is, and after that the local file goes.

use std::{
    io,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use crate::model;
use crate::store::{
    backup::Pace,
    counters::Counters,
    crash::crash_point,
    db::{Db, held},
    error::{Error, failed},
    file::{DataFile, FileKey},
    live::Live,
    manifest::{Edit, FileKind, FileMeta},
};

use super::place::{folder, own_lineage, pieces};

/// What an archive holds of this database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Archived {
    /// Blocks.
    pub blocks: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Db {
    /// Archives the oldest block that is due; what was archived, or None where nothing is due. Takes as
    /// long as the upload: call it from a thread of its own.
    ///
    /// # Errors
    /// Where the archive cannot be reached or did not keep what it was given, or the block is damaged.
    /// The block stays where it is then.
    pub fn archive_block(&self, pace: &dyn Pace) -> Result<Option<Archived>, Error> {
        let Some(after) = self.config.archive_after.filter(|_| self.archive.is_named()) else {
            return Ok(None);
        };
        let live = self.live();
        let is_due = |file: &&Arc<DataFile>| self.is_due(&live, file, after);
        let Some(file) = live.files.iter().filter(is_due).min_by_key(|it| it.meta.partition) else {
            return Ok(None);
        };
        let meta = FileMeta { archived: Some(own_lineage(self)?), ..file.meta.clone() };
        if !self.upload(&meta, file, pace)? {
            return Ok(Some(Archived::default()));
        }
        crash_point("archive-uploaded");
        self.list_archived(&meta)?;
        Ok(Some(Archived { blocks: 1, bytes: meta.bytes }))
    }

    /// Whether a block may go: old, and with nothing to be done to it that is known.
    fn is_due(&self, live: &Live, file: &Arc<DataFile>, after: Duration) -> bool {
        let meta = &file.meta;
        let after = i64::try_from(after.as_nanos()).unwrap_or(i64::MAX);
        meta.kind == FileKind::Block
            && meta.archived.is_none()
            && meta.partition.until < self.clock.now().saturating_sub(after)
            && live.of(meta.partition).all(|file| file.is_block())
            && self.is_tiered(live, meta.partition)
    }

    /// Copies a block; false where it is there no more.
    fn upload(
        &self,
        meta: &FileMeta,
        data: &Arc<DataFile>,
        pace: &dyn Pace,
    ) -> Result<bool, Error> {
        let (files, path) = (&*self.files, meta.path());
        let file = match files.open_read(&path) {
            Err(gone) if gone.kind() == io::ErrorKind::NotFound => return Ok(false),
            opened => opened.map_err(failed(files, "open", &path))?,
        };
        let folder = folder(meta);
        let mut at = 0;
        let mut buffer = Vec::new();
        for (number, size) in pieces(meta.bytes).enumerate() {
            buffer.resize(usize::try_from(size).unwrap_or(0), 0);
            file.read_exact_at(at, &mut buffer).map_err(failed(files, "read", &path))?;
            // The only copy is about to be this one: it is not made of what is damaged.
            data.check(at, &buffer)?;
            let name = format!("{folder}/{number:05}");
            self.put_checked(&name, &buffer)?;
            Counters::add(&self.counters.archived_bytes, size);
            crash_point("archive-piece");
            at += size;
            pace.moved(size)?;
        }
        data.verify_tables()?;
        Ok(true)
    }

    /// Stores a piece, and compares what is there with it.
    fn put_checked(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let blocks = self.archive.blocks();
        let there = || {
            let blocks = blocks.as_ref().map_err(Clone::clone)?;
            blocks.put(name, bytes)?;
            blocks.get(name, bytes.len() as u64)
        };
        let place = || blocks.as_ref().map_or_else(|_| String::new(), |it| it.place());
        let failed = |source| Error::Repository { place: place(), source: Box::new(source) };
        match there().map_err(failed)? {
            Some(there) if there == bytes => Ok(()),
            _ => {
                let what = format!("{name} is not what was stored just now");
                Err(failed(model::Error::Damaged(what)))
            }
        }
    }

    /// Lets the manifest say that a block is in the archive, then the local file go.
    fn list_archived(&self, meta: &FileMeta) -> Result<(), Error> {
        let _upkeep = held(&self.upkeep);
        let key = FileKey { now: self.clock.monotonic(), database: self.database, meta };
        let file = Arc::new(DataFile::archived(key, &self.archive));
        {
            let mut manifest = held(&self.manifest);
            let known = manifest.state().files.get(&meta.id);
            if known.is_none_or(|known| known.footer_crc != meta.footer_crc) {
                // Rewritten meanwhile: the copy is nobody's.
                self.archive.unlist(&file);
                return Ok(());
            }
            manifest.apply(&[Edit::Archived(meta.id, meta.archived.unwrap_or_default())])?;
            self.change_live(|live| live.replace(&[meta.id], [file]));
        }
        crash_point("archive-listed");
        Counters::add(&self.counters.archived_blocks, 1);
        // Best effort: what stays is removed at the next start. Readers that have it open read on.
        drop(self.files.remove(&meta.path()));
        Ok(())
    }

    /// What is archived now.
    pub fn archived(&self) -> Archived {
        let live = self.live();
        let files = live.files.iter().filter(|file| file.meta.archived.is_some());
        files.fold(Archived::default(), |sum, file| Archived {
            blocks: sum.blocks + 1,
            bytes: sum.bytes + file.meta.bytes,
        })
    }

    /// Whether a place of archived blocks was named.
    pub fn has_archive(&self) -> bool {
        self.archive.is_named()
    }

    /// Bytes and requests that were read of the archive, and requests that failed.
    pub(in crate::store) fn archive_reads(&self) -> [u64; 3] {
        let archive = &self.archive;
        [&archive.reads, &archive.read_bytes, &archive.read_failures]
            .map(|count| count.load(Relaxed))
    }
}

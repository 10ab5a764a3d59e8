//! The place of archived blocks.
//!
//! ```text
//! blocks/LINEAGE/NUMBER-FOOTER.block/00000 …      the bytes of a block, 16 MiB an object
//! ```
//! Pieces, so that an upload needs little memory, goes on where it was cut off, and leaves no multipart
//! upload behind. The lineage is that of the data directory that uploaded: it removes what it put there,
//! and a copy of the directory, which has another, does not.

use std::{
    fmt, io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use crate::model::{self, Blocks};
use crate::os::{PAGE_SIZE, PageCache, ReadFile};
use crate::store::{
    backup::lineage,
    db::{Db, held},
    error::Error,
    file::DataFile,
    manifest::FileMeta,
};

/// Bytes of an object: all of a block but the last have so many. A multiple of a page, so that a page
/// is one request.
pub(super) const PIECE_BYTES: u64 = 16 << 20;
/// Pages that are asked for at once where reads go forwards: 1 MiB, some ten milliseconds of a line that
/// takes as long to answer at all.
const PAGES_AHEAD: usize = (1 << 20) / PAGE_SIZE;
/// How long upkeep leaves an archive alone that does not answer.
const REST: Duration = Duration::from_mins(1);
/// The folder of blocks.
pub(super) const FOLDER: &str = "blocks";

/// Where archived blocks are, and what of them is in memory.
pub(in crate::store) struct Archive {
    /// None where none was named.
    blocks: Option<Arc<dyn Blocks>>,
    /// Pages that were read: never more than so many bytes.
    pub(in crate::store) cache: Arc<PageCache>,
    pub(in crate::store) reads: AtomicU64,
    pub(in crate::store) read_bytes: AtomicU64,
    pub(in crate::store) read_failures: AtomicU64,
    /// Blocks that nobody lists any more, whose objects are still there.
    pub(super) unlisted: Mutex<Vec<Arc<DataFile>>>,
    /// Until when upkeep asks nothing of it, by the monotonic clock.
    resting: Mutex<Duration>,
}

impl Archive {
    /// With room for so many bytes of pages.
    pub(in crate::store) fn new(blocks: Option<Arc<dyn Blocks>>, cache_bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            blocks,
            cache: Arc::new(PageCache::new(cache_bytes)),
            reads: AtomicU64::new(0),
            read_bytes: AtomicU64::new(0),
            read_failures: AtomicU64::new(0),
            unlisted: Mutex::default(),
            resting: Mutex::default(),
        })
    }

    /// Whether there is a place.
    pub(in crate::store) fn is_named(&self) -> bool {
        self.blocks.is_some()
    }

    /// Where the objects are.
    ///
    /// # Errors
    /// Where no place was named.
    pub(super) fn blocks(&self) -> Result<&Arc<dyn Blocks>, model::Error> {
        self.blocks.as_ref().ok_or_else(|| {
            let what = "it is in the archive, and no archive is named: start with --archive-to";
            model::Error::Unavailable(what.to_owned())
        })
    }

    /// A block as a person would write where it is.
    pub(in crate::store) fn path_of(&self, meta: &FileMeta) -> std::path::PathBuf {
        let place = self.blocks.as_ref().map_or_else(String::new, |blocks| blocks.place());
        format!("{}/{}", place.trim_end_matches('/'), folder(meta)).into()
    }

    /// The bytes of an archived block.
    pub(in crate::store) fn open(self: &Arc<Self>, meta: &FileMeta) -> Arc<dyn ReadFile> {
        let (archive, folder, bytes) = (Arc::clone(self), folder(meta), meta.bytes);
        Arc::new(ArchivedFile { archive, folder, bytes })
    }

    /// Upkeep found that it does not answer: other work goes first for a while.
    pub(in crate::store) fn rest(&self, now: Duration) {
        *held(&self.resting) = now + REST;
    }

    /// Whether upkeep leaves archived blocks alone now.
    pub(in crate::store) fn is_resting(&self, now: Duration) -> bool {
        now < *held(&self.resting)
    }

    /// Takes note of a block that nobody lists any more.
    pub(in crate::store) fn unlist(&self, file: &Arc<DataFile>) {
        held(&self.unlisted).push(Arc::clone(file));
    }

    fn read(
        &self,
        folder: &str,
        piece: u64,
        range: std::ops::Range<u64>,
    ) -> Result<Vec<u8>, model::Error> {
        self.reads.fetch_add(1, Relaxed);
        let name = format!("{folder}/{piece:05}");
        let length = range.end - range.start;
        let read = self.blocks()?.read(&name, &[range]).and_then(|mut parts| {
            let part = parts.pop().unwrap_or_default();
            if part.len() as u64 == length {
                return Ok(part);
            }
            let found = part.len();
            Err(model::Error::Damaged(format!("{name}: {found} of {length} bytes came")))
        });
        match &read {
            Ok(part) => self.read_bytes.fetch_add(part.len() as u64, Relaxed),
            Err(_) => self.read_failures.fetch_add(1, Relaxed),
        };
        read
    }
}

impl fmt::Debug for Archive {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Archive").field("blocks", &self.blocks).finish_non_exhaustive()
    }
}

/// The lineage of this directory: what it puts into the archive, it removes there.
pub(super) fn own_lineage(db: &Db) -> Result<u128, Error> {
    // It was read as such a number already.
    Ok(u128::from_str_radix(&lineage(db)?, 16).unwrap_or_default())
}

/// The folder of a block's objects. With the checksum of its footer: one name, one content.
pub(super) fn folder(meta: &FileMeta) -> String {
    let lineage = meta.archived.unwrap_or_default();
    format!("{FOLDER}/{lineage:032x}/{:010}-{:08x}.block", meta.id.0, meta.footer_crc)
}

/// The sizes of the objects of a block.
pub(super) fn pieces(bytes: u64) -> impl Iterator<Item = u64> {
    (0..bytes.div_ceil(PIECE_BYTES))
        .map(move |number| (bytes - number * PIECE_BYTES).min(PIECE_BYTES))
}

/// A block far away, read by range.
#[derive(Debug)]
struct ArchivedFile {
    archive: Arc<Archive>,
    folder: String,
    bytes: u64,
}

impl ReadFile for ArchivedFile {
    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let end = offset.checked_add(out.len() as u64).filter(|end| *end <= self.bytes);
        if end.is_none() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let (mut at, mut rest) = (offset, out);
        while !rest.is_empty() {
            let (piece, begin) = (at / PIECE_BYTES, at % PIECE_BYTES);
            let room = usize::try_from(PIECE_BYTES - begin).unwrap_or(usize::MAX);
            let (now, later) = rest.split_at_mut(room.min(rest.len()));
            let range = begin..begin + now.len() as u64;
            let part = self.archive.read(&self.folder, piece, range).map_err(io::Error::other)?;
            now.copy_from_slice(&part);
            at += part.len() as u64;
            rest = later;
        }
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.bytes)
    }

    fn map(&self) -> io::Result<Option<crate::os::Mapped>> {
        Ok(None)
    }

    fn pages_ahead(&self) -> usize {
        PAGES_AHEAD
    }
}

#[cfg(test)]
mod unit {
    use super::*;
    use crate::os::sim::SimFiles;
    use crate::store::{
        backup::DirectoryBlocks,
        manifest::{FileId, FileKind, Partition},
    };

    fn meta(bytes: u64) -> FileMeta {
        FileMeta {
            id: FileId(3),
            kind: FileKind::Block,
            tenant: model::TenantId(0),
            table: model::Table::Metrics,
            partition: Partition::of(1),
            positions: (0, 1),
            times: (0, 1),
            series: 1,
            rows: 1,
            bytes,
            footer_crc: 0xab,
            archived: Some(7),
        }
    }

    #[test]
    fn ranges_go_over_the_ends_of_pieces() {
        let blocks: Arc<dyn Blocks> = Arc::new(DirectoryBlocks::new(Arc::new(SimFiles::seeded(1))));
        let (meta, byte) = (meta(PIECE_BYTES + 9), |at: u64| u8::try_from(at % 251).unwrap());
        let bytes: Vec<u8> = (0..meta.bytes).map(byte).collect();
        for (number, piece) in bytes.chunks(16 << 20).enumerate() {
            blocks.put(&format!("{}/{number:05}", folder(&meta)), piece).unwrap();
        }
        let archive = Archive::new(Some(blocks), 0);
        let file = archive.open(&meta);
        for (offset, length) in [(0, 5), (PIECE_BYTES - 2, 6), (PIECE_BYTES, 9), (7, 0)] {
            let mut out = vec![0; length];
            file.read_exact_at(offset, &mut out).unwrap();
            let begin = usize::try_from(offset).unwrap();
            assert_eq!(out, bytes[begin..begin + length], "{offset}");
        }
        let beyond = file.read_exact_at(PIECE_BYTES + 4, &mut [0; 6]).unwrap_err();
        assert_eq!(beyond.kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(pieces(meta.bytes).collect::<Vec<_>>(), [PIECE_BYTES, 9]);
    }

    #[test]
    fn without_a_place_the_option_is_named() {
        let archive = Archive::new(None, 0);
        let error = archive.open(&meta(9)).read_exact_at(0, &mut [0; 2]).unwrap_err();
        assert!(error.to_string().contains("--archive-to"), "{error}");
    }
}

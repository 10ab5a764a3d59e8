//! What frames a data file: its size, its footer, the checksums of its pages.
//!
//! Bytes: storage-format.md, "Data file".

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::model;
use crate::os::{Files, PageCache, PageError, PageReader, ReadFile, page_count};
use crate::store::{
    error::{Damage, Error, failed},
    manifest::FileMeta,
};

use super::{
    layout::{self, Entry, FOOTER_BYTES, Footer, HEADER_BYTES, Header},
    reader::{DataFile, FileKey},
};

/// What the frame of a file leads to.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) pages: PageReader,
    /// Where sections are.
    pub(super) directory: Vec<Entry>,
}

/// A file whose frame is being read: what stands behind its pages.
pub(super) struct Framed<'a> {
    file: Arc<dyn ReadFile>,
    pub(super) path: PathBuf,
    meta: &'a FileMeta,
    footer_at: u64,
}

impl<'a> Framed<'a> {
    /// Opens it, and sees that it has its size.
    pub(super) fn open(files: &dyn Files, meta: &'a FileMeta) -> Result<Self, Error> {
        let relative = meta.path();
        let path = files.path_of(&relative);
        match files.open_read(&relative) {
            Ok(file) => Self::of(file, path, meta),
            Err(gone) if gone.kind() == io::ErrorKind::NotFound => {
                Err(Error::Missing { file: path })
            }
            Err(source) => Err(failed(files, "open", &relative)(source)),
        }
    }

    /// The same of a file that is open.
    pub(super) fn of(
        file: Arc<dyn ReadFile>,
        path: PathBuf,
        meta: &'a FileMeta,
    ) -> Result<Self, Error> {
        let size = file.len().map_err(|source| read_failed(&path, source))?;
        let footer_at = meta.bytes.saturating_sub(FOOTER_BYTES as u64);
        let frame = Self { file, path, meta, footer_at };
        if size != meta.bytes {
            let what = "file has another size than the manifest says";
            return Err(frame.damaged(size, Damage::Contradiction(what)));
        }
        Ok(frame)
    }

    /// Checks what frames it: footer, page checksums, header, directory.
    pub(super) fn body(self, database: u128, cache: Option<Arc<PageCache>>) -> Result<Body, Error> {
        let footer = self.footer()?;
        let checksums = self.checksums(footer)?;
        let Framed { file, path, meta, .. } = self;
        let damaged = |at: u64, what: Damage| Error::Damaged { file: path.clone(), at, what };
        let failed = |error| page_error(&path, error);
        let pages = PageReader::new(file, path.clone(), footer.data_bytes, checksums.into(), cache);
        let pages = pages.map_err(failed)?;
        let header = Header::read(&pages.read(0, HEADER_BYTES).map_err(failed)?)
            .map_err(|what| damaged(0, what))?;
        if header.database != database || header.id != meta.id || header.partition != meta.partition
        {
            return Err(damaged(0, Damage::Foreign));
        }
        let directory_bytes = usize::try_from(footer.directory_bytes).unwrap_or(usize::MAX);
        let directory = pages.read(footer.directory_at, directory_bytes).map_err(failed)?;
        let directory = layout::take_directory(&directory, footer.data_bytes)
            .map_err(|what| damaged(footer.directory_at, what))?;
        Ok(Body { pages, directory })
    }

    fn damaged(&self, at: u64, what: Damage) -> Error {
        Error::Damaged { file: self.path.clone(), at, what }
    }

    fn read(&self, at: u64, length: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; length];
        match self.file.read_exact_at(at, &mut bytes) {
            Ok(()) => Ok(bytes),
            Err(short) if short.kind() == io::ErrorKind::UnexpectedEof => {
                Err(self.damaged(at, Damage::Truncated("data file")))
            }
            Err(source) => Err(read_failed(&self.path, source)),
        }
    }

    /// The footer, which must be the one that the manifest knows.
    pub(super) fn footer(&self) -> Result<Footer, Error> {
        let damaged = |what| self.damaged(self.footer_at, what);
        let footer = Footer::read(&self.read(self.footer_at, FOOTER_BYTES)?).map_err(damaged)?;
        if footer.crc == self.meta.footer_crc {
            return Ok(footer);
        }
        Err(damaged(Damage::Contradiction("footer is not the one the manifest knows")))
    }

    /// The checksum of each page.
    pub(super) fn checksums(&self, footer: Footer) -> Result<Vec<u32>, Error> {
        let length =
            usize::try_from(page_count(footer.data_bytes)).unwrap_or(usize::MAX).saturating_mul(4);
        if footer.data_bytes.checked_add(length as u64) != Some(self.footer_at) {
            let what = Damage::Contradiction("page checksums do not fit");
            return Err(self.damaged(self.footer_at, what));
        }
        let bytes = self.read(footer.data_bytes, length)?;
        let (expected, found) = (footer.checksums_crc, crc32c::crc32c(&bytes));
        if found != expected {
            let what = Damage::Checksum { expected, found };
            return Err(self.damaged(footer.data_bytes, what));
        }
        Ok(bytes.as_chunks().0.iter().map(|it| u32::from_le_bytes(*it)).collect())
    }
}

/// An error of a page as this room has it.
pub(super) fn page_error(path: &Path, error: PageError) -> Error {
    let file = path.to_owned();
    match error {
        PageError::Io { source, .. } => read_failed(path, source),
        PageError::Damaged { offset, expected, found, .. } => {
            Error::Damaged { file, at: offset, what: Damage::Checksum { expected, found } }
        }
        _ => Error::Damaged { file, at: 0, what: Damage::Truncated("data file") },
    }
}

/// What is said where bytes cannot be had: by the archive, if it was asked, or by the system.
pub(in crate::store) fn read_failed(path: &Path, source: io::Error) -> Error {
    let file = path.to_owned();
    match source.downcast::<model::Error>() {
        Ok(said) => Error::Archive { file, source: Box::new(said) },
        Err(source) => Error::Io { call: "read", file, source },
    }
}

/// What a file says of itself, without a manifest.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Frame {
    pub(in crate::store) header: Header,
    pub(in crate::store) footer: Footer,
    pub(in crate::store) bytes: u64,
    pub(in crate::store) series: u64,
    pub(in crate::store) rows: u64,
}

/// Reads header and footer of a file that no manifest describes, and checks all of it.
///
/// # Errors
/// [`Error::Damaged`] where it is no whole data file.
pub(in crate::store) fn read_frame(files: &dyn Files, path: &str) -> Result<Frame, Error> {
    let full = files.path_of(path);
    let damaged = |what: Damage| Error::Damaged { file: full.clone(), at: 0, what };
    let file = files.open_read(path).map_err(failed(files, "open", path))?;
    let bytes = file.len().map_err(failed(files, "read", path))?;
    let read = |at: u64, length: usize| {
        let mut out = vec![0; length];
        file.read_exact_at(at, &mut out)
            .map(|()| out)
            .map_err(|_| damaged(Damage::Truncated("data file")))
    };
    let header = Header::read(&read(0, HEADER_BYTES)?).map_err(damaged)?;
    let footer_at = bytes
        .checked_sub(FOOTER_BYTES as u64)
        .ok_or_else(|| damaged(Damage::Truncated("data file")))?;
    let footer = Footer::read(&read(footer_at, FOOTER_BYTES)?).map_err(damaged)?;
    let meta = header.meta(bytes, footer.crc);
    let key = FileKey { now: std::time::Duration::ZERO, database: header.database, meta: &meta };
    if meta.path() != path {
        return Err(damaged(Damage::Contradiction(
            "file has another name than its header calls for",
        )));
    }
    let opened = DataFile::open(files, key, None)?;
    opened.verify()?;
    let tables = opened.tables()?;
    let rows = tables
        .chunks
        .iter()
        .filter_map(|chunk| tables.time_of(chunk))
        .map(|time| u64::from(time.rows))
        .sum();
    Ok(Frame { header, footer, bytes, series: tables.series() as u64, rows })
}

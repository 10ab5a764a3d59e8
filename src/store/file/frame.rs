//! What frames a data file: its size, its footer, the checksums of its pages.
//!
//! Bytes: storage-format.md, "Data file".

use std::{path::PathBuf, sync::Arc};

use crate::os::{Files, ReadFile, page_count};
use crate::store::{
    error::{Damage, Error, failed},
    manifest::FileMeta,
};

use super::{
    layout::{FOOTER_BYTES, Footer, HEADER_BYTES, Header},
    reader::{DataFile, FileKey},
};

/// A file whose frame is being read: what stands behind its pages.
pub(super) struct Framed<'a> {
    files: &'a dyn Files,
    pub(super) file: Arc<dyn ReadFile>,
    pub(super) path: PathBuf,
    pub(super) meta: &'a FileMeta,
    footer_at: u64,
}

impl<'a> Framed<'a> {
    /// Opens it, and sees that it has its size.
    pub(super) fn open(files: &'a dyn Files, meta: &'a FileMeta) -> Result<Self, Error> {
        let relative = meta.path();
        let path = files.path_of(&relative);
        let file = match files.open_read(&relative) {
            Ok(file) => file,
            Err(gone) if gone.kind() == std::io::ErrorKind::NotFound => {
                return Err(Error::Missing { file: path });
            }
            Err(source) => return Err(failed(files, "open", &relative)(source)),
        };
        let size = file.len().map_err(failed(files, "read", &relative))?;
        let footer_at = meta.bytes.saturating_sub(FOOTER_BYTES as u64);
        let frame = Self { files, file, path, meta, footer_at };
        if size != meta.bytes {
            let what = "file has another size than the manifest says";
            return Err(frame.damaged(size, Damage::Contradiction(what)));
        }
        Ok(frame)
    }

    fn damaged(&self, at: u64, what: Damage) -> Error {
        Error::Damaged { file: self.path.clone(), at, what }
    }

    fn read(&self, at: u64, length: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; length];
        match self.file.read_exact_at(at, &mut bytes) {
            Ok(()) => Ok(bytes),
            Err(short) if short.kind() == std::io::ErrorKind::UnexpectedEof => {
                Err(self.damaged(at, Damage::Truncated("data file")))
            }
            Err(source) => Err(failed(self.files, "read", &self.meta.path())(source)),
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

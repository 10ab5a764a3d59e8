//! The pages of one file as they lie on the device: read, checked, forgotten.

use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use crate::os::ReadFile;
use crate::os::pages::PageError;

/// Bytes in a page, but for the last. The unit of checks and of the cache: small enough for a read of
/// one row, large enough that checksums are 1/16384 of the data.
pub const PAGE_SIZE: usize = 64 * 1024;

const PAGE_BYTES: u64 = PAGE_SIZE as u64;

/// Pages in data of `size` bytes.
pub fn page_count(size: u64) -> u64 {
    size.div_ceil(PAGE_BYTES)
}

#[derive(Debug)]
pub(super) struct Source {
    file: Arc<dyn ReadFile>,
    path: PathBuf,
    size: u64,
    checksums: Arc<[u32]>,
}

impl Source {
    pub(super) fn new(
        file: Arc<dyn ReadFile>,
        path: PathBuf,
        size: u64,
        checksums: Arc<[u32]>,
    ) -> Result<Self, PageError> {
        let source = Self { file, path, size, checksums };
        let (expected, found) = (page_count(size), source.checksums.len() as u64);
        if expected != found {
            return Err(PageError::Checksums { file: source.path, expected, found });
        }
        let found = source.file.len().map_err(|error| source.failed(error))?;
        if found < size {
            return Err(source.truncated(found));
        }
        Ok(source)
    }

    pub(super) fn file(&self) -> &dyn ReadFile {
        &*self.file
    }

    /// Size of the data in bytes.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn pages(&self) -> usize {
        self.checksums.len()
    }

    /// The bytes asked for, if they are in the data.
    pub(super) fn span(&self, offset: u64, length: usize) -> Result<Span, PageError> {
        let end = offset.checked_add(length as u64).filter(|&end| end <= self.size);
        let bytes =
            end.and_then(|end| Some(usize::try_from(offset).ok()?..usize::try_from(end).ok()?));
        bytes.map(Span).ok_or_else(|| PageError::Range {
            file: self.path.clone(),
            offset,
            length: length as u64,
            size: self.size,
        })
    }

    /// Where a page begins and ends in the file.
    pub(super) fn bounds(&self, page: usize) -> Range<u64> {
        let start = (page as u64).saturating_mul(PAGE_BYTES).min(self.size);
        start..start.saturating_add(PAGE_BYTES).min(self.size)
    }

    pub(super) fn page_size(&self, page: usize) -> usize {
        let bounds = self.bounds(page);
        usize::try_from(bounds.end - bounds.start).unwrap_or(PAGE_SIZE)
    }

    /// Reads whole pages from `first` on until `out` is full, and checks each.
    /// `out` ends with a page.
    pub(super) fn load(&self, first: usize, out: &mut [u8]) -> Result<(), PageError> {
        self.file.read_exact_at(self.bounds(first).start, out).map_err(|error| {
            match self.file.len() {
                Ok(found) if found < self.size => self.truncated(found),
                _ => self.failed(error),
            }
        })?;
        for (page, bytes) in (first..).zip(out.chunks(PAGE_SIZE)) {
            self.check(page, bytes)?;
        }
        Ok(())
    }

    pub(super) fn failed(&self, source: io::Error) -> PageError {
        PageError::Io { file: self.path.clone(), source }
    }

    pub(super) fn truncated(&self, found: u64) -> PageError {
        PageError::Truncated { file: self.path.clone(), expected: self.size, found }
    }

    /// Checks the bytes of a whole page: a part of one has another checksum.
    pub(super) fn check(&self, page: usize, bytes: &[u8]) -> Result<(), PageError> {
        let (expected, found) = (self.checksums.get(page).copied(), crc32c::crc32c(bytes));
        if expected == Some(found) {
            return Ok(());
        }
        Err(PageError::Damaged {
            file: self.path.clone(),
            page: page as u64,
            offset: self.bounds(page).start,
            expected: expected.unwrap_or_default(),
            found,
        })
    }
}

/// Bytes that lie in the data, start and end counted from its begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span(pub(super) Range<usize>);

impl Span {
    /// The pages that hold them.
    pub(super) fn pages(&self) -> Range<usize> {
        if self.0.is_empty() {
            return 0..0;
        }
        self.0.start / PAGE_SIZE..self.0.end.div_ceil(PAGE_SIZE)
    }

    /// Which bytes of a page are among them.
    pub(super) fn within(&self, page: usize) -> Range<usize> {
        let begin = page * PAGE_SIZE;
        self.0.start.saturating_sub(begin)..self.0.end.saturating_sub(begin).min(PAGE_SIZE)
    }
}

//! Verified bytes, lent from a mapping or from the page cache.

use std::ops::{Deref, Range};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::os::pages::source::Source;
use crate::os::pages::{PAGE_SIZE, PageCache, PageError, PageStream};
use crate::os::{Mapped, ReadFile};

/// A data file, of which no byte is lent before the checksum of its page held.
#[derive(Debug)]
pub struct PageReader {
    source: Arc<Source>,
    way: Way,
}

/// Where verified pages are lent from.
#[derive(Debug)]
enum Way {
    Mapped {
        map: Mapped,
        /// A bit a page. It only saves work: two threads may both check a page.
        verified: Box<[AtomicU64]>,
    },
    Cached {
        cache: Arc<PageCache>,
        file: u64,
    },
    /// Read anew each time.
    Direct,
}

impl PageReader {
    /// Opens the first `size` bytes of `file` as data with these checksums, one a page. `path` is
    /// for messages. Where the file cannot be mapped, pages are lent from `cache`; without one they
    /// are read each time.
    ///
    /// # Errors
    /// [`PageError::Truncated`] where the file is shorter than `size`, [`PageError::Checksums`]
    /// where there are more or fewer than pages, and what the system says.
    pub fn new(
        file: Arc<dyn ReadFile>,
        path: impl Into<PathBuf>,
        size: u64,
        checksums: Arc<[u32]>,
        cache: Option<Arc<PageCache>>,
    ) -> Result<Self, PageError> {
        let source = Source::new(file, path.into(), size, checksums)?;
        let map = source.file().map().map_err(|error| source.failed(error))?;
        let way = match (map, cache) {
            (Some(map), _) => {
                // The file may have been cut since its size was looked at.
                if (map.len() as u64) < size {
                    return Err(source.truncated(map.len() as u64));
                }
                let words = source.pages().div_ceil(64);
                Way::Mapped { map, verified: (0..words).map(|_| AtomicU64::new(0)).collect() }
            }
            (None, Some(cache)) => Way::Cached { file: cache.new_file(), cache },
            (None, None) => Way::Direct,
        };
        Ok(Self { source: Arc::new(source), way })
    }

    /// Size of the data in bytes.
    pub fn size(&self) -> u64 {
        self.source.size()
    }

    /// The `length` bytes at `offset`. From a mapping nothing is copied; from the cache only what
    /// spans pages is.
    ///
    /// # Errors
    /// [`PageError::Range`] where the data end before, and what is wrong with a page of them.
    pub fn read(&self, offset: u64, length: usize) -> Result<Lent<'_>, PageError> {
        let span = self.source.span(offset, length)?;
        let pages = span.pages();
        match &self.way {
            Way::Mapped { map, verified } => {
                for page in pages {
                    self.verify_once(page, verified)?;
                }
                Ok(Lent(Bytes::Borrowed(map.get(span.0).unwrap_or_default())))
            }
            Way::Cached { .. } | Way::Direct if pages.len() == 1 => {
                let page = self.page(pages.start)?;
                Ok(Lent(Bytes::Page(page, span.within(pages.start))))
            }
            Way::Cached { .. } | Way::Direct => {
                let mut bytes = Vec::with_capacity(length);
                for page in pages {
                    let held = self.page(page)?;
                    bytes.extend_from_slice(held.get(span.within(page)).unwrap_or_default());
                }
                Ok(Lent(Bytes::Copied(bytes)))
            }
        }
    }

    /// Appends the `length` bytes at `offset` to `out`, read from the device and checked, without
    /// touching mapping or cache.
    ///
    /// # Errors
    /// As [`PageReader::read`]; `out` may then have grown.
    pub fn read_uncached(
        &self,
        offset: u64,
        length: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), PageError> {
        let span = self.source.span(offset, length)?;
        let mut scratch = vec![0; PAGE_SIZE];
        for page in span.pages() {
            let bytes = self.load_into(page, &mut scratch)?;
            out.extend_from_slice(bytes.get(span.within(page)).unwrap_or_default());
        }
        Ok(())
    }

    /// A reader of its own for going once through the data, in bounded memory.
    pub fn stream(&self) -> PageStream {
        PageStream::new(Arc::clone(&self.source))
    }

    /// Reads and checks every page, also those that were checked before.
    ///
    /// # Errors
    /// The first fault, in the order of the file.
    pub fn verify_all(&self) -> Result<(), PageError> {
        self.verify_pages(0..self.source.pages())
    }

    /// Checks bytes that somebody read from the file at `offset`, where a page begins. What lies behind
    /// the data is left alone.
    ///
    /// # Errors
    /// As [`Self::read`]; also where the bytes end within a page.
    pub fn check(&self, offset: u64, bytes: &[u8]) -> Result<(), PageError> {
        let room = self.size().saturating_sub(offset);
        let length = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
        if length == 0 {
            return Ok(());
        }
        let span = self.source.span(offset, length)?;
        let pages = bytes.get(..length).unwrap_or_default().chunks(PAGE_SIZE);
        span.pages().zip(pages).try_for_each(|(page, bytes)| self.source.check(page, bytes))
    }

    /// How many pages there are.
    pub fn page_count(&self) -> usize {
        self.source.pages()
    }

    /// Reads and checks pages, whether or not they were read before.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn verify_pages(&self, pages: std::ops::Range<usize>) -> Result<(), PageError> {
        let mut scratch = vec![0; PAGE_SIZE];
        let mut pages = pages.start..pages.end.min(self.source.pages());
        pages.try_for_each(|page| self.load_into(page, &mut scratch).map(drop))
    }

    fn verify_once(&self, page: usize, verified: &[AtomicU64]) -> Result<(), PageError> {
        let Some(word) = verified.get(page / 64) else { return Ok(()) };
        let bit = 1_u64 << (page % 64);
        // Relaxed: the bit guards no memory of ours, the bytes come from the kernel.
        if word.load(Ordering::Relaxed) & bit == 0 {
            self.load_into(page, &mut vec![0; PAGE_SIZE])?;
            word.fetch_or(bit, Ordering::Relaxed);
        }
        Ok(())
    }

    fn load_into<'a>(&self, page: usize, scratch: &'a mut [u8]) -> Result<&'a [u8], PageError> {
        let out = scratch.get_mut(..self.source.page_size(page)).unwrap_or_default();
        self.source.load(page, out)?;
        Ok(out)
    }

    fn page(&self, page: usize) -> Result<Arc<[u8]>, PageError> {
        match &self.way {
            Way::Cached { cache, file } => {
                if let Some(held) = cache.get(*file, page) {
                    return Ok(held);
                }
                let loaded = self.load_page(page)?;
                cache.insert(*file, page, &loaded);
                Ok(loaded)
            }
            Way::Mapped { .. } | Way::Direct => self.load_page(page),
        }
    }

    fn load_page(&self, page: usize) -> Result<Arc<[u8]>, PageError> {
        let mut bytes: Arc<[u8]> = std::iter::repeat_n(0, self.source.page_size(page)).collect();
        // Just made, so not shared.
        if let Some(out) = Arc::get_mut(&mut bytes) {
            self.source.load(page, out)?;
        }
        Ok(bytes)
    }
}

impl Drop for PageReader {
    fn drop(&mut self) {
        if let Way::Cached { cache, file } = &self.way {
            cache.forget(*file);
        }
    }
}

/// Verified bytes of a [`PageReader`].
#[derive(Debug)]
pub struct Lent<'a>(Bytes<'a>);

#[derive(Debug)]
enum Bytes<'a> {
    Borrowed(&'a [u8]),
    Page(Arc<[u8]>, Range<usize>),
    Copied(Vec<u8>),
}

impl Deref for Lent<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Bytes::Borrowed(bytes) => bytes,
            Bytes::Page(page, within) => page.get(within.clone()).unwrap_or_default(),
            Bytes::Copied(bytes) => bytes,
        }
    }
}

impl AsRef<[u8]> for Lent<'_> {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

//! Going once through a data file: verified, in bounded memory, past mapping and cache.
//!
//! For merges, which read everything once: through a mapping, every page they touch would count as
//! memory of the process, and through the cache they would drive out what queries need.

use std::sync::Arc;

use crate::os::pages::source::{Source, Span};
use crate::os::pages::{PAGE_SIZE, PageError};

/// Pages read at once where reads go forwards: 256 KiB.
const PAGES_AHEAD: usize = 4;

/// A reader that holds the pages of the last read and a few beyond.
#[derive(Debug)]
pub struct PageStream {
    source: Arc<Source>,
    /// Whole, verified pages from `first` on.
    held: Vec<u8>,
    first: usize,
}

impl PageStream {
    pub(super) fn new(source: Arc<Source>) -> Self {
        Self { source, held: Vec::new(), first: 0 }
    }

    /// The `length` bytes at `offset`. Any order is right; forwards is fast: pages still held are
    /// not read again. Holds at most `length` and six pages.
    ///
    /// # Errors
    /// As [`super::PageReader::read`].
    pub fn read(&mut self, offset: u64, length: usize) -> Result<&[u8], PageError> {
        let span = self.source.span(offset, length)?;
        if !span.0.is_empty() {
            self.hold(&span)?;
        }
        let begin = self.first * PAGE_SIZE;
        let within = span.0.start.saturating_sub(begin)..span.0.end.saturating_sub(begin);
        Ok(self.held.get(within).unwrap_or_default())
    }

    /// Makes the pages of `span` the held ones, and those that follow if reads go forwards.
    fn hold(&mut self, span: &Span) -> Result<(), PageError> {
        let wanted = span.pages();
        let held_end = self.first + self.held.len().div_ceil(PAGE_SIZE);
        if wanted.start >= self.first && wanted.end <= held_end {
            return Ok(());
        }
        let goes_on = wanted.start >= self.first && wanted.start <= held_end;
        let kept = if goes_on { (wanted.start - self.first) * PAGE_SIZE } else { self.held.len() };
        self.held.drain(..kept.min(self.held.len()));
        self.first = wanted.start;
        let start = self.first + self.held.len().div_ceil(PAGE_SIZE);
        let ahead = (start + PAGES_AHEAD).min(self.source.pages());
        // A fault ahead is not yet the reader's: it may never go there.
        if goes_on && ahead > wanted.end && self.load(start, ahead).is_ok() {
            return Ok(());
        }
        self.load(start, wanted.end)
    }

    /// Appends the pages from `start` to `end` to the held ones.
    fn load(&mut self, start: usize, end: usize) -> Result<(), PageError> {
        let old = self.held.len();
        let size: usize = (start..end).map(|page| self.source.page_size(page)).sum();
        self.held.resize(old + size, 0);
        let loaded = self.source.load(start, self.held.get_mut(old..).unwrap_or_default());
        if loaded.is_err() {
            // Nothing that was not verified stays.
            self.held.truncate(old);
        }
        loaded
    }
}

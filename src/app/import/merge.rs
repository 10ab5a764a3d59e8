//! Series of several blocks, in order of labels, the rows of one series together.

use std::cmp::Ordering;

use super::{
    block::{Block, Damaged, Span},
    error::ImportError,
};
use crate::ingest::tsdb::{Columns, Series};
use crate::model::Label;

/// Blocks that are gone through side by side.
pub(super) struct Merge<'a> {
    sources: Vec<Source<'a>>,
    span: Span,
    columns: Columns,
    pub(super) damaged: Damaged,
}

struct Source<'a> {
    block: &'a mut Block,
    series: Series,
    is_over: bool,
}

impl<'a> Merge<'a> {
    /// Begins with the first series that have a chunk in `span`.
    pub(super) fn new(
        blocks: impl IntoIterator<Item = &'a mut Block>,
        span: Span,
    ) -> Result<Self, ImportError> {
        let mut sources = Vec::new();
        for block in blocks {
            block.rewind();
            let mut source = Source { block, series: Series::default(), is_over: false };
            source.advance(span)?;
            sources.push(source);
        }
        Ok(Self { sources, span, columns: Columns::default(), damaged: Damaged::default() })
    }

    /// Hands over the next series with the rows that its chunks have in the span, and some around it, in
    /// the order of the blocks. Rows are read only where `is_wanted`. False behind the last.
    pub(super) fn next(
        &mut self,
        is_wanted: impl FnOnce(&[Label<'_>]) -> bool,
        give: impl FnOnce(&[Label<'_>], &mut Columns) -> Result<(), ImportError>,
    ) -> Result<bool, ImportError> {
        let Some(first) = self.first() else { return Ok(false) };
        let mut same = Vec::new();
        if let Some(lowest) = self.sources.get(first) {
            for (i, source) in self.sources.iter().enumerate().filter(|(_, it)| !it.is_over) {
                if i == first || source.compare(lowest) == Ordering::Equal {
                    same.push(i);
                }
            }
            // A label with an empty value is no label.
            let texts = lowest.series.texts(&lowest.block.symbols);
            let labels: Vec<(String, String)> = texts
                .filter(|label| !label.1.is_empty())
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            let labels: Vec<Label<'_>> =
                labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            if is_wanted(&labels) {
                self.columns.clear();
                for source in &same {
                    let Some(Source { block, series, .. }) = self.sources.get_mut(*source) else {
                        continue;
                    };
                    block.read(series, self.span, &mut self.columns, &mut self.damaged)?;
                }
                give(&labels, &mut self.columns)?;
            }
        }
        for source in same {
            if let Some(source) = self.sources.get_mut(source) {
                source.advance(self.span)?;
            }
        }
        Ok(true)
    }

    /// The source whose series is the lowest.
    fn first(&self) -> Option<usize> {
        let sources = self.sources.iter().enumerate().filter(|(_, source)| !source.is_over);
        sources.min_by(|a, b| a.1.compare(b.1)).map(|(i, _)| i)
    }
}

impl Source<'_> {
    fn compare(&self, other: &Self) -> Ordering {
        self.series.compare(&self.block.symbols, &other.series, &other.block.symbols)
    }

    /// Goes to the next series that has a chunk in `span`.
    fn advance(&mut self, span: Span) -> Result<(), ImportError> {
        while self.block.advance(&mut self.series)? {
            if self.series.chunks.iter().any(|chunk| span.overlaps(chunk.first, chunk.last)) {
                return Ok(());
            }
        }
        self.is_over = true;
        Ok(())
    }
}

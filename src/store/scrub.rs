//! The scrub: every byte of every file is read and checked once in a while, slowly.
//!
//! Files are gone through by number, a few pages at each look, so that a round takes as long as the
//! configuration says whatever there is to read. What is damaged is counted, remembered and told once.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{
    counters::Counters,
    db::{Db, held},
    error::Error,
    file::DataFile,
    manifest::FileId,
};

/// Pages that are read at one look at most: 16 MiB.
const PAGES_MAX: u64 = 256;

/// How far the scrub has come.
#[derive(Debug, Default)]
pub(super) struct Scrub {
    /// The file at hand.
    file: FileId,
    /// Its pages that were read.
    page: u64,
    /// When pages were read last, by the monotonic clock.
    at: Duration,
    /// Pages that are due and not read yet, in millionths.
    due: u64,
    /// What is damaged, by file.
    found: BTreeMap<FileId, String>,
    /// What was found since it was last told.
    untold: Vec<String>,
}

impl Db {
    /// Reads the pages that are due. What it finds is no error of upkeep.
    pub(super) fn scrub_some(&self) {
        let Some(every) = self.config.scrub_every else { return };
        let pages = {
            let now = self.clock.monotonic();
            let mut scrub = held(&self.scrub);
            let all: u64 = self.live().all_files().map(|file| file.page_count()).sum();
            let passed = now.saturating_sub(scrub.at);
            scrub.at = now;
            let millionths = u128::from(all) * 1_000_000 * passed.as_nanos();
            let more = millionths.checked_div(every.as_nanos()).unwrap_or(u128::MAX);
            let limit = PAGES_MAX * 1_000_000;
            scrub.due = u64::try_from(more).unwrap_or(limit).saturating_add(scrub.due).min(limit);
            let pages = scrub.due / 1_000_000;
            scrub.due %= 1_000_000;
            pages
        };
        self.scrub_pages(pages);
    }

    /// Reads every page of every file now; what is damaged, each with file and place.
    pub fn scrub(&self) -> Vec<String> {
        let pages = {
            let mut scrub = held(&self.scrub);
            (scrub.file, scrub.page) = (FileId(0), 0);
            self.live().all_files().map(|file| file.page_count()).sum()
        };
        self.scrub_pages(pages);
        self.scrub_findings()
    }

    fn scrub_pages(&self, mut pages: u64) {
        while pages > 0 && !self.is_closed() {
            let (from, page) = {
                let scrub = held(&self.scrub);
                (scrub.file, scrub.page)
            };
            let live = self.live();
            let next = live.all_files().filter(|file| file.meta.id >= from);
            let Some(file) = next.min_by_key(|file| file.meta.id) else {
                self.end_round();
                return;
            };
            let begin = if file.meta.id == from { page } else { 0 };
            let end = begin.saturating_add(pages).min(file.page_count());
            let read = file.verify_pages(begin..end);
            pages -= end.saturating_sub(begin).clamp(1, pages);
            self.note_scrubbed(file, end, read);
        }
    }

    fn end_round(&self) {
        let mut scrub = held(&self.scrub);
        (scrub.file, scrub.page) = (FileId(0), 0);
        Counters::add(&self.counters.scrub_rounds, 1);
    }

    fn note_scrubbed(&self, file: &Arc<DataFile>, end: u64, read: Result<u64, Error>) {
        let mut scrub = held(&self.scrub);
        let is_done = read.is_err() || end >= file.page_count();
        (scrub.file, scrub.page) =
            if is_done { (FileId(file.meta.id.0 + 1), 0) } else { (file.meta.id, end) };
        match read {
            Ok(bytes) => Counters::add(&self.counters.scrubbed_bytes, bytes),
            Err(error) => {
                let text = error.to_string();
                if scrub.found.insert(file.meta.id, text.clone()).is_none() {
                    Counters::add(&self.counters.scrub_findings, 1);
                    scrub.untold.push(text);
                }
            }
        }
    }

    /// What the scrub found damaged, of files that live.
    pub fn scrub_findings(&self) -> Vec<String> {
        let live = self.live();
        let mut scrub = held(&self.scrub);
        scrub.found.retain(|id, _| live.all_files().any(|file| file.meta.id == *id));
        scrub.found.values().cloned().collect()
    }

    /// What the scrub found since this was last asked: for the log.
    pub fn new_scrub_findings(&self) -> Vec<String> {
        std::mem::take(&mut held(&self.scrub).untold)
    }
}

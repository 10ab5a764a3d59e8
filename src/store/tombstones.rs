//! Deletions: which rows they hide, and when they are done.
//!
//! A deletion is noted when all rows before it are in files; it hides rows of the files that were
//! there then, whose numbers are lower. A file that is rewritten carries it out. When all such files
//! are gone the deletion is forgotten.

use crate::model::{self, Labels, Matcher, TimeRange, Timestamp};

use super::{
    db::{Db, held},
    error::Error,
    manifest::{Deletion, Edit, FileId, Tombstone},
    matching::Test,
    rows::SeriesRows,
};

/// Deletions, ready to be applied.
#[derive(Debug, Default)]
pub(super) struct Deletions(Vec<(Tombstone, Vec<Test>)>);

impl Deletions {
    /// Compiles the matchers.
    pub(super) fn new(tombstones: &[Tombstone]) -> Result<Self, Error> {
        let compile = |it: &Tombstone| match Test::all(&it.matchers) {
            Ok(tests) => Ok((it.clone(), tests)),
            Err(error) => Err(Error::Invalid(error.to_string())),
        };
        tombstones.iter().map(compile).collect::<Result<_, _>>().map(Self)
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a deletion touches a span of time of a series in a file.
    pub(super) fn touch(&self, file: FileId, labels: &Labels, span: TimeRange) -> bool {
        self.0.iter().any(|(tombstone, tests)| {
            file.0 < tombstone.files_below
                && tombstone.range.overlaps(span)
                && tests.iter().all(|test| test.passes(labels))
        })
    }

    /// Takes away the rows that are deleted in a file.
    pub(super) fn apply(&self, file: FileId, labels: Option<&Labels>, rows: &mut SeriesRows) {
        for (tombstone, tests) in &self.0 {
            if file.0 < tombstone.files_below
                && labels.is_some_and(|labels| tests.iter().all(|test| test.passes(labels)))
            {
                rows.retain(|time| !tombstone.range.contains(Timestamp(time)));
            }
        }
    }
}

impl Db {
    /// Deletes the rows of matching series in `range`. Rows that are written later stay.
    ///
    /// # Errors
    /// [`model::Error::Invalid`] for matchers that do not compile, or none at all.
    pub fn delete(&self, matchers: &[Matcher], range: TimeRange) -> Result<(), model::Error> {
        if matchers.is_empty() {
            return Err(model::Error::Invalid("a deletion needs a matcher".to_owned()));
        }
        Test::all(matchers)?;
        let _upkeep = held(&self.upkeep);
        while self.flush_head()? {}
        let tombstone = {
            let mut manifest = held(&self.manifest);
            // Numbers below are of files that are there; what is being written has one of these too,
            // but nothing is, since upkeep is held.
            let files_below = manifest.state().next_file;
            let tombstone = Tombstone { files_below, matchers: matchers.to_vec(), range };
            let mut edits = vec![Edit::Delete(tombstone.clone())];
            if self.config.archive_backlog_max > 0 {
                // In one change with the deletion: the archive has it if it holds, and only then.
                let number = manifest.sequence() + 1;
                let (at, position) = (self.clock.now(), manifest.state().in_files);
                let tombstone = tombstone.clone();
                let deletion = Deletion { number, at, position, tombstone };
                edits.push(Edit::ToArchive(Box::new(deletion)));
            }
            manifest.apply(&edits).map_err(model::Error::from)?;
            tombstone
        };
        self.change_live(|live| {
            live.tombstones = [&live.tombstones[..], &[tombstone]].concat().into();
        });
        self.changes.note_range(range);
        Ok(self.drop_done_deletions()?)
    }

    /// Forgets deletions that no file has to carry out any more.
    pub(super) fn drop_done_deletions(&self) -> Result<(), Error> {
        let mut manifest = held(&self.manifest);
        let state = manifest.state();
        let is_open = |it: &Tombstone| {
            state
                .files
                .values()
                .any(|file| file.id.0 < it.files_below && it.range.overlaps(file.partition.range()))
        };
        // They are forgotten in order: a later one that is done waits for an earlier one.
        let done = state.tombstones.iter().take_while(|it| !is_open(it)).count();
        if done == 0 {
            return Ok(());
        }
        manifest.apply(&[Edit::DeletesDone(done as u64)])?;
        let left = manifest.state().tombstones.clone();
        drop(manifest);
        self.change_live(|live| live.tombstones = left.into());
        Ok(())
    }
}

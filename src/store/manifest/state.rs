//! What all edits amount to.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::Tier;

use super::{
    deletion::{Deletion, Tombstone},
    edit::{Edit, FileId, FileMeta, Retired, Tiered},
};

/// What lives.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::store) struct State {
    /// Live files.
    pub(in crate::store) files: BTreeMap<FileId, FileMeta>,
    /// Rows up to this position are in files.
    pub(in crate::store) in_files: u64,
    /// The oldest log segment that is needed, and one more than the newest that was begun.
    pub(in crate::store) segments: (u64, u64),
    /// The catalog file that lives; 0 where there is none yet.
    pub(in crate::store) catalog: u64,
    /// The next ref to give, as last noted.
    pub(in crate::store) next_series: u64,
    /// Rows up to this instant were dropped.
    pub(in crate::store) dropped_until: i64,
    /// Deletions that files still have to carry out, oldest first.
    pub(in crate::store) tombstones: Vec<Tombstone>,
    /// Deletions that the archive of the log does not have yet, oldest first.
    pub(in crate::store) to_archive: Vec<Deletion>,
    /// Notes of bulk loads that are done.
    pub(in crate::store) notes: BTreeSet<u128>,
    /// What retention dropped besides, an entry for each tier and matchers.
    pub(in crate::store) retired: Vec<Retired>,
    /// Which rows tiers hold: by tier and end of the partition of raw rows, those of files of lower
    /// number.
    pub(in crate::store) tiered: BTreeMap<(Tier, i64), u64>,
    /// The next file number to give.
    pub(in crate::store) next_file: u64,
}

impl State {
    /// Before the first edit.
    pub(in crate::store) fn new() -> Self {
        Self {
            segments: (1, 1),
            next_series: 1,
            next_file: 1,
            dropped_until: i64::MIN,
            ..Self::default()
        }
    }

    /// Takes one change in.
    pub(in crate::store) fn apply(&mut self, edit: &Edit) {
        match edit {
            Edit::AddFile(meta) => {
                self.next_file = self.next_file.max(meta.id.0.saturating_add(1));
                self.files.insert(meta.id, (**meta).clone());
            }
            Edit::RemoveFile(id) => {
                self.files.remove(id);
            }
            Edit::InFiles(position) => self.in_files = self.in_files.max(*position),
            Edit::Segments(first, end) => self.segments = (*first, *end),
            Edit::Catalog(number) => self.catalog = *number,
            Edit::NextSeries(series) => self.next_series = self.next_series.max(*series),
            Edit::DroppedUntil(time) => self.dropped_until = self.dropped_until.max(*time),
            Edit::Delete(tombstone) => {
                // Numbers below were given: a file that comes later must not have one of them, though
                // those that had them are gone. The deletion would hide its rows.
                self.next_file = self.next_file.max(tombstone.files_below);
                self.tombstones.push(tombstone.clone());
            }
            Edit::DeletesDone(count) => {
                let count =
                    usize::try_from(*count).unwrap_or(usize::MAX).min(self.tombstones.len());
                self.tombstones.drain(..count);
            }
            Edit::Note(note) => {
                self.notes.insert(*note);
            }
            Edit::Retired(retired) => self.retire(retired),
            Edit::Tiered(tiered) => self.tier(*tiered),
            Edit::ToArchive(deletion) => self.to_archive.push((**deletion).clone()),
            Edit::InArchive(number) => self.to_archive.retain(|it| it.number > *number),
            Edit::Archived(id, lineage) => {
                if let Some(meta) = self.files.get_mut(id) {
                    meta.archived = Some(*lineage);
                }
            }
        }
    }

    fn retire(&mut self, new: &Retired) {
        let is_same = |old: &&mut Retired| old.tier == new.tier && old.matchers == new.matchers;
        match self.retired.iter_mut().find(is_same) {
            Some(old) => old.until = old.until.max(new.until),
            None => self.retired.push(new.clone()),
        }
    }

    fn tier(&mut self, new: Tiered) {
        let key = (new.tier, new.until);
        if new.files_below == 0 {
            self.tiered.remove(&key);
            return;
        }
        // As with deletions: a file that comes later must not have a number that says it is held.
        self.next_file = self.next_file.max(new.files_below);
        self.tiered.insert(key, new.files_below);
    }

    /// The edits that make it out of nothing.
    pub(in crate::store) fn edits(&self) -> Vec<Edit> {
        let mut edits = vec![
            Edit::InFiles(self.in_files),
            Edit::Segments(self.segments.0, self.segments.1),
            Edit::Catalog(self.catalog),
            Edit::NextSeries(self.next_series),
            Edit::DroppedUntil(self.dropped_until),
        ];
        edits.extend(self.files.values().cloned().map(|meta| Edit::AddFile(Box::new(meta))));
        let archived = self.files.values().filter_map(|meta| Some((meta.id, meta.archived?)));
        edits.extend(archived.map(|(id, lineage)| Edit::Archived(id, lineage)));
        edits.extend(self.tombstones.iter().cloned().map(Edit::Delete));
        let to_archive = self.to_archive.iter().cloned();
        edits.extend(to_archive.map(|it| Edit::ToArchive(Box::new(it))));
        edits.extend(self.notes.iter().copied().map(Edit::Note));
        edits.extend(self.retired.iter().cloned().map(Edit::Retired));
        edits.extend(self.tiered.iter().map(|((tier, until), files_below)| {
            Edit::Tiered(Tiered { tier: *tier, until: *until, files_below: *files_below })
        }));
        edits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TimeRange;

    #[test]
    fn a_number_below_a_waiting_deletion_is_not_given_again() {
        let mut state = State::new();
        let tombstone = Tombstone { files_below: 9, matchers: vec![], range: TimeRange::ALL };
        state.apply(&Edit::Delete(tombstone));
        let mut reopened = State::new();
        state.edits().iter().for_each(|edit| reopened.apply(edit));
        assert_eq!(reopened.next_file, 9);
    }
}

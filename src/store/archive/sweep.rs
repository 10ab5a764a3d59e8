//! Removing archived blocks that nobody lists any more.
//!
//! What retention, a deletion or a merge took out of the manifest in this process is known by name, and
//! goes when no query reads it any more. What a killed process left is found by listing, once a start.

use std::{collections::HashSet, sync::Arc};

use crate::store::{
    counters::Counters,
    db::{Db, held},
    error::Error,
    file::DataFile,
};

use super::place::{Archive, FOLDER, folder, own_lineage};

impl Db {
    /// Removes the objects of blocks that were taken out of the manifest; how many blocks.
    ///
    /// # Errors
    /// Where the archive cannot be reached: what is left is tried again.
    pub fn sweep_archive(&self) -> Result<u64, Error> {
        if !self.archive.is_named() {
            return Ok(0);
        }
        let own = own_lineage(self)?;
        let mut swept = 0;
        while let Some(file) = next_unread(&self.archive) {
            // What another directory uploaded is its own to remove.
            if file.meta.archived == Some(own)
                && let Err(error) = self.remove_objects(&folder(&file.meta))
            {
                self.archive.unlist(&file);
                return Err(error);
            }
            swept += 1;
        }
        Counters::add(&self.counters.archive_removed, swept);
        Ok(swept)
    }

    /// Removes objects of this directory that its manifest does not name: what was left by a kill. To be
    /// called before the first [`Self::archive_block`].
    ///
    /// # Errors
    /// Where the archive cannot be reached.
    pub fn sweep_leftovers(&self) -> Result<u64, Error> {
        if !self.archive.is_named() {
            return Ok(0);
        }
        let of_lineage = format!("{FOLDER}/{:032x}", own_lineage(self)?);
        let listed: HashSet<String> = {
            let manifest = held(&self.manifest);
            let unlisted = held(&self.archive.unlisted);
            let metas = manifest.state().files.values().filter(|meta| meta.archived.is_some());
            metas.map(folder).chain(unlisted.iter().map(|file| folder(&file.meta))).collect()
        };
        let blocks =
            Arc::clone(self.archive.blocks().map_err(|source| self.archive_failed(source))?);
        let found = blocks.list(&of_lineage).map_err(|source| self.archive_failed(source))?;
        let mut swept = 0;
        for entry in found {
            let is_listed =
                entry.name.rsplit_once('/').is_some_and(|(folder, _)| listed.contains(folder));
            if !is_listed {
                blocks.remove(&entry.name).map_err(|source| self.archive_failed(source))?;
                swept += 1;
            }
        }
        Ok(swept)
    }

    fn remove_objects(&self, folder: &str) -> Result<(), Error> {
        let removed = self.archive.blocks().and_then(|blocks| {
            let entries = blocks.list(folder)?;
            entries.iter().try_for_each(|entry| blocks.remove(&entry.name))
        });
        removed.map_err(|source| self.archive_failed(source))
    }

    fn archive_failed(&self, source: crate::model::Error) -> Error {
        let place = self.archive.blocks().map_or_else(|_| String::new(), |blocks| blocks.place());
        Error::Repository { place, source: Box::new(source) }
    }
}

/// A block that nobody lists and nobody reads.
fn next_unread(archive: &Archive) -> Option<Arc<DataFile>> {
    let mut unlisted = held(&archive.unlisted);
    let place = unlisted.iter().position(|file| Arc::strong_count(file) == 1)?;
    Some(unlisted.swap_remove(place))
}

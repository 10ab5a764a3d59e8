//! Files that nothing lists.

use std::collections::BTreeSet;

use crate::os::Files;

use super::{
    catalog,
    error::{Error, failed},
    manifest::{self, State},
    recover::TABLES,
};

/// Files of partitions that the manifest does not list: written, but never known.
pub(super) fn unlisted(files: &dyn Files, state: &State) -> Result<Vec<String>, Error> {
    // Of a block in the archive what is here is what was to be removed.
    let here = state.files.values().filter(|meta| meta.archived.is_none());
    let listed: BTreeSet<String> = here.map(manifest::FileMeta::path).collect();
    let mut unlisted = Vec::new();
    for folder in folders(files)? {
        for entry in files.list(&folder).map_err(failed(files, "list", &folder))? {
            let path = format!("{folder}/{}", entry.name);
            if !listed.contains(&path) {
                unlisted.push(path);
            }
        }
    }
    Ok(unlisted)
}

/// The folders of partitions.
fn folders(files: &dyn Files) -> Result<Vec<String>, Error> {
    let entries = match files.list(TABLES) {
        Ok(entries) => entries,
        Err(gone) if gone.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(failed(files, "list", TABLES)(source)),
    };
    let paths = entries.into_iter().filter(|entry| entry.is_dir);
    let paths = paths.map(|folder| format!("{TABLES}/{}", folder.name));
    Ok(paths.filter(|path| path != catalog::FOLDER).collect())
}

/// Removes them, and folders of which nothing is left.
pub(super) fn remove_orphans(files: &dyn Files, state: &State) -> Result<(), Error> {
    for path in unlisted(files, state)? {
        files.remove(&path).map_err(failed(files, "remove", &path))?;
    }
    let kept: BTreeSet<String> = state.files.values().map(|meta| meta.partition.folder()).collect();
    for folder in folders(files)?.into_iter().filter(|folder| !kept.contains(folder)) {
        // Best effort: an empty folder does no harm.
        drop(files.remove_dir(&folder));
    }
    Ok(())
}

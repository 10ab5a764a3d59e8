//! Deletions in the archive of the log: what a restore to a moment repeats.
//!
//! Names: `deletes/LINEAGE/NUMBER-DIGEST`. The manifest keeps a deletion until it was sent, so that the
//! archive has each that holds. Each says up to which position it hides rows.

use xxhash_rust::xxh3::xxh3_128;

use crate::store::{
    bytes::Reader,
    db::{Db, held},
    error::{Damage, Error},
    manifest::{Deletion, Edit},
};

use super::{
    record::{number, wrong_digest},
    repository::Repository,
};

/// The folder of deletions.
pub(super) const FOLDER: &str = "deletes";
/// A longer one is not read: matchers come by URL, which is shorter.
const BYTES_MAX: u64 = 16 << 20;

/// Sends the deletions that were not sent.
pub(super) fn ship(db: &Db, repository: &Repository, lineage: &str) -> Result<(), Error> {
    let waiting = held(&db.manifest).state().to_archive.clone();
    for deletion in &waiting {
        let mut bytes = Vec::new();
        deletion.encode(&mut bytes);
        let name = format!("{FOLDER}/{lineage}/{:020}-{:032x}", deletion.number, xxh3_128(&bytes));
        repository.asked(repository.blocks.put(&name, &bytes))?;
    }
    match waiting.last() {
        Some(last) => held(&db.manifest).apply(&[Edit::InArchive(last.number)]),
        None => Ok(()),
    }
}

/// Number and digest of a deletion, as its name says; None where it is no name of one.
pub(super) fn parse(name: &str) -> Option<(&str, u64, u128)> {
    let (lineage, rest) = name.strip_prefix(FOLDER)?.strip_prefix('/')?.split_once('/')?;
    let (before, digest) = rest.split_once('-')?;
    Some((lineage, before.parse().ok()?, number(digest).ok()?))
}

/// The deletions of an archive behind so many changes, oldest first.
///
/// # Errors
/// Where one is damaged.
pub(super) fn behind(
    repository: &Repository,
    lineage: &str,
    changes: u64,
) -> Result<Vec<Deletion>, Error> {
    let mut found = Vec::new();
    for entry in repository.asked(repository.blocks.list(&format!("{FOLDER}/{lineage}")))? {
        let Some((_, _, digest)) = parse(&entry.name).filter(|it| it.1 > changes) else { continue };
        let path = repository.path(&entry.name);
        let bytes = repository.asked(repository.blocks.get(&entry.name, BYTES_MAX))?;
        let bytes = bytes.ok_or_else(|| Error::Missing { file: path.clone() })?;
        let damaged = |what: Damage| Error::Damaged { file: path, at: 0, what };
        if xxh3_128(&bytes) != digest {
            return Err(damaged(wrong_digest(digest, xxh3_128(&bytes))));
        }
        let mut reader = Reader::new(&bytes, "deletion");
        found.push(Deletion::decode(&mut reader).map_err(damaged)?);
    }
    found.sort_by_key(|it| it.number);
    Ok(found)
}

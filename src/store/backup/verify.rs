//! Checking a backup: is every piece there, of the right size, and, asked for, of the right bytes?

use std::collections::HashMap;

use crate::store::error::{Damage, Error};

use super::{
    create::{Pace, sizes},
    record::{Backup, digest, number, piece_name, wrong_digest},
    repository::Repository,
};

/// What is wrong with a backup.
#[derive(Debug)]
pub struct Trouble {
    /// The object.
    pub object: String,
    /// The file of the database that it is a piece of.
    pub file: String,
    /// What is wrong.
    pub error: Error,
    /// Whether it is an incomplete copy: bytes that are not there, rather than bytes that are wrong.
    pub is_incomplete: bool,
}

/// What a check of a backup found.
#[derive(Debug, Default)]
pub struct Check {
    /// Nothing in it: it can be restored.
    pub troubles: Vec<Trouble>,
    /// Pieces that were looked at.
    pub pieces: u64,
    /// Bytes that were read.
    pub bytes: u64,
}

/// Checks a backup: that its pieces are there and of their sizes; where `is_deep`, their bytes too.
///
/// # Errors
/// Where the place cannot be reached. What is wrong with the backup is no error: it is in the check.
pub fn verify_backup(
    repository: &Repository,
    backup: &Backup,
    is_deep: bool,
    pace: &dyn Pace,
) -> Result<Check, Error> {
    let there: HashMap<String, u64> = repository
        .asked(repository.blocks.list("objects"))?
        .into_iter()
        .map(|entry| (entry.name, entry.size))
        .collect();
    let mut check = Check::default();
    // One that many files share is read once.
    let mut right = std::collections::HashSet::new();
    for file in &backup.files {
        for (piece, size) in file.pieces.iter().zip(sizes(file.bytes)) {
            check.pieces += 1;
            let name = piece_name(piece);
            let found = match there.get(&name) {
                None => Err(Error::Missing { file: repository.path(&name) }),
                Some(found) if *found < size => {
                    let what = Damage::Truncated("piece");
                    Err(Error::Damaged { file: repository.path(&name), at: *found, what })
                }
                Some(found) if *found > size => Err(too_long(repository, &name, size)),
                Some(_) if !is_deep || right.contains(piece) => continue,
                Some(_) => fetch(repository, backup, piece, size).map(|bytes| bytes.len() as u64),
            };
            match found {
                Ok(bytes) => {
                    check.bytes += bytes;
                    right.insert(piece.clone());
                    pace.moved(bytes)?;
                }
                Err(error @ Error::Repository { .. }) => return Err(error),
                Err(error) => {
                    let short = Damage::Truncated("piece");
                    let is_incomplete = match &error {
                        Error::Missing { .. } => true,
                        Error::Damaged { what, .. } => *what == short,
                        _ => false,
                    };
                    let file = file.path.clone();
                    check.troubles.push(Trouble { object: name, file, error, is_incomplete });
                }
            }
        }
    }
    Ok(check)
}

fn too_long(repository: &Repository, name: &str, size: u64) -> Error {
    let what = Damage::Contradiction("a piece is longer than it was");
    Error::Damaged { file: repository.path(name), at: size, what }
}

/// A piece, checked.
///
/// # Errors
/// [`Error::Missing`] or [`Error::Damaged`] with the object's name.
pub(super) fn fetch(
    repository: &Repository,
    backup: &Backup,
    piece: &str,
    size: u64,
) -> Result<Vec<u8>, Error> {
    let name = piece_name(piece);
    let damaged = |at, what| Error::Damaged { file: repository.path(&name), at, what };
    let bytes = repository.blocks.get(&name, size);
    if matches!(bytes, Err(crate::model::Error::Damaged(_))) {
        return Err(too_long(repository, &name, size));
    }
    let Some(bytes) = repository.asked(bytes)? else {
        return Err(Error::Missing { file: repository.path(&name) });
    };
    if (bytes.len() as u64) < size {
        return Err(damaged(bytes.len() as u64, Damage::Truncated("piece")));
    }
    let wrong = |what| damaged(0, what);
    let expected = number(piece).map_err(wrong)?;
    let found = digest(&bytes, number(&backup.database).map_err(wrong)?);
    if expected != found {
        return Err(wrong(wrong_digest(expected, found)));
    }
    Ok(bytes)
}

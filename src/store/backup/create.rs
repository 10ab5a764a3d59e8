//! Making a backup while rows come in: a moment is held still, and what is new of it is stored.

use std::collections::{BTreeMap, HashMap};

use crate::os::{Files, ReadFile};
use crate::store::{
    db::Db,
    error::{Error, failed},
    file::{DataFile, FileKey},
};

use super::{
    record::{Backup, BackupFile, PIECE_BYTES, digest, id_of, piece_name},
    repository::{Lease, Repository, Work},
    snapshot::{self, Member, Snapshot},
};

/// Keeps the work from taking the disk away from others, and may end it.
pub trait Pace: Sync {
    /// So many bytes were moved just now: may wait.
    ///
    /// # Errors
    /// Whatever shall end the work.
    fn moved(&self, bytes: u64) -> Result<(), Error>;
}

/// A backup that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// Its name.
    pub id: String,
    /// Its files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes that were stored for it: those that no backup had.
    pub stored_bytes: u64,
    /// The last record in it.
    pub position: u64,
}

/// Backs `db` up while it is written to. What was acknowledged before is in it.
///
/// # Errors
/// Where a file of the database is missing or damaged: it is named, and no backup is made. Where the
/// place cannot be written, or a prune is at work on it.
pub fn create(db: &Db, repository: &Repository, pace: &dyn Pace) -> Result<Created, Error> {
    let who = format!("{:032x}", db.database);
    let lease = repository.begin(Work::Backup, &who)?;
    let known: HashMap<String, u64> = repository
        .asked(repository.blocks.list("objects"))?
        .into_iter()
        .map(|entry| (entry.name, entry.size))
        .collect();
    let before = newest(repository, db.database)?;
    let held = snapshot::hold(db)?;
    let mut store = Storing { db, repository, pace, lease: &lease, known, stored: 0 };
    let files = store.store_all(&held, &before);
    snapshot::let_go(db);
    let backup = Backup {
        id: id_of(held.at),
        database: format!("{:032x}", db.database),
        at: held.at,
        position: held.position,
        catalog: held.catalog,
        lineage: super::ship::lineage(db)?,
        files: files?,
    };
    if !repository.publish(&backup)? {
        let at = repository.blocks.place();
        let what = format!("{at} has a backup {} already: try again", backup.id);
        return Err(Error::Invalid(what));
    }
    Ok(Created {
        files: backup.files.len() as u64,
        bytes: backup.bytes(),
        stored_bytes: store.stored,
        position: backup.position,
        id: backup.id,
    })
}

/// The files of the newest backup of this database that can be read, by path.
fn newest(repository: &Repository, database: u128) -> Result<BTreeMap<String, BackupFile>, Error> {
    let database = format!("{database:032x}");
    for id in repository.ids()?.into_iter().rev() {
        match repository.load(&id) {
            Ok(backup) if backup.database == database => {
                return Ok(backup.files.into_iter().map(|it| (it.path.clone(), it)).collect());
            }
            // A damaged one does not keep a new one from being made.
            Ok(_) | Err(Error::Damaged { .. } | Error::Invalid(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(BTreeMap::new())
}

struct Storing<'a> {
    db: &'a Db,
    repository: &'a Repository,
    pace: &'a dyn Pace,
    lease: &'a Lease<'a>,
    /// Pieces that are there, with their sizes.
    known: HashMap<String, u64>,
    stored: u64,
}

impl Storing<'_> {
    fn store_all(
        &mut self,
        held: &Snapshot,
        before: &BTreeMap<String, BackupFile>,
    ) -> Result<Vec<BackupFile>, Error> {
        let mut files = Vec::with_capacity(held.members.len());
        for member in &held.members {
            self.lease.renew()?;
            files.push(match before.get(&member.path).filter(|it| self.is_same(it, member)) {
                Some(same) => same.clone(),
                None => self.store(&*held.files, member)?,
            });
        }
        Ok(files)
    }

    /// Whether a file is stored whole already: the manifest says what it is, so it need not be read.
    fn is_same(&self, there: &BackupFile, member: &Member) -> bool {
        let Some(meta) = &member.meta else { return false };
        let sizes = sizes(there.bytes);
        there.crc == Some(meta.footer_crc)
            && there.bytes == meta.bytes
            && there.pieces.iter().zip(sizes).all(|(piece, size)| {
                self.known.get(&piece_name(piece)).is_some_and(|there| *there == size)
            })
    }

    fn store(&mut self, files: &dyn Files, member: &Member) -> Result<BackupFile, Error> {
        let path = &member.path;
        if let Some(meta) = &member.meta {
            // Damage is found before it is copied, not when it is needed.
            let (now, database) = (std::time::Duration::ZERO, self.db.database);
            DataFile::open(files, FileKey { now, database, meta }, None)?.verify()?;
        }
        let file = files.open_read(path).map_err(failed(files, "open", path))?;
        let mut pieces = Vec::new();
        let mut at = 0;
        for size in sizes(member.bytes) {
            let bytes = read(files, &*file, path, at, size)?;
            at += size;
            let digest = format!("{:032x}", digest(&bytes, self.db.database));
            let name = piece_name(&digest);
            if self.known.get(&name) != Some(&size) {
                let blocks = &self.repository.blocks;
                self.repository.asked(blocks.put(&name, &bytes))?;
                self.known.insert(name, size);
                self.stored += size;
            }
            pieces.push(digest);
            self.lease.renew()?;
            self.pace.moved(size)?;
        }
        let crc = member.meta.as_ref().map(|meta| meta.footer_crc);
        Ok(BackupFile { path: path.clone(), bytes: member.bytes, crc, pieces })
    }
}

/// The sizes of the pieces of a file.
pub(super) fn sizes(bytes: u64) -> impl Iterator<Item = u64> {
    (0..bytes.div_ceil(PIECE_BYTES))
        .map(move |number| (bytes - number * PIECE_BYTES).min(PIECE_BYTES))
}

fn read(
    files: &dyn Files,
    file: &dyn ReadFile,
    path: &str,
    at: u64,
    size: u64,
) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
    file.read_exact_at(at, &mut bytes).map_err(failed(files, "read", path))?;
    Ok(bytes)
}

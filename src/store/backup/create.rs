//! Making a backup while rows come in: a moment is held still, and what is new of it is stored.

use std::collections::{BTreeMap, HashMap};

use crate::os::Files;
use crate::store::{
    db::{Db, held},
    error::{Error, failed},
    file::{DataFile, FileKey},
};

use super::{
    memo::Memo,
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
    let moment = snapshot::hold(db)?;
    let memo = held(&db.backed_up).clone();
    let stored_before = Before { files: before, memo };
    let mut store = Storing {
        db,
        repository,
        pace,
        lease: &lease,
        known,
        stored: 0,
        memo: Memo::default(),
        buffer: Vec::new(),
    };
    let files = store.store_all(&moment, &stored_before);
    snapshot::let_go(db);
    let backup = Backup {
        id: id_of(moment.at),
        database: format!("{:032x}", db.database),
        at: moment.at,
        position: moment.position,
        catalog: moment.catalog,
        lineage: super::ship::lineage(db)?,
        files: files?,
    };
    if !repository.publish(&backup)? {
        let at = repository.blocks.place();
        let what = format!("{at} has a backup {} already: try again", backup.id);
        return Err(Error::Invalid(what));
    }
    *held(&db.backed_up) = store.memo;
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

/// What earlier backups stored.
struct Before {
    /// The files of the newest of this database, by path.
    files: BTreeMap<String, BackupFile>,
    /// What this process stored of files that grow.
    memo: Memo,
}

struct Storing<'a> {
    db: &'a Db,
    repository: &'a Repository,
    pace: &'a dyn Pace,
    lease: &'a Lease<'a>,
    /// Pieces that are there, with their sizes.
    known: HashMap<String, u64>,
    stored: u64,
    /// For the next backup.
    memo: Memo,
    /// The piece at hand.
    buffer: Vec<u8>,
}

impl Storing<'_> {
    fn store_all(&mut self, moment: &Snapshot, before: &Before) -> Result<Vec<BackupFile>, Error> {
        let mut files = Vec::with_capacity(moment.members.len());
        for member in &moment.members {
            self.lease.renew()?;
            files.push(
                match before.files.get(&member.path).filter(|it| self.is_same(it, member)) {
                    Some(same) => same.clone(),
                    None => self.store(&*moment.files, member, before)?,
                },
            );
        }
        Ok(files)
    }

    fn has(&self, piece: &str, size: u64) -> bool {
        self.known.get(&piece_name(piece)) == Some(&size)
    }

    /// Whether a file is stored whole already: the manifest says what it is, so it need not be read.
    fn is_same(&self, there: &BackupFile, member: &Member) -> bool {
        let Some(meta) = &member.meta else { return false };
        there.crc == Some(meta.footer_crc)
            && there.bytes == meta.bytes
            && there
                .pieces
                .iter()
                .zip(sizes(there.bytes))
                .all(|(piece, size)| self.has(piece, size))
    }

    /// Stores what is new of a file. It is read once: what is stored is what was checked.
    fn store(
        &mut self,
        files: &dyn Files,
        member: &Member,
        before: &Before,
    ) -> Result<BackupFile, Error> {
        let path = &member.path;
        let file = files.open_read(path).map_err(failed(files, "open", path))?;
        let data = member.meta.as_ref().map(|meta| {
            let (now, database) = (std::time::Duration::ZERO, self.db.database);
            DataFile::open(files, FileKey { now, database, meta }, None)
        });
        let data = data.transpose()?;
        let same = if member.grows { before.memo.of(path, member.bytes) } else { &[] };
        let mut pieces = Vec::new();
        let mut at = 0;
        for (number, size) in sizes(member.bytes).enumerate() {
            if let Some(piece) = same.get(number).filter(|piece| self.has(piece, size)) {
                pieces.push(piece.clone());
                at += size;
                continue;
            }
            self.buffer.resize(usize::try_from(size).unwrap_or(0), 0);
            file.read_exact_at(at, &mut self.buffer).map_err(failed(files, "read", path))?;
            if let Some(data) = &data {
                // Damage is found before it is copied, not when it is needed.
                data.check(at, &self.buffer)?;
            }
            pieces.push(self.put()?);
            at += size;
        }
        data.map_or(Ok(()), |data| data.verify_tables())?;
        if member.grows {
            self.memo.note(path, member.bytes, &pieces);
        }
        let crc = member.meta.as_ref().map(|meta| meta.footer_crc);
        Ok(BackupFile { path: path.clone(), bytes: member.bytes, crc, pieces })
    }

    /// Stores the piece in the buffer, if no backup has it; its digest.
    fn put(&mut self) -> Result<String, Error> {
        let digest = format!("{:032x}", digest(&self.buffer, self.db.database));
        let (name, size) = (piece_name(&digest), self.buffer.len() as u64);
        if self.known.get(&name) != Some(&size) {
            let blocks = &self.repository.blocks;
            self.repository.asked(blocks.put(&name, &self.buffer))?;
            self.known.insert(name, size);
            self.stored += size;
        }
        self.lease.renew()?;
        self.pace.moved(size)?;
        Ok(digest)
    }
}

/// The sizes of the pieces of a file.
pub(super) fn sizes(bytes: u64) -> impl Iterator<Item = u64> {
    (0..bytes.div_ceil(PIECE_BYTES))
        .map(move |number| (bytes - number * PIECE_BYTES).min(PIECE_BYTES))
}

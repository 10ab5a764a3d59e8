//! Where backups are: which there are, and who is at work on them.
//!
//! ```text
//! quipu-backups.json      what this place is
//! backups/ID.backup       one backup each; it is there once this is
//! objects/xx/DIGEST       pieces of files, shared by backups
//! running/…               who is at work: backups keep a prune away, a prune keeps all away
//! wal/… catalog/…         the archive of the log, see `ship`
//! ```

use std::{cell::Cell, fmt, path::PathBuf, sync::Arc, time::Duration};

use crate::model::{self, Blocks};
use crate::os::Clock;
use crate::store::error::{Damage, Error};

use super::record::{Backup, RECORD_MAX, decode_backup, is_id};

const MARKER: &str = "quipu-backups.json";
const MARKER_TEXT: &[u8] = b"{\"quipu_backups\":1}\n";
const BACKUPS: &str = "backups";
const RUNNING: &str = "running";
const SUFFIX: &str = ".backup";
/// Who says nothing for so long is taken for dead. Above every pause of a slow upload.
const LEASE: Duration = Duration::from_mins(10);
const RENEW_EVERY: Duration = Duration::from_mins(1);

/// A place of backups.
#[derive(Clone)]
pub struct Repository {
    pub(super) blocks: Arc<dyn Blocks>,
    pub(super) clock: Arc<dyn Clock>,
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Repository").field(&self.blocks.place()).finish()
    }
}

/// A backup that is there.
#[derive(Debug)]
pub struct Listed {
    /// Its name.
    pub id: String,
    /// What it is, or what is wrong with its record.
    pub backup: Result<Backup, Error>,
}

impl Repository {
    /// The backups at a place that has some, or had.
    ///
    /// # Errors
    /// Where it has none and never had.
    pub fn open(blocks: Arc<dyn Blocks>, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let repository = Self { blocks, clock };
        if repository.is_marked()? {
            return Ok(repository);
        }
        let place = repository.blocks.place();
        Err(Error::Invalid(format!("{place} holds no backups: {MARKER} is not there")))
    }

    /// The same; a place that is empty is made one of backups.
    ///
    /// # Errors
    /// Where it holds other things.
    pub fn make(blocks: Arc<dyn Blocks>, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let repository = Self { blocks, clock };
        if repository.is_marked()? {
            return Ok(repository);
        }
        let there = repository.asked(repository.blocks.list(""))?;
        if let Some(first) = there.first() {
            let (place, first) = (repository.blocks.place(), &first.name);
            let what =
                format!("{place} holds other things, {first:?} for one: name an empty place");
            return Err(Error::Invalid(what));
        }
        repository.asked(repository.blocks.put(MARKER, MARKER_TEXT))?;
        Ok(repository)
    }

    fn is_marked(&self) -> Result<bool, Error> {
        let Some(bytes) = self.asked(self.blocks.get(MARKER, 4096))? else { return Ok(false) };
        if bytes == MARKER_TEXT {
            return Ok(true);
        }
        let what = Damage::Contradiction("this version does not know this form of backups");
        Err(Error::Damaged { file: self.path(MARKER), at: 0, what })
    }

    /// Names the place in an error of the door.
    pub(super) fn asked<T>(&self, answer: Result<T, model::Error>) -> Result<T, Error> {
        answer.map_err(|source| Error::Repository {
            place: self.blocks.place(),
            source: Box::new(source),
        })
    }

    /// An object's name as a person would write it.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("{}/{name}", self.blocks.place().trim_end_matches('/')))
    }

    /// The names of all backups, oldest first.
    ///
    /// # Errors
    /// Where the place cannot be reached.
    pub fn ids(&self) -> Result<Vec<String>, Error> {
        let listed = self.asked(self.blocks.list(BACKUPS))?;
        let id = |name: &str| {
            let id = name.strip_prefix(BACKUPS)?.strip_prefix('/')?.strip_suffix(SUFFIX)?;
            is_id(id).then(|| id.to_owned())
        };
        Ok(listed.iter().filter_map(|entry| id(&entry.name)).collect())
    }

    /// All backups, oldest first.
    ///
    /// # Errors
    /// Where the place cannot be reached. A damaged record is no error here: it is in its entry.
    pub fn list(&self) -> Result<Vec<Listed>, Error> {
        let load = |id: String| match self.load(&id) {
            Err(error @ Error::Repository { .. }) => Err(error),
            backup => Ok(Listed { id, backup }),
        };
        self.ids()?.into_iter().map(load).collect()
    }

    /// One backup's record.
    ///
    /// # Errors
    /// Where there is none of this name, or it is damaged.
    pub fn load(&self, id: &str) -> Result<Backup, Error> {
        let name = record_name(id);
        let bytes = is_id(id).then(|| self.asked(self.blocks.get(&name, RECORD_MAX)));
        let Some(bytes) = bytes.transpose()?.flatten() else {
            let (place, known) = (self.blocks.place(), self.ids()?.join(", "));
            let what = format!("{place} has no backup {id:?}; it has: {known}");
            return Err(Error::Invalid(what));
        };
        let damaged = |what| Error::Damaged { file: self.path(&name), at: 0, what };
        let backup = decode_backup(&bytes).map_err(damaged)?;
        if backup.id != id {
            return Err(damaged(Damage::Contradiction(
                "a backup has another name than its record",
            )));
        }
        Ok(backup)
    }

    /// Makes a backup be there; false where one of this name is.
    pub(super) fn publish(&self, backup: &Backup) -> Result<bool, Error> {
        let bytes = backup.encode().map_err(|error| Error::Invalid(error.to_string()))?;
        self.asked(self.blocks.put_new(&record_name(&backup.id), &bytes))
    }

    /// Takes a backup away: its pieces stay.
    pub(super) fn withdraw(&self, id: &str) -> Result<(), Error> {
        self.asked(self.blocks.remove(&record_name(id)))
    }

    /// Says that work begins. Backups may go on side by side; a prune goes alone.
    ///
    /// # Errors
    /// [`Error::Busy`] where somebody is at work that must not be disturbed.
    pub(super) fn begin(&self, work: Work, who: &str) -> Result<Lease<'_>, Error> {
        let name = format!("{RUNNING}/{}-{who}", work.name());
        let lease = Lease { repository: self, name, renewed: Cell::new(Duration::ZERO) };
        lease.say()?;
        // First said, then looked: of two that begin at once at least one sees the other.
        for entry in self.asked(self.blocks.list(RUNNING))? {
            let is_prune = entry.name.starts_with(&format!("{RUNNING}/{}-", Work::Prune.name()));
            if entry.name == lease.name || !(is_prune || work == Work::Prune) {
                continue;
            }
            let Some(bytes) = self.asked(self.blocks.get(&entry.name, 64))? else { continue };
            let said = std::str::from_utf8(&bytes).ok().and_then(|text| text.trim().parse().ok());
            let silent = self.clock.now().saturating_sub(said.unwrap_or(0));
            if u128::from(silent.unsigned_abs()) > LEASE.as_nanos() {
                self.asked(self.blocks.remove(&entry.name))?;
                continue;
            }
            let by = entry.name.trim_start_matches(RUNNING).trim_start_matches('/').to_owned();
            return Err(Error::Busy { place: self.blocks.place(), by, wait_s: LEASE.as_secs() });
        }
        Ok(lease)
    }
}

/// The name of a backup's record.
fn record_name(id: &str) -> String {
    format!("{BACKUPS}/{id}{SUFFIX}")
}

/// What is done at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// Pieces are added.
    Backup,
    /// Pieces are removed.
    Prune,
}

impl Work {
    fn name(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Prune => "prune",
        }
    }
}

/// Somebody is at work for as long as this lives.
pub(super) struct Lease<'a> {
    repository: &'a Repository,
    name: String,
    /// Monotonic.
    renewed: Cell<Duration>,
}

impl Lease<'_> {
    fn say(&self) -> Result<(), Error> {
        let (blocks, clock) = (&self.repository.blocks, &self.repository.clock);
        self.renewed.set(clock.monotonic());
        self.repository.asked(blocks.put(&self.name, clock.now().to_string().as_bytes()))
    }

    /// Says that work goes on, where it is time.
    pub(super) fn renew(&self) -> Result<(), Error> {
        if self.repository.clock.monotonic() < self.renewed.get() + RENEW_EVERY {
            return Ok(());
        }
        self.say()
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        // Best effort: one that stays is taken for dead in time.
        drop(self.repository.blocks.remove(&self.name));
    }
}

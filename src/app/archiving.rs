//! Old blocks to object storage, beside the server's own work.

use std::{
    path::Path,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::{Builder, JoinHandle},
    time::Duration,
};

use crate::app::{Error, pace::Steady};
use crate::model::{self, Blocks};
use crate::net::objects::ObjectBlocks;
use crate::os::{Clock, Disk};
use crate::store::{self, Db, backup::DirectoryBlocks};

/// How often is looked for a block that is due.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// The longest rest between tries of an archive that does not answer.
const REST_MAX: Duration = Duration::from_mins(1);

/// Where old blocks go.
#[derive(Clone, Debug)]
pub struct ArchiveOptions {
    /// A directory, or `s3://bucket/prefix`.
    pub to: Option<String>,
    /// How old a partition must be; None: nothing more goes there, what is there is read.
    pub after: Option<Duration>,
    /// Bytes a second that are uploaded; 0 is without limit.
    pub rate: u64,
    /// How long an answer may take.
    pub wait_max: Duration,
}

impl Default for ArchiveOptions {
    fn default() -> Self {
        Self {
            to: None,
            after: Some(Duration::from_hours(30 * 24)),
            rate: 64 << 20,
            wait_max: Duration::from_secs(20),
        }
    }
}

/// The place that `to` names; a directory is made where there is none.
///
/// # Errors
/// Where the directory cannot be made, or the address makes no sense. A bucket is not asked.
pub fn archive_place(to: &str, wait_max: Duration) -> Result<Arc<dyn Blocks>, model::Error> {
    if to.contains("://") {
        return Ok(Arc::new(ObjectBlocks::open(to)?.read_within(wait_max)));
    }
    let disk = Disk::create(Path::new(to));
    let disk = disk.map_err(|error| model::Error::Invalid(format!("cannot use {to}: {error}")))?;
    Ok(Arc::new(DirectoryBlocks::new(Arc::new(disk))))
}

/// The thread that brings blocks to the archive and removes them there.
pub(super) struct Archiving {
    pace: Arc<Steady>,
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Archiving {
    /// None where no archive was named.
    pub(super) fn start(
        db: &Arc<Db>,
        options: &ArchiveOptions,
        clock: &Arc<dyn Clock>,
    ) -> Result<Option<Self>, Error> {
        if !db.has_archive() {
            let archived = db.archived();
            if archived.blocks > 0 {
                let (blocks, bytes) = (archived.blocks, archived.bytes);
                tracing::warn!(
                    blocks,
                    bytes,
                    "blocks are in an archive that is not named: queries that need them fail; say --archive-to"
                );
            }
            return Ok(None);
        }
        let pace = Arc::new(Steady::new(options.rate, Arc::clone(clock)));
        let (stop, stopped) = channel();
        let (db, own) = (Arc::clone(db), Arc::clone(&pace));
        let thread = Builder::new()
            .name("archiver".into())
            .spawn(move || run(&db, &own, &stopped))
            .map_err(|source| Error::Start { what: "the thread of the archive", source })?;
        Ok(Some(Self { pace, stop, thread }))
    }

    /// An upload under way is given up: it is done again.
    pub(super) fn stop(self) {
        self.pace.end();
        // Either way the thread ends: by the word, or because nobody can say it any more.
        let _ = self.stop.send(());
        if self.thread.join().is_err() {
            tracing::error!("the thread of the archive panicked");
        }
    }
}

fn run(db: &Db, pace: &Steady, stopped: &Receiver<()>) {
    let (mut is_swept, mut rest) = (false, LOOK_EVERY);
    loop {
        match stopped.recv_timeout(rest) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
        }
        rest = match round(db, pace, &mut is_swept) {
            Ok(true) => Duration::ZERO,
            Ok(false) => LOOK_EVERY,
            Err(store::Error::Closed) => return,
            Err(error) => {
                tracing::warn!(%error, "the archive is tried again later: blocks stay where they are");
                (rest.max(LOOK_EVERY) * 2).min(REST_MAX)
            }
        };
    }
}

/// What is due; true where there may be more.
fn round(db: &Db, pace: &Steady, is_swept: &mut bool) -> Result<bool, store::Error> {
    if !*is_swept {
        let left = db.sweep_leftovers()?;
        *is_swept = true;
        if left > 0 {
            tracing::info!(objects = left, "what a killed process left in the archive is removed");
        }
    }
    db.sweep_archive()?;
    let done = db.archive_block(pace)?;
    if let Some(done) = done.filter(|done| done.blocks > 0) {
        tracing::info!(bytes = done.bytes, "a block is in the archive");
    }
    Ok(done.is_some())
}

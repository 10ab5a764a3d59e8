//! What was pushed, written again every minute: a Pushgateway is scraped, and this is its scrape. A
//! file a group keeps it for the next start.

use std::{
    io,
    path::Path,
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread::{Builder, JoinHandle},
    time::Duration,
};

use crate::app::Error;
use crate::http::Doors;
use crate::ingest::push::{Keeper, Limits, SharedGroups};
use crate::model::Timestamp;
use crate::os::{Disk, Files, read_whole, write_new_durable};

/// The folder of the files, below the data directory.
const FOLDER: &str = "pushed";

/// A larger file is none of ours: a body that is pushed is smaller.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// A file a group.
#[derive(Debug)]
struct Folder(Disk);

impl Keeper for Folder {
    fn keep(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.0.create_dir_all(FOLDER)?;
        write_new_durable(&self.0, &format!("{FOLDER}/{name}"), bytes)
    }

    fn forget(&self, name: &str) -> io::Result<()> {
        match self.0.remove(&format!("{FOLDER}/{name}")) {
            Ok(()) => self.0.sync_dir(FOLDER),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// The groups that the last run kept. A file that cannot be read is told and left where it is.
pub(super) fn groups(data: &Path, limits: Limits) -> Result<SharedGroups, Error> {
    let open = |source| Error::Start { what: "reading what was pushed", source };
    let disk = Disk::open(data).map_err(open)?;
    let found = match disk.list(FOLDER) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(open(error)),
    };
    let names: Vec<String> = found
        .into_iter()
        .map(|entry| entry.name)
        .filter(|name| name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .collect();
    let read: Vec<(String, io::Result<Vec<u8>>)> = names
        .into_iter()
        .map(|name| format!("{FOLDER}/{name}"))
        .map(|path| (path.clone(), read_whole(&disk, &path, FILE_BYTES_MAX)))
        .collect();
    let groups = SharedGroups::new(limits, Some(Box::new(Folder(disk))));
    for (file, bytes) in read {
        let taken = match bytes {
            Ok(bytes) => groups.load(&bytes).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = taken {
            tracing::error!(file, error, "a pushed group is lost: push it again");
        }
    }
    Ok(groups)
}

/// A thread that repeats until it is stopped.
pub(super) struct Pushing {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Pushing {
    pub(super) fn start(every: Duration, doors: Doors) -> Result<Self, Error> {
        let (stop, stopped) = channel();
        let thread = Builder::new()
            .name("push".into())
            .spawn(move || run(every, &doors, &stopped))
            .map_err(|source| Error::Start { what: "repeating what was pushed", source })?;
        Ok(Self { stop, thread })
    }

    pub(super) fn stop(self) {
        // Either way the thread ends: by the word, or because nobody can say it any more.
        let _ = self.stop.send(());
        if self.thread.join().is_err() {
            tracing::error!("the thread that repeats pushes panicked");
        }
    }
}

fn run(every: Duration, doors: &Doors, stopped: &Receiver<()>) {
    // What the last run kept is there from the start.
    let mut wait = if doors.pushed.lock().is_empty() { every } else { Duration::ZERO };
    loop {
        match stopped.recv_timeout(wait) {
            Err(RecvTimeoutError::Timeout) => wait = every,
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
        }
        let now = Timestamp(doors.clock.now());
        // The lock is held until the batch is in the sink's queue: what is deleted meanwhile ends
        // behind these rows, not before them.
        let groups = doors.pushed.lock();
        match groups.repeat(now, doors.registry.as_ref()) {
            Ok(batch) if batch.is_empty() => {}
            Ok(batch) => doors.sink.write(
                batch,
                Box::new(|written| {
                    if let Err(error) = written {
                        tracing::warn!(%error, "pushed values were not repeated");
                    }
                }),
            ),
            Err(error) => tracing::warn!(%error, "pushed values were not repeated"),
        }
    }
}

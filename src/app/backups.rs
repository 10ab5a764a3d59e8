//! Backups of a server that runs: asked for, by the clock, and the archive of the log.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, TryLockError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::{Builder, JoinHandle},
    time::Duration,
};

use crate::app::{Error, pace::Steady};
use crate::http::{Kind, Metrics, Sample};
use crate::model::{self, Blocks};
use crate::net::objects::ObjectBlocks;
use crate::os::{Clock, Disk};
use crate::store::{
    self, Db,
    backup::{Created, DirectoryBlocks, Keep, Repository, Shipper, create, prune},
};

/// A first try that failed is tried again after this, or sooner where backups are more frequent.
const AGAIN_AFTER: Duration = Duration::from_mins(1);

/// What a server does about backups.
#[derive(Clone, Debug)]
pub struct BackupOptions {
    /// Where they go: a directory, or `s3://bucket/prefix`.
    pub to: Option<String>,
    /// How often one is made; None is never by itself.
    pub every: Option<Duration>,
    /// Which are kept; None is all.
    pub keep: Option<Keep>,
    /// Bytes a second that a backup reads and writes; 0 is without limit.
    pub rate: u64,
    /// How often the log is archived; None is never.
    pub log_every: Option<Duration>,
    /// Bytes of the log that are kept for the archive while it cannot be reached.
    pub log_max: u64,
}

impl Default for BackupOptions {
    fn default() -> Self {
        Self {
            to: None,
            every: None,
            keep: None,
            rate: 64 << 20,
            log_every: None,
            log_max: 4 << 30,
        }
    }
}

/// The place that `to` names; a directory is made where `is_new_allowed`.
///
/// # Errors
/// Where there is no such directory, or the address makes no sense.
pub fn backup_place(to: &str, is_new_allowed: bool) -> Result<Arc<dyn Blocks>, model::Error> {
    if to.contains("://") {
        return Ok(Arc::new(ObjectBlocks::open(to)?));
    }
    let path = Path::new(to);
    let disk = if is_new_allowed { Disk::create(path) } else { Disk::open(path) };
    let disk = disk.map_err(|error| model::Error::Invalid(format!("cannot use {to}: {error}")))?;
    Ok(Arc::new(DirectoryBlocks::new(Arc::new(disk))))
}

/// The backups of one server.
pub(super) struct Backups {
    db: Arc<Db>,
    clock: Arc<dyn Clock>,
    options: BackupOptions,
    pace: Steady,
    /// Held by the one that is being made.
    running: Mutex<()>,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    is_running: AtomicBool,
    done: AtomicU64,
    failed: AtomicU64,
    last_success_ns: AtomicI64,
    last_took_ns: AtomicU64,
    last_bytes: AtomicU64,
    stored_bytes: AtomicU64,
    log_position: AtomicU64,
    log_at_ns: AtomicI64,
    log_bytes: AtomicU64,
    log_failed: AtomicU64,
    log_lost: AtomicU64,
}

impl Backups {
    pub(super) fn new(db: &Arc<Db>, clock: &Arc<dyn Clock>, options: &BackupOptions) -> Arc<Self> {
        Arc::new(Self {
            db: Arc::clone(db),
            clock: Arc::clone(clock),
            options: options.clone(),
            pace: Steady::new(options.rate, Arc::clone(clock)),
            running: Mutex::default(),
            counts: Counts::default(),
        })
    }

    fn repository(&self, to: &str) -> Result<Repository, store::Error> {
        let placed = backup_place(to, true);
        let blocks = placed.map_err(|source| store::Error::Repository {
            place: to.to_owned(),
            source: Box::new(source),
        })?;
        Repository::make(blocks, Arc::clone(&self.clock))
    }

    /// Makes a backup now, where `to` says or else where the options do. One at once.
    pub(super) fn run(&self, to: Option<&str>) -> Result<Created, model::Error> {
        let Some(to) = to.or(self.options.to.as_deref()) else {
            let what = "where to? name a place with \"to\", or start the server with --backup-to";
            return Err(model::Error::Invalid(what.into()));
        };
        let _running = match self.running.try_lock() {
            Ok(running) => running,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                let what = "a backup is being made: try again when it is done";
                return Err(model::Error::Unavailable(what.into()));
            }
        };
        self.counts.is_running.store(true, Relaxed);
        let began = self.clock.monotonic();
        let made = self.repository(to).and_then(|place| create(&self.db, &place, &self.pace));
        let took = self.clock.monotonic().saturating_sub(began);
        self.counts.is_running.store(false, Relaxed);
        match &made {
            Ok(made) => {
                self.counts.done.fetch_add(1, Relaxed);
                self.counts.last_success_ns.store(self.clock.now(), Relaxed);
                let took_ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
                self.counts.last_took_ns.store(took_ns, Relaxed);
                self.counts.last_bytes.store(made.bytes, Relaxed);
                self.counts.stored_bytes.fetch_add(made.stored_bytes, Relaxed);
            }
            Err(_) => {
                self.counts.failed.fetch_add(1, Relaxed);
            }
        }
        made.map_err(model::Error::from)
    }

    /// When the next is due, by the monotonic clock.
    fn first_due(&self, to: &str, every: Duration) -> Result<Duration, store::Error> {
        let place = self.repository(to)?;
        let last = place.ids()?.last().map(|id| place.load(id)).transpose()?;
        let since = last.map_or(i64::MAX, |last| self.clock.now().saturating_sub(last.at));
        let since = Duration::from_nanos(u64::try_from(since).unwrap_or(0));
        Ok(self.clock.monotonic() + every.saturating_sub(since))
    }

    fn run_by_clock(&self, to: &str, every: Duration, stopped: &Receiver<()>) {
        let mut due = self.first_due(to, every).unwrap_or_else(|_| self.clock.monotonic());
        loop {
            let wait = due.saturating_sub(self.clock.monotonic());
            match stopped.recv_timeout(wait) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
            }
            let now = self.clock.monotonic();
            due = match self.run_and_prune(to) {
                Ok(made) => {
                    let (id, bytes, stored) = (made.id, made.bytes, made.stored_bytes);
                    tracing::info!(to, id, bytes, stored, "backed up");
                    now + every
                }
                Err(model::Error::Unavailable(_)) if self.db.is_closed() => return,
                Err(error) => {
                    tracing::warn!(to, %error, "a backup failed and is tried again");
                    now + every.min(AGAIN_AFTER)
                }
            };
        }
    }

    fn run_and_prune(&self, to: &str) -> Result<Created, model::Error> {
        let made = self.run(Some(to))?;
        if let Some(keep) = self.options.keep {
            let pruned = self.repository(to).and_then(|place| prune(&place, keep, false));
            // The backup is there: what is not removed now is removed next time.
            match pruned {
                Ok(pruned) => tracing::debug!(?pruned, "backups pruned"),
                Err(error) => tracing::warn!(to, %error, "backups could not be pruned"),
            }
        }
        Ok(made)
    }

    /// Sends the log until told to stop, and once more then.
    fn archive_log(&self, to: &str, every: Duration, stopped: &Receiver<()>) {
        let mut shipper: Option<Shipper> = None;
        loop {
            let is_over = match stopped.recv_timeout(every) {
                Err(RecvTimeoutError::Timeout) => false,
                Ok(()) | Err(RecvTimeoutError::Disconnected) => true,
            };
            if let Err(error) = self.ship(to, &mut shipper) {
                self.counts.log_failed.fetch_add(1, Relaxed);
                tracing::warn!(to, %error, "the log could not be archived, and is kept for next time");
                // What it knew of the place may be wrong.
                shipper = None;
            }
            if is_over {
                return;
            }
        }
    }

    fn ship(&self, to: &str, open: &mut Option<Shipper>) -> Result<(), store::Error> {
        let shipper = match open {
            Some(shipper) => shipper,
            None => open.insert(Shipper::open(&self.db, self.repository(to)?)?),
        };
        // The log must keep up with writers: it has no limit of its own.
        let pace = Steady::new(0, Arc::clone(&self.clock));
        let before = self.counts.log_lost.load(Relaxed);
        let sent = shipper.ship(&self.db, &pace)?;
        self.counts.log_bytes.fetch_add(sent.bytes, Relaxed);
        self.counts.log_position.store(sent.position, Relaxed);
        self.counts.log_at_ns.store(sent.at, Relaxed);
        self.counts.log_lost.store(sent.segments_lost, Relaxed);
        if sent.segments_lost > before {
            let lost = sent.segments_lost;
            tracing::warn!(
                lost,
                "the archive of the log has a gap: raise --backup-log-max, and make a backup"
            );
        }
        Ok(())
    }

    pub(super) fn watch(self: &Arc<Self>, metrics: &Metrics) {
        let backups = Arc::clone(self);
        metrics.watch(Box::new(move |samples| backups.counts.push(samples)));
    }
}

impl Counts {
    fn push(&self, samples: &mut Vec<Sample>) {
        use Kind::{Counter, Gauge};
        let mut push = |family, help, kind, value| {
            let (suffix, labels) = ("", Vec::new());
            samples.push(Sample { family, help, kind, suffix, labels, value });
        };
        let count = |cell: &AtomicU64| float(cell.load(Relaxed));
        let seconds = |cell: &AtomicI64| float(cell.load(Relaxed).unsigned_abs()) / 1e9;
        let running = f64::from(u8::from(self.is_running.load(Relaxed)));
        push("quipu_backup_running", "Whether a backup is being made.", Gauge, running);
        push(
            "quipu_backup_done_total",
            "Backups made since the start.",
            Counter,
            count(&self.done),
        );
        push("quipu_backup_failed_total", "Backups that failed.", Counter, count(&self.failed));
        push(
            "quipu_backup_last_success_timestamp_seconds",
            "When the last backup was done; 0: none since the start.",
            Gauge,
            seconds(&self.last_success_ns),
        );
        let took = count(&self.last_took_ns) / 1e9;
        push("quipu_backup_last_seconds", "How long the last backup took.", Gauge, took);
        let bytes = count(&self.last_bytes);
        push("quipu_backup_last_bytes", "Bytes of the files of the last backup.", Gauge, bytes);
        push(
            "quipu_backup_stored_bytes_total",
            "Bytes stored for backups: what no earlier one had.",
            Counter,
            count(&self.stored_bytes),
        );
        self.push_log(&mut push);
    }

    /// What is counted of the archive of the log.
    fn push_log(&self, push: &mut dyn FnMut(&'static str, &'static str, Kind, f64)) {
        use Kind::{Counter, Gauge};
        let count = |cell: &AtomicU64| float(cell.load(Relaxed));
        let seconds = |cell: &AtomicI64| float(cell.load(Relaxed).unsigned_abs()) / 1e9;
        push(
            "quipu_backup_log_position",
            "Last record of the log that the archive has.",
            Gauge,
            count(&self.log_position),
        );
        push(
            "quipu_backup_log_timestamp_seconds",
            "When the archive of the log was last complete.",
            Gauge,
            seconds(&self.log_at_ns),
        );
        push(
            "quipu_backup_log_bytes_total",
            "Bytes sent to the archive of the log.",
            Counter,
            count(&self.log_bytes),
        );
        push(
            "quipu_backup_log_failed_total",
            "Times that the log could not be archived.",
            Counter,
            count(&self.log_failed),
        );
        push(
            "quipu_backup_log_segments_lost_total",
            "Segments given up before they were archived.",
            Counter,
            count(&self.log_lost),
        );
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts above 2^53 lose their last digit only")]
fn float(count: u64) -> f64 {
    count as f64
}

/// The threads that back up by the clock.
pub(super) struct BackupThreads {
    backups: Arc<Backups>,
    stops: Vec<Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

impl BackupThreads {
    pub(super) fn start(backups: &Arc<Backups>) -> Result<Self, Error> {
        let mut started =
            Self { backups: Arc::clone(backups), stops: Vec::new(), threads: Vec::new() };
        let Some(to) = backups.options.to.clone() else { return Ok(started) };
        if let Some(every) = backups.options.every {
            let (backups, to) = (Arc::clone(backups), to.clone());
            started.add("backup", move |stopped| backups.run_by_clock(&to, every, stopped))?;
        }
        if let Some(every) = backups.options.log_every {
            let backups = Arc::clone(backups);
            started.add("archive", move |stopped| backups.archive_log(&to, every, stopped))?;
        }
        Ok(started)
    }

    fn add(
        &mut self,
        name: &str,
        work: impl FnOnce(&Receiver<()>) + Send + 'static,
    ) -> Result<(), Error> {
        let (stop, stopped) = channel();
        let thread = Builder::new()
            .name(name.into())
            .spawn(move || work(&stopped))
            .map_err(|source| Error::Start { what: "a thread for backups", source })?;
        self.stops.push(stop);
        self.threads.push(thread);
        Ok(())
    }

    /// A backup under way is given up; what is left of the log is sent.
    pub(super) fn stop(self) {
        self.backups.pace.end();
        // Either way the threads end: by the word, or because nobody can say it any more.
        for stop in &self.stops {
            let _ = stop.send(());
        }
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a thread for backups panicked");
            }
        }
    }
}

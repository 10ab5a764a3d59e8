//! Opening: what is there is read, judged and made good; what cannot be is named.
//!
//! Needs no free space: torn tails are cut, leftovers removed, nothing is written but a new
//! database's first manifest. Rows of the log that are not in files come back to the head.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Condvar, Mutex, RwLock, atomic::AtomicBool},
    time::Duration,
};

use crate::os::{Clock, Files, Lock, PageCache, read_whole};

use super::{
    backup::{Retired, remove_leftovers, restoring},
    catalog::{self, Catalog, CatalogLog, Index, LabelCache},
    commit::{Commit, Queue},
    config::Config,
    counters::Counters,
    crash::crash_point,
    db::Db,
    error::{Error, failed},
    file::{DataFile, FileKey},
    follow::{Followers, check_log_only},
    head::Generation,
    live::Live,
    manifest::{self, Manifest, Partition, State},
    orphans::remove_orphans,
    wal::{self, Expected, Judgement, Scan, Wal},
};

/// Where what is damaged is kept, below the root.
pub(super) const QUARANTINE: &str = "quarantine";
/// A longer log or catalog is not read at once: none gets there.
const LOG_BYTES_MAX: u64 = 4 << 30;
/// The folder of the tables' partitions, below the root.
pub(super) const TABLES: &str = "t0/metrics";

/// What opening found.
#[derive(Clone, Debug, Default)]
pub struct Recovery {
    /// Log records that were read again.
    pub records: u64,
    /// Rows in them.
    pub rows: u64,
    /// Series in the catalog.
    pub series: u64,
    /// Live files.
    pub files: u64,
    /// How long it took.
    pub took: Duration,
    /// Damage, each with file and place. What is not named here is served whole.
    pub findings: Vec<String>,
}

impl Db {
    /// Opens the database in `files`; makes one where there is nothing.
    ///
    /// # Errors
    /// [`Error::Locked`] where it is in use; [`Error::NoManifest`] or [`Error::Damaged`] where it is not
    /// known what lives. Other damage is no error: it is named in [`Recovery::findings`], and the rest
    /// is served.
    pub fn open(
        files: Arc<dyn Files>,
        clock: Arc<dyn Clock>,
        config: Config,
    ) -> Result<(Arc<Self>, Recovery), Error> {
        restoring(&*files)?;
        Self::open_any(files, clock, config)
    }

    /// The same also where a restore did not come to its end: for the restore itself.
    pub(super) fn open_any(
        files: Arc<dyn Files>,
        clock: Arc<dyn Clock>,
        config: Config,
    ) -> Result<(Arc<Self>, Recovery), Error> {
        let began = clock.monotonic();
        let lock = take_lock(&*files)?;
        remove_leftovers(&*files)?;
        let mut recovery = Recovery::default();
        let manifest = open_manifest(&files, config)?;
        let state = manifest.state().clone();
        let database = manifest.database();
        make_folders(&*files)?;
        let mut found = CatalogFound::default();
        let (index, catalog_log) = open_catalog(&files, database, &state, &mut found, config)?;
        let page_cache = Arc::new(PageCache::new(config.page_cache_bytes));
        check_log_only(&*files, config, &state)?;
        let is_log_only = config.is_log_only;
        let opening = Opening { files: &*files, database, state: &state, began, is_log_only };
        let live_files = opening.open_files(&page_cache, &mut recovery)?;
        remove_orphans(&*files, &state)?;

        let scans = scan_log(&*files, database, &state, Retired::at_start(&*files, &config))?;
        let judgement = wal::judge(&scans, expected(&state));
        let named = if found.bad.is_some() { named_series(&live_files) } else { 0 };
        name_damage(&*files, &judgement, &found, (&state, named), &mut recovery);
        check_manifest(&*files, &manifest, &judgement)?;
        let head = Generation::new(state.in_files);
        let replayed = opening.replay(&scans, &judgement, &head, &index)?;
        found.metadata.extend(replayed.metadata);
        recovery.records = replayed.records;
        recovery.rows = head.rows();
        recovery.series = u64::from(index.len());
        recovery.files = live_files.len() as u64;
        if !head.is_empty() {
            head.since(u64::try_from(began.as_nanos()).unwrap_or(u64::MAX));
        }
        let end = log_end(&scans, &judgement, &state, Retired::of(&config));
        let followers = Followers::open(&*files, database, end.last)?;
        let wal = Wal::new(Arc::clone(&files), database, config.segment_bytes, end);
        let commit = Commit { wal, catalog_log, logged: index.len(), synced_at: began };
        let next = found.next_series.max(state.next_series).max(replayed.next_series);
        let cache = LabelCache::new(seed(config) ^ database, cache_entries(config));
        let catalog = Arc::new(Catalog::new(index, next, found.metadata, cache));
        let live = Live::new(live_files, head, &state);
        let parts = Parts { lock, manifest, catalog, page_cache, commit, live, followers };
        let db = Self::of(files, clock, config, parts);
        Counters::add(&db.counters.rows_unknown, replayed.unknown);
        db.count_memory();
        recovery.took = db.clock.monotonic().saturating_sub(began);
        Ok((Arc::new(db), recovery))
    }

    fn of(files: Arc<dyn Files>, clock: Arc<dyn Clock>, config: Config, parts: Parts) -> Self {
        Self {
            files,
            clock,
            config,
            database: parts.manifest.database(),
            catalog: parts.catalog,
            page_cache: parts.page_cache,
            queue: Mutex::new(Queue::default()),
            queue_bell: Condvar::new(),
            upkeep: Mutex::default(),
            commit: Mutex::new(parts.commit),
            manifest: Mutex::new(parts.manifest),
            live: RwLock::new(parts.live),
            upkeep_bell: <(Mutex<u64>, Condvar)>::default(),
            idle: Mutex::default(),
            rules: Mutex::default(),
            may_thin: AtomicBool::new(true),
            scrub: Mutex::default(),
            backed_up: Mutex::default(),
            followers: parts.followers,
            is_closed: AtomicBool::new(false),
            memory: 0.into(),
            counters: Counters::default(),
            _lock: parts.lock,
        }
    }
}

/// What was read, and is a database now.
struct Parts {
    lock: Box<dyn Lock>,
    manifest: Manifest,
    catalog: Arc<Catalog>,
    page_cache: Arc<PageCache>,
    commit: Commit,
    live: Live,
    followers: Followers,
}

/// What is being opened.
#[derive(Clone, Copy)]
struct Opening<'a> {
    files: &'a dyn Files,
    database: u128,
    state: &'a State,
    /// Monotonic time.
    began: Duration,
    /// Rows of the log stay there.
    is_log_only: bool,
}

/// # Errors
/// [`Error::Damaged`] where the log knows of more changes than the manifest holds.
fn check_manifest(
    files: &dyn Files,
    manifest: &Manifest,
    judgement: &Judgement,
) -> Result<(), Error> {
    let missing = judgement.manifest.saturating_sub(manifest.sequence());
    if missing == 0 {
        return Ok(());
    }
    let what = super::Damage::RecordsMissing(missing);
    Err(Error::Damaged { file: files.path_of(&manifest.path()), at: manifest.end(), what })
}

/// Where the log goes on.
fn log_end(scans: &[Scan], judgement: &Judgement, state: &State, retired: Retired) -> wal::End {
    let closed = scans.iter().zip(&judgement.ends).filter(|(_, end)| **end > 0);
    wal::End {
        last: scans.iter().map(Scan::last).fold(state.in_files, u64::max),
        closed: closed
            .map(|(scan, end)| wal::Closed { number: scan.number, last: scan.last(), bytes: *end })
            .collect(),
        next_number: state.segments.1,
        written_us: scans.iter().map(Scan::written_us).max().unwrap_or(0),
        retired,
    }
}

/// Keys that the label cache may hold: an eighth of the memory.
fn cache_entries(config: Config) -> usize {
    usize::try_from(config.memory_max / 8 / 40).unwrap_or(usize::MAX)
}

/// What secrets are made of: given, or random.
pub(super) fn seed(config: Config) -> u128 {
    config.seed.unwrap_or_else(|| {
        use std::hash::{BuildHasher, RandomState};
        let random = |number: u8| u128::from(RandomState::new().hash_one(number));
        random(1) << 64 | random(2)
    })
}

pub(super) fn take_lock(files: &dyn Files) -> Result<Box<dyn Lock>, Error> {
    files.lock("LOCK").map_err(|source| match source.kind() {
        std::io::ErrorKind::WouldBlock => Error::Locked { directory: files.path_of("") },
        _ => failed(files, "lock", "LOCK")(source),
    })
}

fn open_manifest(files: &Arc<dyn Files>, config: Config) -> Result<Manifest, Error> {
    let opened = manifest::read(&**files)?;
    let Some(read) = opened.read else {
        for folder in [wal::FOLDER, TABLES] {
            if files.exists(folder).map_err(failed(&**files, "look for", folder))? {
                return Err(Error::NoManifest {
                    directory: files.path_of(""),
                    manifest: files.path_of(manifest::FOLDER),
                });
            }
        }
        return Manifest::create(Arc::clone(files), seed(config));
    };
    let manifest = Manifest::resume(Arc::clone(files), read)?;
    for stale in opened.stale {
        files.remove(&stale).map_err(failed(&**files, "remove", &stale))?;
    }
    Ok(manifest)
}

fn make_folders(files: &dyn Files) -> Result<(), Error> {
    for folder in [wal::FOLDER, catalog::FOLDER] {
        files.create_dir_all(folder).map_err(failed(files, "create", folder))?;
    }
    Ok(())
}

#[derive(Debug, Default)]
struct CatalogFound {
    metadata: BTreeMap<String, crate::model::Metadata>,
    sequence: u64,
    next_series: u64,
    /// Bytes that are no record: a torn tail, if nothing knew them to be durable.
    bad: Option<Error>,
}

fn open_catalog(
    files: &Arc<dyn Files>,
    database: u128,
    state: &State,
    found: &mut CatalogFound,
    config: Config,
) -> Result<(Index, CatalogLog), Error> {
    let mut index = Index::new(u64::try_from(seed(config) >> 64).unwrap_or_default());
    let number = state.catalog;
    for entry in files.list(catalog::FOLDER).map_err(failed(&**files, "list", catalog::FOLDER))? {
        if catalog::catalog_number(&entry.name) != Some(number) {
            let other = format!("{}/{}", catalog::FOLDER, entry.name);
            // One of a higher number was never listed: nothing counts on it.
            let was_listed = catalog::catalog_number(&entry.name).is_some_and(|it| it < number);
            let retired =
                if was_listed { Retired::at_start(&**files, &config) } else { Retired::default() };
            retired.put_away(&**files, &other).map_err(failed(&**files, "remove", &other))?;
        }
    }
    let mut log = CatalogLog::new(Arc::clone(files), database, number, 0);
    if number == 0 {
        return Ok((index, log));
    }
    let path = catalog::catalog_path(number);
    let bytes = match read_whole(&**files, &path, LOG_BYTES_MAX) {
        Ok(bytes) => bytes,
        Err(gone) if gone.kind() == std::io::ErrorKind::NotFound => {
            found.bad = Some(Error::Missing { file: files.path_of(&path) });
            return Ok((index, log));
        }
        Err(source) => return Err(failed(&**files, "read", &path)(source)),
    };
    let metadata = &mut found.metadata;
    let loaded = catalog::load(&bytes, database, number, &mut index, &mut |it| {
        metadata.insert(it.metric.clone(), it);
    });
    (found.sequence, found.next_series) = (loaded.sequence, loaded.next_series);
    log = CatalogLog::new(Arc::clone(files), database, number, loaded.sequence);
    if let Some((at, what)) = loaded.damage {
        let bad = Error::Damaged { file: files.path_of(&path), at, what };
        found.bad = Some(bad.refuse_newer()?);
        // A new file is begun with what could be read; this one is kept aside if it is damaged.
        return Ok((index, log));
    }
    log.resume(loaded.end, &loaded.pairs)?;
    Ok((index, log))
}

/// What the manifest says of the log.
pub(super) fn expected(state: &State) -> Expected {
    Expected { first: state.segments.0, end: state.segments.1, in_files: state.in_files }
}

/// Looks at all segments that may hold rows that are not in files.
fn scan_log(
    files: &dyn Files,
    database: u128,
    state: &State,
    retired: Retired,
) -> Result<Vec<Scan>, Error> {
    let mut scans = Vec::new();
    for (number, path) in segments(files)? {
        if number < state.segments.0 {
            // Removed by a trim that did not come to its end.
            retired.put_away(files, &path).map_err(failed(files, "remove", &path))?;
            continue;
        }
        let bytes =
            read_whole(files, &path, LOG_BYTES_MAX).map_err(failed(files, "read", &path))?;
        let scan = wal::scan(&bytes, number, database);
        if let Some((at, what)) = scan.newer() {
            return Err(Error::Newer { file: files.path_of(&path), at, what: what.clone() });
        }
        scans.push(scan);
    }
    Ok(scans)
}

/// Numbers and paths of all segments, in order.
pub(super) fn segments(files: &dyn Files) -> Result<Vec<(u64, String)>, Error> {
    let entries = match files.list(wal::FOLDER) {
        Ok(entries) => entries,
        Err(gone) if gone.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(failed(files, "list", wal::FOLDER)(source)),
    };
    let numbers = entries.iter().filter_map(|entry| wal::segment_number(&entry.name));
    let mut segments: Vec<_> = numbers.map(|number| (number, wal::segment_path(number))).collect();
    segments.sort_unstable();
    Ok(segments)
}

/// One more than the largest ref that a part names: what the catalog must hold.
pub(super) fn named_series(files: &[Arc<DataFile>]) -> u64 {
    let last =
        |file: &Arc<DataFile>| file.refs().ok()?.last().map(|series| series.saturating_add(1));
    files.iter().filter(|file| !file.is_block()).filter_map(last).max().unwrap_or(0)
}

/// Names what is damaged, and keeps it aside under a second name.
fn name_damage(
    files: &dyn Files,
    judgement: &Judgement,
    found: &CatalogFound,
    (state, named): (&State, u64),
    recovery: &mut Recovery,
) {
    let mut aside = BTreeSet::new();
    for finding in &judgement.damage {
        let path = wal::segment_path(finding.number);
        let error = Error::Damaged {
            file: files.path_of(&path),
            at: finding.at,
            what: finding.what.clone(),
        };
        recovery.findings.push(error.to_string());
        aside.insert(path);
    }
    if let Some(bad) = &found.bad
        && (found.sequence < judgement.catalog || found.next_series < named)
    {
        recovery.findings.push(bad.to_string());
        aside.insert(catalog::catalog_path(state.catalog));
    }
    for path in aside {
        // Best effort, and without new space: the finding was named either way.
        let name = path.rsplit('/').next().unwrap_or(&path);
        drop(
            files
                .create_dir_all(QUARANTINE)
                .and_then(|()| files.hard_link(&path, &format!("{QUARANTINE}/{name}"))),
        );
    }
}

#[derive(Debug, Default)]
struct Replayed {
    records: u64,
    unknown: u64,
    /// One more than the largest ref that a record names: where series were lost with an unsynced
    /// catalog, their refs are not given to others.
    next_series: u64,
    metadata: Vec<(String, crate::model::Metadata)>,
}

impl Opening<'_> {
    /// Opens the live files; those that are missing or damaged are named.
    fn open_files(
        self,
        cache: &Arc<PageCache>,
        recovery: &mut Recovery,
    ) -> Result<Vec<Arc<DataFile>>, Error> {
        let Self { files, database, state, began: now, .. } = self;
        let mut open = Vec::new();
        for meta in state.files.values() {
            match DataFile::open(files, FileKey { now, database, meta }, Some(Arc::clone(cache))) {
                Ok(file) => open.push(Arc::new(file)),
                Err(error @ (Error::Missing { .. } | Error::Damaged { .. })) => {
                    recovery.findings.push(error.refuse_newer()?.to_string());
                }
                Err(error) => return Err(error),
            }
        }
        open.sort_by_key(|file| (file.meta.positions.1, file.meta.id));
        Ok(open)
    }

    /// Brings rows of the log back to the head, and cuts torn tails off.
    fn replay(
        self,
        scans: &[Scan],
        judgement: &Judgement,
        head: &Generation,
        index: &Index,
    ) -> Result<Replayed, Error> {
        let (files, in_files) = (self.files, self.state.in_files);
        let mut replayed = Replayed::default();
        let count: usize = scans.iter().map(|scan| scan.records.len()).sum();
        let mut seen = 0;
        for (at, (scan, end)) in scans.iter().zip(&judgement.ends).enumerate() {
            let path = wal::segment_path(scan.number);
            if *end == 0 {
                files.remove(&path).map_err(failed(files, "remove", &path))?;
                continue;
            }
            let bytes = if scan.last() > in_files {
                read_whole(files, &path, LOG_BYTES_MAX).map_err(failed(files, "read", &path))?
            } else {
                Vec::new()
            };
            for found in scan.records.iter().take_while(|found| (found.offset as u64) < *end) {
                seen += 1;
                if seen == count.div_ceil(2) {
                    crash_point("replay-half");
                }
                let position = found.header().position.sequence;
                if position <= in_files {
                    continue;
                }
                let damaged = |what| Error::Damaged {
                    file: files.path_of(&path),
                    at: found.offset as u64,
                    what,
                };
                let payload = found.payload(&bytes).map_err(damaged)?;
                let batch = wal::decode_rows(payload, found.header().tenant).map_err(damaged)?;
                replayed.next_series = batch
                    .rows
                    .series()
                    .iter()
                    .fold(replayed.next_series, |next, it| next.max(it.0.saturating_add(1)));
                if !self.is_log_only {
                    replayed.unknown += head.apply(&batch, position, |series| index.slot(series));
                }
                replayed.records += 1;
                replayed
                    .metadata
                    .extend(batch.metadata.into_iter().map(|it| (it.metric.clone(), it)));
            }
            let later = scans.get(at + 1..).unwrap_or_default().iter();
            let known = later.map(Scan::durable_before).fold(0, u64::max);
            if *end < scan.length as u64 || known < scan.last() {
                make_durable(files, &path, *end)?;
            }
        }
        files.sync_dir(wal::FOLDER).map_err(failed(files, "sync", wal::FOLDER))?;
        Ok(replayed)
    }
}

/// Cuts a segment's torn tail off and syncs the rest: what was read may never have been, and later
/// records will say that it was.
fn make_durable(files: &dyn Files, path: &str, end: u64) -> Result<(), Error> {
    let mut file = files.open_write(path).map_err(failed(files, "open", path))?;
    file.truncate(end).map_err(failed(files, "cut back", path))?;
    file.sync().map_err(failed(files, "sync", path))
}

/// The partitions of live files.
pub(super) fn partitions(live: &Live) -> BTreeSet<Partition> {
    live.files.iter().map(|file| file.meta.partition).collect()
}

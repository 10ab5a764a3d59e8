//! Reading the archive of a log into a restored database, up to a moment.
//!
//! Records are written anew, by labels: the restored database gives its own refs, so it does not matter
//! what the catalog forgot and learned again meanwhile. A gap before the moment is an error that says up
//! to where it would go: rows are never left out in silence.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex},
};

use crate::model::{Batch, Registry, SeriesRef, Sink, TenantId};
use crate::store::{
    catalog::{self, Index},
    db::{Db, held},
    error::{Damage, Error},
    manifest::{Deletion, Tombstone},
    wal::{self, Expected, Scan},
};

use super::{
    create::Pace,
    deletions,
    record::{Backup, number},
    repository::Repository,
    restore::Until,
    ship::{Chunk, Kind, chunks},
};

/// Bytes of log payload that are written before they are waited for.
const GROUP_BYTES: usize = 4 << 20;
/// A segment or catalog file is not longer.
const FILE_BYTES_MAX: u64 = 4 << 30;

/// How far the archive was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// The last record, by the position it had.
    pub position: u64,
    /// When that was written, ns since 1970; 0 where the backup alone answers.
    pub at: i64,
    /// Records that were read.
    pub records: u64,
    /// Rows in them.
    pub rows: u64,
    /// Deletions that were repeated.
    pub deletions: u64,
    /// Whether the archive ends before the moment: there may have been more.
    pub is_end: bool,
}

/// Writes what `backup` lacks up to `until`.
///
/// # Errors
/// Where the archive has a gap before that or is damaged.
pub(super) fn replay(
    db: &Db,
    repository: &Repository,
    backup: &Backup,
    until: Until,
    pace: &dyn Pace,
) -> Result<Reached, Error> {
    let mut files: BTreeMap<(Kind, u64), Vec<Chunk>> = BTreeMap::new();
    for chunk in chunks(repository, &backup.lineage)? {
        files.entry((chunk.kind, chunk.number)).or_default().push(chunk);
    }
    let database = number(&backup.database).map_err(|what| Error::Damaged {
        file: repository.path(&backup.id),
        at: 0,
        what,
    })?;
    let archive = Archive { repository, database, files, pace };
    let mut target = Target {
        db,
        catalogs: archive.catalogs(backup.catalog)?,
        refs: HashMap::new(),
        until,
        reached: Reached { position: backup.position, is_end: true, ..Reached::default() },
        failed: Arc::default(),
        pending: 0,
        deletions: VecDeque::new(),
    };
    target.plan(deletions::behind(repository, &backup.lineage, backup.changes)?);
    let numbers = archive.segments_behind(backup.position);
    let mut next = numbers.first().map(|number| archive.scan(*number)).transpose()?;
    for (place, number) in numbers.iter().enumerate() {
        let Some((bytes, scan)) = next.take() else { break };
        let following = numbers.get(place + 1);
        next = following.map(|number| archive.scan(*number)).transpose()?;
        let end = archive.judge(&scan, next.as_ref().map(|it| &it.1), *number, &target.reached);
        let is_over = target.apply(&bytes, &scan, end.as_ref().copied().unwrap_or(u64::MAX))?;
        target.commit()?;
        if is_over {
            target.reached.is_end = false;
            break;
        }
        end?;
        if following.is_some_and(|following| *following != number + 1) {
            return Err(archive.gap(number + 1, &target.reached));
        }
    }
    target.commit()?;
    target.delete_before(u64::MAX)?;
    Ok(target.reached)
}

/// What was sent of one log.
struct Archive<'a> {
    repository: &'a Repository,
    database: u128,
    files: BTreeMap<(Kind, u64), Vec<Chunk>>,
    pace: &'a dyn Pace,
}

impl Archive<'_> {
    /// The bytes of one file, from its begin to where sending ended.
    fn read(&self, kind: Kind, number: u64) -> Result<Vec<u8>, Error> {
        let mut chunks: Vec<&Chunk> =
            self.files.get(&(kind, number)).into_iter().flatten().collect();
        chunks.sort_by_key(|chunk| (chunk.from, std::cmp::Reverse(chunk.to)));
        let mut bytes = Vec::new();
        for chunk in chunks {
            let end = bytes.len() as u64;
            if chunk.from < end {
                continue;
            }
            if chunk.from > end || chunk.to > FILE_BYTES_MAX {
                return Err(Error::Missing { file: self.repository.path(&chunk.name()) });
            }
            bytes.extend_from_slice(&chunk.fetch(self.repository)?);
            self.pace.moved(chunk.to - chunk.from)?;
        }
        Ok(bytes)
    }

    /// Catalogs that may name a series of a record, the newest first.
    fn catalogs(&self, first: u64) -> Result<Vec<Index>, Error> {
        let numbers = self.files.keys().filter(|it| it.0 == Kind::Catalog && it.1 >= first);
        let mut catalogs = Vec::new();
        for (_, number) in numbers.rev() {
            let bytes = self.read(Kind::Catalog, *number)?;
            let mut index = Index::new(0);
            catalog::load(&bytes, self.database, *number, &mut index, &mut drop);
            catalogs.push(index);
        }
        Ok(catalogs)
    }

    /// The numbers of segments that may hold a record behind `position`, from the first on.
    fn segments_behind(&self, position: u64) -> Vec<u64> {
        let segments = self.files.iter().filter(|(key, _)| key.0 == Kind::Log);
        let first = |chunks: &[Chunk]| chunks.first().map_or(u64::MAX, |chunk| chunk.first);
        let begin = segments
            .clone()
            .filter(|(_, chunks)| first(chunks) <= position.saturating_add(1))
            .map(|(key, _)| key.1)
            .max();
        segments.map(|(key, _)| key.1).filter(|number| Some(*number) >= begin).collect()
    }

    fn scan(&self, number: u64) -> Result<(Vec<u8>, Scan), Error> {
        let bytes = self.read(Kind::Log, number)?;
        let scan = wal::scan(&bytes, number, self.database);
        Ok((bytes, scan))
    }

    /// Where the records of a segment end that were acknowledged.
    fn judge(
        &self,
        scan: &Scan,
        next: Option<&Scan>,
        number: u64,
        reached: &Reached,
    ) -> Result<u64, Error> {
        if scan.first().is_none_or(|first| first > reached.position.saturating_add(1)) {
            return Err(self.gap(number, reached));
        }
        let mut scans = vec![scan.clone()];
        let is_next = next.is_some_and(|it| it.number == number + 1);
        scans.extend(next.filter(|_| is_next).cloned());
        let expected = Expected { first: number, end: number + 1, in_files: reached.position };
        let judgement = wal::judge(&scans, expected);
        let wrong = judgement.damage.into_iter().find(|finding| finding.number == number);
        if let Some(finding) = wrong {
            let name = format!("{}/{number:010}", Kind::Log.folder());
            let (file, at) = (self.repository.path(&name), finding.at);
            return Err(Error::Damaged { file, at, what: finding.what });
        }
        Ok(judgement.ends.first().copied().unwrap_or(0))
    }

    /// What is said where records are not there that must be.
    fn gap(&self, number: u64, reached: &Reached) -> Error {
        Error::Invalid(format!(
            "the archive of the log in {} lacks records behind position {}, where segment {number} \
             should follow: restore up to that position with --to-position {}, or a backup that is \
             later than the gap",
            self.repository.blocks.place(),
            reached.position,
            reached.position,
        ))
    }
}

/// The database that records go to.
struct Target<'a> {
    db: &'a Db,
    catalogs: Vec<Index>,
    /// Refs of the log to refs of this database.
    refs: HashMap<SeriesRef, SeriesRef>,
    until: Until,
    reached: Reached,
    /// The first refusal.
    failed: Arc<Mutex<Option<crate::model::Error>>>,
    pending: usize,
    /// Deletions up to the moment, oldest first.
    deletions: VecDeque<Deletion>,
}

impl Target<'_> {
    /// Writes the records of a segment up to `end`; true where the moment came.
    fn apply(&mut self, bytes: &[u8], scan: &Scan, end: u64) -> Result<bool, Error> {
        if self.is_there() {
            return Ok(true);
        }
        for found in scan.records.iter().take_while(|found| (found.offset as u64) < end) {
            let header = found.header();
            let position = header.position.sequence;
            if position <= self.reached.position {
                continue;
            }
            let written = i64::try_from(header.durable.written_us).unwrap_or(i64::MAX);
            let at = written.saturating_mul(1000);
            let is_later = match self.until {
                Until::Time(time) => at > time,
                Until::Position(last) => position > last,
            };
            if is_later {
                return Ok(true);
            }
            let in_log = |what| Error::Damaged {
                file: format!("{}/{:010}", Kind::Log.folder(), scan.number).into(),
                at: found.offset as u64,
                what,
            };
            self.delete_before(position)?;
            let payload = found.payload(bytes).map_err(in_log)?;
            let mut batch = wal::decode_rows(payload, header.tenant).map_err(in_log)?;
            self.rename(&mut batch).map_err(in_log)?;
            self.reached.position = position;
            self.reached.at = self.reached.at.max(at);
            self.reached.records += 1;
            self.reached.rows += (batch.rows.len() + batch.histograms.len()) as u64;
            self.write(batch);
            self.pending += payload.len();
            if self.pending >= GROUP_BYTES {
                self.commit()?;
            }
        }
        Ok(self.is_there())
    }

    /// Takes the deletions that are to be repeated: those until the moment.
    fn plan(&mut self, all: Vec<Deletion>) {
        let is_until = |deletion: &Deletion| match self.until {
            Until::Time(time) => deletion.at <= time,
            // One behind the last record of that position came later than it.
            Until::Position(position) => deletion.position < position,
        };
        self.deletions = all.into_iter().filter(is_until).collect();
    }

    /// Repeats the deletions that came before the record of `position`.
    fn delete_before(&mut self, position: u64) -> Result<(), Error> {
        while let Some(deletion) = self.deletions.pop_front_if(|it| it.position < position) {
            self.commit()?;
            let Tombstone { matchers, range, .. } = deletion.tombstone;
            let deleted = self.db.delete(&matchers, range);
            deleted.map_err(|source| Error::Repository {
                place: "the restored database".into(),
                source: Box::new(source),
            })?;
            self.reached.deletions += 1;
            self.reached.at = self.reached.at.max(deletion.at);
        }
        Ok(())
    }

    /// Whether nothing more is asked for.
    fn is_there(&self) -> bool {
        self.until == Until::Position(self.reached.position)
    }

    /// Gives rows the refs that this database has for their labels.
    fn rename(&mut self, batch: &mut Batch) -> Result<(), Damage> {
        let others = batch.histograms.iter().map(|row| row.series);
        let exemplars = batch.exemplars.iter().map(|it| it.series);
        let named: Vec<SeriesRef> =
            batch.rows.series().iter().copied().chain(others).chain(exemplars).collect();
        for series in named {
            self.learn(batch.tenant, series)?;
        }
        let refs = &self.refs;
        let of = |series: SeriesRef| refs.get(&series).copied().unwrap_or(SeriesRef(0));
        batch.rows.rename_series(of);
        batch.histograms.iter_mut().for_each(|row| row.series = of(row.series));
        batch.exemplars.iter_mut().for_each(|it| it.series = of(it.series));
        Ok(())
    }

    fn learn(&mut self, tenant: TenantId, series: SeriesRef) -> Result<(), Damage> {
        if self.refs.contains_key(&series) {
            return Ok(());
        }
        let unknown =
            || Damage::Contradiction("a record names a series that no catalog of the archive has");
        let labels = self.catalogs.iter().find_map(|index| Some(index.labels(index.slot(series)?)));
        let labels = labels.ok_or_else(unknown)?;
        let set: Vec<(&str, &str)> = labels.iter().collect();
        let mut refs = Vec::new();
        let registered = self.db.register(tenant, &[&set], &mut refs);
        let new = refs.first().copied().filter(|_| registered.is_ok()).ok_or_else(unknown)?;
        self.refs.insert(series, new);
        Ok(())
    }

    fn write(&self, batch: Batch) {
        let failed = Arc::clone(&self.failed);
        self.db.write(
            batch,
            Box::new(move |written| {
                if let Err(error) = written {
                    held(&failed).get_or_insert(error);
                }
            }),
        );
    }

    /// Makes what was written durable, and keeps memory in bounds.
    fn commit(&mut self) -> Result<(), Error> {
        while self.db.commit_queued() > 0 {}
        self.pending = 0;
        if let Some(source) = held(&self.failed).take() {
            let (place, source) = ("the restored database".into(), Box::new(source));
            return Err(Error::Repository { place, source });
        }
        self.db.keep_up()
    }
}

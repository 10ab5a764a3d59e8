//! Retention of backups: which are kept is a rule over their times; pieces that none names are removed.

use std::collections::{BTreeMap, HashSet};

use crate::store::error::Error;

use super::{
    deletions,
    record::{Backup, piece_name},
    repository::{Repository, Work},
    ship::{Chunk, Kind},
};

/// Which backups are kept. Each count keeps the newest of so many hours, days, weeks, months (UTC) that
/// have one; what any rule keeps stays. The newest always stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// The newest.
    pub last: usize,
    /// One an hour.
    pub hourly: usize,
    /// One a day.
    pub daily: usize,
    /// One a week, which begins on Monday.
    pub weekly: usize,
    /// One a month.
    pub monthly: usize,
}

/// What a prune did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Backups that stay.
    pub kept: Vec<String>,
    /// Backups that went.
    pub removed: Vec<String>,
    /// Objects that went.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

const HOUR: i64 = 3_600_000_000_000;
const DAY: i64 = 24 * HOUR;

impl Keep {
    /// Whether each backup is kept, of times from the newest to the oldest.
    pub fn choose(&self, newest_first: &[i64]) -> Vec<bool> {
        let month = |time: i64| {
            let date = jiff::Timestamp::from_nanosecond(time.into()).unwrap_or_default();
            let date = date.to_zoned(jiff::tz::TimeZone::UTC);
            i64::from(date.year()) * 12 + i64::from(date.month())
        };
        // 1970 began on a Thursday.
        let rules: [(usize, &dyn Fn(i64) -> i64); 5] = [
            (self.last.max(1), &|time| time),
            (self.hourly, &|time| time.div_euclid(HOUR)),
            (self.daily, &|time| time.div_euclid(DAY)),
            (self.weekly, &|time| (time.div_euclid(DAY) + 3).div_euclid(7)),
            (self.monthly, &month),
        ];
        let mut kept = vec![false; newest_first.len()];
        for (count, period) in rules {
            let (mut left, mut last) = (count, None);
            for (kept, time) in kept.iter_mut().zip(newest_first) {
                let this = period(*time);
                if left > 0 && last != Some(this) {
                    *kept = true;
                    left -= 1;
                    last = Some(this);
                }
            }
        }
        kept
    }
}

/// Removes backups that `keep` does not keep, then what no backup names. Killed at any place it leaves
/// whole backups, and more to remove for the next.
///
/// # Errors
/// Where a backup's record is damaged: what it names is not known, so nothing is removed. Where
/// somebody else is at work.
pub fn prune(repository: &Repository, keep: Keep, is_dry: bool) -> Result<Pruned, Error> {
    let lease = repository.begin(Work::Prune, &repository.clock.now().to_string())?;
    let mut backups = Vec::new();
    for listed in repository.list()? {
        backups.push(listed.backup?);
    }
    // Databases that share a place are counted apart.
    let mut by_database: BTreeMap<String, Vec<Backup>> = BTreeMap::new();
    for backup in backups.into_iter().rev() {
        by_database.entry(backup.database.clone()).or_default().push(backup);
    }
    let mut pruned = Pruned::default();
    let mut kept = Vec::new();
    for backups in by_database.into_values() {
        let times: Vec<i64> = backups.iter().map(|backup| backup.at).collect();
        for (backup, stays) in backups.into_iter().zip(keep.choose(&times)) {
            if stays {
                pruned.kept.push(backup.id.clone());
                kept.push(backup);
            } else {
                if !is_dry {
                    repository.withdraw(&backup.id)?;
                }
                pruned.removed.push(backup.id);
            }
        }
    }
    pruned.kept.sort();
    pruned.removed.sort();
    for entry in unneeded(repository, &kept)? {
        lease.renew()?;
        if !is_dry {
            repository.asked(repository.blocks.remove(&entry.name))?;
        }
        pruned.objects += 1;
        pruned.bytes += entry.size;
    }
    Ok(pruned)
}

/// Objects that no kept backup needs, and no restore to a moment behind one.
fn unneeded(
    repository: &Repository,
    kept: &[Backup],
) -> Result<Vec<crate::model::BlockEntry>, Error> {
    let named: HashSet<String> = kept
        .iter()
        .flat_map(|backup| &backup.files)
        .flat_map(|file| &file.pieces)
        .map(|piece| piece_name(piece))
        .collect();
    let mut gone = repository.asked(repository.blocks.list("objects"))?;
    gone.retain(|entry| !named.contains(&entry.name));
    // Of each archive, where the oldest kept backup goes on: its position and its catalog.
    let mut needed: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    let mut changes: BTreeMap<&str, u64> = BTreeMap::new();
    for backup in kept {
        let first = needed.entry(&backup.lineage).or_insert((backup.position, backup.catalog));
        *first = (first.0.min(backup.position), first.1.min(backup.catalog));
        let first = changes.entry(&backup.lineage).or_insert(backup.changes);
        *first = backup.changes.min(*first);
    }
    let mut deletions = repository.asked(repository.blocks.list(deletions::FOLDER))?;
    deletions.retain(|entry| {
        let parsed = deletions::parse(&entry.name);
        parsed.is_some_and(|(lineage, number, _)| changes.get(lineage) >= Some(&number))
    });
    gone.append(&mut deletions);
    for kind in [Kind::Log, Kind::Catalog] {
        let entries = repository.asked(repository.blocks.list(kind.folder()))?;
        let chunks: Vec<_> = entries
            .into_iter()
            .filter_map(|entry| Chunk::parse(kind, &entry.name).map(|chunk| (chunk, entry)))
            .collect();
        for (lineage, (position, catalog)) in &needed {
            let mine = chunks.iter().filter(|(chunk, _)| chunk.lineage == *lineage);
            let first = match kind {
                Kind::Catalog => Some(*catalog),
                // The segment that has the record behind the backup, or the one before it.
                Kind::Log => mine
                    .clone()
                    .filter(|(chunk, _)| chunk.first <= position.saturating_add(1))
                    .map(|(chunk, _)| chunk.number)
                    .max(),
            };
            let is_before = |chunk: &Chunk| first.is_some_and(|first| chunk.number < first);
            gone.extend(mine.filter(|(chunk, _)| is_before(chunk)).map(|(_, it)| it.clone()));
        }
    }
    Ok(gone)
}

#[cfg(test)]
mod unit {
    use super::*;

    fn check(keep: Keep, hours_ago: &[i64], expected: &[i64]) {
        // A Wednesday, 2026-11-25, 12:00.
        let now = 1_795_608_000_000_000_000;
        let times: Vec<i64> = hours_ago.iter().map(|hours| now - hours * HOUR).collect();
        let chosen = keep.choose(&times);
        let kept: Vec<i64> =
            hours_ago.iter().zip(chosen).filter(|(_, kept)| *kept).map(|(it, _)| *it).collect();
        assert_eq!(kept, expected, "{keep:?}");
    }

    #[test]
    fn rules_keep_the_newest_of_each_span_that_has_one() {
        let all = [0, 1, 2, 11, 13, 24, 30, 48, 24 * 5, 24 * 9, 24 * 30, 24 * 60];
        let none = Keep::default();
        check(none, &all, &[0]);
        check(Keep { last: 3, ..none }, &all, &[0, 1, 2]);
        check(Keep { daily: 3, ..none }, &all, &[0, 13, 48]);
        check(Keep { hourly: 2, weekly: 2, ..none }, &all, &[0, 1, 24 * 5]);
        check(Keep { monthly: 9, ..none }, &all, &[0, 24 * 30, 24 * 60]);
        check(Keep { last: 99, ..none }, &[], &[]);
    }
}

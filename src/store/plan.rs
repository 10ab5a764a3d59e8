//! What to merge, seal and drop, and when: decided here, carried out elsewhere.
//!
//! No files, no clock: a table of cases tests it.

use std::{collections::BTreeMap, time::Duration};

use super::manifest::{FileId, FileKind, FileMeta, Partition};

/// Neighbours of one size that are merged: fewer would write each row too often, more would leave
/// readers too many files.
const MERGE_COUNT: usize = 4;
/// Parts up to here are of one size.
const SMALL_BYTES: u64 = 256 << 10;
/// What parts beside a block may come to, in percent of it, before it is rewritten with them.
const LATE_PERCENT: u64 = 10;
/// How long parts may stay beside a block, whatever their size.
const LATE_MAX: Duration = Duration::from_hours(24);

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Job {
    /// Make one part of these neighbours.
    Merge(Partition, Vec<FileId>),
    /// Make blocks of all files of a partition.
    Seal(Partition),
    /// Make one file of these neighbours of a tier.
    MergeTier(Partition, Vec<FileId>),
}

/// What is known of a partition besides its files.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// ns since 1970.
    pub(super) now: i64,
    /// How long a partition that is over must be quiet.
    pub(super) seal_after: Duration,
}

/// A live file, and how long it has been there.
#[derive(Clone, Debug)]
pub(super) struct Aged<'a> {
    pub(super) meta: &'a FileMeta,
    pub(super) age: Duration,
}

/// What should be done now, most useful first. `in_heads` tells whether a head holds rows of a
/// partition.
pub(super) fn plan(
    files: &[Aged<'_>],
    in_heads: impl Fn(Partition) -> bool,
    moment: Moment,
) -> Vec<Job> {
    let mut partitions: BTreeMap<Partition, Vec<&Aged<'_>>> = BTreeMap::new();
    for file in files {
        partitions.entry(file.meta.partition).or_default().push(file);
    }
    let mut jobs = Vec::new();
    for (partition, mut files) in partitions {
        files.sort_by_key(|file| (file.meta.positions.1, file.meta.id));
        if should_seal(partition, &files, &in_heads, moment) {
            jobs.push(Job::Seal(partition));
        } else if let Some(inputs) = merge(&files, FileKind::Part) {
            jobs.push(Job::Merge(partition, inputs));
        } else if let Some(inputs) = merge(&files, FileKind::Tier) {
            jobs.push(Job::MergeTier(partition, inputs));
        }
    }
    jobs
}

fn should_seal(
    partition: Partition,
    files: &[&Aged<'_>],
    in_heads: &impl Fn(Partition) -> bool,
    moment: Moment,
) -> bool {
    let bytes_of = |kind| {
        files.iter().filter(move |file| file.meta.kind == kind).map(|file| file.meta.bytes).sum()
    };
    let (parts, blocks): (u64, u64) = (bytes_of(FileKind::Part), bytes_of(FileKind::Block));
    let newest =
        files.iter().filter(|file| file.meta.kind == FileKind::Part).map(|file| file.age).min();
    let Some(quiet) = newest else { return false };
    let is_over = partition.until < moment.now;
    let is_quiet = quiet >= moment.seal_after && !in_heads(partition);
    if !is_over || !is_quiet {
        return false;
    }
    blocks == 0 || parts * 100 >= blocks * LATE_PERCENT || quiet >= LATE_MAX
}

/// The neighbours to merge: the smallest size of which there are enough in a row.
fn merge(files: &[&Aged<'_>], kind: FileKind) -> Option<Vec<FileId>> {
    let metas: Vec<&FileMeta> = files.iter().map(|file| file.meta).collect();
    let is_kind = |meta: &&FileMeta| meta.kind == kind;
    let mut sizes: Vec<u32> =
        metas.iter().copied().filter(is_kind).map(|meta| size(meta.bytes)).collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes.into_iter().find_map(|limit| {
        // A large one between small ones is not rewritten for their sake alone.
        let is_worth = |run: &&[&FileMeta]| {
            let largest = run.iter().filter(|meta| size(meta.bytes) == limit).count();
            run.len() >= MERGE_COUNT && largest >= 2
        };
        // Nor are parts merged past a block between them: its rows would change places with theirs.
        let run = metas
            .split(|meta| !is_kind(meta) || size(meta.bytes) > limit)
            .filter(is_worth)
            .max_by_key(|run| run.len())?;
        Some(run.iter().map(|meta| meta.id).collect())
    })
}

/// Sizes in powers of four.
fn size(bytes: u64) -> u32 {
    (bytes / SMALL_BYTES).checked_ilog2().map_or(0, |log| 1 + log / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Table, TenantId};

    fn meta(id: u64, kind: FileKind, kib: u64) -> FileMeta {
        FileMeta {
            id: FileId(id),
            kind,
            tenant: TenantId(0),
            table: Table::Metrics,
            partition: Partition::of(1),
            positions: (id * 10, id * 10 + 10),
            times: (1, 2),
            series: 1,
            rows: 1,
            bytes: kib << 10,
            footer_crc: 0,
            archived: None,
        }
    }

    /// Jobs for parts (blocks where the size is negative) of so many KiB, all of an age.
    fn jobs(kib: &[i64], age_s: u64, now: i64) -> Vec<Job> {
        let kind = |kib: i64| if kib < 0 { FileKind::Block } else { FileKind::Part };
        let metas: Vec<_> =
            (1..).zip(kib).map(|(id, kib)| meta(id, kind(*kib), kib.unsigned_abs())).collect();
        let age = Duration::from_secs(age_s);
        let files: Vec<_> = metas.iter().map(|meta| Aged { meta, age }).collect();
        plan(&files, |_| false, Moment { now, seal_after: Duration::from_mins(10) })
    }

    fn merged(kib: &[i64]) -> Vec<u64> {
        match &jobs(kib, 0, 0)[..] {
            [Job::Merge(_, ids)] => ids.iter().map(|id| id.0).collect(),
            _ => Vec::new(),
        }
    }

    const OVER: i64 = i64::MAX;

    #[test]
    fn neighbours_of_one_size_are_merged_when_there_are_four() {
        assert!(merged(&[10, 10, 10]).is_empty());
        assert_eq!(merged(&[9000, 10, 10, 10, 10]), [2, 3, 4, 5]);
        assert!(merged(&[10, 10, 9000, 10, 10]).is_empty());
        assert_eq!(merged(&[9000, 9000, 9000, 9000, 10]), [1, 2, 3, 4, 5]);
        assert!(merged(&[10, 10, -10, 10, 10]).is_empty(), "a block stands between");
        assert_eq!(merged(&[10, -10, 10, 10, 10, 10]), [3, 4, 5, 6]);
    }

    #[test]
    fn a_partition_is_sealed_when_it_is_over_and_quiet() {
        assert_eq!(jobs(&[10], 601, OVER), [Job::Seal(Partition::of(1))]);
        assert!(jobs(&[10], 599, OVER).is_empty());
        assert!(jobs(&[10], 601, 0).is_empty());
    }

    #[test]
    fn late_parts_wait_beside_a_block_until_they_are_many_or_old() {
        assert!(jobs(&[-1000, 10], 601, OVER).is_empty());
        assert_eq!(jobs(&[-1000, 100], 601, OVER), [Job::Seal(Partition::of(1))]);
        assert_eq!(jobs(&[-1000, 10], 90_000, OVER), [Job::Seal(Partition::of(1))]);
        assert!(jobs(&[-1000], 90_000, OVER).is_empty());
    }
}

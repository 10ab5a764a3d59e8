//! Which buckets stand for which rows in a question, and the buckets themselves.

use std::sync::Arc;

use crate::model::{Buckets, Facts, Labels, Partial, Tier, TimeRange, Timestamp, Zone};
use crate::store::{
    db::Db,
    error::Error,
    file::DataFile,
    live::Live,
    manifest::{DAY, Partition},
    tombstones::Deletions,
};

use super::{
    Rules,
    bucket::{is_hole, overlay},
    merge::hide_deleted,
};

/// Which buckets a question may see.
#[derive(Debug)]
pub(in crate::store) struct TierView {
    rules: Rules,
    /// Raw rows of all series up to this instant are gone.
    dropped_until: i64,
    /// Tiers that have files, and from where on, coarsest first.
    tiers: Vec<(Tier, i64)>,
    /// The tier that was asked for, and up to where it holds all rows.
    asked: Option<(Tier, i64)>,
}

/// A zone, and after which instant it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Span {
    pub(in crate::store) zone: Zone,
    pub(in crate::store) after: i64,
}

impl TierView {
    pub(in crate::store) fn new(live: &Live, asked: Option<Tier>) -> Result<Self, Error> {
        let has = |tier: Tier| {
            let files = live.tiers.iter().filter(|file| file.meta.partition.tier == Some(tier));
            let first = files.map(|file| file.meta.times.0).min()?;
            // What a tier has it has by whole days.
            Some((tier, first.saturating_sub(1).div_euclid(DAY).saturating_mul(DAY)))
        };
        let tiers: Vec<_> = Tier::ALL.into_iter().rev().filter_map(has).collect();
        let asked = asked.filter(|asked| tiers.iter().any(|(tier, _)| tier == asked));
        Ok(Self {
            rules: Rules::new(&live.retired)?,
            dropped_until: live.dropped_until,
            tiers,
            asked: asked.map(|tier| (tier, held_until(live, tier))),
        })
    }

    /// No bucket is seen after this instant.
    pub(in crate::store) fn until(&self) -> i64 {
        if self.tiers.is_empty() {
            return i64::MIN;
        }
        let asked = self.asked.map_or(i64::MIN, |(_, until)| until);
        self.rules.until(None, None).max(self.dropped_until).max(asked)
    }

    /// How far before a window buckets are looked for.
    pub(in crate::store) fn width(&self) -> i64 {
        self.tiers.iter().map(|(tier, _)| tier.width()).max().unwrap_or(0)
    }

    /// Whether labels make a difference.
    pub(in crate::store) fn asks_labels(&self) -> bool {
        self.rules.asks_labels()
    }

    /// Rows of a series up to this instant are not seen.
    pub(in crate::store) fn rows_after(&self, labels: Option<&Labels>) -> i64 {
        let gone = self.rows_gone(labels);
        self.asked.map_or(gone, |(_, until)| gone.max(until))
    }

    fn rows_gone(&self, labels: Option<&Labels>) -> i64 {
        let by_rule = labels.map_or(i64::MIN, |labels| self.rules.until(None, Some(labels)));
        by_rule.max(self.dropped_until)
    }

    /// Where buckets of which tier stand for the rows of a series, oldest first.
    pub(in crate::store) fn spans(&self, labels: Option<&Labels>) -> Vec<Span> {
        let until = self.rows_after(labels);
        let mut spans: Vec<Span> = Vec::new();
        if until == i64::MIN {
            return spans;
        }
        for (tier, from) in &self.tiers {
            let is_asked = self.asked.is_none_or(|(asked, _)| asked == *tier);
            if !is_asked {
                continue;
            }
            let gone = match labels {
                Some(labels) => self.rules.until(Some(*tier), Some(labels)),
                None if self.rules.asks_labels() => i64::MIN,
                None => self.rules.until(Some(*tier), None),
            };
            let after = gone.max(*from);
            if after >= until {
                continue;
            }
            // Where a finer tier begins the coarser one ends.
            if let Some(coarser) = spans.last_mut() {
                coarser.zone.until = coarser.zone.until.min(after);
            }
            spans.push(Span { zone: Zone { tier: *tier, until }, after });
        }
        spans.retain(|span| span.after < span.zone.until);
        spans
    }
}

/// Up to where a tier holds all rows that there are.
fn held_until(live: &Live, tier: Tier) -> i64 {
    let mut until = live.dropped_until;
    let oldest_in_heads = live.heads().filter_map(|head| head.times()).map(|times| times.0).min();
    let mut partitions: Vec<Partition> =
        live.files.iter().map(|file| file.meta.partition).collect();
    partitions.sort_unstable();
    partitions.dedup();
    for partition in partitions {
        let newest = live.of(partition).map(|file| file.meta.id.0).max().unwrap_or(0);
        let is_held = live
            .tiered
            .get(&(tier, partition.until))
            .is_some_and(|files_below| newest < *files_below);
        let waits = Db::has_deletions(live, partition);
        if !is_held || waits || oldest_in_heads.is_some_and(|first| first <= partition.until) {
            break;
        }
        until = until.max(partition.until);
    }
    until
}

/// Where buckets of one series are looked for, and what is asked of them.
pub(in crate::store) struct Sought<'a> {
    /// Which buckets stand for rows.
    pub(in crate::store) spans: &'a [Span],
    /// Where they end.
    pub(in crate::store) range: TimeRange,
    /// The files of all tiers, oldest first, that have the series, with its place in each.
    pub(in crate::store) places: &'a [(Arc<DataFile>, usize)],
    /// What was deleted, and the labels that it is told by.
    pub(in crate::store) hidden: Option<(&'a Deletions, &'a Labels)>,
    pub(in crate::store) facts: Facts,
}

/// Reads the buckets of a series that stand for its rows, by time.
pub(in crate::store) fn read(sought: &Sought<'_>, out: &mut Buckets) -> Result<(), Error> {
    out.clear();
    for span in sought.spans {
        let first = Timestamp(span.after.saturating_add(1));
        let within = TimeRange::closed(first, Timestamp(span.zone.until));
        let within = within.and_then(|within| within.intersection(sought.range));
        if let Some(range) = within {
            out.append(&read_span(sought, span.zone.tier, range)?);
        }
    }
    Ok(())
}

fn read_span(sought: &Sought<'_>, tier: Tier, range: TimeRange) -> Result<Buckets, Error> {
    let (mut all, mut found) = (Buckets::default(), Buckets::default());
    let partials = |of: &Buckets| -> Vec<Partial> {
        (0..of.len()).filter_map(|i| of.partial(tier, i)).collect()
    };
    for (file, place) in sought.places {
        if file.meta.partition.tier != Some(tier) {
            continue;
        }
        file.read_buckets(*place, range, sought.facts, &mut found)?;
        let is_behind = all.untils.last().zip(found.untils.first()).is_none_or(|(a, b)| a < b);
        if is_behind && sought.hidden.is_none() {
            all.append(&found);
            continue;
        }
        let (mut earlier, mut later) = (partials(&all), partials(&found));
        if let Some((deletions, labels)) = sought.hidden {
            hide_deleted(deletions, file, labels, &mut later);
        }
        overlay(&mut earlier, later);
        all.clear();
        earlier.iter().for_each(|bucket| all.push(bucket, sought.facts));
    }
    if (0..all.len()).any(|i| all.is_hole(i)) {
        let kept = partials(&all);
        all.clear();
        let kept = kept.iter().filter(|bucket| !is_hole(bucket));
        kept.for_each(|bucket| all.push(bucket, sought.facts));
    }
    Ok(all)
}

impl Db {
    /// Downsamples one sealed partition that a tier does not hold at all: from before there was the
    /// tier. False where there is none. The caller holds `upkeep`.
    pub(in crate::store) fn downsample_one(&self) -> Result<bool, Error> {
        if self.config.tiers().is_empty() {
            return Ok(false);
        }
        let live = self.live();
        let is_missing = |partition: &Partition| {
            let held = |tier| live.tiered.contains_key(&(tier, partition.until));
            !self.config.tiers().all().all(held) && live.of(*partition).all(|file| file.is_block())
        };
        let mut partitions = live.files.iter().map(|file| file.meta.partition);
        let Some(partition) = partitions.find(is_missing) else { return Ok(false) };
        self.seal(partition)?;
        Ok(true)
    }
}

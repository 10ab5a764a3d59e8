//! What retention lets go, and what it has let go already.
//!
//! Raw rows go when the tiers hold them; a partition at a time, the oldest first. Of series that a rule
//! keeps for less long the manifest first says up to where they are gone, so that nobody sees them;
//! then the files that have them are written anew.

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use crate::model::{self, Labels, Tier};
use crate::store::{
    config::RetentionRule,
    counters::Counters,
    crash::crash_point,
    db::{Db, held},
    error::Error,
    file::DataFile,
    live::Live,
    manifest::{Edit, Partition, Retired, Tiered},
    matching::{self, Test},
};

use super::plan;

/// What retention has let go, ready to be asked by series.
#[derive(Debug, Default)]
pub(in crate::store) struct Rules(Vec<(Retired, Vec<Test>)>);

impl Rules {
    /// Compiles the matchers.
    pub(in crate::store) fn new(retired: &[Retired]) -> Result<Self, Error> {
        let compile = |it: &Retired| match Test::all(&it.matchers) {
            Ok(tests) => Ok((it.clone(), tests)),
            Err(error) => Err(Error::Invalid(error.to_string())),
        };
        retired.iter().map(compile).collect::<Result<_, _>>().map(Self)
    }

    /// Whether labels make a difference.
    pub(in crate::store) fn asks_labels(&self) -> bool {
        self.0.iter().any(|(_, tests)| !tests.is_empty())
    }

    /// Up to where rows of a series (None: of any) are gone from a tier.
    pub(in crate::store) fn until(&self, tier: Option<Tier>, labels: Option<&Labels>) -> i64 {
        let is_hit = |(retired, tests): &&(Retired, Vec<Test>)| {
            retired.tier == tier
                && labels.is_none_or(|labels| tests.iter().all(|test| test.passes(labels)))
        };
        self.0.iter().filter(is_hit).map(|(it, _)| it.until).max().unwrap_or(i64::MIN)
    }

    /// Whether a file has series that are gone from all of its partition.
    pub(in crate::store) fn hit(&self, file: &DataFile) -> Result<bool, Error> {
        let Partition { until, tier, .. } = file.meta.partition;
        for (retired, tests) in &self.0 {
            if retired.tier != tier || retired.until < until || tests.is_empty() {
                continue;
            }
            if !file.is_block() {
                return Ok(true);
            }
            let found = matching::select(file.labels()?, tests)
                .map_err(|what| file.damaged_in_labels(what))?;
            if !found.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Db {
    /// Sets which series are kept for less long than the others, from now on.
    ///
    /// # Errors
    /// [`model::Error::Invalid`] for a rule without matchers, or with one that does not compile.
    pub fn set_retention_rules(&self, rules: Vec<RetentionRule>) -> Result<(), model::Error> {
        for rule in &rules {
            if rule.matchers.is_empty() {
                let what =
                    "a retention rule needs a matcher: what holds for all series is an option";
                return Err(model::Error::Invalid(what.to_owned()));
            }
            Test::all(&rule.matchers)?;
        }
        *held(&self.rules) = rules.into();
        self.ring_upkeep();
        Ok(())
    }

    /// Drops what retention no longer keeps. The caller holds `upkeep`.
    pub(in crate::store) fn drop_expired(&self) -> Result<(), Error> {
        let kept = self.config.kept();
        let all = [None, Some(Tier::Minutes5), Some(Tier::Hour1)];
        for tier in all {
            if let Some(cutoff) = plan::cutoff(self.clock.now(), kept.of(tier)) {
                self.drop_partitions(tier, cutoff)?;
            }
        }
        let rules = Arc::clone(&held(&self.rules));
        for rule in rules.iter() {
            for tier in all {
                if let Some(cutoff) = plan::cutoff(self.clock.now(), rule.kept.of(tier)) {
                    self.retire_rows(rule, tier, cutoff)?;
                }
            }
        }
        if self.may_thin.swap(false, Relaxed) {
            let thinned = self.thin();
            self.may_thin.fetch_or(thinned.is_err(), Relaxed);
            thinned?;
        }
        Ok(())
    }

    /// Drops whole partitions that end before `cutoff`, the oldest first.
    fn drop_partitions(&self, tier: Option<Tier>, cutoff: i64) -> Result<(), Error> {
        let due = |live: &Live| -> BTreeSet<Partition> {
            let partitions = live.all_files().map(|file| file.meta.partition);
            partitions.filter(|it| it.tier == tier && it.until < cutoff).collect()
        };
        let due = due(&self.live());
        if due.is_empty() {
            return Ok(());
        }
        let mut gone = Vec::new();
        for partition in due {
            if tier.is_none() && !self.make_tiers(partition)? {
                break;
            }
            gone.push(partition);
        }
        let Some(until) = gone.iter().map(|partition| partition.until).max() else {
            return Ok(());
        };
        let live = self.live();
        let files: Vec<_> =
            live.all_files().filter(|file| gone.contains(&file.meta.partition)).cloned().collect();
        let mut edits: Vec<Edit> =
            files.iter().map(|file| Edit::RemoveFile(file.meta.id)).collect();
        if tier.is_none() {
            edits.push(Edit::DroppedUntil(until));
            let held = live.tiered.keys().filter(|(_, end)| *end <= until);
            edits.extend(held.map(|(tier, until)| {
                Edit::Tiered(Tiered { tier: *tier, until: *until, files_below: 0 })
            }));
        } else {
            edits.push(Edit::Retired(Retired { tier, until, matchers: Vec::new() }));
        }
        self.apply_edits(&edits, &files)?;
        crash_point("retention-delete");
        self.remove_files(&files);
        Counters::add(&self.counters.dropped_files, files.len() as u64);
        self.drop_done_deletions()
    }

    /// Makes changes durable, then seen.
    fn apply_edits(&self, edits: &[Edit], gone: &[Arc<DataFile>]) -> Result<(), Error> {
        let ids: Vec<_> = gone.iter().map(|file| file.meta.id).collect();
        let mut manifest = held(&self.manifest);
        manifest.apply(edits)?;
        self.change_live(|live| {
            live.replace(&ids, []);
            live.take_over(manifest.state());
        });
        Ok(())
    }

    /// Sees that the tiers hold all rows of a partition; false where they cannot.
    fn make_tiers(&self, partition: Partition) -> Result<bool, Error> {
        if self.config.tiers().is_empty() {
            return Ok(true);
        }
        let is_in_heads = |live: &Live| {
            let mut times = live.heads().filter_map(|head| head.times());
            times.any(|(first, last)| first <= partition.until && last > partition.after)
        };
        while is_in_heads(&self.live()) && self.flush_head()? {}
        if !self.is_tiered(&self.live(), partition) {
            self.seal(partition)?;
        }
        Ok(self.is_tiered(&self.live(), partition))
    }

    /// Whether all tiers hold all rows of a partition's files, and no deletion waits for them.
    pub(in crate::store) fn is_tiered(&self, live: &Live, partition: Partition) -> bool {
        let newest = live.of(partition).map(|file| file.meta.id.0).max().unwrap_or(0);
        let is_held = |tier: Tier| {
            live.tiered.get(&(tier, partition.until)).is_some_and(|below| newest < *below)
        };
        self.config.tiers().all().all(is_held) && !Self::has_deletions(live, partition)
    }

    /// Retires the rows of a rule's series in all partitions that end before `cutoff`.
    fn retire_rows(
        &self,
        rule: &RetentionRule,
        tier: Option<Tier>,
        cutoff: i64,
    ) -> Result<(), Error> {
        let live = self.live();
        let mut until = plan::grid(tier, cutoff);
        let known = live
            .retired
            .iter()
            .filter(|it| it.tier == tier && it.matchers == rule.matchers)
            .map(|it| it.until)
            .max();
        if known.is_some_and(|known| known >= until) {
            return Ok(());
        }
        if tier.is_none() {
            let partitions: BTreeSet<Partition> =
                live.files.iter().map(|file| file.meta.partition).collect();
            for partition in partitions.into_iter().filter(|it| it.until <= until) {
                if !self.make_tiers(partition)? {
                    until = partition.after;
                    break;
                }
            }
        }
        if known.is_some_and(|known| known >= until) {
            return Ok(());
        }
        let matchers = rule.matchers.clone();
        self.apply_edits(&[Edit::Retired(Retired { tier, until, matchers })], &[])?;
        crash_point("retention-retire");
        self.may_thin.store(true, Relaxed);
        Ok(())
    }

    /// Writes files anew that have series which retention has dropped.
    fn thin(&self) -> Result<(), Error> {
        let live = self.live();
        let rules = Rules::new(&live.retired)?;
        if !rules.asks_labels() {
            return Ok(());
        }
        let mut due = BTreeSet::new();
        for file in live.all_files().filter(|file| file.is_block()) {
            if !due.contains(&file.meta.partition) && rules.hit(file)? {
                due.insert(file.meta.partition);
            }
        }
        due.into_iter().try_for_each(|partition| match partition.tier {
            None => self.seal(partition),
            Some(_) => self.merge_whole_tier(partition),
        })
    }
}

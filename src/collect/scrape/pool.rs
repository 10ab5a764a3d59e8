//! The targets of one job: what discovery found, what of it is scraped.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Changes;
use super::config::Job;
use super::life::Life;
use super::target::{Found, Target, populate, spread};
use crate::model::{LabelBuilder, Labels};

/// Where targets were found: which list of the job, which part of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// [`List::id`](super::List::id); 0 is what the configuration itself says.
    pub list: u64,
    /// A file, a name; empty where the list has no parts.
    pub part: String,
}

/// What makes a target one: its labels and its URL.
type Identity = (Labels, String);

/// Numbers lives, and spreads them over their intervals.
#[derive(Debug)]
pub(super) struct Births {
    pub(super) next: u64,
    pub(super) seed: u64,
}

#[derive(Debug)]
pub(super) struct Pool {
    pub(super) job: Arc<Job>,
    found: BTreeMap<Place, Vec<LabelBuilder>>,
    pub(super) lives: BTreeMap<Identity, Arc<Life>>,
    /// As discovery found them; not more than the job wants to keep.
    pub(super) dropped: Vec<Labels>,
    pub(super) dropped_count: usize,
}

impl Pool {
    pub(super) fn new(job: Job) -> Self {
        let mut pool = Self {
            job: Arc::new(job),
            found: BTreeMap::new(),
            lives: BTreeMap::new(),
            dropped: Vec::new(),
            dropped_count: 0,
        };
        pool.find_static();
        pool
    }

    fn find_static(&mut self) {
        let groups = self.job.static_groups.iter();
        let labels = groups.flat_map(|group| spread(group, &[])).collect();
        self.found.insert(Place { list: 0, part: String::new() }, labels);
    }

    /// Takes a new configuration. What lists found that are still in it stays.
    pub(super) fn reconfigure(&mut self, job: Job, births: &mut Births, changes: &mut Changes) {
        let ids: Vec<u64> = job.lists().iter().map(super::List::id).collect();
        self.job = Arc::new(job);
        self.found.retain(|place, _| place.list == 0 || ids.contains(&place.list));
        self.find_static();
        let before: Vec<_> = std::mem::take(&mut self.lives).into_values().collect();
        self.sync(births, changes);
        for life in before {
            let identity = (life.target.labels.clone(), life.target.url.clone());
            match self.lives.get(&identity) {
                Some(heir) => {
                    heir.inherit(&life);
                    changes.replaced.push(life);
                }
                None => changes.stopped.push(life),
            }
        }
    }

    /// Takes what one place of a list has now. None: it is gone.
    pub(super) fn discover(
        &mut self,
        (place, labels): (Place, Option<Vec<LabelBuilder>>),
        births: &mut Births,
        changes: &mut Changes,
    ) {
        let is_same = match &labels {
            Some(labels) => self.found.get(&place) == Some(labels),
            None => !self.found.contains_key(&place),
        };
        if is_same {
            return;
        }
        match labels {
            Some(labels) => self.found.insert(place, labels),
            None => self.found.remove(&place),
        };
        self.sync(births, changes);
    }

    /// Starts what is new and stops what is gone.
    fn sync(&mut self, births: &mut Births, changes: &mut Changes) {
        let mut wanted: BTreeMap<Identity, Box<Target>> = BTreeMap::new();
        self.dropped.clear();
        self.dropped_count = 0;
        let keep = self.job.limits.dropped_targets;
        for found in self.found.values().flatten() {
            match populate(&self.job, found) {
                Ok(Found::Active(target)) => {
                    wanted.insert((target.labels.clone(), target.url.clone()), target);
                }
                Ok(Found::Dropped(labels)) => {
                    self.dropped_count += 1;
                    if keep == 0 || (self.dropped.len() as u64) < keep {
                        self.dropped.push(labels);
                    }
                }
                Err(why) => {
                    let address = found.get("__address__");
                    let job = &self.job.name;
                    changes.faults.push(format!("job {job:?}, target {address:?}: {why}"));
                }
            }
        }
        let gone = self.lives.extract_if(.., |identity, _| !wanted.contains_key(identity));
        changes.stopped.extend(gone.map(|(_, life)| life));
        for (identity, target) in wanted {
            let job = &self.job;
            self.lives.entry(identity).or_insert_with(|| {
                births.next += 1;
                let life = Life::new(Arc::clone(job), *target, births.next, births.seed);
                let life = Arc::new(life);
                changes.started.push(Arc::clone(&life));
                life
            });
        }
        self.limit();
    }

    /// Past the limit none is scraped, so that it is noticed.
    fn limit(&self) {
        let (count, limit) = (self.lives.len() as u64, self.job.limits.targets);
        let refusal = (limit != 0 && count > limit)
            .then(|| format!("target_limit exceeded (number of targets: {count}, limit: {limit})"));
        for life in self.lives.values() {
            life.refuse(refusal.clone());
        }
    }
}

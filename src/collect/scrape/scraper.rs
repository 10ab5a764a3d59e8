//! All jobs and their targets: what changes when the configuration or a list does, and what there is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::config::Job;
use super::life::Life;
use super::pool::{Births, Place, Pool};
use crate::model::{LabelBuilder, Labels};

/// What is to be done after a change.
#[derive(Debug, Default)]
pub struct Changes {
    /// To be scraped from now on.
    pub started: Vec<Arc<Life>>,
    /// Gone: not to be scraped any more, then to be [`Life::ended`].
    pub stopped: Vec<Arc<Life>>,
    /// Not to be scraped any more; one of `started` goes on where it is.
    pub replaced: Vec<Arc<Life>>,
    /// Jobs whose lists are to be read from now on, anew where they were read already.
    pub jobs: Vec<Arc<Job>>,
    /// Jobs whose lists are not to be read any more.
    pub ended_jobs: Vec<String>,
    /// What was found and can be no target.
    pub faults: Vec<String>,
}

/// A job and its targets at one moment.
#[derive(Debug)]
pub struct PoolView {
    /// The job.
    pub job: Arc<Job>,
    /// What is scraped, by labels.
    pub active: Vec<Arc<Life>>,
    /// What rules dropped, as it was found; perhaps not all.
    pub dropped: Vec<Labels>,
    /// How many were dropped.
    pub dropped_count: usize,
}

/// All that is scraped. Shared by whoever drives it and whoever shows it.
#[derive(Debug)]
pub struct Scraper {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    pools: BTreeMap<String, Pool>,
    births: Births,
}

impl Default for Scraper {
    fn default() -> Self {
        Self::new(0)
    }
}

impl Scraper {
    /// Without jobs. `seed` spreads targets over their intervals: servers that scrape the same targets
    /// have different ones.
    pub fn new(seed: u64) -> Self {
        let births = Births { next: 0, seed };
        Self { state: Mutex::new(State { pools: BTreeMap::new(), births }) }
    }

    /// Takes a configuration in place of the one before. Targets of jobs that did not change go on
    /// undisturbed; those of jobs that did keep what is known of them.
    pub fn apply(&self, jobs: Vec<Job>) -> Changes {
        let state = &mut *self.state();
        let mut changes = Changes::default();
        let ended = state.pools.extract_if(.., |name, _| jobs.iter().all(|job| job.name != *name));
        for (name, pool) in ended {
            changes.stopped.extend(pool.lives.into_values());
            changes.ended_jobs.push(name);
        }
        for job in jobs {
            match state.pools.get_mut(&job.name) {
                Some(pool) if *pool.job == job => {}
                Some(pool) => {
                    pool.reconfigure(job, &mut state.births, &mut changes);
                    changes.jobs.push(Arc::clone(&pool.job));
                }
                None => {
                    let mut pool = Pool::new(job.clone());
                    pool.reconfigure(job, &mut state.births, &mut changes);
                    changes.jobs.push(Arc::clone(&pool.job));
                    state.pools.insert(pool.job.name.clone(), pool);
                }
            }
        }
        changes
    }

    /// Takes what a place of one of the job's lists has now; None where the place is gone.
    pub fn discover(&self, job: &str, place: Place, found: Option<Vec<LabelBuilder>>) -> Changes {
        let state = &mut *self.state();
        let mut changes = Changes::default();
        if let Some(pool) = state.pools.get_mut(job) {
            let is_known = pool.job.lists().iter().any(|list| list.id() == place.list);
            if is_known {
                pool.discover((place, found), &mut state.births, &mut changes);
            }
        }
        changes
    }

    /// Every job with its targets, by name.
    pub fn pools(&self) -> Vec<PoolView> {
        let view = |pool: &Pool| PoolView {
            job: Arc::clone(&pool.job),
            active: pool.lives.values().cloned().collect(),
            dropped: pool.dropped.clone(),
            dropped_count: pool.dropped_count,
        };
        self.state().pools.values().map(view).collect()
    }

    /// Whether a target with these labels is scraped: another life may have taken over its series.
    pub fn is_scraped(&self, labels: &Labels) -> bool {
        let state = self.state();
        let mut lives = state.pools.values().flat_map(|pool| pool.lives.keys());
        lives.any(|(there, _)| there == labels)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

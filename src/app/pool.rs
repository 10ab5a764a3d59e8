//! Threads that help with a question.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use crate::query::Pool;

/// Lets idle cores work on jobs of whoever asks. Threads live as long as the jobs: to start one takes
/// some 20 µs, and a job is a thousand series.
pub(super) struct Helpers {
    /// How many more threads may be started.
    idle: AtomicUsize,
}

impl Helpers {
    pub(super) fn new(cores: usize) -> Self {
        Self { idle: AtomicUsize::new(cores.saturating_sub(1)) }
    }

    /// Takes up to `wanted` of the idle ones.
    fn take(&self, wanted: usize) -> usize {
        let mut taken = 0;
        let left = |idle: usize| {
            taken = wanted.min(idle);
            Some(idle - taken)
        };
        // `left` always has a value, so this cannot fail.
        let _ = self.idle.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
        taken
    }
}

impl Pool for Helpers {
    fn run(&self, count: usize, job: &(dyn Fn(usize) + Sync)) {
        let next = AtomicUsize::new(0);
        let work = || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return;
                }
                job(number);
            }
        };
        let helpers = self.take(count.saturating_sub(1));
        let given_back = GiveBack(self, helpers);
        thread::scope(|scope| {
            for _ in 0..helpers {
                // Where the system has no thread to give, the asker does the work alone.
                let started = thread::Builder::new().name("query".into()).spawn_scoped(scope, work);
                if started.is_err() {
                    break;
                }
            }
            work();
        });
        drop(given_back);
    }
}

/// Also when a job panics.
struct GiveBack<'a>(&'a Helpers, usize);

impl Drop for GiveBack<'_> {
    fn drop(&mut self) {
        self.0.idle.fetch_add(self.1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_is_done_once_and_helpers_are_given_back() {
        let helpers = Helpers::new(4);
        for count in [0, 1, 2, 100] {
            let done: Vec<AtomicUsize> = (0..count).map(|_| AtomicUsize::new(0)).collect();
            helpers.run(count, &|number| {
                done[number].fetch_add(1, Ordering::Relaxed);
            });
            assert!(done.iter().all(|times| times.load(Ordering::Relaxed) == 1), "{count}");
            assert_eq!(helpers.idle.load(Ordering::Relaxed), 3);
        }
    }
}

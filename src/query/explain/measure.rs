//! What parts of a plan take, noted while it runs.

use std::{collections::HashMap, time::Duration};

use super::tree::Ran;
use crate::query::plan::Plan;

/// A clock that only goes forward.
pub(crate) type Clock<'a> = &'a dyn Fn() -> Duration;

/// What was there before a part ran.
#[derive(Clone, Copy)]
pub(crate) struct Spent {
    pub(crate) at: Duration,
    pub(crate) samples: u64,
}

/// What each part took, by where it lies: a plan does not move while it runs.
pub(crate) struct Measures<'a> {
    clock: Clock<'a>,
    parts: HashMap<usize, Ran>,
    /// Steps that were kept from an earlier question.
    pub(crate) steps_kept: u64,
}

impl<'a> Measures<'a> {
    pub(crate) fn new(clock: Clock<'a>) -> Self {
        Self { clock, parts: HashMap::new(), steps_kept: 0 }
    }

    pub(crate) fn now(&self) -> Duration {
        (self.clock)()
    }

    /// Notes that a part ran.
    pub(crate) fn add(&mut self, plan: &Plan, before: Spent, samples: u64, series: usize) {
        let now = self.now();
        let ran = self.parts.entry(place(plan)).or_default();
        ran.times += 1;
        ran.series += series as u64;
        ran.samples += samples.saturating_sub(before.samples);
        ran.took += now.saturating_sub(before.at);
    }

    pub(crate) fn of(&self, plan: &Plan) -> Option<Ran> {
        self.parts.get(&place(plan)).copied()
    }
}

fn place(plan: &Plan) -> usize {
    std::ptr::from_ref(plan).addr()
}

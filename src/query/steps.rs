//! When a question is evaluated, in ms, and which rows a window then holds, in ns.

use crate::model::{TimeRange, Timestamp};

const NANOS_IN_MILLI: i64 = 1_000_000;

/// Times at equal distance, in ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Steps {
    /// The first.
    pub start: i64,
    /// Between two; at least 1.
    pub step: i64,
    /// How many; at least 1.
    pub count: usize,
}

impl Steps {
    /// One time.
    pub(crate) fn at(time: i64) -> Self {
        Self { start: time, step: 1, count: 1 }
    }

    /// From `start` to at most `end`; None where `end` is before `start`.
    pub(crate) fn between(start: i64, end: i64, step: i64) -> Option<Self> {
        let step = step.max(1);
        let span = u64::try_from(end.checked_sub(start)?).ok()?;
        let count = usize::try_from(span / step.unsigned_abs()).ok()?.checked_add(1)?;
        Some(Self { start, step, count })
    }

    /// The time of step `index`.
    pub(crate) fn time(&self, index: usize) -> i64 {
        let index = i64::try_from(index).unwrap_or(i64::MAX);
        self.start.saturating_add(self.step.saturating_mul(index))
    }

    /// The last time.
    pub(crate) fn end(&self) -> i64 {
        self.time(self.count.saturating_sub(1))
    }

    /// All times.
    pub(crate) fn times(self) -> impl Iterator<Item = i64> {
        (0..self.count).map(move |index| self.time(index))
    }
}

/// One window a step, left-open and right-closed, in ms: (end - length, end].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Windows {
    /// The end of the first.
    pub first_end: i64,
    /// Between two ends; 0 where all are one (`@`).
    pub step: i64,
    /// How many.
    pub count: usize,
    /// How long each is.
    pub length: i64,
}

impl Windows {
    /// Windows of `length` that end `offset` before each step, or before the one time `at`.
    pub(crate) fn new(steps: Steps, length: i64, at: Option<i64>, offset: i64) -> Self {
        let (base, step) = at.map_or((steps.start, steps.step), |at| (at, 0));
        Self { first_end: base.saturating_sub(offset), step, count: steps.count, length }
    }

    /// As these, reaching further to both sides.
    pub(crate) fn widen(self, before: i64, after: i64) -> Self {
        Self {
            first_end: self.first_end.saturating_add(after),
            length: self.length.saturating_add(before).saturating_add(after),
            ..self
        }
    }

    /// Those of all steps of `whole`, where these are the ones of `steps`.
    pub(crate) fn over(self, steps: Steps, whole: Steps) -> Self {
        if self.step == 0 {
            return self;
        }
        let shift = whole.start.saturating_sub(steps.start);
        let first_end = self.first_end.saturating_add(shift);
        Self { first_end, count: whole.count, ..self }
    }

    /// The last ms in window `index`.
    pub(crate) fn end(&self, index: usize) -> i64 {
        let index = i64::try_from(index).unwrap_or(i64::MAX);
        self.first_end.saturating_add(self.step.saturating_mul(index))
    }

    /// The ms before window `index`.
    pub(crate) fn start(&self, index: usize) -> i64 {
        self.end(index).saturating_sub(self.length)
    }

    /// How many differ.
    fn distinct(&self) -> usize {
        if self.step == 0 { 1 } else { self.count }
    }

    /// All rows that any window holds; None where none could be.
    pub(crate) fn range(&self) -> Option<TimeRange> {
        let last = self.end(self.distinct().saturating_sub(1));
        TimeRange::new(
            Timestamp(last_nano(self.start(0)).saturating_add(1)),
            Timestamp(last_nano(last).saturating_add(1)),
        )
    }

    /// The same windows in ns, as a source takes them.
    pub(crate) fn in_nanos(&self, partials: bool) -> crate::model::Windows {
        let count = self.distinct();
        crate::model::Windows {
            first_end: last_nano(self.first_end),
            step: if count == 1 { 0 } else { self.step.saturating_mul(NANOS_IN_MILLI) },
            count: u32::try_from(count).unwrap_or(u32::MAX),
            length: self.length.saturating_mul(NANOS_IN_MILLI),
            partials,
        }
    }
}

/// The last ns of a ms.
pub(crate) fn last_nano(millis: i64) -> i64 {
    millis.saturating_add(1).saturating_mul(NANOS_IN_MILLI).saturating_sub(1)
}

/// The ms that a ns lies in.
pub(crate) fn to_millis(nanos: i64) -> i64 {
    nanos.div_euclid(NANOS_IN_MILLI)
}

/// The first ns of a ms.
pub(crate) fn to_nanos(millis: i64) -> i64 {
    millis.saturating_mul(NANOS_IN_MILLI)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_end_at_or_before_the_end() {
        let steps = Steps::between(10, 35, 10).unwrap();
        assert_eq!(steps.times().collect::<Vec<_>>(), [10, 20, 30]);
        assert_eq!(Steps::between(10, 9, 10), None);
    }

    #[test]
    fn a_window_leaves_its_left_edge_out_and_holds_all_of_its_last_ms() {
        let windows = Windows::new(Steps::at(100), 60, None, 10);
        assert_eq!((windows.start(0), windows.end(0)), (30, 90));
        let range = windows.range().unwrap();
        assert!(!range.contains(Timestamp(30_999_999)));
        assert!(range.contains(Timestamp(31_000_000)));
        assert!(range.contains(Timestamp(90_999_999)));
        assert!(!range.contains(Timestamp(91_000_000)));
    }

    #[test]
    fn a_fixed_time_makes_one_window_of_all() {
        let steps = Steps::between(0, 1000, 10).unwrap();
        let windows = Windows::new(steps, 60, Some(5), 0);
        assert_eq!((windows.end(0), windows.end(9)), (5, 5));
        assert_eq!(windows.in_nanos(false).count, 1);
    }
}

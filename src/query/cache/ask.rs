//! A question answered from what is kept, as far as it is, and kept in turn.

use std::{ops::Range, sync::Arc};

use query_lang::Expr;

use super::patch::{Patchwork, bytes};
use super::reads::{Reads, is_step_local, reads};
use super::table::{Kept, Key, ResultCache};
use crate::model::{Generation, TimeRange, Timestamp};
use crate::query::annotations::Annotations;
use crate::query::error::Error;
use crate::query::evaluate::Evaluator;
use crate::query::matrix::Matrix;
use crate::query::merge::finish_names;
use crate::query::plan::Plan;
use crate::query::steps::{Steps, last_nano, to_nanos};

/// Steps newer than this are evaluated again each time: their rows are still coming, ms.
const NEWEST_MS: i64 = 300_000;

/// Pieces to evaluate beyond which all is evaluated: each costs a selection.
const GAPS_MAX: usize = 4;

/// Steps of the shortest piece: over one step alone, some nodes behave as in a question at one time.
const GAP_STEPS: usize = 2;

/// What a question may be kept as.
pub(crate) struct Ticket<'a> {
    cache: &'a ResultCache,
    key: Key,
    steps: Steps,
    reads: Reads,
    written: &'a str,
    /// The first steps, which are old enough to be kept.
    settled: usize,
    /// What had changed before anything was read.
    stamp: Generation,
}

/// A question as far as a cache needs to know it.
pub(crate) struct Asked<'a> {
    /// The text.
    pub text: &'a str,
    /// Its tree.
    pub expr: &'a Expr,
    /// When it is asked, ms.
    pub now: i64,
    /// Of subqueries that name none, ms.
    pub default_step: i64,
}

impl<'a> Ticket<'a> {
    /// None where the question is not one to be kept.
    pub(crate) fn new(
        cache: &'a ResultCache,
        asked: &Asked<'a>,
        (plan, steps): (&Plan, Steps),
        evaluator: &Evaluator<'_>,
    ) -> Option<Self> {
        let scope = evaluator.scope;
        if scope.tier.is_some() || steps.count < GAP_STEPS || !is_step_local(asked.expr) {
            return None;
        }
        let reads = reads(plan, (evaluator.lookback, steps.step))?;
        let newest = asked.now.saturating_sub(NEWEST_MS).saturating_sub(reads.forward);
        let is_settled = reads.fixed.is_none_or(|(_, last)| last <= newest);
        let count = Steps::between(steps.start, newest, steps.step).map_or(0, |old| old.count);
        let settled = if is_settled { count.min(steps.count) } else { 0 };
        if settled < GAP_STEPS {
            return None;
        }
        let stamp = evaluator.source.generation(&scope)?;
        let times = (evaluator.lookback, asked.default_step);
        let key = Key::new(scope, asked.expr.to_string(), steps, times);
        Some(Self { cache, key, steps, reads, written: asked.text, settled, stamp })
    }

    /// The answer, its names finished.
    ///
    /// # Errors
    /// What the plan refused.
    pub(crate) fn answer(
        self,
        evaluator: &mut Evaluator<'_>,
        plan: &Plan,
    ) -> Result<Matrix, Error> {
        evaluator.rounding = Some(0);
        let mut kept = self.cache.find(&self.key);
        if let Some(found) = kept.clone()
            && let Some(gaps) = self.gaps(evaluator, &found)
        {
            if let Some(matrix) = self.patch(evaluator, plan, (&found, &gaps))? {
                let evaluated: usize = gaps.iter().map(Range::len).sum();
                let taken = self.steps.count - evaluated;
                self.cache.count(taken, evaluated);
                if let Some(measures) = &mut evaluator.measures {
                    measures.steps_kept = taken as u64;
                }
                self.keep(evaluator, &matrix, Some(&found));
                return Ok(matrix);
            }
            // The next one would find again that they do not fit together.
            self.cache.forget(&self.key);
            kept = None;
        }
        evaluator.rounding = Some(0);
        evaluator.notes = Annotations::default();
        let matrix = finish_names(evaluator.vector(plan, self.steps)?)?;
        self.cache.count(0, self.steps.count);
        self.keep(evaluator, &matrix, kept.as_ref());
        Ok(matrix)
    }

    /// The steps of the question that are not kept or may have changed; None where using the others
    /// is not worth it, or not possible.
    fn gaps(&self, evaluator: &Evaluator<'_>, kept: &Kept) -> Option<Vec<Range<usize>>> {
        if !kept.notes.is_empty() && kept.written != self.written {
            return None;
        }
        let shared = self.shared(kept)?;
        let mut gaps = vec![0..shared.start, shared.end..self.steps.count];
        let changes = self.changes(evaluator, self.steps, kept.stamp)?;
        gaps.extend(changes.into_iter().map(|change| self.steps_touched(change)));
        let gaps = joined(gaps, self.steps.count);
        let missing: usize = gaps.iter().map(Range::len).sum();
        let is_worth_it = gaps.len() <= GAPS_MAX && missing * 4 <= self.steps.count * 3;
        is_worth_it.then_some(gaps)
    }

    /// The steps of the question that are kept, changed or not.
    fn shared(&self, kept: &Kept) -> Option<Range<usize>> {
        let before = self.index_in(kept);
        let start = usize::try_from(-before).unwrap_or(0);
        let end = i64::try_from(kept.steps.count).ok()? - before;
        let end = usize::try_from(end).unwrap_or(0).min(self.steps.count);
        (start < end).then_some(start..end)
    }

    /// Where the question begins among the kept steps; negative where it begins before.
    fn index_in(&self, kept: &Kept) -> i64 {
        self.steps.start.saturating_sub(kept.steps.start) / self.steps.step
    }

    /// Where rows that these steps read may have changed since; None where all of them may have.
    fn changes(
        &self,
        evaluator: &Evaluator<'_>,
        steps: Steps,
        since: Generation,
    ) -> Option<Vec<TimeRange>> {
        let changed = |range| evaluator.source.changed(&evaluator.scope, range, since);
        if let Some((first, last)) = self.reads.fixed
            && let Some(range) = millis_range(first, last)
            && !changed(range).is_empty()
        {
            return None;
        }
        let first = steps.start.saturating_sub(self.reads.back);
        let last = steps.end().saturating_add(self.reads.forward);
        millis_range(first, last).map(changed)
    }

    fn is_unchanged(&self, evaluator: &Evaluator<'_>, steps: Steps, since: Generation) -> bool {
        self.changes(evaluator, steps, since).is_some_and(|changes| changes.is_empty())
    }

    /// The steps that read a row of a span of time.
    fn steps_touched(&self, change: TimeRange) -> Range<usize> {
        let Steps { start, step, count } = self.steps;
        let first = change.start().millis().saturating_sub(self.reads.forward);
        let last = change.end().millis().saturating_add(self.reads.back);
        let index = |millis: i64| {
            usize::try_from(millis.saturating_sub(start).div_euclid(step)).unwrap_or(0).min(count)
        };
        index(first)..index(last.saturating_add(step))
    }

    /// Evaluates the gaps and puts them between what is kept; None where that does not fit together.
    fn patch(
        &self,
        evaluator: &mut Evaluator<'_>,
        plan: &Plan,
        (kept, gaps): (&Kept, &[Range<usize>]),
    ) -> Result<Option<Matrix>, Error> {
        let steps = self.steps.count;
        let bytes = kept.matrix.len().saturating_mul(Matrix::bytes_a_row(steps));
        evaluator.budget.use_memory(bytes)?;
        let mut whole = Patchwork::new(steps);
        let mut notes = Annotations::default();
        let at = self.index_in(kept);
        for held in between(gaps, steps) {
            let place =
                |step: usize| usize::try_from(at + i64::try_from(step).unwrap_or(0)).unwrap_or(0);
            let from = place(held.start)..place(held.end);
            let Some(theirs) = kept.notes.moved(&from, held.start, steps) else { return Ok(None) };
            if !notes.joins(theirs) {
                return Ok(None);
            }
            whole.put(&kept.matrix, from, held.start);
        }
        for gap in gaps {
            evaluator.rounding = Some(0);
            evaluator.notes = Annotations::default();
            let piece = Steps {
                start: self.steps.time(gap.start),
                count: gap.len(),
                step: self.steps.step,
            };
            let matrix = finish_names(evaluator.vector_within(plan, piece, self.steps)?)?;
            if evaluator.rounding != Some(kept.rounding) {
                return Ok(None);
            }
            let fresh = std::mem::take(&mut evaluator.notes);
            let Some(fresh) = fresh.moved(&(0..gap.len()), gap.start, steps) else {
                return Ok(None);
            };
            if !notes.joins(fresh) {
                return Ok(None);
            }
            whole.put(&matrix, 0..gap.len(), gap.start);
        }
        evaluator.rounding = Some(kept.rounding);
        evaluator.notes = notes;
        Ok(Some(whole.finish()))
    }

    /// Keeps the settled steps of the answer, and what was kept before them.
    fn keep(self, evaluator: &Evaluator<'_>, matrix: &Matrix, kept: Option<&Arc<Kept>>) {
        let Some(rounding) = evaluator.rounding else { return };
        let own = 0..self.settled;
        let asked_max = kept.map_or(0, |kept| kept.asked_max).max(self.steps.count);
        let older = kept.and_then(|kept| self.older(evaluator, kept, rounding));
        if older.is_none()
            && let Some(kept) = kept
            && self.is_within(kept)
        {
            return self.renew(evaluator, kept);
        }
        let taken = older.as_ref().map_or(0, |(_, range)| range.len());
        // The longest question and a quarter: its next one begins later.
        let taken = taken.min((asked_max + asked_max / 4).saturating_sub(self.settled));
        let count = taken + self.settled;
        let mut whole = Patchwork::new(count);
        let mut notes = Annotations::default();
        if let Some((kept, range)) = older {
            let range = range.end - taken..range.end;
            let Some(theirs) = kept.notes.moved(&range, 0, count) else { return };
            if !notes.joins(theirs) {
                return;
            }
            whole.put(&kept.matrix, range, 0);
        }
        let Some(mine) = evaluator.notes.moved(&own, taken, count) else { return };
        if !notes.joins(mine) {
            return;
        }
        whole.put(matrix, own, taken);
        let whole = whole.finish();
        let back = i64::try_from(taken).unwrap_or(0).saturating_mul(self.steps.step);
        let start = self.steps.start.saturating_sub(back);
        let kept = Kept {
            bytes: bytes(&whole) + self.written.len(),
            matrix: Arc::new(whole),
            steps: Steps { start, step: self.steps.step, count },
            stamp: self.stamp,
            rounding,
            notes,
            written: self.written.to_owned(),
            asked_max,
        };
        self.cache.keep(self.key, kept);
    }

    /// Whether the settled steps of the question are all kept, and more.
    fn is_within(&self, kept: &Kept) -> bool {
        let at = self.index_in(kept);
        let end = at.saturating_add(i64::try_from(self.settled).unwrap_or(i64::MAX));
        at >= 0 && usize::try_from(end).is_ok_and(|end| end < kept.steps.count)
    }

    /// The steps before the question's that are kept, next to it, and did not change.
    fn older<'k>(
        &self,
        evaluator: &Evaluator<'_>,
        kept: &'k Kept,
        rounding: u64,
    ) -> Option<(&'k Kept, Range<usize>)> {
        let at = usize::try_from(self.index_in(kept)).ok()?;
        let reaches_on = at <= kept.steps.count && kept.steps.count <= at + self.settled;
        let is_same = kept.rounding == rounding && kept.written == self.written;
        if at == 0 || !reaches_on || !is_same {
            return None;
        }
        let before = Steps { count: at, ..kept.steps };
        self.is_unchanged(evaluator, before, kept.stamp).then_some((kept, 0..at))
    }

    /// Notes that what is kept still holds, where all of it does.
    fn renew(self, evaluator: &Evaluator<'_>, kept: &Kept) {
        if self.is_unchanged(evaluator, kept.steps, kept.stamp) {
            self.cache.keep(self.key, Kept { stamp: self.stamp, ..kept.clone() });
        }
    }
}

/// From the first ms to the last, both in it.
fn millis_range(first: i64, last: i64) -> Option<TimeRange> {
    TimeRange::new(Timestamp(to_nanos(first)), Timestamp(last_nano(last).saturating_add(1)))
}

/// Gaps by time, each of at least two steps, none next to another.
fn joined(mut gaps: Vec<Range<usize>>, count: usize) -> Vec<Range<usize>> {
    gaps.retain(|gap| !gap.is_empty());
    for gap in &mut gaps {
        if gap.len() < GAP_STEPS {
            *gap = if gap.end < count {
                gap.start..gap.end + 1
            } else {
                gap.start.saturating_sub(1)..gap.end
            };
        }
    }
    gaps.sort_by_key(|gap| gap.start);
    let mut all: Vec<Range<usize>> = Vec::new();
    for gap in gaps {
        match all.last_mut() {
            Some(last) if gap.start <= last.end => last.end = last.end.max(gap.end),
            _ => all.push(gap),
        }
    }
    all
}

/// What the gaps leave.
fn between(gaps: &[Range<usize>], count: usize) -> Vec<Range<usize>> {
    let starts = std::iter::once(0).chain(gaps.iter().map(|gap| gap.end));
    let ends = gaps.iter().map(|gap| gap.start).chain([count]);
    starts.zip(ends).map(|(start, end)| start..end).filter(|held| !held.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_joined_and_never_one_step_long() {
        let gaps = joined(vec![9..10, 3..5, 0..0, 4..6, 0..1], 10);
        assert_eq!(gaps, vec![0..2, 3..6, 8..10]);
        assert_eq!(between(&gaps, 10), vec![2..3, 6..8]);
        assert_eq!(between(&[], 3), vec![0..3]);
    }
}

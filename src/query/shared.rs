//! Parts that stand in a question several times: evaluated once, and handed on.

use super::annotations::{Annotations, Place};
use super::error::Error;
use super::evaluate::{Evaluator, Outcome};
use super::matrix::Matrix;
use super::plan::Shared;
use super::steps::Steps;

/// Which part, at which steps.
pub(crate) type MemoKey = (usize, Steps, bool);

/// What a part yielded, with what there was to say.
pub(crate) struct Memo {
    outcome: Outcome,
    notes: Annotations,
    place: Place,
    /// How often it is still to be asked for.
    left: usize,
}

impl Evaluator<'_> {
    /// The value of a part: what it yielded before, where it did.
    ///
    /// # Errors
    /// As [`Self::eval`].
    pub(super) fn shared(&mut self, shared: &Shared, steps: Steps) -> Result<Outcome, Error> {
        // What each step looks at is counted as often as it stands there.
        if self.counts.is_some() {
            return self.eval(&shared.plan, steps);
        }
        let key = (shared.id, steps, self.in_subquery);
        if let Some(memo) = self.memo.get_mut(&key) {
            memo.left = memo.left.saturating_sub(1);
            self.notes.merge(memo.notes.at_another_place(memo.place, shared.place));
            let outcome = if memo.left == 0 {
                self.memo.remove(&key).map(|memo| memo.outcome)
            } else {
                Some(memo.outcome.clone())
            };
            if let Some(outcome) = outcome {
                return Ok(outcome);
            }
        }
        let outer = std::mem::take(&mut self.notes);
        let outcome = self.eval(&shared.plan, steps);
        let notes = std::mem::replace(&mut self.notes, outer);
        let outcome = outcome?;
        self.notes.merge(notes.clone());
        if let Outcome::Vector(matrix) = &outcome {
            self.budget.use_memory(matrix.len() * Matrix::bytes_a_row(steps.count))?;
        }
        let (place, left) = (shared.place, shared.uses.saturating_sub(1));
        let memo = Memo { outcome: outcome.clone(), notes, place, left };
        self.memo.insert(key, memo);
        Ok(outcome)
    }
}

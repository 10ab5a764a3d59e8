//! Plans carried out: each node's value at all steps at once.

use std::sync::Arc;

use query_lang::{Edges, Function, ValueType};

use super::annotations::{Annotations, Note};
use super::error::Error;
use super::leaf::{Leaf, Pool, Task, non_counter};
use super::matrix::{Matrix, Row, ones, words};
use super::plan::{Hints, Moved, Plan, RangeFunction, Rows, Select};
use super::step_counts::StepCounts;
use super::steps::{Steps, Windows};
use super::union::Union;
use super::window::{Context, Instant, RangeCall, Several, Stamp, evaluate, yields_several};
use super::{aggregate, binary, functions, subquery};
use crate::model::{Ask, Budget, Labels, Scope, Selection, Source, TimeRange};

/// What a node yields.
pub(crate) enum Outcome {
    /// A number a step.
    Scalar(Vec<f64>),
    /// Series at all steps.
    Vector(Matrix),
    /// A text.
    Text(String),
}

/// Evaluates plans for one question.
pub(crate) struct Evaluator<'a> {
    pub source: &'a dyn Source,
    pub scope: Scope,
    pub budget: &'a Budget,
    pub pool: Option<&'a dyn Pool>,
    /// How old a value may be, ms.
    pub lookback: i64,
    /// Whether what is evaluated will be rows of a subquery.
    pub in_subquery: bool,
    pub notes: Annotations,
    /// What each step looks at, where that is wanted.
    pub counts: Option<StepCounts>,
}

impl<'a> Evaluator<'a> {
    /// The value at each step.
    ///
    /// # Errors
    /// What Prometheus would refuse, what the source refused, a spent budget.
    pub(crate) fn eval(&mut self, plan: &Plan, steps: Steps) -> Result<Outcome, Error> {
        self.budget.check()?;
        Ok(match plan {
            Plan::Number(number) => Outcome::Scalar(vec![*number; steps.count]),
            Plan::Text(text) => Outcome::Text(text.clone()),
            Plan::Select(_) | Plan::Stamps(..) => match self.leaf(plan, steps)? {
                Some(leaf) => Outcome::Vector(leaf.collect(self.pool, &mut self.notes)?),
                None => Outcome::Vector(Matrix::new(steps.count)),
            },
            Plan::RangeFunction(call) => Outcome::Vector(self.range_function(call, plan, steps)?),
            Plan::Range(_) => return Err(Error::NotSteppable(ValueType::RangeVector)),
            Plan::Negate(inner) => match self.eval(inner, steps)? {
                Outcome::Scalar(mut values) => {
                    for value in &mut values {
                        *value = -*value;
                    }
                    Outcome::Scalar(values)
                }
                Outcome::Vector(matrix) => Outcome::Vector(functions::negate(matrix)),
                Outcome::Text(text) => Outcome::Text(text),
            },
            Plan::Call(call) => functions::call(self, call, steps)?,
            Plan::Aggregate(aggregate) => {
                Outcome::Vector(aggregate::evaluate(self, aggregate, steps)?)
            }
            Plan::Binary(binary) => binary::evaluate(self, binary, steps)?,
            Plan::Info(info) => Outcome::Vector(functions::info(self, info, steps)?),
            Plan::Once(inner) => self.once(inner, steps)?,
            Plan::Moved(moved) => self.moved(moved, steps)?,
            Plan::Keep(inner) => {
                let mut matrix = self.vector(inner, steps)?;
                (0..matrix.len()).for_each(|row| matrix.set_drops_name(row, false));
                Outcome::Vector(matrix)
            }
            Plan::Among(among) => Outcome::Vector(binary::among(self, among, steps)?),
        })
    }

    /// At other times, or at one for all steps.
    fn moved(&mut self, moved: &Moved, steps: Steps) -> Result<Outcome, Error> {
        let Some(at) = moved.at else {
            let start = steps.start.saturating_sub(moved.offset);
            return self.eval(&moved.plan, Steps { start, ..steps });
        };
        let one = Steps { start: at.saturating_sub(moved.offset), count: 1, ..steps };
        let outcome = self.eval(&moved.plan, one)?;
        self.repeated(outcome, steps)
    }

    fn once(&mut self, plan: &Plan, steps: Steps) -> Result<Outcome, Error> {
        let one = Steps { count: 1, ..steps };
        let outer = self.begin_counts(1);
        let evaluated = self.eval(plan, one);
        self.end_counts(outer, |outer, total| outer.add_everywhere(total));
        self.repeated(evaluated?, steps)
    }

    fn repeated(&mut self, outcome: Outcome, steps: Steps) -> Result<Outcome, Error> {
        Ok(match outcome {
            Outcome::Scalar(values) => {
                let value = values.first().copied().unwrap_or(f64::NAN);
                Outcome::Scalar(vec![value; steps.count])
            }
            Outcome::Vector(matrix) if steps.count > 1 => {
                self.budget.use_memory(matrix.len() * Matrix::bytes_a_row(steps.count))?;
                Outcome::Vector(matrix.repeat(steps.count))
            }
            outcome => outcome,
        })
    }

    /// The series of a node that yields a vector; a scalar is one series without labels.
    ///
    /// # Errors
    /// As [`Self::eval`].
    pub(crate) fn vector(&mut self, plan: &Plan, steps: Steps) -> Result<Matrix, Error> {
        Ok(match self.eval(plan, steps)? {
            Outcome::Vector(matrix) => matrix,
            Outcome::Scalar(values) => scalar_matrix(&values),
            Outcome::Text(_) => Matrix::new(steps.count),
        })
    }

    /// The numbers of a node that yields a scalar.
    ///
    /// # Errors
    /// As [`Self::eval`].
    pub(crate) fn scalar(&mut self, plan: &Plan, steps: Steps) -> Result<Vec<f64>, Error> {
        Ok(match self.eval(plan, steps)? {
            Outcome::Scalar(values) => values,
            Outcome::Vector(_) | Outcome::Text(_) => vec![f64::NAN; steps.count],
        })
    }

    /// Series that match and may have a row in `range`; None where no time is in it.
    ///
    /// # Errors
    /// What the source refused.
    pub(crate) fn selection(
        &self,
        select: &Select,
        range: Option<TimeRange>,
    ) -> Result<Option<Arc<dyn Selection>>, Error> {
        let mut all: Vec<Arc<dyn Selection>> = Vec::new();
        for matchers in std::iter::once(&select.matchers).chain(&select.alternatives) {
            all.extend(self.select(matchers, range)?);
        }
        Ok(if all.len() > 1 { Some(Arc::new(Union::new(&all, self.budget)?)) } else { all.pop() })
    }

    /// Series that pass these tests and may have a row in `range`; None where no time is in it.
    ///
    /// # Errors
    /// What the source refused.
    pub(crate) fn select(
        &self,
        matchers: &[crate::model::Matcher],
        range: Option<TimeRange>,
    ) -> Result<Option<Arc<dyn Selection>>, Error> {
        let Some(range) = range else { return Ok(None) };
        let ask = Ask { scope: self.scope, matchers, range, budget: self.budget };
        Ok(Some(self.source.select(&ask)?.into()))
    }

    /// The leaf that a plan is, ready to run; None where it is none, or reads nothing.
    ///
    /// # Errors
    /// What the source refused, or an argument.
    pub(crate) fn leaf(&mut self, plan: &Plan, steps: Steps) -> Result<Option<Leaf<'a>>, Error> {
        let (select, task) = match plan {
            Plan::Select(select) => (select, self.instant_task(select, steps, None)),
            Plan::Stamps(select, stamp) => (select, self.instant_task(select, steps, Some(*stamp))),
            Plan::RangeFunction(call) => {
                let Rows::Select(select) = &call.range.rows else { return Ok(None) };
                let windows = Windows::new(steps, call.range.length, select.at, select.offset);
                (select, Task::Range(self.range_call(call, windows, select.edges, steps)?))
            }
            _ => return Ok(None),
        };
        let mut reach = match &task {
            Task::Instant(instant) | Task::Smoothed(instant, _) | Task::Stamp(instant, _) => {
                instant.windows
            }
            Task::Range(call) => call.reach(),
        };
        if select.hints == Hints::OnlyTotals {
            // The first row's hint comes from the one before it.
            reach = reach.widen(self.lookback, 0);
        }
        let (budget, in_subquery) = (self.budget, self.in_subquery);
        Ok(self.selection(select, reach.range())?.map(|selection| Leaf {
            selection,
            task,
            hints: select.hints,
            reach,
            place: select.place,
            in_subquery,
            budget,
            counts: self.counts.clone(),
        }))
    }

    /// The leaf that a plan is, where its rows are all of its value.
    ///
    /// # Errors
    /// As [`Self::leaf`].
    pub(crate) fn streamed(
        &mut self,
        plan: &Plan,
        steps: Steps,
    ) -> Result<Option<Leaf<'a>>, Error> {
        match plan {
            Plan::RangeFunction(call)
                if call.function == Function::AbsentOverTime || yields_several(call.function) =>
            {
                Ok(None)
            }
            _ => self.leaf(plan, steps),
        }
    }

    fn instant_task(&self, select: &Select, steps: Steps, stamp: Option<Stamp>) -> Task {
        let windows = Windows::new(steps, self.lookback, select.at, select.offset);
        match (stamp, select.edges) {
            (Some(stamp), _) => Task::Stamp(Instant { steps, windows }, stamp),
            (None, Edges::Smoothed) => {
                let windows = windows.widen(0, self.lookback);
                Task::Smoothed(Instant { steps, windows }, self.lookback)
            }
            (None, Edges::Plain | Edges::Anchored) => Task::Instant(Instant { steps, windows }),
        }
    }

    fn range_call(
        &mut self,
        call: &RangeFunction,
        windows: Windows,
        edges: Edges,
        steps: Steps,
    ) -> Result<RangeCall, Error> {
        let scalars = call
            .scalars
            .iter()
            .map(|scalar| self.scalar(scalar, steps))
            .collect::<Result<_, _>>()?;
        Ok(RangeCall {
            function: call.function,
            steps,
            windows,
            edges,
            lookback: self.lookback,
            scalars,
            place: call.place,
        })
    }

    fn range_function(
        &mut self,
        call: &RangeFunction,
        plan: &Plan,
        steps: Steps,
    ) -> Result<Matrix, Error> {
        if yields_several(call.function) {
            return self.several(call, steps);
        }
        let matrix = if let Rows::Subquery(inner) = &call.range.rows {
            let rows = subquery::evaluate(self, inner, call.range.length, steps)?;
            let windows = Windows::new(steps, call.range.length, inner.at, inner.offset);
            let range_call = self.range_call(call, windows, Edges::Plain, steps)?;
            self.over_subquery(&range_call, &rows)?
        } else {
            match self.leaf(plan, steps)? {
                Some(leaf) => leaf.collect(self.pool, &mut self.notes)?,
                None => Matrix::new(steps.count),
            }
        };
        if call.function == Function::AbsentOverTime {
            return Ok(absent(&matrix, call.absent.clone()));
        }
        Ok(matrix)
    }

    /// Several series for each, all from one read.
    fn several(&mut self, call: &RangeFunction, steps: Steps) -> Result<Matrix, Error> {
        let mut result = Matrix::new(steps.count);
        if let Rows::Subquery(inner) = &call.range.rows {
            let rows = subquery::evaluate(self, inner, call.range.length, steps)?;
            let windows = Windows::new(steps, call.range.length, inner.at, inner.offset);
            let range_call = self.range_call(call, windows, Edges::Plain, steps)?;
            let several = Several { call: range_call, texts: call.texts.clone() };
            for index in 0..rows.len() {
                self.budget.check()?;
                let labels = rows.labels(index);
                let metric = || labels.metric().to_owned();
                let mut context =
                    Context { metric: &metric, notes: &mut self.notes, place: call.place };
                several.add(&labels, &rows.rows(index), &mut context, &mut result)?;
            }
            return Ok(result);
        }
        let Some(leaf) = self.leaf(&Plan::RangeFunction(Box::new(call.clone())), steps)? else {
            return Ok(result);
        };
        let Task::Range(range_call) = &leaf.task else { return Ok(result) };
        let several = Several { call: range_call.clone(), texts: call.texts.clone() };
        let bytes = Matrix::bytes_a_row(steps.count);
        leaf.each_series(&mut |number, rows| {
            let labels = leaf.selection.labels(number);
            let metric = || labels.metric().to_owned();
            let mut context =
                Context { metric: &metric, notes: &mut self.notes, place: call.place };
            let before = result.len();
            several.add(&labels, rows, &mut context, &mut result)?;
            Ok(leaf.budget.use_memory(bytes.saturating_mul(result.len() - before))?)
        })?;
        Ok(result)
    }

    fn over_subquery(
        &mut self,
        call: &RangeCall,
        rows: &subquery::SubqueryRows,
    ) -> Result<Matrix, Error> {
        let mut matrix = Matrix::new(call.steps.count);
        let mut row = Row::new(call.steps.count);
        let watches = matches!(call.function, Function::Rate | Function::Increase);
        for index in 0..rows.len() {
            self.budget.check()?;
            row.clear();
            let labels = rows.labels(index);
            let inner = rows.rows(index);
            if let Some(counts) = &self.counts {
                counts.add_windows(call.windows, &inner);
            }
            let metric = || labels.metric().to_owned();
            let mut context =
                Context { metric: &metric, notes: &mut self.notes, place: call.place };
            evaluate(call, &inner, &mut context, &mut row)?;
            if row.is_empty() {
                continue;
            }
            if watches
                && row.floats.iter().any(|word| *word != 0)
                && let Some(note) = non_counter(&labels)
            {
                self.notes.add(note, call.place);
            }
            self.budget.use_memory(Matrix::bytes_a_row(call.steps.count))?;
            let drops_name = !call.keeps_name() || rows.drops_name(index);
            matrix.push(labels.clone(), drops_name, row.as_ref());
        }
        Ok(matrix)
    }

    /// Counts apart what is evaluated at steps of its own; what was counted before is returned.
    pub(crate) fn begin_counts(&mut self, steps: usize) -> Option<StepCounts> {
        let inner = self.counts.is_some().then(|| StepCounts::new(steps));
        std::mem::replace(&mut self.counts, inner)
    }

    /// Goes on with `outer`, to which `join` adds what was counted apart.
    pub(crate) fn end_counts(
        &mut self,
        outer: Option<StepCounts>,
        join: impl FnOnce(&StepCounts, u64),
    ) {
        let inner = std::mem::replace(&mut self.counts, outer);
        if let (Some(outer), Some(inner)) = (&self.counts, inner) {
            join(outer, inner.total());
        }
    }

    /// Notes something.
    pub(crate) fn note(&mut self, note: Note, place: super::annotations::Place) {
        self.notes.add(note, place);
    }
}

/// One series of value 1 at the steps where no row has a value.
pub(crate) fn absent(matrix: &Matrix, labels: Labels) -> Matrix {
    let steps = matrix.steps();
    let mut present = vec![0; words(steps)];
    matrix.rows().for_each(|row| row.add_presence(&mut present));
    for word in &mut present {
        *word = !*word;
    }
    let mut row = Row::new(steps);
    ones(&present).take_while(|step| *step < steps).for_each(|step| row.set(step, 1.0));
    let mut result = Matrix::new(steps);
    if !row.is_empty() {
        result.push(labels, true, row.as_ref());
    }
    result
}

/// Numbers as one series without labels.
pub(crate) fn scalar_matrix(values: &[f64]) -> Matrix {
    let mut row = Row::new(values.len());
    values.iter().enumerate().for_each(|(step, value)| row.set(step, *value));
    let mut matrix = Matrix::new(values.len());
    matrix.push(Labels::empty(), false, row.as_ref());
    matrix
}

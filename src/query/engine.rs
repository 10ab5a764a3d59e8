//! The door: questions in, answers out.

use std::{collections::HashMap, sync::Arc, time::Duration};

use query_lang::{Expr, ValueType};

use super::annotations::Annotations;
use super::cache::{Asked, ResultCache, Ticket};
use super::error::Error;
use super::evaluate::{Evaluator, Outcome};
use super::explain::{Explained, Measures, tree};
use super::leaf::Pool;
use super::matrix::{Matrix, RowRef, ones};
use super::merge::finish_names;
use super::plan::{Plan, Range, Rows, Times, plan};
use super::rows::{Scan, SeriesRows};
use super::step_counts::StepCounts;
use super::steps::{Steps, Windows, to_millis};
use super::subquery;
use super::tier::Zones;
use super::value::{Answer, Point, Sample, Series, Stats, Value};
use crate::model::{Budget, Columns, Facts, Labels, Reading, Scope, Source, Tier};

/// How questions are answered where they do not say.
#[derive(Clone)]
pub struct Config {
    /// How old a value may be to count as the newest, ms.
    pub lookback_ms: i64,
    /// Steps that a question may have.
    pub steps_max: usize,
    /// The step of subqueries that name none, ms: how often rules are evaluated.
    pub default_step_ms: i64,
    /// Threads to share the work among; without, the asker's own does it all.
    pub pool: Option<Arc<dyn Pool>>,
    /// Where results over steps are kept; without, none are.
    pub results: Option<Arc<ResultCache>>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            lookback_ms: 300_000,
            steps_max: 11_000,
            default_step_ms: 60_000,
            pool: None,
            results: None,
        }
    }
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// The text, which annotations point into.
    pub text: String,
    /// Its tree.
    pub expr: Expr,
    /// When it is evaluated.
    pub when: When,
    /// How old a value may be, ms; None for the engine's own.
    pub lookback_ms: Option<i64>,
    /// The tier whose buckets are to answer as far as they reach; None: rows as far as they are kept.
    pub tier: Option<Tier>,
    /// When it is asked, ms since 1970: what is long past then may be kept for the next one, and taken
    /// from what is kept. None: it is evaluated anew, and nothing is kept.
    pub asked_at: Option<i64>,
    /// What `now()` is, ms since 1970; None: the end of the question.
    pub now_ms: Option<i64>,
    /// Whether [`Stats::queryable`] is wanted.
    pub counts_steps: bool,
}

/// When a question is evaluated, ms since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At one time.
    At(i64),
    /// At every step of a span.
    Over {
        /// The first step.
        start: i64,
        /// No step is after it.
        end: i64,
        /// Between two steps.
        step: i64,
    },
}

impl Question {
    /// From a text.
    ///
    /// # Errors
    /// [`Error::Parse`], with the place.
    pub fn parse(text: &str, when: When) -> Result<Self, Error> {
        let expr = query_lang::parse(text)?;
        Ok(Self {
            text: text.to_owned(),
            expr,
            when,
            lookback_ms: None,
            tier: None,
            asked_at: None,
            now_ms: None,
            counts_steps: false,
        })
    }
}

/// Answers questions from any source.
#[derive(Clone, Default)]
pub struct Engine {
    config: Config,
}

impl Engine {
    /// With these defaults.
    pub fn new(config: Config) -> Self {
        Self { config }
    }

    /// Where results are kept.
    pub fn results(&self) -> Option<&Arc<ResultCache>> {
        self.config.results.as_ref()
    }

    /// How old a value may be to count as the newest, ms.
    pub fn lookback_ms(&self) -> i64 {
        self.config.lookback_ms
    }

    /// The answer: at one time a value of the expression's type, over steps a matrix.
    ///
    /// # Errors
    /// What Prometheus would refuse, what the source refused, a spent budget.
    pub fn ask(
        &self,
        source: &dyn Source,
        scope: Scope,
        question: &Question,
        budget: &Budget,
    ) -> Result<Answer, Error> {
        let (planned, steps) = self.plan(question)?;
        let mut evaluator = self.evaluator((source, scope), question, budget, steps);
        let value = self.evaluate(&mut evaluator, question, (&planned, steps))?;
        let (warnings, infos) = evaluator.notes.texts(&question.text);
        let queryable = evaluator.counts.take().map(StepCounts::into_counts).unwrap_or_default();
        let stats = Stats { samples: budget.samples(), steps: steps.count as u64, queryable };
        Ok(Answer { value, warnings, infos, stats })
    }

    /// How the question would be answered; with a clock, how it was, for it is answered then.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub fn explain(
        &self,
        (source, scope): (&dyn Source, Scope),
        question: &Question,
        budget: &Budget,
        clock: Option<&dyn Fn() -> Duration>,
    ) -> Result<Explained, Error> {
        let (planned, steps) = self.plan(question)?;
        let mut evaluator = self.evaluator((source, scope), question, budget, steps);
        let is_kept = self.ticket(&evaluator, question, (&planned, steps)).is_some();
        let mut notes = Vec::new();
        let mut ran = None;
        if let Some(clock) = clock {
            evaluator.measures = Some(Measures::new(clock));
            let began = clock();
            self.evaluate(&mut evaluator, question, (&planned, steps))?;
            let took = clock().saturating_sub(began);
            let (warnings, infos) = evaluator.notes.texts(&question.text);
            notes.extend(warnings.into_iter().chain(infos));
            let (samples, steps) = (budget.samples(), steps.count as u64);
            let stats = Stats { samples, steps, ..Stats::default() };
            let steps_kept = evaluator.measures.as_ref().map_or(0, |it| it.steps_kept);
            ran = Some((stats, took, steps_kept));
        }
        let root = tree(&evaluator, &planned, steps)?;
        Ok(Explained { root, steps: steps.count as u64, is_kept, ran, notes })
    }

    fn evaluator<'a>(
        &'a self,
        (source, scope): (&'a dyn Source, Scope),
        question: &Question,
        budget: &'a Budget,
        whole: Steps,
    ) -> Evaluator<'a> {
        let lookback = question.lookback_ms.filter(|lookback| *lookback > 0);
        Evaluator {
            source,
            scope: Scope { tier: question.tier.or(scope.tier), ..scope },
            budget,
            pool: self.config.pool.as_deref(),
            lookback: lookback.unwrap_or(self.config.lookback_ms),
            in_subquery: false,
            whole,
            rounding: None,
            notes: Annotations::default(),
            counts: question.counts_steps.then(|| StepCounts::new(whole.count)),
            measures: None,
            memo: HashMap::new(),
        }
    }

    /// What is to be done, and at which steps.
    fn plan(&self, question: &Question) -> Result<(Plan, Steps), Error> {
        let default_step = self.config.default_step_ms;
        let (times, steps) = match question.when {
            When::At(at) => {
                let now = question.now_ms.unwrap_or(at);
                (Times { start: at, end: at, step: 0, default_step, now }, Steps::at(at))
            }
            When::Over { start, end, step } => {
                let now = question.now_ms.unwrap_or(end);
                let times = Times { start, end, step, default_step, now };
                (times, self.steps(question, times)?)
            }
        };
        Ok((plan(&question.text, &question.expr, times)?, steps))
    }

    fn steps(&self, question: &Question, times: Times) -> Result<Steps, Error> {
        let kind = question.expr.value_type();
        if !matches!(kind, ValueType::Scalar | ValueType::InstantVector) {
            return Err(Error::NotSteppable(kind));
        }
        if times.step <= 0 {
            return Err(Error::StepNotPositive);
        }
        let steps = Steps::between(times.start, times.end, times.step);
        let steps = steps.ok_or(Error::EndBeforeStart)?;
        if steps.count > self.config.steps_max {
            return Err(Error::Resolution { limit: self.config.steps_max });
        }
        Ok(steps)
    }

    fn evaluate(
        &self,
        evaluator: &mut Evaluator<'_>,
        question: &Question,
        (planned, steps): (&Plan, Steps),
    ) -> Result<Value, Error> {
        let When::At(at) = question.when else {
            let matrix = match self.ticket(evaluator, question, (planned, steps)) {
                Some(ticket) => ticket.answer(evaluator, planned)?,
                None => finish_names(evaluator.vector(planned, steps)?)?,
            };
            return Ok(Value::Matrix(series(&matrix, steps)));
        };
        if let Plan::Range(range) = planned {
            return Ok(Value::Matrix(windows(evaluator, range, steps)?));
        }
        Ok(match evaluator.eval(planned, steps)? {
            Outcome::Scalar(values) => {
                Value::Scalar(at, values.first().copied().unwrap_or(f64::NAN))
            }
            Outcome::Text(text) => Value::String(at, text),
            Outcome::Vector(matrix) => Value::Vector(samples(&finish_names(matrix)?, at)),
        })
    }

    /// What the question may be kept as; None where it is not to be.
    fn ticket<'a>(
        &'a self,
        evaluator: &Evaluator<'_>,
        question: &'a Question,
        planned: (&Plan, Steps),
    ) -> Option<Ticket<'a>> {
        // What is kept was not looked at, and could not be counted.
        if question.counts_steps {
            return None;
        }
        let asked = Asked {
            text: &question.text,
            expr: &question.expr,
            now: question.asked_at?,
            default_step: self.config.default_step_ms,
        };
        Ticket::new(self.config.results.as_deref()?, &asked, planned, evaluator)
    }
}

fn samples(matrix: &Matrix, time: i64) -> Vec<Sample> {
    let mut samples = Vec::with_capacity(matrix.len());
    for index in 0..matrix.len() {
        let row = matrix.row(index);
        let value = match (row.float(0), row.histogram(0)) {
            (Some(value), _) => Point::Float(value),
            (None, Some(histogram)) => Point::Histogram(Arc::clone(histogram)),
            (None, None) => continue,
        };
        samples.push(Sample { labels: matrix.labels(index), time, value });
    }
    samples
}

fn series(matrix: &Matrix, steps: Steps) -> Vec<Series> {
    let mut all: Vec<Series> = (0..matrix.len())
        .map(|index| series_of(matrix.labels(index), matrix.row(index), steps))
        .collect();
    all.sort_by(|a, b| a.labels.cmp(&b.labels));
    all
}

fn series_of(labels: Labels, row: RowRef<'_>, steps: Steps) -> Series {
    let float = |step: usize| Some((steps.time(step), *row.values.get(step)?));
    Series {
        labels,
        floats: ones(row.floats).filter_map(float).collect(),
        histograms: row
            .histogram_steps()
            .map(|(step, histogram)| (steps.time(step), Arc::clone(histogram)))
            .collect(),
    }
}

/// The rows of a window as they are.
fn windows(
    evaluator: &mut Evaluator<'_>,
    range: &Range,
    steps: Steps,
) -> Result<Vec<Series>, Error> {
    let mut all = Vec::new();
    match &range.rows {
        Rows::Select(select) => {
            let windows = Windows::new(steps, range.length, select.at, select.offset);
            let reach = super::window::reach(windows, select.edges, evaluator.lookback);
            let Some(selection) = evaluator.selection(select, reach.range())? else {
                return Ok(all);
            };
            let scan = Scan {
                selection: selection.as_ref(),
                // Whether there is a bucket is enough: none will do.
                reading: Reading {
                    columns: Columns { facts: Facts::COUNT, ..Columns::VALUES },
                    windows: reach.in_nanos(true),
                    chunks: None,
                },
                keeps_stale: false,
                budget: evaluator.budget,
            };
            let each = &mut |number: u32, rows: &SeriesRows| {
                if !rows.buckets.is_empty()
                    && let Some(zones) = Zones::new(selection.zones(number))
                {
                    return Err(zones.refuse("a range without a function"));
                }
                if let Some(counts) = &evaluator.counts {
                    counts.add_windows(windows, rows);
                }
                let labels = selection.labels(number);
                all.extend(super::window::bare(rows, windows, select.edges, labels)?);
                Ok(())
            };
            scan.run(0..selection.len(), each)?;
        }
        Rows::Subquery(inner) => {
            let rows = subquery::evaluate(evaluator, inner, range.length, steps)?;
            let matrix = finish_names(rows.matrix)?;
            all = series(&matrix, rows.steps);
        }
    }
    all.retain(|series| !series.floats.is_empty() || !series.histograms.is_empty());
    all.sort_by(|a, b| a.labels.cmp(&b.labels));
    Ok(all)
}

/// Rows of a series with times in ms.
pub(super) fn in_millis(rows: &SeriesRows, labels: Labels) -> Series {
    let floats = rows.times.iter().map(|time| to_millis(*time)).zip(rows.values.iter().copied());
    let histograms = rows.histogram_times.iter().map(|time| to_millis(*time));
    Series {
        labels,
        floats: floats.collect(),
        histograms: histograms.zip(rows.histograms.iter().map(Arc::clone)).collect(),
    }
}

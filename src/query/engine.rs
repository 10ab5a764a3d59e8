//! The door: questions in, answers out.

use std::sync::Arc;

use query_lang::{Expr, ValueType};

use super::annotations::Annotations;
use super::error::Error;
use super::evaluate::{Evaluator, Outcome};
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
}

impl Default for Config {
    fn default() -> Self {
        Self { lookback_ms: 300_000, steps_max: 11_000, default_step_ms: 60_000, pool: None }
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

impl When {
    /// How many times it is evaluated; None where no time is meant.
    fn steps(self) -> Option<usize> {
        match self {
            Self::At(_) => Some(1),
            Self::Over { start, end, step } => Steps::between(start, end, step).map(|it| it.count),
        }
    }
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
        let lookback = question.lookback_ms.filter(|lookback| *lookback > 0);
        let mut evaluator = Evaluator {
            source,
            scope: Scope { tier: question.tier.or(scope.tier), ..scope },
            budget,
            pool: self.config.pool.as_deref(),
            lookback: lookback.unwrap_or(self.config.lookback_ms),
            in_subquery: false,
            notes: Annotations::default(),
            counts: None,
        };
        let steps = question
            .when
            .steps()
            .filter(|steps| question.counts_steps && *steps <= self.config.steps_max);
        evaluator.counts = steps.map(StepCounts::new);
        let (value, steps) = match question.when {
            When::At(at) => (self.at(&mut evaluator, question, at)?, 1),
            When::Over { start, end, step } => {
                self.over(&mut evaluator, question, (start, end, step))?
            }
        };
        let (warnings, infos) = evaluator.notes.texts(&question.text);
        let queryable = evaluator.counts.take().map(StepCounts::into_counts).unwrap_or_default();
        let stats = Stats { samples: budget.samples(), steps, queryable };
        Ok(Answer { value, warnings, infos, stats })
    }

    fn at(
        &self,
        evaluator: &mut Evaluator<'_>,
        question: &Question,
        at: i64,
    ) -> Result<Value, Error> {
        let default_step = self.config.default_step_ms;
        let now = question.now_ms.unwrap_or(at);
        let times = Times { start: at, end: at, step: 0, default_step, now };
        let planned = plan(&question.text, &question.expr, times)?;
        let steps = Steps::at(at);
        if let Plan::Range(range) = &planned {
            return Ok(Value::Matrix(windows(evaluator, range, steps)?));
        }
        Ok(match evaluator.eval(&planned, steps)? {
            Outcome::Scalar(values) => {
                Value::Scalar(at, values.first().copied().unwrap_or(f64::NAN))
            }
            Outcome::Text(text) => Value::String(at, text),
            Outcome::Vector(matrix) => Value::Vector(samples(&finish_names(matrix)?, at)),
        })
    }

    fn over(
        &self,
        evaluator: &mut Evaluator<'_>,
        question: &Question,
        (start, end, step): (i64, i64, i64),
    ) -> Result<(Value, u64), Error> {
        let kind = question.expr.value_type();
        if !matches!(kind, ValueType::Scalar | ValueType::InstantVector) {
            return Err(Error::NotSteppable(kind));
        }
        if step <= 0 {
            return Err(Error::StepNotPositive);
        }
        let steps = Steps::between(start, end, step).ok_or(Error::EndBeforeStart)?;
        if steps.count > self.config.steps_max {
            return Err(Error::Resolution { limit: self.config.steps_max });
        }
        let (now, default_step) = (question.now_ms.unwrap_or(end), self.config.default_step_ms);
        let times = Times { start, end, step, default_step, now };
        let planned = plan(&question.text, &question.expr, times)?;
        let matrix = finish_names(evaluator.vector(&planned, steps)?)?;
        Ok((Value::Matrix(series(&matrix, steps)), steps.count as u64))
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

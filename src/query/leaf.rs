//! The leaves of a plan: series read and evaluated one after the other, in runs that do not know of
//! each other, so that a pool can work on several.

use std::{collections::HashSet, ops::Range, sync::Arc, sync::Mutex};

use super::annotations::{Annotations, Note, Place};
use super::error::Error;
use super::matrix::{Matrix, Row};
use super::plan::Hints;
use super::rows::{Scan, SeriesRows};
use super::step_counts::StepCounts;
use super::steps::Windows;
use super::tier::{self, Newest, Zones};
use super::totals::only_totals;
use super::window::{
    Context, Instant, RangeCall, Stamp, evaluate, instant_row, smoothed_row, stamp_row,
};
use crate::model::{Budget, Columns, Facts, Grouping, METRIC_NAME, Reading, Selection};

/// Series of a run. Results are put together run by run, so this decides how sums across series round:
/// whatever threads, parts or caches there are, the answer is the same.
pub(crate) const RUN_SERIES: u32 = 1024;

/// Rows below which waking other threads costs more than they save.
const POOLED_ROWS: u64 = 50_000;

/// Does jobs, on threads of its own if it has any.
pub trait Pool: Send + Sync {
    /// Calls `job` with each number below `count`, in any order, and returns when all are done.
    fn run(&self, count: usize, job: &(dyn Fn(usize) + Sync));
}

/// What is done for a run.
type Work<'a, T> = dyn Fn(Range<u32>, &mut Annotations) -> Result<T, Error> + Sync + 'a;

/// Where a job puts what it made, and what it had to say.
type Slot<T> = Mutex<Option<(Result<T, Error>, Annotations)>>;

/// What is to be made of each series.
pub(crate) enum Task {
    Instant(Instant),
    Smoothed(Instant, i64),
    Stamp(Instant, Stamp),
    Range(RangeCall),
}

/// A selection and what is to be made of it.
pub(crate) struct Leaf<'a> {
    pub selection: Arc<dyn Selection>,
    pub task: Task,
    /// What becomes of the hints of histograms.
    pub hints: Hints,
    /// Where rows may be.
    pub reach: Windows,
    /// Where the selector stands.
    pub place: Place,
    /// Whether its values are rows of a subquery.
    pub in_subquery: bool,
    pub budget: &'a Budget,
    /// What each step looks at, where that is wanted.
    pub counts: Option<StepCounts>,
}

impl Leaf<'_> {
    /// Whether the results lose their metric's name.
    pub(crate) fn drops_name(&self) -> bool {
        match &self.task {
            Task::Instant(_) | Task::Smoothed(..) => false,
            Task::Stamp(..) => true,
            Task::Range(call) => !call.keeps_name(),
        }
    }

    /// How many steps.
    pub(crate) fn steps(&self) -> usize {
        match &self.task {
            Task::Instant(instant) | Task::Smoothed(instant, _) | Task::Stamp(instant, _) => {
                instant.steps.count
            }
            Task::Range(call) => call.steps.count,
        }
    }

    fn reading(&self) -> Reading {
        let newest = Facts::LAST.and(Facts::STARTS);
        let (starts, facts) = match &self.task {
            Task::Instant(_) | Task::Smoothed(..) => (false, newest),
            Task::Stamp(_, stamp) => (*stamp == Stamp::Start, newest),
            Task::Range(call) => (call.reads_starts(), tier::facts(call.function)),
        };
        let columns = Columns { values: true, starts, facts };
        let chunks = match &self.task {
            Task::Range(call) => tier::facts_of_chunks(call),
            Task::Instant(_) | Task::Smoothed(..) | Task::Stamp(..) => None,
        };
        Reading { columns, windows: self.reach.in_nanos(true), chunks }
    }

    fn keeps_stale(&self) -> bool {
        match &self.task {
            Task::Instant(_) | Task::Stamp(..) => true,
            Task::Smoothed(..) => false,
            Task::Range(call) => call.keeps_stale(),
        }
    }

    /// The runs.
    pub(crate) fn runs(&self) -> Vec<Range<u32>> {
        let count = self.selection.len();
        (0..count)
            .step_by(RUN_SERIES as usize)
            .map(|start| start..start.saturating_add(RUN_SERIES).min(count))
            .collect()
    }

    /// Evaluates the series of a run and hands each row that has values to `sink`.
    ///
    /// # Errors
    /// What the source, an argument or the sink refused.
    pub(crate) fn run(
        &self,
        series: Range<u32>,
        counters: Option<&Counters>,
        notes: &mut Annotations,
        sink: &mut dyn FnMut(u32, &Row, &mut Annotations) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut row = Row::new(self.steps());
        let mut judge = counters.map(|counters| counters.judge());
        let each = &mut |number: u32, rows: &SeriesRows| {
            row.clear();
            let shrunk;
            let rows = if self.hints == Hints::OnlyTotals && !rows.histograms.is_empty() {
                shrunk = only_totals(rows);
                &shrunk
            } else {
                rows
            };
            self.evaluate(number, rows, notes, &mut row)?;
            if let Some(counts) = &self.counts {
                match &self.task {
                    Task::Instant(_) | Task::Smoothed(..) | Task::Stamp(..) => counts.add_row(&row),
                    Task::Range(call) => counts.add_windows(call.windows, rows),
                }
            }
            if row.is_empty() {
                return Ok(());
            }
            if let Some(judge) = &mut judge {
                judge.look_at(number, &row, notes);
            }
            sink(number, &row, notes)
        };
        let scan = Scan {
            selection: self.selection.as_ref(),
            reading: self.reading(),
            keeps_stale: self.keeps_stale(),
            budget: self.budget,
        };
        scan.run(series, each)
    }

    /// Hands the rows of each series to `each`.
    ///
    /// # Errors
    /// What the source or `each` refused; buckets of tiers, which do not tell.
    pub(crate) fn each_series(
        &self,
        each: &mut dyn FnMut(u32, &SeriesRows) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let scan = Scan {
            selection: self.selection.as_ref(),
            reading: self.reading(),
            keeps_stale: self.keeps_stale(),
            budget: self.budget,
        };
        scan.run(0..self.selection.len(), &mut |number, rows| {
            if !rows.buckets.is_empty()
                && let Some(zones) = Zones::new(self.selection.zones(number))
            {
                return Err(zones.refuse("a function of several values"));
            }
            each(number, rows)
        })
    }

    fn evaluate(
        &self,
        number: u32,
        rows: &SeriesRows,
        notes: &mut Annotations,
        row: &mut Row,
    ) -> Result<(), Error> {
        let metric = || self.selection.labels(number).metric().to_owned();
        let mut context = Context { metric: &metric, notes, place: self.place };
        if !rows.buckets.is_empty()
            && let Some(zones) = Zones::new(self.selection.zones(number))
        {
            return self.evaluate_tiered(rows, &zones, &mut context, row);
        }
        match &self.task {
            Task::Range(call) if !rows.chunks.is_empty() => {
                context.place = call.place;
                tier::evaluate_chunks(call, rows, &mut context, row);
            }
            Task::Instant(instant) => instant_row(instant, rows, row),
            Task::Stamp(instant, stamp) => stamp_row(instant, *stamp, rows, row),
            Task::Smoothed(instant, lookback) => {
                smoothed_row(instant, *lookback, rows, &mut context, row);
            }
            Task::Range(call) => {
                context.place = call.place;
                evaluate(call, rows, &mut context, row)?;
            }
        }
        Ok(())
    }

    /// As [`Self::evaluate`], where buckets stand for rows.
    fn evaluate_tiered(
        &self,
        rows: &SeriesRows,
        zones: &Zones,
        context: &mut Context<'_>,
        row: &mut Row,
    ) -> Result<(), Error> {
        if self.in_subquery {
            return Err(zones.refuse("a subquery"));
        }
        match &self.task {
            Task::Instant(instant) => {
                Newest { instant, stamp: None }.evaluate(rows, zones, context, row);
            }
            Task::Stamp(instant, stamp) => {
                Newest { instant, stamp: Some(*stamp) }.evaluate(rows, zones, context, row);
            }
            Task::Smoothed(..) => return Err(zones.refuse("smoothed")),
            Task::Range(call) => {
                context.place = call.place;
                tier::evaluate(call, rows, zones, context, row)?;
            }
        }
        Ok(())
    }

    /// What is to be watched of the names of counters; None where nothing is.
    pub(crate) fn counters(&self) -> Option<Counters> {
        use query_lang::Function::{Increase, Rate};
        let Task::Range(call) = &self.task else { return None };
        matches!(call.function, Rate | Increase)
            .then(|| Counters::new(self.selection.as_ref(), call.place))
    }

    /// All rows.
    ///
    /// # Errors
    /// As [`Self::run`], and a spent budget.
    pub(crate) fn collect(
        &self,
        pool: Option<&dyn Pool>,
        notes: &mut Annotations,
    ) -> Result<Matrix, Error> {
        let counters = self.counters();
        let drops_name = self.drops_name();
        let bytes = Matrix::bytes_a_row(self.steps());
        let parts = self.each_run(pool, notes, &|series, notes| {
            let mut matrix = Matrix::of(Arc::clone(&self.selection), self.steps());
            self.run(series, counters.as_ref(), notes, &mut |number, row, _| {
                self.budget.use_memory(bytes)?;
                matrix.push_series(number, drops_name, row.as_ref());
                Ok(())
            })?;
            Ok(matrix)
        })?;
        let mut parts = parts.into_iter();
        let mut all =
            parts.next().unwrap_or_else(|| Matrix::of(Arc::clone(&self.selection), self.steps()));
        parts.for_each(|part| all.append(part));
        Ok(all)
    }

    /// Does `work` for each run, on the pool where there is one, and gives the results in order.
    ///
    /// # Errors
    /// The first that `work` returned, in the order of runs.
    pub(crate) fn each_run<T: Send>(
        &self,
        pool: Option<&dyn Pool>,
        notes: &mut Annotations,
        work: &Work<'_, T>,
    ) -> Result<Vec<T>, Error> {
        let runs = self.runs();
        let is_worth_it = runs.len() > 1 && self.selection.estimate().rows >= POOLED_ROWS;
        let Some(pool) = pool.filter(|_| is_worth_it) else {
            return runs.into_iter().map(|series| work(series, notes)).collect();
        };
        let slots: Vec<Slot<T>> = runs.iter().map(|_| Mutex::new(None)).collect();
        pool.run(runs.len(), &|index| {
            let (Some(series), Some(slot)) = (runs.get(index), slots.get(index)) else { return };
            let mut notes = Annotations::default();
            let result = work(series.clone(), &mut notes);
            if let Ok(mut slot) = slot.lock() {
                *slot = Some((result, notes));
            }
        });
        let done = slots.into_iter().filter_map(|slot| slot.into_inner().ok().flatten());
        done.map(|(result, theirs)| {
            notes.merge(theirs);
            result
        })
        .collect()
    }
}

/// Name and type of the metric of each series: `rate` says where it may not be a counter.
pub(crate) struct Counters {
    groups: crate::model::Groups,
    place: Place,
}

impl Counters {
    fn new(selection: &dyn Selection, place: Place) -> Self {
        let by = vec![METRIC_NAME.to_owned(), "__type__".to_owned()];
        Self { groups: selection.groups(&Grouping::By(by)), place }
    }

    fn judge(&self) -> Judge<'_> {
        Judge { counters: self, seen: HashSet::new() }
    }
}

/// Looks at each kind of metric once.
struct Judge<'a> {
    counters: &'a Counters,
    seen: HashSet<u32>,
}

impl Judge<'_> {
    fn look_at(&mut self, number: u32, row: &Row, notes: &mut Annotations) {
        let groups = &self.counters.groups;
        let Some(group) = groups.of.get(number as usize) else { return };
        if self.seen.contains(group) || row.floats.iter().all(|word| *word == 0) {
            return;
        }
        self.seen.insert(*group);
        let Some(labels) = groups.labels.get(*group as usize) else { return };
        if let Some(note) = non_counter(labels) {
            notes.add(note, self.counters.place);
        }
    }
}

/// What is to be said where a metric does not look like a counter.
pub(crate) fn non_counter(labels: &crate::model::Labels) -> Option<Note> {
    let metric = labels.metric();
    if metric.is_empty() {
        return None;
    }
    if let Some(kind) = labels.get("__type__") {
        return (kind != "counter" && kind != "histogram").then(|| Note::PossibleNonCounterType {
            kind: kind.to_owned(),
            metric: metric.to_owned(),
        });
    }
    let suffixes = ["_total", "_sum", "_count", "_bucket"];
    (!suffixes.iter().any(|suffix| metric.ends_with(suffix)))
        .then(|| Note::PossibleNonCounter(metric.to_owned()))
}

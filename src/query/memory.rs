//! A source whose rows lie in memory: the executor is tested on it, and whoever wants to ask rows that
//! no store has.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    ops::Range,
    sync::Arc,
};

use regex::Regex;

use crate::model::{
    Ask, Budget, Cardinality, Error, Estimate, ExemplarSeries, Flow, Generation, Grouping, Groups,
    Histogram, Label, Labels, MatchOp, Matcher, Metadata, Reading, Rows, Scope, Selection, Source,
    TimeRange, Timestamp, Visitor, anchored,
};

/// Rows lent at a time; small, so that every test crosses from slice to slice.
const SLICE_ROWS: usize = 7;

/// The value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum MemoryValue {
    /// A float.
    Float(f64),
    /// A native histogram.
    Histogram(Arc<Histogram>),
}

/// A row.
#[derive(Clone, Debug, PartialEq)]
pub struct MemoryRow {
    /// ns.
    pub time: i64,
    /// Start timestamp in ns, 0 = unknown.
    pub start: i64,
    /// The value.
    pub value: MemoryValue,
}

/// Series and their rows.
#[derive(Clone, Debug, Default)]
pub struct MemorySource {
    series: BTreeMap<Labels, Arc<MemorySeries>>,
    slice_rows: Option<usize>,
    /// The time that each change touched.
    changes: Vec<TimeRange>,
}

#[derive(Clone, Debug)]
struct MemorySeries {
    labels: Labels,
    rows: Vec<MemoryRow>,
    /// Rows as columns: runs of floats and of histograms by time.
    runs: Vec<Run>,
}

/// Consecutive rows of one kind.
#[derive(Clone, Debug, Default)]
struct Run {
    times: Vec<i64>,
    values: Vec<f64>,
    starts: Vec<i64>,
    histograms: Vec<Arc<Histogram>>,
}

impl MemorySource {
    /// Without series.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lends so many rows at a time.
    #[must_use]
    pub fn with_slices(mut self, rows: usize) -> Self {
        self.slice_rows = Some(rows.max(1));
        self
    }

    /// Adds rows to a series; of two with one time the later wins.
    pub fn add(&mut self, labels: &Labels, rows: impl IntoIterator<Item = MemoryRow>) {
        let new = || {
            let labels = labels.clone();
            Arc::new(MemorySeries { labels, rows: Vec::new(), runs: Vec::new() })
        };
        let series = self.series.entry(labels.clone()).or_insert_with(new);
        let series = Arc::make_mut(series);
        let before = series.rows.len();
        series.rows.extend(rows);
        let times = || series.rows.iter().skip(before).map(|row| Timestamp(row.time));
        let touched = times().min().zip(times().max());
        self.changes.extend(touched.and_then(|(first, last)| TimeRange::closed(first, last)));
        series.settle();
    }

    /// Takes away the rows of a series in `range`.
    pub fn remove(&mut self, labels: &Labels, range: TimeRange) {
        let Some(series) = self.series.get_mut(labels).map(Arc::make_mut) else { return };
        series.rows.retain(|row| !range.contains(Timestamp(row.time)));
        series.settle();
        self.changes.push(range);
    }

    fn matching(&self, ask: &Ask<'_>) -> Result<Vec<Arc<MemorySeries>>, Error> {
        let tests = ask.matchers.iter().map(Test::new).collect::<Result<Vec<_>, _>>()?;
        let found: Vec<Arc<MemorySeries>> = self
            .series
            .values()
            .filter(|series| tests.iter().all(|test| test.passes(&series.labels)))
            .filter(|series| series.touches(ask.range))
            .map(Arc::clone)
            .collect();
        ask.budget.allow_series(found.len())?;
        Ok(found)
    }
}

impl MemorySeries {
    /// Whether a row is in the range.
    fn touches(&self, range: TimeRange) -> bool {
        let next = self.rows.partition_point(|row| row.time < range.start().0);
        self.rows.get(next).is_some_and(|row| range.contains(Timestamp(row.time)))
    }

    /// Sorts rows by time, of equal times the last wins, and lays them out as columns.
    fn settle(&mut self) {
        self.rows.sort_by_key(|row| row.time);
        self.rows.reverse();
        self.rows.dedup_by_key(|row| row.time);
        self.rows.reverse();
        self.runs.clear();
        for row in &self.rows {
            let is_float = matches!(row.value, MemoryValue::Float(_));
            if self.runs.last().is_none_or(|run| run.histograms.is_empty() != is_float) {
                self.runs.push(Run::default());
            }
            let Some(run) = self.runs.last_mut() else { continue };
            run.times.push(row.time);
            run.starts.push(row.start);
            match &row.value {
                MemoryValue::Float(value) => run.values.push(*value),
                MemoryValue::Histogram(value) => run.histograms.push(Arc::clone(value)),
            }
        }
        for run in &mut self.runs {
            if run.starts.iter().all(|start| *start == 0) {
                run.starts.clear();
            }
        }
    }
}

/// A matcher ready to be asked.
struct Test {
    name: String,
    op: MatchOp,
    value: String,
    regex: Option<Regex>,
}

impl Test {
    fn new(matcher: &Matcher) -> Result<Self, Error> {
        let regex = match matcher.op {
            MatchOp::Equal | MatchOp::NotEqual => None,
            MatchOp::Regex | MatchOp::NotRegex => {
                Some(anchored(&matcher.value).map_err(|error| Error::Invalid(error.to_string()))?)
            }
        };
        Ok(Self { name: matcher.name.clone(), op: matcher.op, value: matcher.value.clone(), regex })
    }

    fn passes(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.name).unwrap_or_default();
        let matches =
            self.regex.as_ref().map_or(value == self.value, |regex| regex.is_match(value));
        matches == matches!(self.op, MatchOp::Equal | MatchOp::Regex)
    }
}

impl Source for MemorySource {
    fn select(&self, ask: &Ask<'_>) -> Result<Box<dyn Selection>, Error> {
        Ok(Box::new(MemorySelection {
            series: self.matching(ask)?,
            range: ask.range,
            slice_rows: self.slice_rows.unwrap_or(SLICE_ROWS),
        }))
    }

    fn generation(&self, _scope: &Scope) -> Option<Generation> {
        Some(Generation(self.changes.len() as u64))
    }

    fn changed(&self, _scope: &Scope, range: TimeRange, since: Generation) -> Vec<TimeRange> {
        let since = usize::try_from(since.0).unwrap_or(usize::MAX);
        let later = self.changes.iter().skip(since);
        later.filter_map(|change| change.intersection(range)).collect()
    }

    fn label_names(&self, ask: &Ask<'_>) -> Result<Vec<String>, Error> {
        let series = self.matching(ask)?;
        let names = series.iter().flat_map(|series| series.labels.iter()).map(|(name, _)| name);
        Ok(sorted(names))
    }

    fn label_values(&self, ask: &Ask<'_>, name: &str) -> Result<Vec<String>, Error> {
        let series = self.matching(ask)?;
        Ok(sorted(series.iter().filter_map(|series| series.labels.get(name))))
    }

    fn series(&self, ask: &Ask<'_>) -> Result<Vec<Labels>, Error> {
        Ok(self.matching(ask)?.iter().map(|series| series.labels.clone()).collect())
    }

    fn metadata(&self, _scope: &Scope, _metric: Option<&str>) -> Vec<Metadata> {
        Vec::new()
    }

    fn exemplars(&self, _ask: &Ask<'_>) -> Result<Vec<ExemplarSeries>, Error> {
        Ok(Vec::new())
    }

    fn cardinality(&self, _scope: &Scope, _limit: usize) -> Cardinality {
        let rows = || self.series.values().flat_map(|series| series.rows.iter());
        let times = || rows().map(|row| row.time);
        Cardinality {
            series: self.series.len() as u64,
            head_rows: rows().count() as u64,
            time: times().min().zip(times().max()),
            ..Cardinality::default()
        }
    }
}

fn sorted<'a>(values: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut values: Vec<String> = values.map(str::to_owned).collect();
    values.sort();
    values.dedup();
    values
}

/// Series that matched.
struct MemorySelection {
    series: Vec<Arc<MemorySeries>>,
    range: TimeRange,
    slice_rows: usize,
}

impl Selection for MemorySelection {
    fn len(&self) -> u32 {
        u32::try_from(self.series.len()).unwrap_or(u32::MAX)
    }

    fn labels(&self, series: u32) -> Labels {
        self.series.get(series as usize).map_or_else(Labels::empty, |series| series.labels.clone())
    }

    fn groups(&self, by: &Grouping) -> Groups {
        let keeps = |name: &str| match by {
            Grouping::By(names) => names.iter().any(|kept| kept == name),
            Grouping::Without(names) => names.iter().all(|dropped| dropped != name),
        };
        let mut numbers: BTreeMap<Vec<Label<'_>>, u32> = BTreeMap::new();
        let keys: Vec<Vec<Label<'_>>> = self
            .series
            .iter()
            .map(|series| series.labels.iter().filter(|(name, _)| keeps(name)).collect())
            .collect();
        for key in &keys {
            if !numbers.contains_key(key) {
                numbers.insert(key.clone(), 0);
            }
        }
        (0..).zip(numbers.values_mut()).for_each(|(number, slot)| *slot = number);
        Groups {
            labels: numbers.keys().map(|pairs| Labels::from_sorted(pairs)).collect(),
            of: keys.iter().map(|key| numbers.get(key).copied().unwrap_or(u32::MAX)).collect(),
        }
    }

    fn scan(
        &self,
        series: Range<u32>,
        reading: &Reading,
        budget: &Budget,
        visit: &mut dyn Visitor,
    ) -> Result<(), Error> {
        let first = reading.windows.first_end.saturating_sub(reading.windows.length);
        let steps = i64::from(reading.windows.count.saturating_sub(1));
        let last =
            reading.windows.first_end.saturating_add(steps.saturating_mul(reading.windows.step));
        for number in series {
            let Some(series) = self.series.get(number as usize) else { break };
            'series: for run in &series.runs {
                let is_before = |time: i64| time < self.range.start().0 || time <= first;
                let start = run.times.partition_point(|time| is_before(*time));
                let is_inside = |time: i64| time < self.range.end().0 && time <= last;
                let end = run.times.partition_point(|time| is_inside(*time));
                for from in (start..end).step_by(self.slice_rows) {
                    let rows = slice(run, from..(from + self.slice_rows).min(end), reading);
                    budget.use_samples(rows.times.len())?;
                    if visit.rows(number, rows)? == Flow::NextSeries {
                        break 'series;
                    }
                }
            }
        }
        Ok(())
    }

    fn estimate(&self) -> Estimate {
        let rows: usize = self.series.iter().map(|series| series.rows.len()).sum();
        Estimate { series: self.series.len() as u64, rows: rows as u64, bytes: rows as u64 * 16 }
    }

    fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.series.iter().for_each(|series| series.labels.hash(&mut hasher));
        hasher.finish()
    }
}

fn slice<'a>(run: &'a Run, range: Range<usize>, reading: &Reading) -> Rows<'a> {
    let starts = if reading.columns.starts { run.starts.as_slice() } else { &[] };
    Rows {
        times: run.times.get(range.clone()).unwrap_or_default(),
        values: run.values.get(range.clone()).unwrap_or_default(),
        starts: starts.get(range.clone()).unwrap_or_default(),
        histograms: run.histograms.get(range).unwrap_or_default(),
    }
}

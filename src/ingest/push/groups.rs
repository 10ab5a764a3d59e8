//! Groups in memory, and what a push, a deletion or the passing of time writes.

use std::collections::{BTreeMap, BTreeSet};

use super::read::{Row, Value};
use super::{Pushed, SavedError, saved};
use crate::ingest;
use crate::model::{
    self, Batch, HistogramRow, Label, Labels, METRIC_NAME, Registry, STALE_BITS, SeriesRef,
    TenantId, Timestamp,
};

const PUSH_TIME: &str = "push_time_seconds";
const PUSH_FAILURE_TIME: &str = "push_failure_time_seconds";

/// Metrics that a group has of its own; pushed ones of these names are left out.
pub(super) const OWN_METRICS: [&str; 2] = [PUSH_TIME, PUSH_FAILURE_TIME];

/// Sets registered at once.
const SETS_MAX: usize = 256;

/// The labels that name a group: unique names, in their order, empty values among them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group(Vec<(String, String)>);

impl Group {
    /// From labels in any order. Of two with one name the later is meant.
    pub fn new(labels: impl IntoIterator<Item = (String, String)>) -> Self {
        let unique: BTreeMap<String, String> = labels.into_iter().collect();
        Self(unique.into_iter().collect())
    }

    /// Names and values.
    pub fn labels(&self) -> &[(String, String)] {
        &self.0
    }

    fn series(&self, metric: &str) -> Labels {
        let own = self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let others = own.filter(|(name, _)| *name != METRIC_NAME);
        Labels::new(others.chain([(METRIC_NAME, metric)])).unwrap_or_else(|_| Labels::empty())
    }
}

/// How a push meets what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// PUT: what is not in the push ends.
    Replace,
    /// POST: metrics of the push are replaced, others stay.
    Merge,
}

/// What came for a group.
#[derive(Clone, Debug)]
pub struct Push<'a> {
    /// Whose it is.
    pub group: &'a Group,
    /// How it meets what is there.
    pub how: How,
    /// What it brings.
    pub pushed: Pushed,
}

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Groups at once.
    pub groups_max: usize,
    /// Series of all groups: each is held in memory and written at every repetition.
    pub series_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { groups_max: 10_000, series_max: 200_000 }
    }
}

/// Why a push is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PushError {
    /// The body cannot be read.
    #[error("text format parsing error: {0}")]
    Body(#[from] ingest::Error),
    /// A value that is repeated cannot have been measured then.
    #[error("pushed metrics must not have timestamps")]
    Timestamps,
    /// One series with two values.
    #[error("series {0} was collected before with the same name and label values")]
    Twice(String),
    /// Too much is kept.
    #[error("{what} over the limit of {limit}; delete groups or raise it with {option}")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// How much is allowed.
        limit: usize,
        /// The option that raises it.
        option: &'static str,
    },
    /// Series cannot be registered now.
    #[error("cannot register a series")]
    Registry(#[from] model::Error),
}

/// What was pushed and not deleted.
#[derive(Debug, Default)]
pub struct Groups {
    limits: Limits,
    kept: BTreeMap<Group, Kept>,
    series: usize,
}

#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) rows: Vec<Row>,
    /// ns; 0 = never.
    pub(super) pushed: i64,
    pub(super) failed: i64,
}

impl Groups {
    /// Empty ones.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// How many groups there are.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// How many series all groups have, those of their own not counted.
    pub fn series(&self) -> usize {
        self.series
    }

    /// Keeps what was pushed, and gives the rows to write: the group as it is now, and markers for
    /// what is gone from it.
    ///
    /// # Errors
    /// [`PushError::Limit`], [`PushError::Registry`]; nothing is changed then.
    pub fn push(
        &mut self,
        push: Push<'_>,
        now: Timestamp,
        registry: &dyn Registry,
    ) -> Result<Batch, PushError> {
        let Push { group, how, pushed } = push;
        let before = self.kept.get(group);
        let there = before.map_or(&[][..], |kept| &kept.rows);
        let replaced: BTreeSet<&str> = pushed.rows.iter().map(|row| row.family.as_str()).collect();
        let stays = |row: &&Row| how == How::Merge && !replaced.contains(row.family.as_str());
        let mut rows: Vec<Row> = there.iter().filter(stays).cloned().collect();
        rows.extend(pushed.rows.iter().cloned());
        let series = self.series - there.len() + rows.len();
        let groups = self.kept.len() + usize::from(before.is_none());
        self.check(groups, series)?;
        let current: BTreeSet<&Labels> = rows.iter().map(|row| &row.labels).collect();
        let gone: Vec<&Row> = there.iter().filter(|row| !current.contains(&row.labels)).collect();
        let failed = before.map_or(0, |kept| kept.failed);
        let mut kept = Kept { rows: Vec::new(), pushed: now.nanos(), failed };
        let mut writer = Writer::new(now, registry);
        writer.end(&gone)?;
        writer.take(&rows)?;
        writer.take(&kept.own(group))?;
        kept.rows = rows;
        self.series = series;
        self.kept.insert(group.clone(), kept);
        let mut batch = writer.batch;
        batch.metadata = pushed.metadata;
        Ok(batch)
    }

    /// Notes that a push could not be read, and gives the rows that say so.
    ///
    /// # Errors
    /// [`PushError::Limit`], [`PushError::Registry`]; nothing is changed then.
    pub fn fail(
        &mut self,
        group: &Group,
        now: Timestamp,
        registry: &dyn Registry,
    ) -> Result<Batch, PushError> {
        let is_new = !self.kept.contains_key(group);
        self.check(self.kept.len() + usize::from(is_new), self.series)?;
        let pushed = self.kept.get(group).map_or(0, |kept| kept.pushed);
        let probe = Kept { rows: Vec::new(), pushed, failed: now.nanos() };
        let mut writer = Writer::new(now, registry);
        writer.take(&probe.own(group))?;
        self.kept.entry(group.clone()).or_default().failed = now.nanos();
        Ok(writer.batch)
    }

    /// Forgets a group, and gives markers for all it had.
    ///
    /// # Errors
    /// [`PushError::Registry`]; nothing is changed then.
    pub fn delete(
        &mut self,
        group: &Group,
        now: Timestamp,
        registry: &dyn Registry,
    ) -> Result<Batch, PushError> {
        let Some(kept) = self.kept.get(group) else { return Ok(Batch::default()) };
        let mut writer = Writer::new(now, registry);
        writer.end(&kept.rows.iter().collect::<Vec<_>>())?;
        writer.end(&kept.own(group).iter().collect::<Vec<_>>())?;
        self.series -= kept.rows.len();
        self.kept.remove(group);
        Ok(writer.batch)
    }

    /// All values once more, as a scrape at `now` would find them.
    ///
    /// # Errors
    /// [`PushError::Registry`].
    pub fn repeat(&self, now: Timestamp, registry: &dyn Registry) -> Result<Batch, PushError> {
        let mut writer = Writer::new(now, registry);
        for (group, kept) in &self.kept {
            writer.take(&kept.rows)?;
            writer.take(&kept.own(group))?;
        }
        Ok(writer.batch)
    }

    /// The name and the bytes under which a group is kept; None where it is not there.
    pub(super) fn saved(&self, group: &Group) -> (String, Option<Vec<u8>>) {
        (saved::name(group), self.kept.get(group).map(|kept| saved::save(group, kept)))
    }

    /// Takes up a group of [`Groups::saved`].
    pub(super) fn load(&mut self, bytes: &[u8]) -> Result<(), SavedError> {
        let (group, kept) = saved::load(bytes)?;
        self.series += kept.rows.len();
        if let Some(before) = self.kept.insert(group, kept) {
            self.series -= before.rows.len();
        }
        Ok(())
    }

    fn check(&self, groups: usize, series: usize) -> Result<(), PushError> {
        let Limits { groups_max, series_max } = self.limits;
        let limit = |what, limit, option| Err(PushError::Limit { what, limit, option });
        if groups > groups_max && groups > self.kept.len() {
            return limit("count of pushed groups is", groups_max, "--push-groups-max");
        }
        if series > series_max && series > self.series {
            return limit("count of pushed series is", series_max, "--push-series-max");
        }
        Ok(())
    }
}

impl Kept {
    /// When it was pushed and when that failed, in seconds.
    fn own(&self, group: &Group) -> [Row; 2] {
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 to the microsecond")]
        let row = |metric: &str, time: i64| Row {
            family: metric.to_owned(),
            labels: group.series(metric),
            value: Value::Float(time as f64 / 1e9),
        };
        [row(PUSH_TIME, self.pushed), row(PUSH_FAILURE_TIME, self.failed)]
    }
}

/// Puts rows of one time into a batch.
struct Writer<'r> {
    batch: Batch,
    time: i64,
    registry: &'r dyn Registry,
}

impl<'r> Writer<'r> {
    fn new(now: Timestamp, registry: &'r dyn Registry) -> Self {
        Self { batch: Batch::default(), time: now.nanos(), registry }
    }

    fn take(&mut self, rows: &[Row]) -> Result<(), model::Error> {
        let refs = self.register(rows.iter())?;
        for (row, series) in rows.iter().zip(refs) {
            match &row.value {
                Value::Float(value) => {
                    self.batch.rows.push(self.time, *value);
                    self.batch.rows.end_run(series);
                }
                Value::Histogram(value) => self.batch.histograms.push(HistogramRow {
                    series,
                    time: self.time,
                    start: 0,
                    value: value.clone(),
                }),
            }
        }
        Ok(())
    }

    /// Staleness markers.
    fn end(&mut self, rows: &[&Row]) -> Result<(), model::Error> {
        let refs = self.register(rows.iter().copied())?;
        for series in refs {
            self.batch.rows.push(self.time, f64::from_bits(STALE_BITS));
            self.batch.rows.end_run(series);
        }
        Ok(())
    }

    fn register<'a>(
        &self,
        rows: impl Iterator<Item = &'a Row>,
    ) -> Result<Vec<SeriesRef>, model::Error> {
        let labels: Vec<Vec<Label<'_>>> = rows.map(|row| row.labels.iter().collect()).collect();
        let mut refs = Vec::with_capacity(labels.len());
        for sets in labels.chunks(SETS_MAX) {
            let sets: Vec<&[Label<'_>]> = sets.iter().map(Vec::as_slice).collect();
            self.registry.register(TenantId::default(), &sets, &mut refs)?;
        }
        Ok(refs)
    }
}

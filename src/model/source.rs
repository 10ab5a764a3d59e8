//! The door rows go out by: one pinned version of what is stored, asked by matchers and time.

use std::{ops::Range, sync::Arc};

use crate::model::{
    Buckets, Budget, Error, Exemplar, Facts, FloatPartial, Histogram, Labels, Matcher, Metadata,
    Table, TenantId, Tier, TimeRange, Zone,
};

/// Whose rows of which table.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// The tenant.
    pub tenant: TenantId,
    /// The table.
    pub table: Table,
    /// The tier that is asked for; None: raw rows, and a tier only where they are gone.
    pub tier: Option<Tier>,
}

impl Scope {
    /// The metrics of the only tenant.
    pub const METRICS: Self = Self { tenant: TenantId(0), table: Table::Metrics, tier: None };
}

/// Which series, of which time, at what cost.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Whose rows of which table.
    pub scope: Scope,
    /// Tests that a series passes, all of them. None means every series.
    pub matchers: &'a [Matcher],
    /// Rows outside are not seen.
    pub range: TimeRange,
    /// What the question may use up.
    pub budget: &'a Budget,
}

/// Exemplars of one series, by time.
#[derive(Clone, Debug)]
pub struct ExemplarSeries {
    /// The series.
    pub labels: Labels,
    /// Its exemplars.
    pub exemplars: Vec<Exemplar>,
}

/// How many series there are, and of which labels.
#[derive(Clone, Debug, Default)]
pub struct Cardinality {
    /// Series with a row in memory or in an open partition.
    pub series: u64,
    /// Distinct (name, value) pairs.
    pub label_pairs: u64,
    /// Rows held in memory.
    pub head_rows: u64,
    /// Earliest and latest row, ns; None where there is no row.
    pub time: Option<(i64, i64)>,
    /// Metric names with the number of their series, most first.
    pub by_metric: Vec<(String, u64)>,
    /// Label names with the number of their values, most first.
    pub values_by_name: Vec<(String, u64)>,
    /// Label names with the bytes of their values, most first.
    pub bytes_by_name: Vec<(String, u64)>,
    /// `name=value` pairs with the number of their series, most first.
    pub by_pair: Vec<(String, u64)>,
}

/// Reads rows. Every call sees one version of the store, whatever is written meanwhile.
pub trait Source: Send + Sync {
    /// Series that match and may have a row in `range`, numbered 0..n in label order: the same number
    /// across partitions.
    ///
    /// # Errors
    /// A bad regular expression is [`Error::Invalid`]; too many series [`Error::Limit`].
    fn select(&self, ask: &Ask<'_>) -> Result<Box<dyn Selection>, Error>;

    /// Names of labels that matching series have, sorted. Touches no chunk.
    ///
    /// # Errors
    /// As [`Self::select`].
    fn label_names(&self, ask: &Ask<'_>) -> Result<Vec<String>, Error>;

    /// Values of the label `name` on matching series, sorted. Touches no chunk.
    ///
    /// # Errors
    /// As [`Self::select`].
    fn label_values(&self, ask: &Ask<'_>, name: &str) -> Result<Vec<String>, Error>;

    /// Label sets that match, sorted. Touches no chunk.
    ///
    /// # Errors
    /// As [`Self::select`].
    fn series(&self, ask: &Ask<'_>) -> Result<Vec<Labels>, Error>;

    /// What metrics are, by name; of `metric` alone where it is given.
    fn metadata(&self, scope: &Scope, metric: Option<&str>) -> Vec<Metadata>;

    /// Exemplars of matching series.
    ///
    /// # Errors
    /// As [`Self::select`].
    fn exemplars(&self, ask: &Ask<'_>) -> Result<Vec<ExemplarSeries>, Error>;

    /// Series counts for people, lists cut at `limit`.
    fn cardinality(&self, scope: &Scope, limit: usize) -> Cardinality;
}

/// Which label values make a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// By these labels, sorted.
    By(Vec<String>),
    /// By all labels but these, sorted.
    Without(Vec<String>),
}

/// Groups of series: dense numbers, so that aggregation is an array.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    /// The labels of each group, in label order.
    pub labels: Vec<Labels>,
    /// The group of each series.
    pub of: Vec<u32>,
}

/// What to read of each row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Values; without them only times are read.
    pub values: bool,
    /// Start timestamps.
    pub starts: bool,
    /// What of buckets that stand for rows.
    pub facts: Facts,
}

impl Columns {
    /// Times and values.
    pub const VALUES: Self = Self { values: true, starts: false, facts: Facts::ALL };
}

/// Equal windows, left-open and right-closed: window i is (end - length, end], its end at
/// `first_end + i * step`. ns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// The end of window 0.
    pub first_end: i64,
    /// Between two ends; 0 where there is one window.
    pub step: i64,
    /// How many.
    pub count: u32,
    /// How long each is.
    pub length: i64,
    /// Whether [`Visitor::buckets`] may stand for rows that [`Selection::zones`] says are gone. Without,
    /// nothing stands for them.
    pub partials: bool,
}

impl Windows {
    /// Whether a window begins or ends between rows of two times: after the first, or before the last.
    pub fn split(&self, first: i64, last: i64) -> bool {
        let count = i64::from(self.count);
        // The first edge at or behind `first`, of those at `base` and each step behind it.
        let is_between = |base: i64| {
            let steps = match (first.saturating_sub(base), self.step) {
                (..=0, _) => 0,
                (_, ..=0) => count,
                (behind, step) => behind.saturating_sub(1) / step + 1,
            };
            steps < count && base.saturating_add(steps.saturating_mul(self.step)) < last
        };
        is_between(self.first_end) || is_between(self.first_end.saturating_sub(self.length))
    }
}

/// What a scan is for.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// The columns wanted.
    pub columns: Columns,
    /// The windows that will be evaluated.
    pub windows: Windows,
    /// What a chunk of floats must tell to stand for its rows, where no window's edge is among them;
    /// None: rows are wanted.
    pub chunks: Option<Facts>,
}

/// Consecutive rows of one series, by time, each time once. Columns not asked for are empty.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// ns.
    pub times: &'a [i64],
    /// Floats; empty where `histograms` is not.
    pub values: &'a [f64],
    /// Start timestamps in ns, 0 = unknown; empty where all are unknown.
    pub starts: &'a [i64],
    /// Histograms; empty where `values` is not.
    pub histograms: &'a [Arc<Histogram>],
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// More, please.
    Continue,
    /// No more rows of this series are needed.
    NextSeries,
}

/// Takes what a scan finds: series in rising number, the rows of each by time.
pub trait Visitor {
    /// At most 1,024 rows of `series`, lent until this returns.
    ///
    /// # Errors
    /// Ends the scan, which returns it.
    fn rows(&mut self, series: u32, rows: Rows<'_>) -> Result<Flow, Error>;

    /// Buckets of tiers in place of their rows, before all rows; only where [`Windows::partials`]
    /// allows it. Lent until this returns.
    ///
    /// # Errors
    /// Ends the scan, which returns it.
    fn buckets(&mut self, series: u32, buckets: &Buckets) -> Result<Flow, Error>;

    /// Chunks in place of their rows, by time, before all rows, among which they are; only where
    /// [`Reading::chunks`] asks for them. No row is in a ms that is theirs.
    ///
    /// # Errors
    /// Ends the scan, which returns it.
    fn chunks(&mut self, series: u32, chunks: &[FloatPartial]) -> Result<Flow, Error>;
}

/// Changes when any row of what it was made for may have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Generation(pub u64);

/// What a selection will cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Estimate {
    /// Series matched.
    pub series: u64,
    /// Rows, about.
    pub rows: u64,
    /// Bytes to read, about.
    pub bytes: u64,
}

/// Matched series of one pinned version, numbered 0..len in label order.
pub trait Selection: Send + Sync {
    /// How many series.
    fn len(&self) -> u32;

    /// Whether nothing matched.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The labels of a series; the empty set where there is no such number.
    fn labels(&self, series: u32) -> Labels;

    /// Label values of `by`, and each series' group number. Groups are in label order.
    fn groups(&self, by: &Grouping) -> Groups;

    /// Visits rows in the range that the selection was made for and that `windows` touch: slices of
    /// decoded columns (at most 1,024 rows, lent), or a chunk's partial where that is allowed.
    ///
    /// # Errors
    /// Damage, a spent budget, or what the visitor returned.
    fn scan(
        &self,
        series: Range<u32>,
        reading: &Reading,
        budget: &Budget,
        visit: &mut dyn Visitor,
    ) -> Result<(), Error>;

    /// Where buckets of tiers stand for rows of a series, oldest first; after the last, rows do.
    fn zones(&self, _series: u32) -> Vec<Zone> {
        Vec::new()
    }

    /// What a scan of everything would cost.
    fn estimate(&self) -> Estimate;

    /// Changes when any row of the range may have.
    fn generation(&self) -> Generation;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_splits_the_rows_that_it_lies_between() {
        let windows = Windows { first_end: 100, step: 50, count: 3, length: 30, partials: false };
        // Ends at 100, 150, 200; begins at 70, 120, 170.
        let splits = |first, last| windows.split(first, last);
        assert!(splits(100, 101) && splits(99, 101) && splits(60, 71) && splits(170, 180));
        assert!(!splits(101, 120), "a row at the left edge is outside, and so are all before it");
        assert!(splits(101, 121));
        assert!(!splits(1, 70) && !splits(201, 900) && !splits(71, 100));
        let one = Windows { step: 0, count: 1, ..windows };
        assert!(one.split(100, 101) && !one.split(101, 500) && !one.split(71, 100));
    }
}

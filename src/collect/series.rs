//! Rows to a batch: each series is registered once, and marked stale when it is gone.

use std::collections::{HashMap, HashSet};

use crate::collect::samples::{Samples, labels_of};
use crate::model::{
    Batch, Error, Label, Metadata, MetricKind, Registry, STALE_BITS, SeriesRef, Timestamp,
};

/// One of the server's own figures, as it stands now.
#[derive(Clone, Copy, Debug)]
pub struct Counter<'a> {
    /// The metric's name, `quipu_…`.
    pub name: &'a str,
    /// What it counts, as a sentence.
    pub help: &'a str,
    /// Counter or gauge.
    pub kind: MetricKind,
    /// Its labels, in any order, each name once.
    pub labels: &'a [Label<'a>],
    /// Its value now.
    pub value: f64,
}

/// The series that were written last time, by key.
///
/// It never holds more than two collections wrote: what the last one did not see is marked stale
/// and let go.
#[derive(Debug)]
pub(super) struct SeriesCache {
    base: Vec<(String, String)>,
    known: HashMap<String, Known>,
    described: HashSet<String>,
    round: u64,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    series: SeriesRef,
    round: u64,
}

impl SeriesCache {
    /// `base` are labels that every series has unless it names them itself.
    pub(super) fn new(base: Vec<(String, String)>) -> Self {
        Self { base, known: HashMap::new(), described: HashSet::new(), round: 0 }
    }

    /// Adds all of `samples` at `now` to the batch.
    ///
    /// # Errors
    /// What the registry says; the rows before it are in the batch.
    pub(super) fn write(
        &mut self,
        samples: &Samples,
        now: Timestamp,
        registry: &dyn Registry,
        batch: &mut Batch,
    ) -> Result<(), Error> {
        self.round += 1;
        // Whole milliseconds take less room in a block, and are all that a query shows.
        let time = Timestamp::from_millis_saturating(now.millis()).nanos();
        self.describe(samples, batch);
        for (key, value) in samples.rows() {
            let series = self.series(key, registry, batch)?;
            batch.rows.push(time, value);
            batch.rows.end_run(series);
        }
        self.mark_stale(time, batch);
        Ok(())
    }

    fn series(
        &mut self,
        key: &str,
        registry: &dyn Registry,
        batch: &Batch,
    ) -> Result<SeriesRef, Error> {
        if let Some(known) = self.known.get_mut(key) {
            known.round = self.round;
            return Ok(known.series);
        }
        let labels = labels_of(key, &self.base);
        let mut refs = Vec::with_capacity(1);
        registry.register(batch.tenant, &[&labels], &mut refs)?;
        let series = refs.pop().ok_or_else(|| Error::Invalid("no ref for a series".to_owned()))?;
        self.known.insert(key.to_owned(), Known { series, round: self.round });
        Ok(series)
    }

    /// What a metric is goes out once; the store keeps it.
    fn describe(&mut self, samples: &Samples, batch: &mut Batch) {
        for (metric, kind, help) in samples.families() {
            if !self.described.contains(metric) {
                self.described.insert(metric.to_owned());
                let (metric, help) = (metric.to_owned(), help.to_owned());
                batch.metadata.push(Metadata { metric, kind, unit: String::new(), help });
            }
        }
    }

    fn mark_stale(&mut self, time: i64, batch: &mut Batch) {
        let mut gone: Vec<SeriesRef> = Vec::new();
        self.known.retain(|_, known| {
            let is_here = known.round == self.round;
            if !is_here {
                gone.push(known.series);
            }
            is_here
        });
        gone.sort_unstable();
        for series in gone {
            batch.rows.push(time, f64::from_bits(STALE_BITS));
            batch.rows.end_run(series);
        }
    }
}

#[cfg(test)]
pub(super) mod fake {
    //! A registry that gives refs in order of asking, and counts how often it is asked.

    use std::sync::{Mutex, PoisonError};

    use super::*;
    use crate::model::{Door, Labels, SeriesKey, TenantId, TimeRange};

    #[derive(Debug, Default)]
    pub(in crate::collect) struct FakeRegistry {
        pub(in crate::collect) sets: Mutex<Vec<Labels>>,
        pub(in crate::collect) limit: Option<usize>,
    }

    impl FakeRegistry {
        pub(in crate::collect) fn len(&self) -> usize {
            self.sets.lock().unwrap_or_else(PoisonError::into_inner).len()
        }

        pub(in crate::collect) fn labels(&self, series: SeriesRef) -> String {
            let sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
            let at = usize::try_from(series.0).unwrap_or(usize::MAX);
            sets.get(at).map(ToString::to_string).unwrap_or_default()
        }
    }

    impl Registry for FakeRegistry {
        fn key(&self, _: TenantId, _: Door, _: &[u8]) -> SeriesKey {
            SeriesKey(0)
        }

        fn find(&self, _: SeriesKey) -> Option<SeriesRef> {
            None
        }

        fn register(
            &self,
            _: TenantId,
            new: &[&[Label<'_>]],
            refs: &mut Vec<SeriesRef>,
        ) -> Result<(), Error> {
            let mut sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
            for set in new {
                if self.limit.is_some_and(|limit| sets.len() >= limit) {
                    return Err(Error::Unavailable("memory is short".to_owned()));
                }
                refs.push(SeriesRef(sets.len() as u64));
                sets.push(Labels::from_sorted(set));
            }
            Ok(())
        }

        fn bind(&self, _: SeriesKey, _: SeriesRef) {}

        fn window(&self) -> TimeRange {
            TimeRange::ALL
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{fake::FakeRegistry, *};
    use crate::model::is_stale;

    fn samples(disks: &[&str]) -> Samples {
        let mut samples = Samples::default();
        samples.counter("reads_total", "Reads.");
        for disk in disks {
            samples.row(&[("disk", disk)], 7.0);
        }
        samples
    }

    #[test]
    fn a_series_is_registered_once_and_described_once() {
        let registry = FakeRegistry::default();
        let mut cache = SeriesCache::new(vec![("job".into(), "node".into())]);
        let mut batch = Batch::default();
        for millis in [1, 2] {
            let now = Timestamp(millis * 1_000_000 + 999);
            cache.write(&samples(&["a", "b"]), now, &registry, &mut batch).unwrap();
        }
        assert_eq!((registry.len(), batch.metadata.len()), (2, 1));
        assert_eq!(batch.rows.times(), [1_000_000, 1_000_000, 2_000_000, 2_000_000]);
        let expected = r#"{__name__="reads_total", disk="b", job="node"}"#;
        assert_eq!(registry.labels(batch.rows.series()[1]), expected);
    }

    #[test]
    fn a_series_that_is_gone_is_marked_once() {
        let registry = FakeRegistry::default();
        let mut cache = SeriesCache::new(Vec::new());
        let mut batch = Batch::default();
        for (millis, disks) in [(1, &["a", "b"][..]), (2, &["a"]), (3, &["a"])] {
            let now = Timestamp(millis * 1_000_000);
            cache.write(&samples(disks), now, &registry, &mut batch).unwrap();
        }
        let stale: Vec<_> = batch.rows.values().iter().filter(|it| is_stale(**it)).collect();
        assert_eq!((stale.len(), batch.rows.len()), (1, 5));
        assert_eq!(cache.known.len(), 1);
    }

    #[test]
    fn a_registry_without_room_leaves_whole_runs() {
        let registry = FakeRegistry { limit: Some(1), ..FakeRegistry::default() };
        let mut batch = Batch::default();
        let mut cache = SeriesCache::new(Vec::new());
        let written = cache.write(&samples(&["a", "b"]), Timestamp(1), &registry, &mut batch);
        assert!(written.is_err());
        assert_eq!((batch.rows.len(), batch.rows.series().len()), (1, 1));
    }
}

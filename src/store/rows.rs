//! The rows of one series, decoded: what heads, parts and blocks give, and what is made of them.

use std::sync::Arc;

use crate::model::Histogram;

/// A row that is a histogram.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct HistogramPoint {
    pub(super) time: i64,
    pub(super) start: i64,
    pub(super) value: Arc<Histogram>,
}

/// Rows of one series. By time, each time once, be it a float or a histogram.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct SeriesRows {
    /// Floats: ns, a value each, and start timestamps (empty where all are unknown).
    pub(super) times: Vec<i64>,
    pub(super) values: Vec<f64>,
    pub(super) starts: Vec<i64>,
    pub(super) histograms: Vec<HistogramPoint>,
}

impl SeriesRows {
    /// Whether there is no row.
    pub(super) fn is_empty(&self) -> bool {
        self.times.is_empty() && self.histograms.is_empty()
    }

    /// How many rows.
    pub(super) fn len(&self) -> usize {
        self.times.len() + self.histograms.len()
    }

    /// Makes it empty, keeping its memory.
    pub(super) fn clear(&mut self) {
        self.times.clear();
        self.values.clear();
        self.starts.clear();
        self.histograms.clear();
    }

    /// Sorts rows that came in any order; of floats of one time the last in the order holds.
    pub(super) fn sort(&mut self) {
        let mut order: Vec<u32> =
            (0..u32::try_from(self.times.len()).unwrap_or(u32::MAX)).collect();
        let time = |i: u32| self.times.get(i as usize).copied().unwrap_or_default();
        // By place too: an unstable sort that is stable.
        order.sort_unstable_by_key(|i| (time(*i), *i));
        let mut kept: Vec<u32> = Vec::with_capacity(order.len());
        for i in order {
            match kept.last_mut().filter(|last| time(**last) == time(i)) {
                Some(last) => *last = i,
                None => kept.push(i),
            }
        }
        let pick =
            |column: &[i64]| kept.iter().filter_map(|i| column.get(*i as usize).copied()).collect();
        self.values = kept.iter().filter_map(|i| self.values.get(*i as usize).copied()).collect();
        self.starts = pick(&self.starts);
        self.times = pick(&self.times);
    }

    /// Takes in the rows of a later source: where both have a row of one time the later holds.
    pub(super) fn overlay(&mut self, later: &mut Self) {
        if later.is_empty() {
            return;
        }
        if self.is_empty() {
            std::mem::swap(self, later);
            return;
        }
        let has_histograms = !(self.histograms.is_empty() && later.histograms.is_empty());
        if has_histograms {
            // One row a time, whatever its kind: drop of the earlier what the later replaces.
            let is_replaced = |time: i64| {
                later.times.binary_search(&time).is_ok()
                    || later.histograms.binary_search_by_key(&time, |point| point.time).is_ok()
            };
            self.retain(|time| !is_replaced(time));
        }
        self.overlay_floats(later);
        if !later.histograms.is_empty() {
            self.histograms.append(&mut later.histograms);
            self.histograms.sort_by_key(|point| point.time);
        }
    }

    fn overlay_floats(&mut self, later: &Self) {
        if !later.starts.is_empty() && self.starts.is_empty() {
            self.starts.resize(self.times.len(), 0);
        }
        let has_starts = !self.starts.is_empty();
        let is_behind = match (self.times.last(), later.times.first()) {
            (Some(last), Some(first)) => last < first,
            _ => true,
        };
        self.times.extend_from_slice(&later.times);
        self.values.extend_from_slice(&later.values);
        if has_starts {
            self.starts.extend_from_slice(&later.starts);
            self.starts.resize(self.times.len(), 0);
        }
        if !is_behind {
            self.sort();
        }
    }

    /// Keeps the rows whose time is wanted.
    pub(super) fn retain(&mut self, wanted: impl Fn(i64) -> bool) {
        if !self.times.iter().all(|time| wanted(*time)) {
            let mut keep = self.times.iter().map(|time| wanted(*time));
            self.values.retain(|_| keep.next().unwrap_or(false));
            if !self.starts.is_empty() {
                let mut keep = self.times.iter().map(|time| wanted(*time));
                self.starts.retain(|_| keep.next().unwrap_or(false));
            }
            self.times.retain(|time| wanted(*time));
        }
        self.histograms.retain(|point| wanted(point.time));
    }

    /// The rows in `range`.
    pub(super) fn slice(&self, range: crate::model::TimeRange) -> Self {
        let place = |times: &[i64], time: i64| times.partition_point(|it| *it < time);
        let (begin, end) = (place(&self.times, range.start().0), place(&self.times, range.end().0));
        let starts = self.starts.get(begin..end).unwrap_or_default().to_vec();
        let is_in = |point: &&HistogramPoint| range.contains(crate::model::Timestamp(point.time));
        Self {
            times: self.times.get(begin..end).unwrap_or_default().to_vec(),
            values: self.values.get(begin..end).unwrap_or_default().to_vec(),
            starts,
            histograms: self.histograms.iter().filter(is_in).cloned().collect(),
        }
    }

    /// Keeps the rows in `range`.
    pub(super) fn clip(&mut self, range: crate::model::TimeRange) {
        let is_in = |time: i64| range.contains(crate::model::Timestamp(time));
        if self.span().is_some_and(|(first, last)| !(is_in(first) && is_in(last))) {
            *self = self.slice(range);
        }
    }

    /// First and last time; None where there is no row.
    pub(super) fn span(&self) -> Option<(i64, i64)> {
        let firsts = [self.times.first().copied(), self.histograms.first().map(|point| point.time)];
        let lasts = [self.times.last().copied(), self.histograms.last().map(|point| point.time)];
        Some((firsts.into_iter().flatten().min()?, lasts.into_iter().flatten().max()?))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn rows(points: &[(i64, f64)]) -> SeriesRows {
        let mut rows = SeriesRows {
            times: points.iter().map(|point| point.0).collect(),
            values: points.iter().map(|point| point.1).collect(),
            ..SeriesRows::default()
        };
        rows.sort();
        rows
    }

    proptest! {
        #[test]
        fn overlays_end_as_a_sorted_map_would(sources: Vec<Vec<(i8, i8)>>) {
            let (mut all, mut map) = (SeriesRows::default(), BTreeMap::new());
            for source in &sources {
                let points: Vec<_> = source.iter().map(|(t, v)| (i64::from(*t), f64::from(*v))).collect();
                map.extend(points.iter().copied());
                all.overlay(&mut rows(&points));
            }
            prop_assert!(all.times.iter().copied().zip(all.values.iter().copied()).eq(map));
        }
    }

    #[test]
    fn a_histogram_replaces_a_float_of_its_time_and_is_replaced_by_a_later_one() {
        let point = |time| HistogramPoint { time, start: 0, value: Arc::default() };
        let mut all = rows(&[(1, 1.0), (2, 2.0)]);
        all.overlay(&mut SeriesRows {
            histograms: vec![point(2), point(3)],
            ..SeriesRows::default()
        });
        assert_eq!((&all.times[..], all.histograms.len()), (&[1][..], 2));
        all.overlay(&mut rows(&[(3, 3.0)]));
        assert_eq!((&all.times[..], all.histograms.len()), (&[1, 3][..], 1));
    }
}

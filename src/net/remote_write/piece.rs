//! Rows on their way: one by one, each with the mark that holds when it has arrived.

use std::{collections::HashMap, sync::Arc};

use crate::export::remote_write::{Outgoing, Sample, TimedHistogram};
use crate::model::{Batch, Exemplar, Histogram, Labels, Metadata, SeriesRef};
use crate::store::Mark;

/// A row with who it is of.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) series: SeriesRef,
    pub(super) labels: Labels,
    pub(super) metadata: Option<Arc<Metadata>>,
    pub(super) row: Row,
    /// What is done of the log, for its shard, once this row is.
    pub(super) after: Mark,
}

/// A row.
#[derive(Clone, Debug)]
pub(super) enum Row {
    Float(Sample),
    Histogram(TimedHistogram),
    Exemplar(Exemplar),
}

impl Row {
    /// ns.
    pub(super) fn time(&self) -> i64 {
        match self {
            Self::Float(sample) => sample.time,
            Self::Histogram(histogram) => histogram.time,
            Self::Exemplar(exemplar) => exemplar.time,
        }
    }
}

/// A record of the log, given row by row: floats first, then histograms, then exemplars.
#[derive(Debug)]
pub(super) struct Unpacking {
    pub(super) position: u64,
    batch: Batch,
    run: usize,
    next: usize,
}

impl Unpacking {
    pub(super) fn new(position: u64, batch: Batch) -> Self {
        Self { position, batch, run: 0, next: 0 }
    }

    /// The next row.
    pub(super) fn next(&mut self) -> Option<(SeriesRef, Row)> {
        let rows = &self.batch.rows;
        let at = self.next;
        self.next += 1;
        if let (Some(time), Some(value)) = (rows.times().get(at), rows.values().get(at)) {
            while rows.ends().get(self.run).is_some_and(|end| *end as usize <= at) {
                self.run += 1;
            }
            let series = *rows.series().get(self.run)?;
            let start = rows.starts().get(at).copied().unwrap_or(0);
            return Some((series, Row::Float(Sample { time: *time, start, value: *value })));
        }
        let at = at - rows.len();
        if let Some(row) = self.batch.histograms.get_mut(at) {
            let value: Arc<Histogram> = Arc::new(std::mem::take(&mut row.value));
            let histogram = TimedHistogram { time: row.time, start: row.start, value };
            return Some((row.series, Row::Histogram(histogram)));
        }
        let exemplar = self.batch.exemplars.get(at - self.batch.histograms.len())?;
        Some((exemplar.series, Row::Exemplar(exemplar.clone())))
    }
}

/// Puts rows together by series, each kind in order of time; series as they first came.
pub(super) fn by_series<'a>(pieces: impl Iterator<Item = &'a Piece>) -> Vec<Outgoing> {
    let mut series: Vec<Outgoing> = Vec::new();
    let mut places: HashMap<SeriesRef, usize> = HashMap::new();
    for piece in pieces {
        let place = *places.entry(piece.series).or_insert(series.len());
        if place == series.len() {
            let outgoing = Outgoing::new(piece.labels.clone());
            series.push(Outgoing { metadata: piece.metadata.clone(), ..outgoing });
        }
        let Some(outgoing) = series.get_mut(place) else { continue };
        match &piece.row {
            Row::Float(sample) => outgoing.samples.push(*sample),
            Row::Histogram(histogram) => outgoing.histograms.push(histogram.clone()),
            Row::Exemplar(exemplar) => outgoing.exemplars.push(exemplar.clone()),
        }
    }
    for it in &mut series {
        // Stable: of two rows of one time the later in the log is the row.
        it.samples.sort_by_key(|sample| sample.time);
        it.histograms.sort_by_key(|histogram| histogram.time);
        it.exemplars.sort_by_key(|exemplar| exemplar.time);
    }
    series
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::HistogramRow;

    #[test]
    fn a_record_is_given_row_by_row_and_put_together_again() {
        let mut batch = Batch::default();
        for (series, rows) in [(7, vec![3, 1]), (9, vec![2]), (7, vec![5])] {
            for time in rows {
                batch.rows.push(time, 0.5);
            }
            batch.rows.end_run(SeriesRef(series));
        }
        let value = Histogram { count: 3.0, ..Histogram::default() };
        let series = SeriesRef(9);
        batch.histograms.push(HistogramRow { series, time: 4, start: 1, value: value.clone() });
        let labels = Labels::new([("trace_id", "a")]).unwrap();
        batch.exemplars.push(Exemplar { series, time: 6, value: 1.0, labels });
        let mut unpacking = Unpacking::new(12, batch);
        let mut pieces = Vec::new();
        while let Some((series, row)) = unpacking.next() {
            let name = series.0.to_string();
            let labels = Labels::new([("series", name.as_str())]).unwrap();
            pieces.push(Piece { series, labels, metadata: None, row, after: Mark::default() });
        }
        let times: Vec<i64> = pieces.iter().map(|piece| piece.row.time()).collect();
        assert_eq!(times, [3, 1, 2, 5, 4, 6]);
        let series = by_series(pieces.iter());
        assert_eq!(series.len(), 2);
        let times: Vec<i64> = series[0].samples.iter().map(|sample| sample.time).collect();
        assert_eq!((series[0].labels.get("series"), &times[..]), (Some("7"), &[1, 3, 5][..]));
        assert_eq!(*series[1].histograms[0].value, value);
        assert_eq!(series[1].exemplars[0].time, 6);
    }
}

//! From the log to shards: records are read, rows labelled, what is not sent left out.

use crate::model::Metadata;
use crate::store::{self, Follower, Mark};

use super::{
    labeller::{Known, Labeller},
    piece::{Piece, Row, Unpacking},
    plan::shard_of,
};

/// Which rows go out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sends {
    pub(super) histograms: bool,
    pub(super) exemplars: bool,
    /// Whether what metrics are is told with each series.
    pub(super) metadata: bool,
}

/// Reads the log for one receiver.
#[derive(Debug)]
pub(super) struct Feed {
    follower: Follower,
    labeller: Labeller,
    sends: Sends,
    current: Option<Unpacking>,
    /// A shard each: what was done when the process ended, and how many rows of the record at hand
    /// were counted.
    done: Vec<Mark>,
    counted: Vec<u32>,
}

/// What one look at the log brought.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// A shard each.
    pub(super) pieces: Vec<Vec<Piece>>,
    /// All rows of records up to here were handed out.
    pub(super) position: u64,
    /// Whether that was the end of the log.
    pub(super) is_at_end: bool,
    /// Whether the last record was handed out whole.
    pub(super) is_between: bool,
    /// Records that are gone.
    pub(super) missed: u64,
    pub(super) rows: u64,
    /// Rows that the rules dropped.
    pub(super) dropped: u64,
    /// Rows of series that nobody knows any more.
    pub(super) unknown: u64,
    /// Why there is no more; asking again tries again.
    pub(super) error: Option<store::Error>,
}

impl Feed {
    /// Goes on behind `done`, one mark a shard.
    pub(super) fn new(
        follower: Follower,
        labeller: Labeller,
        sends: Sends,
        done: Vec<Mark>,
    ) -> Self {
        let counted = vec![0; done.len()];
        Self { follower, labeller, sends, current: None, done, counted }
    }

    /// Learns what metrics are, where that is told with series.
    pub(super) fn tell(&mut self, metadata: Vec<Metadata>) {
        if self.sends.metadata {
            self.labeller.tell(metadata);
        }
    }

    /// Has that many shards from the next record on. Call between records, when all is done.
    pub(super) fn reshard(&mut self, shards: usize) {
        self.done = vec![Mark { position: self.follower.position(), rows: 0 }; shards];
        self.counted = vec![0; shards];
    }

    /// The next rows, at most `rows_max`.
    pub(super) fn step(&mut self, rows_max: usize) -> Step {
        let mut step = Step::default();
        step.pieces.resize_with(self.done.len(), Vec::new);
        while step.rows < rows_max as u64 {
            if self.current.is_none() {
                match self.open(&mut step) {
                    Ok(true) => {}
                    Ok(false) => {
                        step.is_at_end = true;
                        break;
                    }
                    Err(error) => {
                        step.error = Some(error);
                        break;
                    }
                }
            }
            self.hand_out(&mut step, rows_max as u64);
        }
        step.is_between = self.current.is_none();
        let open = u64::from(self.current.is_some());
        step.position = self.follower.position().saturating_sub(open);
        step
    }

    /// Takes the next record up; false where there is none.
    fn open(&mut self, step: &mut Step) -> Result<bool, store::Error> {
        let Some(mut record) = self.follower.read()? else { return Ok(false) };
        step.missed += record.missed;
        self.tell(std::mem::take(&mut record.batch.metadata));
        self.counted.iter_mut().for_each(|count| *count = 0);
        self.current = Some(Unpacking::new(record.position, record.batch));
        Ok(true)
    }

    fn hand_out(&mut self, step: &mut Step, rows_max: u64) {
        let Some(mut record) = self.current.take() else { return };
        while step.rows < rows_max {
            let Some((series, row)) = record.next() else { return };
            step.rows += 1;
            let shard = shard_of(series.0, self.done.len());
            let Some(after) = self.count(shard, record.position) else { continue };
            let is_sent = match row {
                Row::Float(_) => true,
                Row::Histogram(_) => self.sends.histograms,
                Row::Exemplar(_) => self.sends.exemplars,
            };
            if !is_sent {
                continue;
            }
            let Some(known) = self.known(series) else {
                step.unknown += 1;
                continue;
            };
            let Known { labels: Some(labels), metadata } = known else {
                step.dropped += 1;
                continue;
            };
            let piece = Piece { series, labels, metadata, row, after };
            if let Some(pieces) = step.pieces.get_mut(shard) {
                pieces.push(piece);
            }
        }
        self.current = Some(record);
    }

    /// Counts a row of its shard; the mark that holds after it. None where it was done before.
    fn count(&mut self, shard: usize, position: u64) -> Option<Mark> {
        let counted = self.counted.get_mut(shard)?;
        *counted = counted.saturating_add(1);
        let after = Mark { position: position.saturating_sub(1), rows: *counted };
        // A mark of a record before this one is less; of this one or a later, it says how far.
        self.done.get(shard).is_none_or(|done| after > *done).then_some(after)
    }

    fn known(&mut self, series: crate::model::SeriesRef) -> Option<Known> {
        if let Some(known) = self.labeller.find(series) {
            return Some(known.clone());
        }
        let mut found = None;
        self.follower.labels(&[series], |_, labels| found = labels);
        found.map(|labels| self.labeller.learn(series, &labels))
    }
}

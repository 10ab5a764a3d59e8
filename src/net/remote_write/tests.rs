//! Whatever was answered when the process ended, the rest is handed out after the next start, once.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use proptest::{collection::vec, prelude::*};

use crate::model::{Batch, Registry, SeriesRef, Sink, TenantId};
use crate::os::{Files, SimClock, sim::SimFiles};
use crate::store::{Config, Db};

use super::{
    feed::{Feed, Sends},
    labeller::Labeller,
    ledger::Ledger,
    piece::{Piece, Row},
};

const NOW: i64 = 1_700_000_000_000_000_000;

fn open(files: &SimFiles) -> Arc<Db> {
    let files: Arc<dyn Files> = Arc::new(files.clone());
    Db::open(files, Arc::new(SimClock::new(NOW)), Config::small()).unwrap().0
}

/// Writes a record: a row of each of these series, each with the next number as its value.
fn write(db: &Db, record: &[u8], next: &mut u32) {
    let mut batch = Batch::default();
    for series in record {
        let name = series.to_string();
        let mut refs: Vec<SeriesRef> = Vec::new();
        db.register(TenantId(0), &[&[("__name__", "m"), ("n", &name)]], &mut refs).unwrap();
        batch.rows.push(NOW, f64::from(*next));
        *next += 1;
        batch.rows.end_run(refs[0]);
    }
    let done = Arc::new(Mutex::new(false));
    let told = Arc::clone(&done);
    db.write(batch, Box::new(move |result| *told.lock().unwrap() = result.is_ok()));
    db.commit_queued();
    assert!(*done.lock().unwrap());
}

/// A run of a process: what it hands out, and how much of each shard is answered before it ends.
struct Run {
    ledger: Ledger,
    feed: Feed,
}

impl Run {
    fn start(db: &Arc<Db>) -> Self {
        let (follower, bookmark) = db.follow("a").unwrap();
        let sends = Sends { histograms: true, exemplars: true, metadata: false };
        let marks = bookmark.marks().to_vec();
        let feed = Feed::new(follower, Labeller::default(), sends, marks);
        Self { ledger: Ledger::new(Arc::clone(db), bookmark), feed }
    }

    fn reshard(&mut self, count: usize) {
        self.ledger.reshard(count);
        self.feed.reshard(count);
    }

    /// Hands out in steps of `rows_max`, at most `steps` of them.
    fn hand_out(&mut self, rows_max: usize, steps: usize) -> Vec<Vec<Piece>> {
        let mut shards = vec![Vec::new(); self.ledger.shards().len()];
        for _ in 0..steps {
            let step = self.feed.step(rows_max);
            assert!(step.error.is_none() && step.missed == 0);
            let before = self.ledger.handed_out();
            for ((shard, tally), pieces) in
                shards.iter_mut().zip(self.ledger.shards()).zip(step.pieces)
            {
                if !pieces.is_empty() {
                    tally.take(pieces.len(), before);
                    shard.extend(pieces);
                }
            }
            self.ledger.hand_out(step.position);
            if step.is_at_end {
                break;
            }
        }
        shards
    }
}

fn values(pieces: &[Piece]) -> impl Iterator<Item = (SeriesRef, u32)> + '_ {
    pieces.iter().map(|piece| match &piece.row {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as written")]
        Row::Float(sample) => (piece.series, sample.value as u32),
        Row::Histogram(_) | Row::Exemplar(_) => panic!("only floats were written"),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_restart_goes_on_where_each_shard_was(
        records in vec(vec(0_u8..9, 1..12), 1..12),
        shards in 1_usize..5,
        (rows_max, steps) in (1_usize..9, 1_usize..9),
        answered in vec(0_usize..20, 5),
        twice: bool,
    ) {
        let files = SimFiles::seeded(5);
        let db = open(&files);
        let mut run = Run::start(&db);
        run.reshard(shards);
        let mut next = 0;
        for record in &records {
            write(&db, record, &mut next);
        }
        let mut sent: Vec<(SeriesRef, u32)> = Vec::new();
        for _ in 0..=usize::from(twice) {
            let pieces = run.hand_out(rows_max, steps);
            for ((pieces, tally), count) in pieces.iter().zip(run.ledger.shards()).zip(&answered) {
                let done = &pieces[..(*count).min(pieces.len())];
                if let Some(last) = done.last() {
                    tally.finish(done.len(), last.after);
                    sent.extend(values(done));
                }
                run.ledger.save(false).unwrap();
            }
            drop(run);
            run = Run::start(&db);
        }
        let pieces = run.hand_out(1000, 100);
        sent.extend(pieces.iter().flat_map(|pieces| values(pieces)));
        let mut by_series: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        for (series, value) in &sent {
            by_series.entry(series.0).or_default().push(*value);
        }
        for (series, values) in by_series {
            prop_assert!(values.is_sorted(), "rows of {} are out of order: {:?}", series, values);
        }
        let mut all: Vec<u32> = sent.iter().map(|(_, value)| *value).collect();
        all.sort_unstable();
        prop_assert_eq!(all, (0..next).collect::<Vec<_>>());
    }
}

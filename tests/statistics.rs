//! Chunks that stand whole: what their statistics answer is what their rows answer.

#![expect(clippy::unwrap_used, reason = "what cannot be is a failed test")]
#![expect(clippy::cast_precision_loss, reason = "the numbers are small")]

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use quipu::{
    model::{
        Ask, Buckets, Budget, Cardinality, Error, Estimate, ExemplarSeries, FloatPartial, Flow,
        Grouping, Groups, Labels, Matcher, Metadata, Reading, Rows, Scope, Selection, Source,
        TimeRange, Timestamp, Visitor, Zone,
    },
    query::{Engine, Question, When},
    store::{Config, Db, verify},
};

#[path = "support/rows.rs"]
mod rows;
#[path = "support/tiers.rs"]
mod tiers;

use rows::{DAY, NOW, write};
use tiers::{Dice, HOUR, MILLI, World, cells, same};

/// A database that is asked for rows alone, or counts what stands for them.
struct Door<'a> {
    db: &'a Db,
    rows_only: bool,
    stood: Arc<AtomicUsize>,
}

struct Selected {
    inner: Box<dyn Selection>,
    rows_only: bool,
    stood: Arc<AtomicUsize>,
}

struct Counted<'a> {
    inner: &'a mut dyn Visitor,
    stood: &'a AtomicUsize,
}

impl Source for Door<'_> {
    fn select(&self, ask: &Ask<'_>) -> Result<Box<dyn Selection>, Error> {
        let (inner, stood) = (self.db.select(ask)?, Arc::clone(&self.stood));
        Ok(Box::new(Selected { inner, rows_only: self.rows_only, stood }))
    }

    fn label_names(&self, ask: &Ask<'_>) -> Result<Vec<String>, Error> {
        self.db.label_names(ask)
    }

    fn label_values(&self, ask: &Ask<'_>, name: &str) -> Result<Vec<String>, Error> {
        self.db.label_values(ask, name)
    }

    fn series(&self, ask: &Ask<'_>) -> Result<Vec<Labels>, Error> {
        self.db.series(ask)
    }

    fn metadata(&self, scope: &Scope, metric: Option<&str>) -> Vec<Metadata> {
        self.db.metadata(scope, metric)
    }

    fn exemplars(&self, ask: &Ask<'_>) -> Result<Vec<ExemplarSeries>, Error> {
        self.db.exemplars(ask)
    }

    fn cardinality(&self, scope: &Scope, limit: usize) -> Cardinality {
        self.db.cardinality(scope, limit)
    }
}

impl Selection for Selected {
    fn len(&self) -> u32 {
        self.inner.len()
    }

    fn labels(&self, series: u32) -> Labels {
        self.inner.labels(series)
    }

    fn groups(&self, by: &Grouping) -> Groups {
        self.inner.groups(by)
    }

    fn scan(
        &self,
        series: Range<u32>,
        reading: &Reading,
        budget: &Budget,
        visit: &mut dyn Visitor,
    ) -> Result<(), Error> {
        let chunks = reading.chunks.filter(|_| !self.rows_only);
        let mut counted = Counted { inner: visit, stood: &self.stood };
        self.inner.scan(series, &Reading { chunks, ..*reading }, budget, &mut counted)
    }

    fn zones(&self, series: u32) -> Vec<Zone> {
        self.inner.zones(series)
    }

    fn estimate(&self) -> Estimate {
        self.inner.estimate()
    }

    fn fingerprint(&self) -> u64 {
        self.inner.fingerprint()
    }
}

impl Visitor for Counted<'_> {
    fn rows(&mut self, series: u32, rows: Rows<'_>) -> Result<Flow, Error> {
        self.inner.rows(series, rows)
    }

    fn buckets(&mut self, series: u32, buckets: &Buckets) -> Result<Flow, Error> {
        self.inner.buckets(series, buckets)
    }

    fn chunks(&mut self, series: u32, chunks: &[FloatPartial]) -> Result<Flow, Error> {
        self.stood.fetch_add(chunks.len(), Relaxed);
        self.inner.chunks(series, chunks)
    }
}

/// Each function, and how much it may differ: not at all, or by what sums of sums may.
const FUNCTIONS: [(&str, f64); 22] = [
    ("count_over_time(X)", 0.0),
    ("min_over_time(X)", 0.0),
    ("max_over_time(X)", 0.0),
    ("first_over_time(X)", 0.0),
    ("last_over_time(X)", 0.0),
    ("ts_of_first_over_time(X)", 0.0),
    ("ts_of_last_over_time(X)", 0.0),
    ("ts_of_max_over_time(X)", 0.0),
    ("present_over_time(X)", 0.0),
    ("absent_over_time(X)", 0.0),
    ("resets(X)", 0.0),
    ("changes(X)", 0.0),
    ("irate(X)", 0.0),
    ("quantile_over_time(0.9, X)", 0.0),
    ("stddev_over_time(X)", 0.0),
    ("sum_over_time(X)", 1e-15),
    ("avg_over_time(X)", 1e-15),
    ("rate(X)", 1e-15),
    ("increase(X)", 1e-15),
    ("delta(X)", 1e-15),
    ("max_over_time(X offset 1h)", 0.0),
    ("max_over_time(X @ 1728000000)", 0.0),
];

/// Four days of rows every minute or so: chunks of hundreds of rows.
fn workload(seed: u64) -> Vec<(u64, i64, f64)> {
    let mut dice = Dice(seed);
    let mut rows = Vec::new();
    for series in 0..8_u64 {
        let mut time = NOW - 4 * DAY + 1;
        let mut counter = 0.0;
        while time < NOW {
            counter = if dice.below(700) == 0 { 0.0 } else { counter + dice.below(9) as f64 };
            let value = match series {
                0 | 4 => counter,
                1 => dice.below(100_000) as f64 / 100.0,
                2 => dice.below(7) as f64 - 3.0,
                3 => -1e6 - dice.below(1000) as f64 * 0.1,
                5 => 5.5,
                6 if dice.below(900) == 0 => f64::NAN,
                _ if dice.below(1000) == 0 => -0.0,
                _ => (dice.below(50_000) as f64).sqrt(),
            };
            rows.push((series, time, value));
            time += match dice.below(1000) {
                0 => dice.below(9).cast_signed() * HOUR + 1,
                1 => 1,
                _ => (59_990 + dice.below(20).cast_signed()) * MILLI,
            };
        }
    }
    rows
}

/// Asks everything both ways; how many chunks stood for their rows.
fn compare(db: &Db, dice: &mut Dice, what: &str) -> usize {
    let stood = Arc::new(AtomicUsize::new(0));
    let door = |rows_only| Door { db, rows_only, stood: Arc::clone(&stood) };
    let ask = |door: &Door<'_>, text: &str, when| {
        let question = Question::parse(text, when).unwrap();
        Engine::default().ask(door, Scope::METRICS, &question, &Budget::default()).unwrap()
    };
    let end = NOW.div_euclid(DAY) * DAY / MILLI;
    let over = |hours: i64, behind: i64| When::Over {
        start: end - 3 * DAY / MILLI + behind,
        end: end + DAY / MILLI,
        step: hours * HOUR / MILLI,
    };
    for (text, tolerance) in FUNCTIONS {
        for metric in ["metric_0", "metric_1", "metric_2"] {
            // Not all with all: that takes minutes.
            let (range, when) = match dice.below(5) {
                0 => ("1d", over(24, 0)),
                1 => ("12h", over(12, 0)),
                2 => ("2d", over(6, 0)),
                3 => ("1d", over(7, 12_345)),
                _ => ("30m", over(5, 0)),
            };
            let text = text.replace('X', &format!("{metric}[{range}]"));
            let expected = ask(&door(true), &text, when);
            let found = ask(&door(false), &text, when);
            assert_eq!(found.infos, expected.infos, "{what}: {text}");
            let (expected, found) = (cells(&expected), cells(&found));
            assert_eq!(found.len(), expected.len(), "{what}: {text}");
            for (found, expected) in found.iter().zip(&expected) {
                assert!(
                    (&found.0, found.1) == (&expected.0, expected.1)
                        && same(&found.2, &expected.2, tolerance),
                    "{what}: {text}: {found:?} is not {expected:?}"
                );
            }
        }
    }
    stood.load(Relaxed)
}

#[test]
fn statistics_answer_as_rows_do_wherever_the_rows_are() {
    let mut stood = 0;
    for seed in 0..2 {
        let mut dice = Dice(seed);
        let mut world = World::new(Config { retire_after: Duration::ZERO, ..Config::small() });
        let mut db = world.open();
        let all = workload(seed);
        let (late, timely): (Vec<_>, Vec<_>) = all.into_iter().partition(|_| dice.below(700) == 0);
        for (number, some) in timely.chunks(timely.len() / 3 + 1).enumerate() {
            some.chunks(4000).for_each(|rows| write(&db, rows).unwrap());
            stood += compare(&db, &mut dice, &format!("seed {seed}, in memory {number}"));
            db.flush().unwrap();
            stood += compare(&db, &mut dice, &format!("seed {seed}, flushed {number}"));
        }
        db.keep_up().unwrap();
        let whole = compare(&db, &mut dice, &format!("seed {seed}, merged"));
        assert!(whole > 30, "chunks stand for their rows: {whole}");
        write(&db, &late).unwrap();
        compare(&db, &mut dice, &format!("seed {seed}, late rows in memory"));
        db.flush().unwrap();
        db = world.reopen(db);
        compare(&db, &mut dice, &format!("seed {seed}, late rows sealed"));
        let range = TimeRange::new(Timestamp(NOW - 2 * DAY), Timestamp(NOW - DAY)).unwrap();
        db.delete(&[Matcher::equal("series", "1")], range).unwrap();
        assert_eq!(
            compare(&db, &mut dice, &format!("seed {seed}, deleted")),
            0,
            "rows may be hidden"
        );
        db.clean_deleted().unwrap();
        stood += compare(&db, &mut dice, &format!("seed {seed}, cleaned"));
        let report = verify(&world.files, true).unwrap();
        assert_eq!((report.findings, report.notes), (vec![], vec![]), "seed {seed}");
    }
    assert!(stood > 0);
}

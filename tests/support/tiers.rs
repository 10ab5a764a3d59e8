//! Databases with tiers, filled alike, and their answers.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]
#![expect(clippy::unwrap_used, reason = "what cannot be is a failed test")]
#![expect(clippy::cast_precision_loss, reason = "the numbers are small")]

use std::{sync::Arc, time::Duration};

use quipu::{
    model::{Budget, Labels, STALE_BITS, Scope, Tier},
    os::{Clock, Files, SimClock, sim::SimFiles},
    query::{Answer, Engine, Error, Point, Question, Value, When},
    store::{Config, Db, Tiers},
};

use crate::rows::{DAY, NOW, write};

pub const HOUR: i64 = DAY / 24;
pub const MILLI: i64 = 1_000_000;

/// A small generator of numbers that need not be good, but the same each time.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) % limit
    }
}

pub struct World {
    pub clock: Arc<SimClock>,
    pub files: SimFiles,
    pub config: Config,
}

impl World {
    pub fn new(config: Config) -> Self {
        Self { clock: Arc::new(SimClock::new(NOW)), files: SimFiles::seeded(3), config }
    }

    pub fn open(&self) -> Arc<Db> {
        let clock: Arc<dyn Clock> = Arc::<SimClock>::clone(&self.clock);
        let files: Arc<dyn Files> = Arc::new(self.files.clone());
        let (db, recovery) = Db::open(files, clock, self.config).unwrap();
        assert_eq!(recovery.findings, Vec::<String>::new());
        db
    }

    pub fn reopen(&mut self, db: Arc<Db>) -> Arc<Db> {
        drop(db);
        self.files = self.files.after_reboot(1);
        self.open()
    }
}

/// A store that keeps raw rows for a day and hours for ever.
pub fn tiered() -> Config {
    let tiers = Some(Tiers { minutes5: false, hour1: true });
    Config { retention: Some(Duration::from_hours(24)), tiers, ..Config::small() }
}

/// Rows of eight kinds of series over six days, at a pace that is not quite steady.
pub fn workload(seed: u64) -> Vec<(u64, i64, f64)> {
    let mut dice = Dice(seed);
    let mut rows = Vec::new();
    for series in 0..8_u64 {
        let mut time = NOW - 6 * DAY + dice.below(600).cast_signed() * 1000 * MILLI;
        let mut counter = 0.0;
        while time < NOW {
            counter = if dice.below(40) == 0 { 0.0 } else { counter + dice.below(9) as f64 };
            let value = match series % 4 {
                0 => counter,
                1 => dice.below(100_000) as f64 / 100.0,
                2 => dice.below(7) as f64 - 3.0,
                _ if dice.below(30) == 0 => f64::from_bits(STALE_BITS),
                _ if dice.below(50) == 0 => f64::NAN,
                _ => 1e6 + dice.below(1000) as f64 * 0.125,
            };
            rows.push((series, time, value));
            // Mostly ten minutes, sometimes on the edge of an hour, sometimes a gap.
            time += match dice.below(30) {
                0 => HOUR - time.rem_euclid(HOUR),
                1 => dice.below(20).cast_signed() * HOUR,
                _ => 590_000 * MILLI + dice.below(20_000).cast_signed() * MILLI,
            };
        }
    }
    rows
}

pub fn ask(db: &Db, text: &str, when: When, tier: Option<Tier>) -> Result<Answer, Error> {
    let mut question = Question::parse(text, when).unwrap();
    question.lookback_ms = Some(3_600_000);
    question.tier = tier;
    Engine::default().ask(db, Scope::METRICS, &question, &Budget::default())
}

/// Cells of a matrix: labels, time, value.
pub fn cells(answer: &Answer) -> Vec<(Labels, i64, Point)> {
    let Value::Matrix(all) = &answer.value else { panic!("{:?}", answer.value) };
    let mut cells = Vec::new();
    for series in all {
        let labels = &series.labels;
        cells.extend(series.floats.iter().map(|(t, v)| (labels.clone(), *t, Point::Float(*v))));
        cells.extend(
            series
                .histograms
                .iter()
                .map(|(t, v)| (labels.clone(), *t, Point::Histogram(Arc::clone(v)))),
        );
    }
    cells
}

pub fn near(left: f64, right: f64, tolerance: f64) -> bool {
    left.to_bits() == right.to_bits()
        || (left.is_nan() && right.is_nan())
        || (left - right).abs() <= tolerance * (1.0 + left.abs().max(right.abs()))
}

pub fn same(left: &Point, right: &Point, tolerance: f64) -> bool {
    match (left, right) {
        (Point::Float(left), Point::Float(right)) => near(*left, *right, tolerance),
        (Point::Histogram(left), Point::Histogram(right)) => {
            near(left.count, right.count, tolerance)
                && near(left.sum, right.sum, tolerance)
                && left.positive_spans == right.positive_spans
                && left.positive.iter().zip(&right.positive).all(|(a, b)| near(*a, *b, tolerance))
        }
        _ => false,
    }
}

/// Hours of all six days: aligned ends.
pub fn hours() -> When {
    let millis = |time: i64| time / MILLI;
    let start = millis((NOW - 6 * DAY).div_euclid(HOUR) * HOUR);
    When::Over { start, end: millis(NOW), step: 3_600_000 }
}

pub fn fill(world: &World, rows: &[(u64, i64, f64)]) -> Arc<Db> {
    let db = world.open();
    rows.chunks(500).for_each(|rows| write(&db, rows).unwrap());
    db
}

/// Whether hours answer for all days, and which.
pub fn counts(db: &Db) -> String {
    format!(
        "{:?}",
        cells(&ask(db, "count_over_time({series=~\".+\"}[1h])", hours(), None).unwrap())
    )
}

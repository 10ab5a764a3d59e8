//! What a server keeps of results changes no answer: rows that come, late and anew, deletions, flushes,
//! merges, retention, tiers. Every question is asked twice, and the answers are equal to the bit.

#![expect(clippy::unwrap_used, reason = "what cannot be is a failed test")]
#![expect(clippy::indexing_slicing, reason = "what cannot be is a failed test")]
#![expect(clippy::cast_precision_loss, reason = "the numbers are small")]

use std::{sync::Arc, time::Duration};

use quipu::{
    model::{Budget, Matcher, Scope, TimeRange, Timestamp},
    query::{Config as Engines, Engine, Question, ResultCache, Value, When},
    store::{Config, Db, Kept, RetentionRule},
};

#[path = "support/rows.rs"]
mod rows;
#[path = "support/tiers.rs"]
mod tiers;

use rows::write;
use tiers::{Dice, HOUR, MILLI, World, tiered};

const MINUTE: i64 = HOUR / 60;

const QUESTIONS: [&str; 12] = [
    "metric_0",
    "rate(metric_1[10m])",
    "sum by (host) (rate({__name__=~\"metric_.\"}[5m]))",
    "avg(metric_0) + on () group_left () sum(metric_1)",
    "metric_0 offset 1h",
    "max_over_time(sum(metric_2)[30m:1m])",
    "topk(2, metric_0)",
    "absent(metric_9)",
    "count_over_time(metric_0[1h]) or metric_1",
    "stddev by (host) (metric_2) / 3",
    "metric_1 @ 1728000000",
    "quantile(0.3, irate(metric_2[15m]))",
];

struct Game {
    world: World,
    db: Arc<Db>,
    dice: Dice,
    engine: Engine,
}

impl Game {
    fn new(seed: u64, config: Config) -> Self {
        let world = World::new(config);
        let db = world.open();
        let results = Some(Arc::new(ResultCache::new(8 << 20)));
        let engine = Engine::new(Engines { results, ..Engines::default() });
        let mut game = Self { world, db, dice: Dice(seed), engine };
        game.scrape(3 * 24 * 60, 10);
        game
    }

    fn now(&self) -> i64 {
        use quipu::os::Clock;
        self.world.clock.now()
    }

    /// Rows of the last minutes, one a series each.
    fn scrape(&mut self, minutes: i64, every: i64) {
        let now = self.now();
        for minute in (0..minutes).step_by(usize::try_from(every).unwrap()) {
            let time = now - minute * MINUTE;
            let rows: Vec<_> = (0..12)
                .map(|series| (series, time, self.dice.below(100_000) as f64 / 64.0))
                .collect();
            write(&self.db, &rows).unwrap();
        }
    }

    fn late_row(&mut self) {
        let back = self.dice.below(4 * 24 * 60 * 60).cast_signed() * 1_000 * MILLI;
        let row = (self.dice.below(14), self.now() - back, self.dice.below(1000) as f64);
        // What is too old is refused by the door before; here it is taken, and not seen.
        write(&self.db, &[row]).unwrap();
    }

    fn delete(&mut self) {
        let start = self.now() - self.dice.below(48 * 60).cast_signed() * MINUTE;
        let range = TimeRange::new(Timestamp(start), Timestamp(start + HOUR)).unwrap();
        let name = format!("metric_{}", self.dice.below(3));
        self.db.delete(&[Matcher::equal("__name__", &name)], range).unwrap();
    }

    fn turn(&mut self) {
        match self.dice.below(16) {
            0..=5 => {
                self.world.clock.advance(Duration::from_secs(30 + self.dice.below(600)));
                self.scrape(2, 1);
            }
            6 | 7 => self.late_row(),
            8 => self.delete(),
            9 => self.db.flush().unwrap(),
            10 => self.db.compact().unwrap(),
            11 => self.db.clean_deleted().unwrap(),
            12 => self.db.retention().unwrap(),
            13 => self.db.keep_up().unwrap(),
            14 => self.world.clock.advance(Duration::from_mins(60 * self.dice.below(5))),
            _ => self.rule(),
        }
    }

    fn rule(&mut self) {
        let series = self.dice.below(12).to_string();
        let raw = Some(Duration::from_hours(12 + self.dice.below(48)));
        let kept = Kept { raw, ..self.world.config.kept() };
        let rule = RetentionRule { matchers: vec![Matcher::equal("series", &series)], kept };
        self.db.set_retention_rules(vec![rule]).unwrap();
    }

    /// A board's question, whose end is about now, at whole steps.
    fn check(&mut self) {
        let text = QUESTIONS[usize::try_from(self.dice.below(QUESTIONS.len() as u64)).unwrap()];
        let (length, step) = [(6 * 60, 60), (24 * 60, 600), (3 * 24 * 60, 1800)]
            [usize::try_from(self.dice.below(3)).unwrap()];
        let (now, step) = (self.now() / MILLI, step * 1000);
        let end = now / step * step;
        let when = When::Over { start: end - length * 60_000, end, step };
        let kept = self.ask(text, when, Some(now));
        assert_eq!(kept, self.ask(text, when, None), "{text} at {now}");
    }

    fn ask(&self, text: &str, when: When, asked_at: Option<i64>) -> String {
        let question = Question { asked_at, ..Question::parse(text, when).unwrap() };
        let budget = Budget::default();
        let asked = self.engine.ask(self.db.as_ref(), Scope::METRICS, &question, &budget);
        // Where only buckets are left, some functions cannot answer.
        let mut answer = match asked {
            Ok(answer) => answer,
            Err(error) => return error.to_string(),
        };
        let Value::Matrix(series) = &answer.value else { panic!("{:?}", answer.value) };
        let mut lines = Vec::new();
        for one in series {
            let floats: Vec<_> =
                one.floats.iter().map(|(time, value)| (time, value.to_bits())).collect();
            lines.push(format!("{} {floats:?}", one.labels));
        }
        answer.infos.sort();
        format!("{}\n{:?} {:?}", lines.join("\n"), answer.warnings, answer.infos)
    }
}

fn play(seed: u64, config: Config) {
    let mut game = Game::new(seed, config);
    for _ in 0..150 {
        game.turn();
        game.check();
        game.check();
    }
    let counters = game.engine.results().unwrap().counters();
    assert!(counters.partial_hits > 40, "{counters:?}");
    assert!(counters.steps_kept > counters.steps_evaluated / 4, "{counters:?}");
}

#[test]
fn rows_kept_for_ever() {
    (1..4).for_each(|seed| play(seed, Config { retention: None, ..Config::small() }));
}

#[test]
fn rows_that_go_with_time() {
    let retention = Some(Duration::from_hours(30));
    (4..6).for_each(|seed| play(seed, Config { retention, ..Config::small() }));
}

#[test]
fn rows_whose_place_buckets_take() {
    (6..8).for_each(|seed| play(seed, tiered()));
}

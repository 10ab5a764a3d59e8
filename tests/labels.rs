//! Questions about the labels of all series, which dictionaries answer, end as a walk over all series.

#![expect(clippy::unwrap_used, reason = "what cannot be is a failed test")]

use std::time::Duration;

use quipu::{
    model::{Ask, Budget, MatchOp, Matcher, Scope, Source, TimeRange, Timestamp},
    store::{Config, Db},
};

#[path = "support/rows.rs"]
mod rows;
#[path = "support/tiers.rs"]
mod tiers;

use rows::{DAY, NOW, write};
use tiers::{Dice, HOUR, World, tiered};

/// Both ways, over many ranges.
fn compare(db: &Db, dice: &mut Dice, what: &str) {
    let budget = Budget::default();
    // Every series passes, but the store does not know that beforehand.
    let any = [Matcher { name: "none".into(), op: MatchOp::Regex, value: ".*".into() }];
    for round in 0..12 {
        let start = NOW - dice.below(9 * 24).cast_signed() * HOUR;
        let end = start + dice.below(40).cast_signed() * HOUR + 1;
        let range = match round {
            0 => TimeRange::ALL,
            _ => TimeRange::new(Timestamp(start), Timestamp(end)).unwrap(),
        };
        let ask = |matchers| Ask { scope: Scope::METRICS, matchers, range, budget: &budget };
        let (all, walked) = (ask(&[]), ask(&any));
        assert_eq!(db.label_names(&all), db.label_names(&walked), "{what}: {range:?}");
        for name in ["__name__", "host", "series", "nothing"] {
            let found = db.label_values(&all, name).unwrap();
            assert_eq!(found, db.label_values(&walked, name).unwrap(), "{what}: {name} {range:?}");
        }
    }
}

#[test]
fn dictionaries_know_the_labels_that_a_walk_finds() {
    for seed in 0..6 {
        let mut dice = Dice(seed);
        let retire_after = Duration::from_hours(1);
        let mut world = World::new(Config { retire_after, ..tiered() });
        let mut db = world.open();
        let budget = Budget::default();
        let ask =
            Ask { scope: Scope::METRICS, matchers: &[], range: TimeRange::ALL, budget: &budget };
        assert_eq!(db.label_names(&ask).unwrap(), Vec::<String>::new());
        for step in 0..12 {
            let day = dice.below(8);
            let batch: Vec<_> = (0..dice.below(60))
                .map(|_| {
                    let series = day * 20 + dice.below(40);
                    let back = day.cast_signed() * DAY + dice.below(20).cast_signed() * HOUR;
                    (series, NOW - back, 1.5)
                })
                .filter(|row| row.1 > NOW - DAY + HOUR || step < 6)
                .collect();
            // Rows behind retention are refused, in the first steps there is none that is behind.
            drop(write(&db, &batch));
            compare(&db, &mut dice, &format!("seed {seed}, step {step}"));
            match step % 4 {
                0 => db.flush().unwrap(),
                1 => db.keep_up().unwrap(),
                2 => db.retention().unwrap(),
                _ => db = world.reopen(db),
            }
            world.clock.advance(Duration::from_mins(40));
            compare(&db, &mut dice, &format!("seed {seed}, behind step {step}"));
        }
    }
}

//! Buckets stand for rows: what was retired row by row answers as it did, or says that it cannot.

#![expect(clippy::needless_for_each, reason = "reads as one step")]
#![expect(clippy::unwrap_used, reason = "what cannot be is a failed test")]
#![expect(clippy::cast_precision_loss, reason = "the numbers are small")]

use std::time::Duration;

use quipu::{
    model::{
        Batch, Budget, Histogram, HistogramRow, Matcher, Registry, Scope, Sink, Source, Span,
        TenantId, Tier, TimeRange, Timestamp,
    },
    query::{Point, Value, When},
    store::{Config, Db, Kept, RetentionRule, Tiers, verify},
};

#[path = "support/rows.rs"]
mod rows;
#[path = "support/tiers.rs"]
mod tiers;

use rows::{DAY, NOW, write};
use tiers::{Dice, HOUR, MILLI, World, ask, cells, fill, hours, same, tiered, workload};

/// Each function, and how much it may differ: not at all, or by what sums of sums may.
const FUNCTIONS: [(&str, f64); 23] = [
    ("count_over_time(X)", 0.0),
    ("min_over_time(X)", 0.0),
    ("max_over_time(X)", 0.0),
    ("first_over_time(X)", 0.0),
    ("last_over_time(X)", 0.0),
    ("ts_of_first_over_time(X)", 0.0),
    ("ts_of_last_over_time(X)", 0.0),
    ("present_over_time(X)", 0.0),
    ("absent_over_time(X)", 0.0),
    ("resets(X)", 0.0),
    ("changes(X)", 0.0),
    ("sum_over_time(X)", 1e-15),
    ("avg_over_time(X)", 1e-15),
    ("rate(X)", 1e-15),
    ("increase(X)", 1e-15),
    ("delta(X)", 1e-15),
    ("stddev_over_time(X)", 1e-9),
    ("stdvar_over_time(X)", 1e-9),
    ("deriv(X)", 1e-8),
    ("predict_linear(X, 600)", 1e-8),
    ("sum by (host) (rate(X))", 1e-14),
    ("quantile(0.5, max_over_time(X))", 0.0),
    ("topk(2, sum_over_time(X))", 1e-15),
];

/// Functions that buckets do not tell.
const RAW_ONLY: [&str; 9] = [
    "irate(X)",
    "idelta(X)",
    "quantile_over_time(0.9, X)",
    "mad_over_time(X)",
    "ts_of_max_over_time(X)",
    "double_exponential_smoothing(X, 0.5, 0.5)",
    "rate(X anchored)",
    "max_over_time(rate(X)[6h:1h])",
    "max_over_time((Y)[6h:1h])",
];

fn compare(kept: &Db, dropped: &Db, tier: Option<Tier>, what: &str) {
    for metric in ["metric_0", "metric_1", "metric_2"] {
        for range in ["1h", "3h", "2d"] {
            for (text, tolerance) in FUNCTIONS {
                let text = text.replace('X', &format!("{metric}[{range}]"));
                let expected = cells(&ask(kept, &text, hours(), None).unwrap());
                let answer = ask(dropped, &text, hours(), tier).unwrap();
                let found = cells(&answer);
                assert_eq!(found.len(), expected.len(), "{what}: {text}");
                for (found, expected) in found.iter().zip(&expected) {
                    assert!(
                        (&found.0, found.1) == (&expected.0, expected.1)
                            && same(&found.2, &expected.2, tolerance),
                        "{what}: {text}: {found:?} is not {expected:?}"
                    );
                }
                assert!(
                    text.contains("absent") || answer.infos.iter().any(|it| it.contains("tier ")),
                    "{what}: {text}: {:?}",
                    answer.infos
                );
            }
        }
        // With a lookback of a bucket, an instant is the last of it.
        let expected = cells(&ask(kept, metric, hours(), None).unwrap());
        let answer = ask(dropped, metric, hours(), tier).unwrap();
        let found = cells(&answer);
        assert_eq!(format!("{found:?}"), format!("{expected:?}"), "{what}: {metric}");
        assert!(answer.infos.iter().any(|it| it.contains("tier ")), "{what}: {:?}", answer.infos);
    }
    for text in RAW_ONLY {
        let text = text.replace('X', "metric_0[1h]").replace('Y', "metric_0");
        let error = ask(dropped, &text, hours(), tier).unwrap_err().to_string();
        assert!(error.contains("raw rows") && error.contains("tier "), "{text}: {error}");
    }
}

#[test]
fn on_aligned_windows_buckets_answer_as_rows_did_or_name_the_tier() {
    for seed in 0..3 {
        let rows = workload(seed);
        let plain = World::new(Config::small());
        let kept = fill(&plain, &rows);
        kept.flush().unwrap();
        for minutes5 in [false, true] {
            let mut config = tiered();
            config.tiers = Some(Tiers { minutes5, hour1: true });
            config.retention_5m = Some(Duration::from_hours(72));
            let mut world = World::new(config);
            let db = fill(&world, &rows);
            db.flush().unwrap();
            db.retention().unwrap();
            let db = world.reopen(db);
            let left: Vec<_> = rows::read(&db).into_keys().map(|(_, time)| time).collect();
            assert!(left.iter().all(|time| *time > NOW - 3 * DAY), "rows are gone");
            if minutes5 {
                // Spread and line are not kept in five minutes: those are asked of hours.
                compare(&kept, &db, Some(Tier::Hour1), &format!("seed {seed}, both tiers"));
            } else {
                compare(&kept, &db, None, &format!("seed {seed}"));
                compare(&kept, &db, Some(Tier::Hour1), &format!("seed {seed}, asked for"));
            }
        }
    }
}

#[test]
fn what_a_finer_tier_lacks_it_refuses_by_name() {
    let mut config = tiered();
    config.tiers = Some(Tiers { minutes5: true, hour1: false });
    let world = World::new(config);
    let db = fill(&world, &workload(1));
    db.flush().unwrap();
    db.retention().unwrap();
    let error = ask(&db, "stddev_over_time(metric_0[2h])", hours(), None).unwrap_err();
    assert!(error.to_string().contains("tier 5m"), "{error}");
    assert!(ask(&db, "rate(metric_0[10m])", hours(), None).is_ok());
}

#[test]
fn a_tier_that_was_asked_for_stands_for_rows_that_are_kept() {
    let world = World::new(Config { retention: None, ..tiered() });
    let db = fill(&world, &workload(2));
    db.flush().unwrap();
    let plain = World::new(Config::small());
    let kept = fill(&plain, &workload(2));
    compare(&kept, &db, Some(Tier::Hour1), "all rows kept");
    let answer = ask(&db, "rate(metric_0[1h])", hours(), None).unwrap();
    assert!(!answer.infos.iter().any(|it| it.contains("tier")), "{:?}", answer.infos);
}

#[test]
fn late_rows_and_deletions_rewrite_their_buckets_alone() {
    for seed in 0..8 {
        let mut dice = Dice(seed);
        // Nothing goes before the end: the door would refuse rows that are older.
        let mut world = World::new(Config { retention: None, ..tiered() });
        let plain = World::new(Config::small());
        let (mut db, kept) = (world.open(), plain.open());
        let all = workload(seed + 10);
        let steps = 12;
        for step in 0..steps {
            let mine: Vec<_> = all.iter().copied().filter(|_| dice.below(steps) == 0).collect();
            for db in [&db, &kept] {
                mine.chunks(500).for_each(|rows| write(db, rows).unwrap());
            }
            if dice.below(3) == 0 {
                let matcher = [Matcher::equal("series", dice.below(8).to_string())];
                let start = NOW - dice.below(5 * 24).cast_signed() * HOUR - 1000 * MILLI;
                let end = start + dice.below(7).cast_signed() * HOUR + 1;
                let range = TimeRange::new(Timestamp(start), Timestamp(end)).unwrap();
                db.delete(&matcher, range).unwrap();
                kept.delete(&matcher, range).unwrap();
            }
            match step % 4 {
                0 => db.flush().unwrap(),
                1 => db.keep_up().unwrap(),
                2 => db = world.reopen(db),
                _ => db.clean_deleted().unwrap(),
            }
        }
        db.flush().unwrap();
        world.config.retention = Some(Duration::from_hours(100));
        db = world.reopen(db);
        db.retention().unwrap();
        db.keep_up().unwrap();
        compare(&kept, &db, None, &format!("seed {seed}"));
        compare(&kept, &db, Some(Tier::Hour1), &format!("seed {seed}, asked for"));
        let report = verify(&world.files, true).unwrap();
        assert_eq!((report.findings, report.notes), (vec![], vec![]), "seed {seed}");
    }
}

#[test]
fn a_deletion_takes_the_buckets_it_touches_where_rows_are_gone() {
    let world = World::new(tiered());
    let db = fill(&world, &workload(4));
    db.flush().unwrap();
    db.retention().unwrap();
    let start = (NOW - 4 * DAY).div_euclid(HOUR) * HOUR;
    let range = TimeRange::new(Timestamp(start + 5), Timestamp(start + HOUR + 5)).unwrap();
    db.delete(&[Matcher::equal("series", "1")], range).unwrap();
    let counts = |db: &Db| {
        let at = |time: i64| When::At(time / MILLI);
        let count = |time: i64| {
            let answer = ask(db, "count_over_time({series=\"1\"}[1h])", at(time), None).unwrap();
            let Value::Vector(found) = answer.value else { panic!() };
            found.len()
        };
        [count(start), count(start + HOUR), count(start + 2 * HOUR), count(start + 3 * HOUR)]
    };
    let before = counts(&db);
    assert_eq!((before[1], before[2]), (0, 0));
    db.clean_deleted().unwrap();
    assert_eq!(counts(&db), before);
}

#[test]
fn rules_keep_some_series_for_less_long() {
    let mut world = World::new(Config { retention: None, ..tiered() });
    let rows = workload(5);
    let db = fill(&world, &rows);
    let rule = |matcher, raw, hour1| RetentionRule {
        matchers: vec![matcher],
        kept: Kept { raw, minutes5: None, hour1 },
    };
    let day = |days: u64| Some(Duration::from_hours(24 * days));
    let rules = vec![rule(Matcher::equal("series", "1"), day(1), None)];
    db.set_retention_rules(rules).unwrap();
    db.flush().unwrap();
    db.retention().unwrap();
    let old = |db: &Db, series: u64| {
        rows::read(db).into_keys().filter(|row| row.0 == series && row.1 < NOW - 3 * DAY).count()
    };
    assert_eq!(old(&db, 1), 0);
    assert!(old(&db, 2) > 0);
    let db = world.reopen(db);
    assert_eq!(old(&db, 1), 0);
    let sum = |text: &str, db: &Db| format!("{:?}", cells(&ask(db, text, hours(), None).unwrap()));
    let plain = World::new(Config::small());
    let kept = fill(&plain, &rows);
    for text in ["max_over_time({series=\"1\"}[3h])", "max_over_time({series=\"2\"}[3h])"] {
        assert_eq!(sum(text, &db), sum(text, &kept), "{text}");
    }
    // A row that comes too late for its rule is not kept, and harms no bucket.
    let late = NOW - 4 * DAY;
    write(&db, &[(1, late, 1e9), (2, late, -77.0)]).unwrap();
    db.flush().unwrap();
    assert_eq!(old(&db, 1), 0);
    let text = "max_over_time({series=\"1\"}[3h])";
    assert_eq!(sum(text, &db), sum(text, &kept));
    assert!(rows::read(&db).contains_key(&(2, late)));
}

#[test]
fn hours_go_by_whole_partitions_when_their_time_is_over() {
    let config = Config { retention_1h: Some(Duration::from_hours(24 * 40)), ..tiered() };
    let world = World::new(config);
    let old = NOW - 80 * DAY;
    let db = fill(&world, &[(1, old, 1.0), (1, NOW - 5 * DAY, 2.0), (1, NOW, 3.0)]);
    db.flush().unwrap();
    db.retention().unwrap();
    let text = "sum_over_time(metric_1[100d])";
    let answer = ask(&db, text, When::At(NOW / MILLI), None).unwrap();
    let Value::Vector(found) = &answer.value else { panic!() };
    assert_eq!(found.first().map(|it| it.value.clone()), Some(Point::Float(5.0)));
    let Ok(Value::Vector(none)) =
        ask(&db, text, When::At((NOW - 10 * DAY) / MILLI), None).map(|answer| answer.value)
    else {
        panic!()
    };
    assert!(none.is_empty(), "what is past all retention is gone");
}

#[test]
fn buckets_of_histograms_answer_as_rows_did() {
    let make = |config: Config| {
        let world = World::new(config);
        let db = world.open();
        let mut batch = Batch::default();
        let mut refs = Vec::new();
        db.register(TenantId(0), &[&[("__name__", "latency"), ("series", "1")]], &mut refs)
            .unwrap();
        let mut dice = Dice(9);
        let mut counts = [0.0; 3];
        for i in 0..700_i64 {
            if dice.below(50) == 0 {
                counts = [0.0; 3];
            }
            counts.iter_mut().for_each(|count| *count += dice.below(5) as f64);
            let value = Histogram {
                is_integer: true,
                count: counts.iter().sum(),
                sum: counts[1] * 2.0 + counts[2] * 4.0,
                positive_spans: vec![Span { offset: 0, length: 3 }],
                positive: counts.to_vec(),
                ..Histogram::default()
            };
            let time = NOW - 6 * DAY + i * 600_000 * MILLI;
            batch.histograms.push(HistogramRow { series: refs[0], time, start: 0, value });
        }
        db.write(batch, Box::new(|done| assert!(done.is_ok())));
        db.commit_queued();
        db.flush().unwrap();
        db.retention().unwrap();
        (world, db)
    };
    let (kept, dropped) = (make(Config::small()), make(tiered()));
    for range in ["1h", "5h", "2d"] {
        for (text, tolerance) in [
            ("rate(latency[R])", 1e-12),
            ("increase(latency[R])", 1e-12),
            ("sum_over_time(latency[R])", 1e-12),
            ("avg_over_time(latency[R])", 1e-12),
            ("count_over_time(latency[R])", 0.0),
            ("last_over_time(latency[R])", 0.0),
            ("first_over_time(latency[R])", 0.0),
            ("resets(latency[R])", 0.0),
            ("changes(latency[R])", 0.0),
            ("histogram_quantile(0.9, rate(latency[R]))", 1e-12),
        ] {
            let text = text.replace('R', range);
            let expected = cells(&ask(&kept.1, &text, hours(), None).unwrap());
            let found = cells(&ask(&dropped.1, &text, hours(), None).unwrap());
            assert_eq!(found.len(), expected.len(), "{text}");
            for (found, expected) in found.iter().zip(&expected) {
                assert!(
                    found.1 == expected.1 && same(&found.2, &expected.2, tolerance),
                    "{text}: {found:?} is not {expected:?}"
                );
            }
        }
    }
}

#[test]
fn labels_of_series_that_only_a_tier_has_are_listed() {
    let world = World::new(tiered());
    let db = fill(&world, &[(1, NOW - 5 * DAY, 1.0), (2, NOW, 2.0)]);
    db.flush().unwrap();
    db.retention().unwrap();
    let budget = Budget::default();
    let ask = quipu::model::Ask {
        scope: Scope::METRICS,
        matchers: &[],
        range: TimeRange::ALL,
        budget: &budget,
    };
    assert_eq!(db.label_values(&ask, "series").unwrap(), ["1", "2"]);
}

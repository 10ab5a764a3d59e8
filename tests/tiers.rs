//! Buckets stand for rows: what was retired row by row answers as it did, or says that it cannot.

#![expect(clippy::unwrap_used, reason = "what cannot be is a failed test")]
#![expect(clippy::cast_precision_loss, reason = "the numbers are small")]

use std::{sync::Arc, time::Duration};

use quipu::{
    model::{
        Batch, Budget, Histogram, HistogramRow, Labels, Matcher, Registry, STALE_BITS, Scope, Sink,
        Source, Span, TenantId, Tier, TimeRange, Timestamp,
    },
    os::{Clock, Files, SimClock, sim::SimFiles},
    query::{Answer, Engine, Error, Point, Question, Value, When},
    store::{Config, Db, Kept, RetentionRule, Tiers, repair, verify},
};

#[path = "support/rows.rs"]
mod rows;

use rows::{DAY, NOW, write};

const HOUR: i64 = DAY / 24;
const MILLI: i64 = 1_000_000;

/// A small generator of numbers that need not be good, but the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) % limit
    }
}

struct World {
    clock: Arc<SimClock>,
    files: SimFiles,
    config: Config,
}

impl World {
    fn new(config: Config) -> Self {
        Self { clock: Arc::new(SimClock::new(NOW)), files: SimFiles::seeded(3), config }
    }

    fn open(&self) -> Arc<Db> {
        let clock: Arc<dyn Clock> = Arc::<SimClock>::clone(&self.clock);
        let files: Arc<dyn Files> = Arc::new(self.files.clone());
        let (db, recovery) = Db::open(files, clock, self.config).unwrap();
        assert_eq!(recovery.findings, Vec::<String>::new());
        db
    }

    fn reopen(&mut self, db: Arc<Db>) -> Arc<Db> {
        drop(db);
        self.files = self.files.after_reboot(1);
        self.open()
    }
}

/// A store that keeps raw rows for a day and hours for ever.
fn tiered() -> Config {
    let tiers = Tiers { minutes5: false, hour1: true };
    Config { retention: Some(Duration::from_hours(24)), tiers, ..Config::small() }
}

/// Rows of eight kinds of series over six days, at a pace that is not quite steady.
fn workload(seed: u64) -> Vec<(u64, i64, f64)> {
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

fn ask(db: &Db, text: &str, when: When, tier: Option<Tier>) -> Result<Answer, Error> {
    let mut question = Question::parse(text, when).unwrap();
    question.lookback_ms = Some(3_600_000);
    question.tier = tier;
    Engine::default().ask(db, Scope::METRICS, &question, &Budget::default())
}

/// Cells of a matrix: labels, time, value.
fn cells(answer: &Answer) -> Vec<(Labels, i64, Point)> {
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

fn near(left: f64, right: f64, tolerance: f64) -> bool {
    left.to_bits() == right.to_bits()
        || (left.is_nan() && right.is_nan())
        || (left - right).abs() <= tolerance * (1.0 + left.abs().max(right.abs()))
}

fn same(left: &Point, right: &Point, tolerance: f64) -> bool {
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

/// Hours of all six days: aligned ends.
fn hours() -> When {
    let millis = |time: i64| time / MILLI;
    let start = millis((NOW - 6 * DAY).div_euclid(HOUR) * HOUR);
    When::Over { start, end: millis(NOW), step: 3_600_000 }
}

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

fn fill(world: &World, rows: &[(u64, i64, f64)]) -> Arc<Db> {
    let db = world.open();
    rows.chunks(500).for_each(|rows| write(&db, rows).unwrap());
    db
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
            config.tiers.minutes5 = minutes5;
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
    config.tiers = Tiers { minutes5: true, hour1: false };
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

/// Whether hours answer for all days, and which.
fn counts(db: &Db) -> String {
    format!(
        "{:?}",
        cells(&ask(db, "count_over_time({series=~\".+\"}[1h])", hours(), None).unwrap())
    )
}

#[test]
fn a_power_cut_at_any_call_of_downsampling_and_retention_loses_nothing() {
    let rows: Vec<_> = workload(6).into_iter().filter(|row| row.0 < 3).collect();
    let plain = World::new(Config::small());
    let expected = counts(&fill(&plain, &rows));
    let full = World::new(tiered());
    let db = fill(&full, &rows);
    drop(db);
    let mut late_cuts = 0;
    for cut in (0..).step_by(3) {
        let files = full.files.after_kill().cut_power_at(cut);
        let mut world = World { clock: Arc::clone(&full.clock), files, config: full.config };
        let clock: Arc<dyn Clock> = Arc::<SimClock>::clone(&world.clock);
        if let Ok((db, _)) = Db::open(Arc::new(world.files.clone()), clock, world.config) {
            db.set_retention_rules(vec![RetentionRule {
                matchers: vec![Matcher::equal("series", "2")],
                kept: Kept { raw: Some(Duration::from_hours(12)), ..Kept::default() },
            }])
            .unwrap();
            drop(db.flush().and_then(|()| db.retention()).and_then(|()| db.keep_up()));
        }
        let was_cut = world.files.was_cut();
        world.files = world.files.after_reboot(cut);
        let db = world.open();
        assert_eq!(counts(&db), expected, "cut {cut}");
        db.flush().unwrap();
        db.retention().unwrap();
        assert_eq!(counts(&db), expected, "cut {cut}, and on from there");
        late_cuts += 1;
        if !was_cut {
            break;
        }
    }
    assert!(late_cuts > 20, "{late_cuts} cuts");
}

#[test]
fn any_call_may_fail_while_tiers_are_written() {
    let rows: Vec<_> = workload(7).into_iter().filter(|row| row.0 < 3).collect();
    let plain = World::new(Config::small());
    let expected = counts(&fill(&plain, &rows));
    let full = World::new(tiered());
    drop(fill(&full, &rows));
    for call in (0..).step_by(5) {
        let files = full.files.after_kill();
        let world = World { clock: Arc::clone(&full.clock), files, config: full.config };
        let db = world.open();
        world.files.fail(quipu::os::sim::Fault::at(call, std::io::ErrorKind::Other));
        let run = || db.flush().and_then(|()| db.retention());
        run().or_else(|_| run()).unwrap();
        assert_eq!(counts(&db), expected, "call {call}");
        if world.files.faults_hit() == 0 {
            assert!(call > 30, "{call} calls");
            break;
        }
    }
}

#[test]
fn damage_in_a_tier_is_named_found_by_the_scrub_and_put_aside() {
    let world = World::new(tiered());
    let db = fill(&world, &workload(8));
    db.flush().unwrap();
    db.retention().unwrap();
    drop(db);
    let is_tier = |path: &&String| {
        std::path::Path::new(path.as_str()).extension().is_some_and(|it| it == "tier")
    };
    let paths: Vec<(String, u64)> = world.files.files().into_iter().collect();
    let (path, size) = paths.iter().find(|(path, _)| is_tier(&path)).unwrap().clone();
    let name = path.rsplit('/').next().unwrap().to_owned();
    for at in (0..size).step_by(usize::try_from(size / 40).unwrap()) {
        let files = world.files.after_kill();
        files.flip_bit(&path, at, 3).unwrap();
        let report = verify(&files, true).unwrap();
        assert!(report.findings.iter().any(|it| it.file == path), "byte {at}: {report:?}");
        let damaged = World { clock: Arc::clone(&world.clock), files, config: world.config };
        let clock: Arc<dyn Clock> = Arc::<SimClock>::clone(&damaged.clock);
        let (db, recovery) =
            Db::open(Arc::new(damaged.files.clone()), clock, damaged.config).unwrap();
        // Noticed at the start, or when it is read; never a wrong answer.
        if recovery.findings.is_empty() {
            let found = db.scrub();
            assert!(found.iter().any(|it| it.contains(&name)), "byte {at}: {found:?}");
            let count = |name: &str| {
                db.counters().into_iter().find(|it| it.name == name).map(|it| it.value)
            };
            assert_eq!(count("quipu_scrub_findings_total"), Some(1.0));
            assert_eq!(db.new_scrub_findings().len(), 1);
        } else {
            assert!(recovery.findings.iter().any(|it| it.contains(&name)), "byte {at}");
        }
        drop(db);
        let files: Arc<dyn Files> = Arc::new(damaged.files.clone());
        repair(&files, false).unwrap();
        assert_eq!(verify(&*files, true).unwrap().findings, vec![]);
    }
}

#[test]
fn a_lost_manifest_is_made_anew_with_tiers() {
    let world = World::new(tiered());
    let rows = workload(9);
    let db = fill(&world, &rows);
    db.flush().unwrap();
    db.retention().unwrap();
    let expected = counts(&db);
    drop(db);
    let files = world.files.after_kill();
    for (path, _) in files.files() {
        if path.starts_with("manifest/") {
            Files::remove(&files, &path).unwrap();
        }
    }
    let shared: Arc<dyn Files> = Arc::new(files.clone());
    repair(&shared, false).unwrap();
    let world = World { clock: world.clock, files, config: world.config };
    assert_eq!(counts(&world.open()), expected);
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

#[test]
fn the_scrub_reads_everything_in_its_time_and_no_more() {
    let config = Config { scrub_every: Some(Duration::from_hours(1)), ..tiered() };
    let world = World::new(config);
    let db = fill(&world, &workload(1));
    db.flush().unwrap();
    let count = |name: &str| {
        db.counters().into_iter().find(|it| it.name == name).map_or(0.0, |it| it.value)
    };
    db.keep_up().unwrap();
    assert!(count("quipu_scrub_bytes_total") < 1.0);
    for _ in 0..130 {
        world.clock.advance(Duration::from_mins(1));
        db.keep_up().unwrap();
    }
    let rounds = count("quipu_scrub_rounds_total");
    assert!((1.0..=3.0).contains(&rounds), "{rounds} rounds in two hours");
    assert_eq!(db.scrub_findings(), Vec::<String>::new());
}

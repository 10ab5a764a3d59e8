//! A database whose rows are gone but for buckets of both tiers, and the edits that say so.
#![expect(clippy::indexing_slicing, reason = "what cannot be is a failed test")]
#![expect(clippy::unwrap_used, reason = "a test that cannot make its database may stop")]

use std::{sync::Arc, time::Duration};

use quipu::{
    model::{Budget, Histogram, HistogramRow, Matcher, Registry, Scope, Sink, Span, TenantId},
    os::{Clock, Files, SimClock, read_whole, sim::SimFiles},
    query::{Engine, Question, Value, When},
    store::{Config, Db, Kept, RetentionRule, Tiers, verify},
};

use crate::{
    golden::{self, same_bytes},
    rows::{DAY, NOW, write},
};

const FOLDER: &str = "v1/tiers";
const MINUTE: i64 = 60_000_000_000;

fn open(files: &SimFiles, retention: Option<Duration>) -> Arc<Db> {
    let clock: Arc<dyn Clock> = Arc::new(SimClock::new(NOW));
    let tiers = Some(Tiers { minutes5: true, hour1: true });
    let config = Config { seed: Some(7), retention, tiers, ..Config::small() };
    let (db, recovery) = Db::open(Arc::new(files.clone()), clock, config).unwrap();
    assert_eq!(recovery.findings, Vec::<String>::new());
    db
}

/// Three days of a counter that is reset, a gauge, a constant and a histogram.
fn play(files: &SimFiles) {
    let db = open(files, None);
    let mut rows = Vec::new();
    for i in 0..300_i64 {
        let time = NOW - 3 * DAY + i * 14 * MINUTE;
        let small = f64::from(i32::try_from(i).unwrap());
        rows.extend([(1, time, small % 70.0), (2, time, small / 8.0 - 3.0), (3, time, 0.1)]);
    }
    rows.push((2, NOW - 2 * DAY, f64::from_bits(0x7ff0_0000_0000_0002)));
    rows.chunks(90).for_each(|rows| write(&db, rows).unwrap());
    let mut refs = Vec::new();
    db.register(TenantId(0), &[&[("__name__", "latency")]], &mut refs).unwrap();
    let mut batch = quipu::model::Batch::default();
    for i in 0..20_i32 {
        let count = f64::from(i % 13);
        let value = Histogram {
            is_integer: true,
            count,
            sum: count * 1.5,
            positive_spans: vec![Span { offset: 2, length: 1 }],
            positive: vec![count],
            ..Histogram::default()
        };
        let time = NOW - 2 * DAY + i64::from(i) * 15 * MINUTE;
        batch.histograms.push(HistogramRow { series: refs[0], time, start: 0, value });
    }
    db.write(batch, Box::new(|done| assert!(done.is_ok())));
    db.commit_queued();
    db.flush().unwrap();
    // A late row: a second file of each tier.
    write(&db, &[(2, NOW - 2 * DAY + MINUTE, 77.0)]).unwrap();
    db.flush().unwrap();
    drop(db);
    let db = open(files, Some(Duration::from_hours(36)));
    let kept = Kept { raw: Some(Duration::from_hours(12)), ..Kept::default() };
    let matchers = vec![Matcher::equal("series", "3")];
    db.set_retention_rules(vec![RetentionRule { matchers, kept }]).unwrap();
    db.retention().unwrap();
}

fn answers(files: &SimFiles) -> Vec<String> {
    let db = open(files, Some(Duration::from_hours(36)));
    let millis = |time: i64| time / 1_000_000;
    let when = When::Over { start: millis(NOW - 3 * DAY), end: millis(NOW), step: 7_200_000 };
    let ask = |text: &str| {
        let question = Question::parse(text, when).unwrap();
        let budget = Budget::default();
        let answer = Engine::default().ask(&*db, Scope::METRICS, &question, &budget).unwrap();
        let Value::Matrix(all) = answer.value else { panic!("{text} is over steps") };
        format!("{all:?}")
    };
    ["sum_over_time({series=~\".+\"}[2h])", "increase(metric_1[1d])", "rate(latency[4h])"]
        .map(ask)
        .to_vec()
}

#[test]
fn the_same_buckets_give_the_same_bytes() {
    let files = SimFiles::seeded(7);
    play(&files);
    let paths: Vec<String> = files.files().into_iter().map(|(path, _)| path).collect();
    assert!(paths.iter().filter(|path| path.contains(".tier")).count() >= 4, "{paths:?}");
    for path in &paths {
        let bytes = read_whole(&files, path, 1 << 20).unwrap();
        same_bytes(&format!("{FOLDER}/{path}"), &bytes);
    }
    let written: Vec<_> = paths.iter().map(|path| format!("{FOLDER}/{path}")).collect();
    assert_eq!(golden::names(FOLDER), written);
}

#[test]
fn the_committed_buckets_open_and_answer() {
    let played = SimFiles::seeded(7);
    play(&played);
    let files = SimFiles::seeded(1);
    for name in golden::names(FOLDER) {
        let path = name.strip_prefix(FOLDER).unwrap().trim_start_matches('/');
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        files.create_dir_all(folder).unwrap();
        files.create(path).unwrap().write_all_at(0, &golden::read(&name)).unwrap();
    }
    let report = verify(&files, true).unwrap();
    assert_eq!((report.findings, report.notes), (vec![], vec![]));
    assert_eq!(answers(&files), answers(&played));
}

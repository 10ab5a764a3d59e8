//! A whole database: manifest, catalog, log, a part, a block, and a deletion that waits.
//!
//! `Stage` does the same to a database and to a sorted map; the map is what every later version has to
//! read out of the files that this one wrote.
#![expect(clippy::unwrap_used, reason = "a test that cannot make its database may stop")]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use quipu::{
    model::{
        Ask, Batch, Buckets, Budget, Columns, Error, Exemplar, FloatPartial, Flow, Histogram,
        HistogramRow, Labels, Matcher, Metadata, MetricKind, Reading, Registry, ResetHint, Rows,
        Scope, SeriesRef, Sink, Source, Span, TenantId, TimeRange, Timestamp, Visitor, Windows,
    },
    os::{Clock, Files, SimClock, read_whole, sim::SimFiles},
    store::{Config, Db, Tiers, verify},
};

use crate::golden::{self, same_bytes};

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;
/// Noon of some day.
const NOW: i64 = 20_000 * DAY + DAY / 2;
const FOLDER: &str = "v1/database";

/// By series and time, a row as text: its start, then every bit of its value.
type Map = BTreeMap<(String, i64), String>;

fn config() -> Config {
    // What is only in the log comes to a little more than one segment.
    Config { seed: Some(7), segment_bytes: 400, tiers: Some(Tiers::NONE), ..Config::default() }
}

fn open(files: &SimFiles) -> Arc<Db> {
    let clock: Arc<dyn Clock> = Arc::new(SimClock::new(NOW));
    let (db, recovery) = Db::open(Arc::new(files.clone()), clock, config()).unwrap();
    assert_eq!(recovery.findings, Vec::<String>::new());
    db
}

fn float_text(start: i64, value: f64) -> String {
    format!("{start} {:016x}", value.to_bits())
}

fn histogram_text(start: i64, value: &Histogram) -> String {
    format!("{start} {value:?}")
}

/// A database, and what it should hold.
struct Stage {
    db: Arc<Db>,
    batch: Batch,
    map: Map,
    exemplars: Vec<String>,
}

impl Stage {
    fn series(&self, labels: &[(&str, &str)]) -> (SeriesRef, String) {
        let mut refs = Vec::new();
        self.db.register(TenantId(0), &[labels], &mut refs).unwrap();
        (*refs.first().unwrap(), Labels::new(labels.iter().copied()).unwrap().to_string())
    }

    /// Rows of one series: time, start, value.
    fn floats(&mut self, labels: &[(&str, &str)], rows: impl Iterator<Item = (i64, i64, f64)>) {
        let (series, text) = self.series(labels);
        for (time, start, value) in rows {
            self.batch.rows.push_started(time, start, value);
            self.map.insert((text.clone(), time), float_text(start, value));
        }
        self.batch.rows.end_run(series);
    }

    fn histogram(&mut self, labels: &[(&str, &str)], time: i64, start: i64, value: Histogram) {
        let (series, text) = self.series(labels);
        self.map.insert((text, time), histogram_text(start, &value));
        self.batch.histograms.push(HistogramRow { series, time, start, value });
    }

    fn exemplar(&mut self, labels: &[(&str, &str)], time: i64, value: f64, trace: &str) {
        let (series, text) = self.series(labels);
        self.exemplars.push(format!("{text} {time} {value} {trace}"));
        let labels = Labels::new([("trace_id", trace)]).unwrap();
        self.batch.exemplars.push(Exemplar { series, time, value, labels });
    }

    fn metadata(&mut self, metric: &str, kind: MetricKind, unit: &str, help: &str) {
        let (metric, unit, help) = (metric.into(), unit.into(), help.into());
        self.batch.metadata.push(Metadata { metric, kind, unit, help });
    }

    fn commit(&mut self) {
        let answer = Arc::new(Mutex::new(None));
        let told = Arc::clone(&answer);
        let batch = std::mem::take(&mut self.batch);
        self.db.write(batch, Box::new(move |result| *told.lock().unwrap() = Some(result)));
        self.db.commit_queued();
        answer.lock().unwrap().take().unwrap().unwrap();
    }

    fn delete(&mut self, host: &str, range: TimeRange) {
        self.db.delete(&[Matcher::equal("host", host)], range).unwrap();
        let host = format!("host={host:?}");
        self.map.retain(|(series, time), _| {
            !(series.contains(&host) && range.contains(Timestamp(*time)))
        });
    }
}

fn exponential(scale: f64) -> Histogram {
    Histogram {
        is_integer: true,
        reset_hint: ResetHint::NoReset,
        schema: 3,
        zero_threshold: 1e-128,
        zero_count: scale,
        count: 11.0 * scale,
        sum: 25.5 * scale,
        positive_spans: vec![Span { offset: -2, length: 2 }, Span { offset: 3, length: 1 }],
        negative_spans: vec![Span { offset: 0, length: 1 }],
        positive: vec![2.0 * scale, 3.0 * scale, 4.0 * scale],
        negative: vec![scale],
        custom_values: Vec::new(),
    }
}

fn custom() -> Histogram {
    Histogram {
        is_integer: false,
        reset_hint: ResetHint::Gauge,
        schema: -53,
        count: 3.5,
        sum: 0.7,
        positive_spans: vec![Span { offset: 0, length: 3 }],
        positive: vec![1.0, 0.5, 2.0],
        custom_values: vec![0.1, 0.25],
        ..Histogram::default()
    }
}

fn whole(number: i64) -> f64 {
    f64::from(i32::try_from(number).unwrap())
}

const REQUESTS: [[(&str, &str); 3]; 2] = [
    [("__name__", "requests_total"), ("host", "a"), ("job", "web")],
    [("__name__", "requests_total"), ("host", "b"), ("job", "web")],
];
const LOAD: [[(&str, &str); 2]; 2] =
    [[("__name__", "load"), ("host", "a")], [("__name__", "load"), ("host", "b")]];
const LATENCY: [(&str, &str); 2] = [("__name__", "latency_seconds"), ("host", "a")];

/// A counter with starts and gauges, from `time` on.
fn scrapes(stage: &mut Stage, time: i64, count: i64) {
    for (labels, step) in REQUESTS.iter().zip([10, 7]) {
        let row = |i| (time + i * 15 * SECOND, time - 60 * SECOND, whole(i * step));
        stage.floats(labels, (0..count).map(row));
    }
    for (labels, step) in LOAD.iter().zip([1, 3]) {
        let row = |i| (time + i * 15 * SECOND, 0, whole(100 + i * i % 17 * step) / 100.0);
        stage.floats(labels, (0..count).map(row));
    }
}

/// What happens to the database; every kind of file and record comes of it.
fn play(files: &SimFiles) -> Stage {
    let (db, batch) = (open(files), Batch::default());
    let mut stage = Stage { db, batch, map: Map::new(), exemplars: Vec::new() };
    let yesterday = NOW - DAY;

    // What becomes a block: its partition is sealed.
    let up = [("__name__", "up")];
    stage.floats(&up, (0..40).map(|i| (yesterday + i * 15 * SECOND, 0, 1.0)));
    stage.commit();
    // Long enough for statistics: a gauge, a counter, a few of both signs.
    for (name, value) in [
        ("long_gauge", (|i| whole(500 + i * i % 313) / 10.0) as fn(i64) -> f64),
        ("long_total", |i| whole(1000 + i * 3)),
        ("long_sign", |i| whole(i % 7 - 3)),
    ] {
        let row = |i| (yesterday + i * 15 * SECOND, 0, value(i));
        stage.floats(&[("__name__", name)], (0..300).map(row));
    }
    stage.commit();
    scrapes(&mut stage, yesterday, 30);
    let marker = f64::from_bits(0x7ff0_0000_0000_0002);
    let odd = [1.0 / 3.0, -0.0, f64::INFINITY, f64::NAN, 5e-324, marker];
    let time = |i: i64| yesterday + i * 60 * SECOND + i;
    stage.floats(&[("__name__", "odd")], (0..).zip(odd).map(|(i, value)| (time(i), 0, value)));
    for i in 0..3 {
        stage.histogram(&LATENCY, time(i), yesterday, exponential(whole(i + 1)));
    }
    stage.histogram(&LATENCY, time(3), 0, custom());
    stage.exemplar(&REQUESTS[0], yesterday + 15 * SECOND, 10.0, "4bf92f3577b34da6");
    stage.metadata("requests_total", MetricKind::Counter, "", "Requests that were answered.");
    stage.metadata("latency_seconds", MetricKind::Histogram, "seconds", "");
    stage.commit();
    stage.db.flush().unwrap();

    // What becomes parts: one of today, one of a late row beside the block.
    scrapes(&mut stage, NOW - 600 * SECOND, 12);
    stage.floats(&LOAD[0], [(yesterday + SECOND, 0, 9.75)].into_iter());
    stage.histogram(&LATENCY, NOW - 300 * SECOND, 0, exponential(5.0));
    stage.exemplar(&REQUESTS[1], NOW - 600 * SECOND, 0.0, "00f067aa0ba902b7");
    stage.commit();
    stage.db.compact().unwrap();

    // What waits in the manifest until the block is rewritten.
    let hour = TimeRange::new(Timestamp(yesterday), Timestamp(yesterday + 120 * SECOND)).unwrap();
    stage.delete("b", hour);

    // What is only in the log: two segments.
    scrapes(&mut stage, NOW - 60 * SECOND, 3);
    stage.histogram(&LATENCY, NOW - 60 * SECOND, NOW - 120 * SECOND, exponential(6.0));
    stage.exemplar(&REQUESTS[0], NOW - 60 * SECOND, 0.0, "a3ce929d0e0e4736");
    stage.metadata("load", MetricKind::Gauge, "", "Processes that wait.");
    stage.commit();
    let odd = (0..).zip(odd).map(|(i, value)| (NOW + i, 0, value + 0.5));
    stage.floats(&[("__name__", "odd"), ("späť", "✓")], odd);
    stage.commit();
    stage
}

#[derive(Default)]
struct Collector(Vec<(u32, i64, String)>);

impl Visitor for Collector {
    fn rows(&mut self, series: u32, rows: Rows<'_>) -> Result<Flow, Error> {
        for (i, time) in rows.times.iter().enumerate() {
            let start = rows.starts.get(i).copied().unwrap_or_default();
            let text = match (rows.histograms.get(i), rows.values.get(i)) {
                (Some(histogram), _) => histogram_text(start, histogram),
                (None, value) => float_text(start, *value.unwrap()),
            };
            self.0.push((series, *time, text));
        }
        Ok(Flow::Continue)
    }

    fn buckets(&mut self, _series: u32, _buckets: &Buckets) -> Result<Flow, Error> {
        unreachable!("no partials were asked for")
    }

    fn chunks(&mut self, _: u32, _: &[FloatPartial]) -> Result<Flow, Error> {
        unreachable!("no chunks were asked for")
    }
}

/// All rows, and all exemplars.
fn read(db: &Db) -> (Map, Vec<String>) {
    let budget = Budget::default();
    let ask = Ask { scope: Scope::METRICS, matchers: &[], range: TimeRange::ALL, budget: &budget };
    let selection = db.select(&ask).unwrap();
    let windows =
        Windows { first_end: i64::MAX, step: 0, count: 1, length: i64::MAX, partials: false };
    let reading =
        Reading { columns: Columns { starts: true, ..Columns::VALUES }, windows, chunks: None };
    let mut collector = Collector::default();
    selection.scan(0..selection.len(), &reading, &budget, &mut collector).unwrap();
    let row = |(series, time, text)| ((selection.labels(series).to_string(), time), text);
    let mut exemplars = Vec::new();
    for series in db.exemplars(&ask).unwrap() {
        for it in series.exemplars {
            let trace = it.labels.get("trace_id").unwrap();
            exemplars.push(format!("{} {} {} {trace}", series.labels, it.time, it.value));
        }
    }
    exemplars.sort();
    (collector.0.into_iter().map(row).collect(), exemplars)
}

fn check(db: &Db, expected: &Stage) {
    let (rows, exemplars) = read(db);
    let differs = expected.map.iter().find(|(row, text)| rows.get(row) != Some(text));
    assert_eq!(differs, None, "rows that are missing or changed");
    assert_eq!(rows.len(), expected.map.len());
    let mut expected_exemplars = expected.exemplars.clone();
    expected_exemplars.sort();
    assert_eq!(exemplars, expected_exemplars);
    let metadata = db.metadata(&Scope::METRICS, None);
    let kinds: Vec<_> = metadata.iter().map(|it| (it.metric.as_str(), it.kind)).collect();
    assert_eq!(
        kinds,
        [
            ("latency_seconds", MetricKind::Histogram),
            ("load", MetricKind::Gauge),
            ("requests_total", MetricKind::Counter)
        ]
    );
}

/// Paths below the root, sorted.
fn listed(files: &SimFiles) -> Vec<String> {
    files.files().into_iter().map(|(path, _)| path).collect()
}

fn bytes(files: &SimFiles, path: &str) -> Vec<u8> {
    read_whole(files, path, 1 << 20).unwrap()
}

#[test]
fn the_same_work_gives_the_same_bytes() {
    let files = SimFiles::seeded(7);
    let stage = play(&files);
    check(&stage.db, &stage);
    drop(stage);
    let paths = listed(&files);
    let count = |suffix: &str| paths.iter().filter(|path| path.ends_with(suffix)).count();
    let counts = [".manifest", ".cat", ".wal", ".part", ".block"].map(count);
    assert_eq!(counts, [1, 1, 2, 2, 1], "{:?}", files.files());
    for path in &paths {
        same_bytes(&format!("{FOLDER}/{path}"), &bytes(&files, path));
    }
    let written: Vec<_> = paths.iter().map(|path| format!("{FOLDER}/{path}")).collect();
    assert_eq!(golden::names(FOLDER), written);
}

#[test]
fn the_committed_database_opens_and_holds_its_rows() {
    let expected = play(&SimFiles::seeded(7));
    let files = SimFiles::seeded(1);
    for name in golden::names(FOLDER) {
        let path = name.strip_prefix(FOLDER).unwrap().trim_start_matches('/');
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        files.create_dir_all(folder).unwrap();
        files.create(path).unwrap().write_all_at(0, &golden::read(&name)).unwrap();
    }
    let report = verify(&files, true).unwrap();
    assert_eq!((report.findings, report.notes), (vec![], vec![]));
    let db = open(&files);
    check(&db, &expected);
    // And goes on: the block carries the deletion out, and takes the late part in.
    db.flush().unwrap();
    check(&db, &expected);
    assert!(listed(&files).iter().all(|path| !path.contains(".part")));
}

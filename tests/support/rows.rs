//! Rows in and out of a database, as the tests of crashes and damage need them.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what cannot be is a failed test")]
#![expect(clippy::indexing_slicing, reason = "what cannot be is a failed test")]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use quipu::{
    model::{
        Ask, Batch, Buckets, Budget, Columns, Error, FloatPartial, Flow, Matcher, Reading,
        Registry, Rows, Scope, SeriesRef, Sink, Source, TenantId, TimeRange, Visitor, Windows,
    },
    store::Db,
};

/// ns.
pub const DAY: i64 = 86_400_000_000_000;
/// Noon of some day.
pub const NOW: i64 = 20_000 * DAY + DAY / 2;

/// What a sorted map would hold: by series and time.
pub type Map = BTreeMap<(u64, i64), u64>;

fn labels(series: u64) -> [(String, String); 3] {
    [
        ("__name__".into(), format!("metric_{}", series % 3)),
        ("host".into(), format!("h{}", series / 3)),
        ("series".into(), series.to_string()),
    ]
}

/// Writes and commits; whether it was acknowledged.
pub fn write(db: &Db, rows: &[(u64, i64, f64)]) -> Result<(), Error> {
    let mut batch = Batch::default();
    for (series, time, value) in rows {
        let labels = labels(*series);
        let set: Vec<(&str, &str)> =
            labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut refs: Vec<SeriesRef> = Vec::new();
        db.register(TenantId(0), &[&set], &mut refs)?;
        batch.rows.push(*time, *value);
        batch.rows.end_run(refs[0]);
    }
    let answer = Arc::new(Mutex::new(None));
    let told = Arc::clone(&answer);
    db.write(batch, Box::new(move |result| *told.lock().unwrap() = Some(result)));
    db.commit_queued();
    let answer = answer.lock().unwrap().take();
    answer.expect("every batch is answered").map(|_| ())
}

#[derive(Default)]
struct Collector {
    rows: Vec<(u32, i64, u64)>,
}

impl Visitor for Collector {
    fn rows(&mut self, series: u32, rows: Rows<'_>) -> Result<Flow, Error> {
        assert!(rows.times.len() <= 1024 && rows.times.is_sorted_by(|a, b| a < b));
        self.rows.extend(
            rows.times
                .iter()
                .zip(rows.values)
                .map(|(time, value)| (series, *time, value.to_bits())),
        );
        Ok(Flow::Continue)
    }

    fn buckets(&mut self, _series: u32, _buckets: &Buckets) -> Result<Flow, Error> {
        unreachable!("no partials were asked for")
    }

    fn chunks(&mut self, _: u32, _: &[FloatPartial]) -> Result<Flow, Error> {
        unreachable!("no chunks were asked for")
    }
}

/// All that a database holds.
pub fn read(db: &Db) -> Map {
    read_where(db, &[], TimeRange::ALL)
}

/// All that a database holds, or why it cannot be read.
pub fn read_or_fail(db: &Db) -> Result<Map, String> {
    try_read(db, &[], TimeRange::ALL).map_err(|error| error.to_string())
}

/// What matches, in a range.
pub fn read_where(db: &Db, matchers: &[Matcher], range: TimeRange) -> Map {
    try_read(db, matchers, range).unwrap()
}

fn try_read(db: &Db, matchers: &[Matcher], range: TimeRange) -> Result<Map, Error> {
    let budget = Budget::default();
    let ask = Ask { scope: Scope::METRICS, matchers, range, budget: &budget };
    let selection = db.select(&ask)?;
    let windows =
        Windows { first_end: i64::MAX, step: 0, count: 1, length: i64::MAX, partials: false };
    let reading = Reading { columns: Columns::VALUES, windows, chunks: None };
    let mut collector = Collector::default();
    selection.scan(0..selection.len(), &reading, &budget, &mut collector)?;
    let number = |series| selection.labels(series).get("series").unwrap().parse().unwrap();
    let mut map = Map::new();
    for (series, time, value) in collector.rows {
        assert!(map.insert((number(series), time), value).is_none(), "a row is there twice");
    }
    Ok(map)
}

//! The same rows in every state that a store can have them in.

use std::sync::{Arc, Mutex};

use quipu::{
    model::{Batch, Budget, Registry, Scope, SeriesRef, Sink, TenantId},
    query::{Engine, Question, When},
    store::{Config, Db},
};

use crate::node::Times;
use crate::shapes::{HALF, MIDNIGHT, Series};
use crate::tiers::{MILLI, World};
use crate::value::Value;

/// A store, and how its rows lie.
pub(crate) struct Store {
    pub(crate) state: &'static str,
    db: Arc<Db>,
}

impl Store {
    pub(crate) fn ask(&self, text: &str, times: Times) -> Value {
        let Times { start, end, step } = times;
        let when = if step == 0 { When::At(start) } else { When::Over { start, end, step } };
        let ask = || {
            let question = Question::parse(text, when)?;
            Engine::default().ask(&*self.db, Scope::METRICS, &question, &Budget::default())
        };
        Value::of(ask())
    }
}

/// Stores with these rows: in the head; in parts and the head; the parts merged; in blocks.
pub(crate) fn all(series: &[Series]) -> Vec<Store> {
    // Sixths, not in the order of time: some rows come late.
    let edge = |i: i64| MIDNIGHT - HALF + i * HALF / 3;
    let piece = |i: i64| match i {
        0 => (i64::MIN, edge(1)),
        5 => (edge(5), i64::MAX),
        _ => (edge(i), edge(i + 1)),
    };
    let in_parts = |order: &[i64]| {
        let db = World::new(Config { flush_rows: 1, ..Config::small() }).open();
        for i in order {
            db.keep_up().unwrap();
            write(&db, series, piece(*i));
        }
        db
    };
    let head = World::new(Config::small()).open();
    write(&head, series, (i64::MIN, i64::MAX));
    let order = [0, 2, 4, 1, 3, 5];
    let parts = in_parts(&order);
    let merged = in_parts(&order);
    merged.compact().unwrap();
    let blocks = in_parts(&order);
    blocks.flush().unwrap();
    let stores = [("head", head), ("parts", parts), ("merged", merged), ("blocks", blocks)];
    let stores: Vec<_> = stores.into_iter().map(|(state, db)| Store { state, db }).collect();
    let files: Vec<_> = stores.iter().map(|store| files(&store.db)).collect();
    assert!(files[0].iter().all(|(_, files)| *files == 0), "{files:?}");
    assert!(count(&files[1], "part") > count(&files[2], "part"), "{files:?}");
    assert!(count(&files[2], "part") > 0 && count(&files[2], "block") == 0, "{files:?}");
    assert!(count(&files[3], "block") > 0 && count(&files[3], "part") == 0, "{files:?}");
    stores
}

fn files(db: &Db) -> Vec<(&'static str, u64)> {
    let kinds = db.storage().unwrap().kinds;
    let is_data = |kind: &str| kind.contains("part") || kind.contains("block");
    kinds.iter().filter(|it| is_data(it.kind)).map(|it| (it.kind, it.files)).collect()
}

fn count(files: &[(&'static str, u64)], kind: &str) -> u64 {
    files.iter().filter(|(it, _)| it.contains(kind)).map(|(_, files)| files).sum()
}

/// Writes the rows of a span of time, ms, and commits.
fn write(db: &Db, all: &[Series], (from, until): (i64, i64)) {
    let mut batch = Batch::default();
    for series in all {
        let labels: Vec<(&str, &str)> =
            series.labels.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut refs: Vec<SeriesRef> = Vec::new();
        db.register(TenantId(0), &[&labels], &mut refs).unwrap();
        let rows = series.rows.iter().filter(|(time, _)| (from..until).contains(time));
        let before = batch.rows.len();
        rows.for_each(|(time, value)| batch.rows.push(time * MILLI, *value));
        if batch.rows.len() > before {
            batch.rows.end_run(refs[0]);
        }
    }
    let answer = Arc::new(Mutex::new(None));
    let told = Arc::clone(&answer);
    db.write(batch, Box::new(move |result| *told.lock().unwrap() = Some(result)));
    db.commit_queued();
    let answer = answer.lock().unwrap().take();
    answer.expect("every batch is answered").unwrap();
}

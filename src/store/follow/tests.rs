//! Readers get every record once, in order, whatever happens to the log meanwhile.

use std::sync::{Arc, Mutex};

use crate::model::{Batch, Registry, SeriesRef, Sink, TenantId};
use crate::os::{Files, SimClock, sim::SimFiles};
use crate::store::{Config, Db, Follower, Mark};

const NOW: i64 = 1_700_000_000_000_000_000;

fn open(files: &SimFiles, config: Config) -> Arc<Db> {
    let files: Arc<dyn Files> = Arc::new(files.clone());
    Db::open(files, Arc::new(SimClock::new(NOW)), config).unwrap().0
}

/// Writes a row of each series.
fn write(db: &Db, series: std::ops::Range<u64>, value: f64) {
    let mut batch = Batch::default();
    for number in series {
        let name = number.to_string();
        let mut refs: Vec<SeriesRef> = Vec::new();
        db.register(TenantId(0), &[&[("__name__", "m"), ("n", &name)]], &mut refs).unwrap();
        batch.rows.push(NOW, value);
        batch.rows.end_run(refs[0]);
    }
    let done = Arc::new(Mutex::new(false));
    let told = Arc::clone(&done);
    db.write(batch, Box::new(move |result| *told.lock().unwrap() = result.is_ok()));
    db.commit_queued();
    assert!(*done.lock().unwrap());
}

/// Values of the rows that come next, and records missed.
fn read(follower: &mut Follower) -> (Vec<f64>, u64) {
    let (mut values, mut missed) = (Vec::new(), 0);
    while let Some(record) = follower.read().unwrap() {
        values.extend_from_slice(record.batch.rows.values());
        missed += record.missed;
    }
    (values, missed)
}

#[test]
fn a_new_reader_begins_at_the_end_and_an_old_one_at_its_mark() {
    let files = SimFiles::seeded(3);
    let db = open(&files, Config::small());
    write(&db, 0..3, 1.0);
    let (mut follower, mut bookmark) = db.follow("a").unwrap();
    assert_eq!(read(&mut follower), (vec![], 0));
    write(&db, 0..2, 2.0);
    write(&db, 0..1, 3.0);
    assert_eq!(read(&mut follower), (vec![2.0, 2.0, 3.0], 0));
    bookmark
        .save(vec![Mark { position: 2, rows: 1 }, Mark { position: 3, rows: 0 }], true)
        .unwrap();
    assert!(db.follow("../a").is_err(), "a name is a file's");
    drop((follower, bookmark));
    db.close();
    drop(db);
    let db = open(&files, Config::small());
    let (mut follower, bookmark) = db.follow("a").unwrap();
    assert_eq!(bookmark.marks()[0], Mark { position: 2, rows: 1 });
    assert_eq!(read(&mut follower), (vec![3.0], 0));
    let mut names = Vec::new();
    follower.labels(&[SeriesRef(999), SeriesRef(1)], |_, labels| names.push(labels.is_some()));
    assert_eq!(names, [false, true]);
}

#[test]
fn what_a_reader_has_not_read_outlives_flush_seal_and_restart() {
    let files = SimFiles::seeded(3);
    let db = open(&files, Config::small());
    let (follower, mut bookmark) = db.follow("a").unwrap();
    let mut expected = Vec::new();
    for round in 0..40 {
        write(&db, round * 10..round * 10 + 50, f64::from(u8::try_from(round).unwrap()));
        expected.extend([f64::from(u8::try_from(round).unwrap()); 50]);
        if round % 8 == 7 {
            db.flush().unwrap();
            db.keep_up().unwrap();
        }
    }
    drop(follower);
    let (mut again, marks) = db.follow("b").unwrap();
    assert_eq!(read(&mut again), (vec![], 0));
    drop((again, marks));
    db.retain_followers("b", &[]).unwrap();
    bookmark.save(vec![Mark { position: 0, rows: 0 }], false).unwrap();
    drop(bookmark);
    db.close();
    drop(db);
    let db = open(&files, Config::small());
    let (mut follower, mut bookmark) = db.follow("a").unwrap();
    let (values, missed) = read(&mut follower);
    assert_eq!((values.len(), missed), (expected.len(), 0));
    assert_eq!(values, expected);
    // Read and marked, it goes with the next flush.
    let before = files.list("wal").unwrap().len();
    bookmark.save(vec![Mark { position: follower.position(), rows: 0 }], true).unwrap();
    write(&db, 0..1, 0.0);
    db.flush().unwrap();
    assert!(files.list("wal").unwrap().len() < before);
}

#[test]
fn what_is_kept_for_a_reader_is_kept_before_it_is_back() {
    let files = SimFiles::seeded(3);
    let db = open(&files, Config::small());
    let reader = db.follow("x-a").unwrap();
    (0..40_u32).for_each(|round| write(&db, 0..50, f64::from(round)));
    drop(reader);
    db.flush().unwrap();
    db.close();
    drop(db);
    let db = open(&files, Config::small());
    write(&db, 0..1, 0.0);
    db.flush().unwrap();
    let (mut follower, bookmark) = db.follow("x-a").unwrap();
    assert_eq!(read(&mut follower).0.len(), 40 * 50 + 1);
    drop((follower, bookmark));
    // One that is wanted no more is forgotten, with what waits for it.
    db.retain_followers("y-", &[]).unwrap();
    assert!(files.exists("follow/x-a").unwrap());
    db.retain_followers("x-", &["x-b".to_owned()]).unwrap();
    assert!(!files.exists("follow/x-a").unwrap());
    let before = files.list("wal").unwrap().len();
    write(&db, 0..1, 0.0);
    db.flush().unwrap();
    assert!(files.list("wal").unwrap().len() < before);
}

#[test]
fn past_the_bound_the_oldest_are_given_up_and_counted() {
    let files = SimFiles::seeded(3);
    let config = Config { follow_bytes_max: 40 << 10, ..Config::small() };
    let db = open(&files, config);
    let (mut follower, _bookmark) = db.follow("a").unwrap();
    for round in 0..400_u32 {
        write(&db, 0..60, f64::from(round) + 0.1);
        if round % 100 == 99 {
            db.flush().unwrap();
        }
    }
    let bytes: u64 = files.list("wal").unwrap().iter().map(|entry| entry.size).sum();
    assert!(bytes < 100 << 10, "{bytes}");
    let (values, missed) = read(&mut follower);
    assert!(missed > 0);
    assert_eq!(values.len() as u64 / 60 + missed, 400);
    assert_eq!(values.last(), Some(&399.1));
}

#[test]
fn a_store_of_a_log_only_keeps_rows_until_they_are_read() {
    let files = SimFiles::seeded(3);
    let config = Config { is_log_only: true, ..Config::small() };
    let db = open(&files, config);
    let (mut follower, mut bookmark) = db.follow("a").unwrap();
    for round in 0..200_u32 {
        write(&db, 0..60, f64::from(round));
        db.keep_up().unwrap();
    }
    let segments = files.list("wal").unwrap().len();
    assert!(segments >= 3, "{segments}");
    drop((follower, bookmark));
    db.close();
    drop(db);
    let db = open(&files, config);
    (follower, bookmark) = db.follow("a").unwrap();
    let (values, missed) = read(&mut follower);
    assert_eq!((values.len(), missed), (200 * 60, 0));
    bookmark.save(vec![Mark { position: follower.position(), rows: 0 }], false).unwrap();
    db.keep_up().unwrap();
    assert!(files.list("wal").unwrap().len() <= 1);
    assert_eq!(db.storage().unwrap().rows, 0);
    // After a restart positions go on where they were.
    drop((follower, bookmark));
    db.close();
    drop(db);
    let db = open(&files, config);
    (follower, bookmark) = db.follow("a").unwrap();
    write(&db, 0..1, 7.5);
    assert_eq!(read(&mut follower), (vec![7.5], 0));
    drop(bookmark);
}

#[test]
fn idle_series_of_a_log_only_store_are_retired_once_read() {
    let files = SimFiles::seeded(3);
    let config = Config { is_log_only: true, ..Config::small() };
    let db = open(&files, config);
    let (mut follower, mut bookmark) = db.follow("a").unwrap();
    write(&db, 0..100, 1.0);
    let known = |db: &Db| db.catalog.with(|index| index.slots().len());
    for _ in 0..3 {
        write(&db, 0..10, 2.0);
        db.keep_up().unwrap();
    }
    assert_eq!(known(&db), 100, "not read yet");
    let mut rows = 0;
    for _ in 0..4 {
        rows += read(&mut follower).0.len();
        bookmark.save(vec![Mark { position: follower.position(), rows: 0 }], false).unwrap();
        write(&db, 0..10, 2.0);
        db.keep_up().unwrap();
    }
    assert_eq!(known(&db), 10);
    assert_eq!(rows + read(&mut follower).0.len(), 170);
}

#[test]
fn a_damaged_record_is_stepped_over_and_counted() {
    let files = SimFiles::seeded(3);
    let db = open(&files, Config::small());
    let (mut follower, _bookmark) = db.follow("a").unwrap();
    for value in 0..5_u8 {
        write(&db, 0..3, f64::from(value));
    }
    let segment = files.list("wal").unwrap()[0].name.clone();
    let path = format!("wal/{segment}");
    let size = files.list("wal").unwrap()[0].size;
    files.flip_bit(&path, size / 2, 3).unwrap();
    let (values, missed) = read(&mut follower);
    assert_eq!((values.len(), missed), (12, 1));
}

#[test]
fn a_torn_slot_leaves_the_one_before() {
    let files = SimFiles::seeded(3);
    let db = open(&files, Config::small());
    let (follower, mut bookmark) = db.follow("a").unwrap();
    (0..6).for_each(|_| write(&db, 0..1, 1.0));
    for position in 1..=4 {
        bookmark.save(vec![Mark { position, rows: 0 }], true).unwrap();
    }
    drop((follower, bookmark));
    // The fifth save, the opening one among them, went to the second slot.
    files.flip_bit("follow/a", 4096 + 50, 1).unwrap();
    let (_, bookmark) = db.follow("a").unwrap();
    assert_eq!(bookmark.marks(), [Mark { position: 3, rows: 0 }]);
}

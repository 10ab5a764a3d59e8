//! A small database of every kind of file, whole, cut and damaged.

use std::sync::{Arc, Mutex};

use super::*;
use crate::model::{Batch, Matcher, Metadata, MetricKind, Registry, Sink, TenantId, TimeRange};
use crate::os::{Files, SimClock, sim::SimFiles};
use crate::store::{Config, Db};

const DAY: i64 = 86_400_000_000_000;
const NOW: i64 = 20_000 * DAY + DAY / 2;

fn write(db: &Db, time: i64, count: i32) {
    let mut batch = Batch::default();
    for (metric, hosts) in [("cpu", ["a", "b", "c"].as_slice()), ("up", &["a"])] {
        for host in hosts {
            let mut refs = Vec::new();
            let labels = [("__name__", metric), ("host", *host)];
            db.register(TenantId(0), &[&labels], &mut refs).unwrap();
            for i in 0..count {
                batch.rows.push_started(
                    time + i64::from(i) * 1_000_000_000,
                    time,
                    f64::from(i) / 4.0,
                );
            }
            batch.rows.end_run(refs[0]);
        }
    }
    let up = Metadata { metric: "up".into(), kind: MetricKind::Gauge, ..Metadata::default() };
    batch.metadata.push(up);
    let answer = Arc::new(Mutex::new(None));
    let told = Arc::clone(&answer);
    db.write(batch, Box::new(move |result| *told.lock().unwrap() = Some(result)));
    db.commit_queued();
    answer.lock().unwrap().take().unwrap().unwrap();
}

/// A block of yesterday, a part of today, a deletion, and two records that are only in the log.
fn made() -> SimFiles {
    let files = SimFiles::seeded(1);
    let clock = Arc::new(SimClock::new(NOW));
    let config =
        Config { seed: Some(7), tiers: Some(crate::store::Tiers::NONE), ..Config::default() };
    let (db, _) = Db::open(Arc::new(files.clone()), clock, config).unwrap();
    write(&db, NOW - DAY, 50);
    db.flush().unwrap();
    write(&db, NOW, 10);
    db.compact().unwrap();
    db.delete(&[Matcher::equal("host", "b")], TimeRange::ALL).unwrap();
    write(&db, NOW + DAY / 4, 5);
    write(&db, NOW + DAY / 4 + 1, 5);
    drop(db);
    // A live copy: no lock, no process.
    files.after_kill()
}

fn path_of(files: &SimFiles, suffix: &str) -> String {
    files.files().into_iter().map(|(path, _)| path).find(|path| path.ends_with(suffix)).unwrap()
}

#[test]
fn a_directory_is_summed_up() {
    let found = inspect(&made()).unwrap();
    assert_eq!(found.findings, Vec::<String>::new());
    assert_eq!((found.database, found.deletions, found.in_files), (Some(7), 1, 2));
    let kinds: Vec<_> = found
        .files
        .iter()
        .map(|file| (file.kind, file.day.as_str(), file.series, file.rows))
        .collect();
    assert_eq!(
        kinds,
        [(DataKind::Block, "2024-10-03", 4, 200), (DataKind::Part, "2024-10-04", 4, 40)]
    );
    assert_eq!((found.rows(), found.times()), (240, Some((NOW - DAY, NOW + 9_000_000_000))));
    assert!(found.bytes_per_row().unwrap() < 10.0);
    let segment = &found.segments[0];
    assert_eq!((segment.records, segment.positions, segment.rows), (4, Some((1, 4)), 280));
    assert_eq!((segment.rows_waiting, segment.torn_bytes, segment.is_damaged), (40, 0, false));
    let catalog = found.catalog.unwrap();
    assert_eq!((catalog.series, catalog.pairs), (4, 5));
    // Of the first batch, which begins the catalog's file: it was lost once the log was cut.
    assert_eq!(catalog.metadata, 1);
}

#[test]
fn a_torn_log_and_a_lost_file_are_findings_and_the_rest_is_shown() {
    let files = made();
    let wal = path_of(&files, ".wal");
    let size = files.files().into_iter().find(|(path, _)| *path == wal).unwrap().1;
    files.truncate_file(&wal, size - 9).unwrap();
    files.remove(&path_of(&files, ".part")).unwrap();
    files.remove(&path_of(&files, ".cat")).unwrap();
    let found = inspect(&files).unwrap();
    assert_eq!((found.files.len(), found.segments[0].records), (2, 3));
    assert!(found.segments[0].torn_bytes > 0 && !found.segments[0].is_damaged);
    assert_eq!((found.findings.len(), found.catalog), (2, None), "{:?}", found.findings);
    let series = inspect_series(&files, 5).unwrap();
    assert_eq!((series.counted.series, series.findings.len()), (4, 2));
}

#[test]
fn without_a_manifest_the_files_tell() {
    let files = made();
    files.remove(&path_of(&files, ".manifest")).unwrap();
    let found = inspect(&files).unwrap();
    assert_eq!((&found.manifest, found.database), (&None, Some(7)));
    assert_eq!((found.rows(), found.findings.len()), (240, 1));
    let empty = SimFiles::seeded(1);
    assert!(inspect(&empty).unwrap_err().to_string().contains("holds no database"));
}

#[test]
fn a_file_is_taken_apart() {
    let files = made();
    for suffix in [".block", ".part"] {
        let found = inspect_file(&files, &path_of(&files, suffix), 1).unwrap();
        assert_eq!(found.findings, Vec::<String>::new());
        let sections: u64 = found.sections.iter().map(|section| section.bytes).sum();
        assert_eq!(sections, found.summary.bytes);
        let values = found.columns.iter().filter(|column| column.column == "values");
        assert_eq!(values.map(|column| column.rows).sum::<u64>(), found.summary.rows);
        let times = found.columns.iter().find(|column| column.column == "times").unwrap();
        assert_eq!((times.count, times.encoding), (1, "stride"));
        let [metric] = &found.metrics[..] else { panic!("{:?}", found.metrics) };
        assert_eq!((metric.metric.as_str(), metric.series), ("cpu", 3));
        assert_eq!(metric.rows, found.summary.rows / 4 * 3);
    }
}

#[test]
fn a_damaged_file_shows_what_is_left_of_it() {
    let files = made();
    let path = path_of(&files, ".block");
    files.flip_bit(&path, 70, 1).unwrap();
    let found = inspect_file(&files, &path, 9);
    // Of one page everything is in doubt; the frame is not.
    assert!(found.unwrap_err().to_string().contains("damaged at byte 0"));
    assert!(inspect(&files).unwrap().findings[0].contains("damaged at byte 0"));
}

#[test]
fn series_are_counted_by_what_they_share() {
    let found = inspect_series(&made(), 1).unwrap();
    assert_eq!(found.counted.by_metric, [("cpu".to_owned(), 3)]);
    assert_eq!(found.counted.values_by_name, [("host".to_owned(), 3)]);
    assert_eq!((found.counted.series, found.findings.len()), (4, 0));
}

#[test]
fn every_cut_of_every_file_is_shown_or_refused_by_name() {
    let whole = made();
    for (path, size) in whole.files() {
        for left in (0..size).step_by(37) {
            let files = whole.after_kill();
            files.truncate_file(&path, left).unwrap();
            if let Ok(found) = inspect(&files) {
                let is_torn = found.segments.iter().any(|segment| segment.torn_bytes > 0);
                let is_clean_cut = found.segments.iter().map(|it| it.records).sum::<u64>() < 4;
                let is_named = !found.findings.is_empty() || is_torn || is_clean_cut;
                assert!(is_named, "{path} cut to {left}");
            }
            drop((inspect_series(&files, 3), inspect_file(&files, &path, 3)));
        }
    }
}

//! Doors for fuzzing: the readers of files, on any bytes.
//!
//! Not for anything else. Each takes bytes as a file's content and must come back: no panic, no
//! allocation that the bytes do not pay for. Whatever they read is dropped; the fuzz targets and
//! `tests/fuzz_corpus.rs` call these.

use crate::model::{MatchOp, Matcher, TenantId, TimeRange};
use crate::os::{Files, sim::SimFiles};

use super::{
    backup,
    bytes::Reader,
    catalog::{self, Index},
    error::Damage,
    file::{DataFile, FileKey, read_frame},
    manifest::{self, FileId, FileKind, FileMeta, Partition, file_path, tier_of},
    matching::{self, Test},
    rows::SeriesRows,
    wal::{self, Expected},
};

/// Id and number that the header of a log says, so that its checksums can hold.
fn place(bytes: &[u8]) -> (u128, u64) {
    let mut reader = Reader::new(bytes.get(16..).unwrap_or_default(), "header");
    (reader.u128().unwrap_or_default(), reader.u64().unwrap_or_default())
}

/// A log segment: scanned, judged, its rows decoded.
pub fn wal_segment(bytes: &[u8]) {
    let (database, number) = place(bytes);
    let scan = wal::scan(bytes, number, database);
    for found in &scan.records {
        let payload = found.payload(bytes).unwrap_or_default();
        drop(wal::decode_rows(payload, found.header().tenant));
    }
    let expected = Expected { first: number, end: number.saturating_add(1), in_files: 0 };
    wal::judge(&[scan], expected);
}

/// The payload of a log record.
pub fn wal_rows(bytes: &[u8]) {
    drop(wal::decode_rows(bytes, TenantId(0)));
}

/// A catalog file.
pub fn catalog_file(bytes: &[u8]) {
    let (database, number) = place(bytes);
    let mut index = Index::new(1);
    catalog::load(bytes, database, number, &mut index, &mut drop);
    (0..index.len()).for_each(|slot| drop(index.labels(slot)));
}

/// A manifest file.
pub fn manifest_file(bytes: &[u8]) {
    let (_, number) = place(bytes);
    let path = format!("{}/{number:010}.manifest", manifest::FOLDER);
    if let Some(files) = disk(&path, bytes) {
        drop(manifest::read(&files).map(|opened| opened.read.map(|read| read.state.edits())));
    }
}

/// The record of a backup: as it is, and as JSON whose digest is right.
pub fn backup_record(bytes: &[u8]) {
    drop(backup::decode_backup(bytes));
    drop(backup::decode_backup(&backup::with_digest(bytes)));
}

/// A part or block: opened, checked, every row, label and exemplar decoded.
pub fn data_file(bytes: &[u8]) {
    drop(read_data(bytes));
}

fn read_data(bytes: &[u8]) -> Result<(), super::Error> {
    let Ok((path, meta, database)) = describe(bytes) else { return Ok(()) };
    let Some(files) = disk(&path, bytes) else { return Ok(()) };
    drop(read_frame(&files, &path));
    let key = FileKey { now: std::time::Duration::ZERO, database, meta: &meta };
    let file = DataFile::open(&files, key, None)?;
    let mut rows = SeriesRows::default();
    for series in 0..file.tables()?.series() {
        rows.clear();
        file.read_series(series, TimeRange::ALL, &mut rows)?;
        file.read_all_buckets(series)?;
    }
    drop(file.exemplars());
    if file.is_block() {
        let labels = file.labels()?;
        (0..labels.len()).for_each(|series| drop(labels.labels(series)));
        let tests = Test::all(&[matcher(MatchOp::NotRegex, "host", "a.*")]).unwrap_or_default();
        drop(matching::select(labels, &tests));
    }
    Ok(())
}

/// What a manifest would say of a data file whose header and footer are `bytes`' own.
fn describe(bytes: &[u8]) -> Result<(String, FileMeta, u128), Damage> {
    let mut reader = Reader::new(bytes, "file header");
    reader.take(10)?;
    let kind = FileKind::of(reader.u8()?).unwrap_or(FileKind::Part);
    let tier = tier_of(reader.u8()?)?;
    reader.take(4)?;
    let (database, id) = (reader.u128()?, FileId(reader.u64()?));
    let partition = Partition { after: reader.i64()?, until: reader.i64()?, tier };
    let crc = bytes.last_chunk().copied().map_or(0, u32::from_le_bytes);
    let meta = FileMeta {
        id,
        kind,
        tenant: TenantId(0),
        table: crate::model::Table::Metrics,
        partition,
        positions: (0, 1),
        times: (partition.after, partition.until),
        series: 0,
        rows: 0,
        bytes: bytes.len() as u64,
        footer_crc: crc,
    };
    Ok((file_path(kind, id, partition), meta, database))
}

/// Matchers, one a line: `=`, `!`, `~` or `^`, a name, a space, a text. Compiled, and run on a few series.
///
/// # Panics
/// Where the index and the labels disagree: what the fuzzer looks for.
pub fn matchers(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let matchers: Vec<Matcher> = text.lines().filter_map(read_matcher).collect();
    let Ok(tests) = Test::all(&matchers) else { return };
    let mut index = Index::new(1);
    for (series, host) in (1..).zip(["a", "ab", "b.c", "", "ž"]) {
        index.insert(&[("__name__", "up"), ("host", host)], series);
        index.insert(&[("__name__", "down")], 100);
    }
    let selected = matching::select(&index, &tests).unwrap_or_default();
    for slot in 0..index.len() {
        let passes = tests.iter().all(|test| test.passes(&index.labels(slot)));
        assert_eq!(selected.contains(slot), passes, "{matchers:?} on {}", index.labels(slot));
    }
}

fn read_matcher(line: &str) -> Option<Matcher> {
    let op = match line.chars().next()? {
        '=' => MatchOp::Equal,
        '!' => MatchOp::NotEqual,
        '~' => MatchOp::Regex,
        '^' => MatchOp::NotRegex,
        _ => return None,
    };
    let (name, value) = line.get(1..)?.split_once(' ')?;
    Some(matcher(op, name, value))
}

fn matcher(op: MatchOp, name: &str, value: &str) -> Matcher {
    Matcher { name: name.to_owned(), op, value: value.to_owned() }
}

/// A disk with one file.
fn disk(path: &str, bytes: &[u8]) -> Option<SimFiles> {
    let files = SimFiles::seeded(1);
    files.create_dir_all(path.rsplit_once('/')?.0).ok()?;
    files.create(path).ok()?.write_all_at(0, bytes).ok()?;
    Some(files)
}

//! Damaged bytes are noticed and named; what is served is right; repair makes the rest open.

#![expect(clippy::unwrap_used, reason = "what cannot be is a failed test")]
#![expect(clippy::cast_precision_loss, reason = "the numbers are small")]

use std::{path::Path, sync::Arc};

use quipu::{
    os::{Files, SimClock, sim::SimFiles},
    store::{Config, Db, repair, verify},
};

#[path = "support/rows.rs"]
mod rows;

use rows::{Map, NOW, read_or_fail, write};

fn open(files: &SimFiles) -> Result<(Arc<Db>, Vec<String>), quipu::store::Error> {
    let files: Arc<dyn Files> = Arc::new(files.clone());
    let (db, recovery) = Db::open(files, Arc::new(SimClock::new(NOW)), Config::small())?;
    Ok((db, recovery.findings))
}

/// A killed database with a block, parts of two days, a log of several segments and a catalog.
fn filled() -> (SimFiles, Map) {
    let files = SimFiles::seeded(5);
    let (db, _) = open(&files).unwrap();
    let mut map = Map::new();
    for round in 0..6_u32 {
        for series in 0..40_u64 {
            let rows: Vec<_> = (0..20_i64)
                .map(|row| {
                    let day = if series % 4 == 0 { -86_400_000_000_000 } else { 0 };
                    let time = NOW + day + (i64::from(round) * 20 + row) * 1_000_000_000;
                    (
                        series,
                        time,
                        f64::from(round) * 1.25 + row as f64 + 1.0 / (series as f64 + 3.0),
                    )
                })
                .collect();
            write(&db, &rows).unwrap();
            map.extend(
                rows.iter().map(|(series, time, value)| ((*series, *time), value.to_bits())),
            );
        }
        match round {
            1 => db.flush().unwrap(),
            2 | 3 => db.compact().unwrap(),
            _ => {}
        }
    }
    drop(db);
    (files.after_kill(), map)
}

/// Opens damaged files and asks everything: right rows only, and nothing missing in silence.
fn judge(files: &SimFiles, map: &Map, path: &str, what: &str) {
    let name = path.rsplit('/').next().unwrap();
    let folder = path.split('/').next().unwrap();
    let report = verify(files, true);
    let verify_names = match &report {
        Ok(report) => {
            report.findings.iter().any(|it| it.what.contains(name) || it.file.contains(folder))
        }
        Err(error) => error.to_string().contains(folder),
    };
    match open(files) {
        Err(error) => {
            let text = error.to_string();
            assert!(text.contains(name) || text.contains(folder), "{path}, {what}: {text}");
            assert!(
                verify_names,
                "{path}, {what}: not opened ({text}), but verify finds nothing: {report:?}"
            );
        }
        Ok((db, findings)) => match read_or_fail(&db) {
            Err(error) => {
                assert!(error.contains(name), "{path}, {what}: {error}");
                assert!(verify_names, "{path}, {what}: unreadable, but verify finds nothing");
            }
            Ok(found) => {
                let wrong = found.iter().find(|(row, value)| map.get(row) != Some(value));
                assert_eq!(wrong, None, "{path}, {what}: a row that was never written");
                let is_newest_log =
                    path == "wal/0000000001.wal" || path.ends_with(&newest_log(files));
                if found.len() < map.len() && !is_newest_log {
                    let is_named = findings.iter().any(|finding| finding.contains(name));
                    assert!(
                        is_named || verify_names,
                        "{path}, {what}: {} rows lost in silence",
                        map.len() - found.len()
                    );
                }
            }
        },
    }
}

fn newest_log(files: &SimFiles) -> String {
    files
        .files()
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| path.starts_with("wal/"))
        .max()
        .unwrap_or_default()
}

#[test]
fn a_flipped_bit_anywhere_is_harmless_or_named() {
    let (files, map) = filled();
    for (path, size) in files.files() {
        let step = (size / 150).max(1);
        for at in (0..size).step_by(usize::try_from(step).unwrap()) {
            let files = files.after_kill();
            files.flip_bit(&path, at, u8::try_from(at % 8).unwrap()).unwrap();
            judge(&files, &map, &path, &format!("bit {} of byte {at} of {size}", at % 8));
        }
    }
}

#[test]
fn a_file_that_is_cut_or_gone_is_named() {
    let (files, map) = filled();
    for (path, size) in files.files().into_iter().filter(|(_, size)| *size > 0) {
        for part in 0..8 {
            let cut = files.after_kill();
            cut.truncate_file(&path, size * part / 8).unwrap();
            judge(&cut, &map, &path, &format!("cut to {} of {size}", size * part / 8));
        }
        let gone = files.after_kill();
        gone.remove(&path).unwrap();
        judge(&gone, &map, &path, "removed");
    }
}

#[test]
fn verify_passes_on_a_killed_database_and_says_what_it_read() {
    let (files, map) = filled();
    let report = verify(&files, true).unwrap();
    assert_eq!(report.findings, []);
    assert_eq!(usize::try_from(report.rows).unwrap(), map.len());
    assert_eq!(report.series, 40);
}

#[test]
fn a_damaged_file_is_put_aside_and_the_rest_opens() {
    let (files, map) = filled();
    let part = files
        .files()
        .into_iter()
        .map(|(path, _)| path)
        .find(|path| Path::new(path).extension().is_some_and(|it| it == "part"))
        .unwrap();
    files.flip_bit(&part, 200, 1).unwrap();
    let tree: Arc<dyn Files> = Arc::new(files.clone());
    let dry = repair(&tree, true).unwrap();
    assert!(dry.findings.len() == 1 && !dry.actions.is_empty());
    assert_eq!(verify(&files, true).unwrap().findings.len(), 1, "a dry run changes nothing");
    repair(&tree, false).unwrap();
    assert_eq!(verify(&files, true).unwrap().findings, []);
    let (db, findings) = open(&files).unwrap();
    let found = read_or_fail(&db).unwrap();
    assert!(findings.is_empty() && found.len() < map.len());
    assert!(files.files().iter().any(|(path, _)| path.starts_with("quarantine/")));
}

#[test]
fn a_lost_manifest_is_made_anew_from_the_files() {
    let (files, map) = filled();
    let manifest = files
        .files()
        .into_iter()
        .map(|(path, _)| path)
        .find(|path| path.starts_with("manifest/"))
        .unwrap();
    files.remove(&manifest).unwrap();
    assert!(open(&files).unwrap_err().to_string().contains("repair"));
    let tree: Arc<dyn Files> = Arc::new(files.clone());
    repair(&tree, false).unwrap();
    let (db, findings) = open(&files).unwrap();
    assert_eq!(findings, Vec::<String>::new());
    assert!(read_or_fail(&db).unwrap() == map);
}

/// Both headers: magic, format number, and 60 bytes in, a checksum of what is before it.
fn make_newer(files: &SimFiles, path: &str) {
    let mut header = vec![0; 60];
    Files::open_read(files, path).unwrap().read_exact_at(0, &mut header).unwrap();
    header.splice(8..10, 99_u16.to_le_bytes());
    let checksum = crc32c::crc32c(&header);
    header.extend(checksum.to_le_bytes());
    files.damage(path, 0..64, &header).unwrap();
}

#[test]
fn what_a_newer_version_wrote_is_refused_and_left_alone() {
    for folder in ["wal/", "t0/metrics/catalog/"] {
        let (files, _) = filled();
        let paths: Vec<String> = files.files().into_iter().map(|(path, _)| path).collect();
        let path = paths.iter().rfind(|path| path.starts_with(folder)).unwrap();
        make_newer(&files, path);
        let before = files.files();
        let error = open(&files).map(|_| ()).unwrap_err();
        assert!(matches!(error, quipu::store::Error::Newer { .. }), "{error}");
        assert!(error.to_string().contains("format 99"), "{error}");
        assert_eq!(files.files(), before, "nothing was cut, removed or begun anew");
    }
}

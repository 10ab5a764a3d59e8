//! Checking a directory without a server, and making good what can be.
//!
//! `verify` reads everything and changes nothing; it passes on a directory whose server was killed or
//! that was copied while one ran: a torn tail and unlisted files are no damage. `repair` moves what is
//! damaged to `quarantine/` and never deletes: the rest can be opened after it.

use std::{collections::BTreeSet, sync::Arc};

use crate::model::Blocks;
use crate::os::{Files, read_whole};

use super::{
    archive::Archive,
    backup::{LINEAGE, restoring},
    catalog::{self, Index},
    error::{Error, failed, is_full},
    file::{DataFile, FileKey},
    manifest::{self, Edit, Manifest, State},
    orphans::unlisted,
    recover::{QUARANTINE, TABLES, expected, named_series, take_lock},
    wal,
};

const LOG_BYTES_MAX: u64 = 4 << 30;
/// Pages of archived blocks in memory: they are read once.
const VERIFY_CACHE_BYTES: usize = 4 << 20;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What, in which file, where.
    pub what: String,
    /// The file's path below the root.
    pub file: String,
    /// What cannot be had because of it.
    pub lost: String,
    /// What to do.
    pub advice: &'static str,
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Damage. None means that every byte that counts was read and is right.
    pub findings: Vec<Finding>,
    /// What is odd but no damage: torn tails, files that nothing lists.
    pub notes: Vec<String>,
    /// Files that were checked.
    pub files: u64,
    /// Rows that were decoded, of files and of the log.
    pub rows: u64,
    /// Series in the catalog.
    pub series: u64,
}

const REPAIR: &str = "run `quipu repair` to put it aside, or restore it from a backup";

/// Reads everything in `files` and checks it; `is_deep` decodes every row as well.
///
/// # Errors
/// Where files cannot be read at all. Damage is no error: it is in the report.
pub fn verify(files: &dyn Files, is_deep: bool) -> Result<Report, Error> {
    verify_with_archive(files, None, is_deep)
}

/// The same, with the place of archived blocks: they are read there.
///
/// # Errors
/// As [`verify`]. An archive that cannot be reached is no error: each block is a finding.
pub fn verify_with_archive(
    files: &dyn Files,
    archive: Option<Arc<dyn Blocks>>,
    is_deep: bool,
) -> Result<Report, Error> {
    restoring(files)?;
    let mut report = Report::default();
    let Some((state, database, sequence)) = check_manifest(files, &mut report)? else {
        return Ok(report);
    };
    let archive = Archive::new(archive, VERIFY_CACHE_BYTES);
    let key = (database, is_deep);
    let named = check_files(files, &state, key, &archive, &mut report)?;
    let claims = check_log(files, &state, database, sequence, &mut report)?;
    check_catalog(files, (&state, database), (claims, named), &mut report)?;
    check_folders(files, &state, &mut report)?;
    Ok(report)
}

impl Report {
    fn find(&mut self, file: &str, error: &Error, lost: impl Into<String>) {
        let finding = Finding {
            what: error.to_string(),
            file: file.to_owned(),
            lost: lost.into(),
            advice: REPAIR,
        };
        self.findings.push(finding);
    }
}

/// The state, the database, and how many edits are durable. None where it is not known what lives.
fn check_manifest(
    files: &dyn Files,
    report: &mut Report,
) -> Result<Option<(State, u128, u64)>, Error> {
    let opened = match manifest::read(files) {
        Ok(opened) => opened,
        Err(error @ Error::Damaged { .. }) => {
            report.find(manifest::FOLDER, &error, "which files live");
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let Some(read) = opened.read else {
        let holds_data = [wal::FOLDER, TABLES].into_iter().try_fold(false, |holds, folder| {
            Ok::<_, Error>(
                holds || files.exists(folder).map_err(failed(files, "look for", folder))?,
            )
        })?;
        let error = Error::NoManifest {
            directory: files.path_of(""),
            manifest: files.path_of(manifest::FOLDER),
        };
        if holds_data {
            report.find(manifest::FOLDER, &error, "which files live");
        } else {
            return Err(Error::Invalid(format!(
                "{} holds no database",
                files.path_of("").display()
            )));
        }
        return Ok(None);
    };
    report.files += 1;
    if let Some((at, what)) = &read.bad {
        let error = Error::Damaged { file: files.path_of(&read.path), at: *at, what: what.clone() };
        if read.is_damaged {
            report.find(&read.path, &error, "changes of what lives");
            return Ok(None);
        }
        report.notes.push(format!("torn tail: {error}"));
    }
    Ok(Some((read.state, read.database, read.sequence)))
}

/// One more than the largest ref that parts name.
fn check_files(
    files: &dyn Files,
    state: &State,
    (database, is_deep): (u128, bool),
    archive: &Arc<Archive>,
    report: &mut Report,
) -> Result<u64, Error> {
    let mut named = 0;
    note_archived(state, archive, report);
    for meta in state.files.values() {
        if meta.archived.is_some() && !archive.is_named() {
            continue;
        }
        report.files += 1;
        let key = FileKey { now: std::time::Duration::ZERO, database, meta };
        let checked = DataFile::open_listed(files, key, None, archive).and_then(|file| {
            file.verify()?;
            let rows = if is_deep { file.verify_rows()? } else { meta.rows };
            Ok((rows, named_series(&[Arc::new(file)])))
        });
        match checked {
            Ok((rows, series)) => {
                report.rows += rows;
                named = named.max(series);
            }
            Err(error @ (Error::Damaged { .. } | Error::Missing { .. })) => {
                let lost = format!("{} rows of {} series at most", meta.rows, meta.series);
                report.find(&meta.path(), &error, lost);
            }
            Err(error @ Error::Archive { .. }) => report.findings.push(Finding {
                what: error.to_string(),
                file: meta.path(),
                lost: format!("{} rows of {} series", meta.rows, meta.series),
                advice: "see that the archive can be reached; else restore from a backup",
            }),
            Err(error) => return Err(error),
        }
    }
    Ok(named)
}

/// Notes how much is in an archive that was not named.
fn note_archived(state: &State, archive: &Archive, report: &mut Report) {
    let archived = state.files.values().filter(|meta| meta.archived.is_some());
    let (count, bytes) = archived.fold((0, 0), |(count, bytes), it| (count + 1, bytes + it.bytes));
    if count > 0 && !archive.is_named() {
        report.notes.push(format!(
            "{count} blocks of {bytes} bytes are in the archive and were not read: name it with --archive"
        ));
    }
}

/// Catalog records that the log knows to be durable.
fn check_log(
    files: &dyn Files,
    state: &State,
    database: u128,
    sequence: u64,
    report: &mut Report,
) -> Result<u64, Error> {
    let mut scans = Vec::new();
    for (number, path) in wal::segments(files)? {
        if number < state.segments.0 {
            continue;
        }
        report.files += 1;
        let bytes =
            read_whole(files, &path, LOG_BYTES_MAX).map_err(failed(files, "read", &path))?;
        let scan = wal::scan(&bytes, number, database);
        for found in &scan.records {
            let decoded = found
                .payload(&bytes)
                .and_then(|payload| wal::decode_rows(payload, found.header().tenant));
            match decoded {
                Ok(batch) if found.header().position.sequence > state.in_files => {
                    report.rows += batch.rows.len() as u64;
                }
                Ok(_) => {}
                Err(what) => {
                    let error = Error::Damaged {
                        file: files.path_of(&path),
                        at: found.offset as u64,
                        what,
                    };
                    report.find(&path, &error, "a batch");
                }
            }
        }
        scans.push(scan);
    }
    let judgement = wal::judge(&scans, expected(state));
    for finding in &judgement.damage {
        let path = wal::segment_path(finding.number);
        let error = Error::Damaged {
            file: files.path_of(&path),
            at: finding.at,
            what: finding.what.clone(),
        };
        report.find(&path, &error, "batches that were acknowledged");
    }
    for (scan, end) in scans.iter().zip(&judgement.ends) {
        if *end < scan.length as u64 {
            let bytes = scan.length as u64 - end;
            report.notes.push(format!(
                "torn tail: {} has {bytes} bytes that were never acknowledged",
                wal::segment_path(scan.number)
            ));
        }
    }
    if sequence < judgement.manifest {
        let what = super::Damage::RecordsMissing(judgement.manifest - sequence);
        let error = Error::Damaged { file: files.path_of(manifest::FOLDER), at: 0, what };
        report.find(manifest::FOLDER, &error, "changes of what lives");
    }
    Ok(judgement.catalog)
}

fn check_catalog(
    files: &dyn Files,
    (state, database): (&State, u128),
    (claims, named): (u64, u64),
    report: &mut Report,
) -> Result<(), Error> {
    if state.catalog == 0 {
        return Ok(());
    }
    let path = catalog::catalog_path(state.catalog);
    report.files += 1;
    let bytes = match read_whole(files, &path, LOG_BYTES_MAX) {
        Ok(bytes) => bytes,
        Err(gone) if gone.kind() == std::io::ErrorKind::NotFound => {
            report.find(
                &path,
                &Error::Missing { file: files.path_of(&path) },
                "labels of series in parts and log",
            );
            return Ok(());
        }
        Err(source) => return Err(failed(files, "read", &path)(source)),
    };
    let mut index = Index::new(0);
    let loaded = catalog::load(&bytes, database, state.catalog, &mut index, &mut |_| ());
    report.series = u64::from(index.len());
    if let Some((at, what)) = loaded.damage {
        let error = Error::Damaged { file: files.path_of(&path), at, what };
        if loaded.sequence < claims || loaded.next_series < named {
            report.find(&path, &error, "labels of series in parts and log");
        } else {
            report.notes.push(format!("torn tail: {error}"));
        }
    } else if loaded.sequence < claims {
        let what = super::Damage::RecordsMissing(claims - loaded.sequence);
        let error = Error::Damaged { file: files.path_of(&path), at: loaded.end, what };
        report.find(&path, &error, "labels of series in parts and log");
    }
    Ok(())
}

/// Notes files that nothing lists.
fn check_folders(files: &dyn Files, state: &State, report: &mut Report) -> Result<(), Error> {
    for path in unlisted(files, state)? {
        report.notes.push(format!("{path} is not listed: it is removed at the next start"));
    }
    Ok(())
}

/// What a repair did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repair {
    /// What was wrong.
    pub findings: Vec<Finding>,
    /// What was done about it, in order.
    pub actions: Vec<String>,
}

/// Puts what is damaged aside, so that the rest opens. Nothing is deleted.
///
/// # Errors
/// [`Error::Locked`] while a server runs; where files cannot be moved.
pub fn repair(files: &Arc<dyn Files>, is_dry: bool) -> Result<Repair, Error> {
    let _lock = take_lock(&**files)?;
    let report = verify(&**files, true)?;
    let mut repair = Repair { findings: report.findings, actions: Vec::new() };
    if repair.findings.is_empty() {
        return Ok(repair);
    }
    let is_manifest = |finding: &Finding| finding.file.starts_with(manifest::FOLDER);
    if repair.findings.iter().any(is_manifest) {
        rebuild_manifest(files, is_dry, &mut repair)?;
    } else {
        set_aside(files, is_dry, &mut repair)?;
    }
    Ok(repair)
}

/// Moves damaged data files to quarantine and unlists them. Logs are left to the next start, which
/// keeps a second name of what is damaged.
fn set_aside(files: &Arc<dyn Files>, is_dry: bool, repair: &mut Repair) -> Result<(), Error> {
    let Some(read) = manifest::read(&**files)?.read else { return Ok(()) };
    let damaged: BTreeSet<&str> =
        repair.findings.iter().map(|finding| finding.file.as_str()).collect();
    let bad: Vec<_> = read
        .state
        .files
        .values()
        .filter(|meta| meta.archived.is_none() && damaged.contains(meta.path().as_str()))
        .cloned()
        .collect();
    for meta in &bad {
        repair.actions.push(format!("move {} to {QUARANTINE}/ and unlist it", meta.path()));
    }
    for path in damaged.iter().filter(|path| !bad.iter().any(|meta| meta.path() == **path)) {
        repair.actions.push(format!("keep {path}: the next start reads what is good of it and keeps the rest in {QUARANTINE}/"));
    }
    if is_dry || bad.is_empty() {
        return Ok(());
    }
    for meta in &bad {
        quarantine(&**files, &meta.path())?;
    }
    let edits: Vec<Edit> = bad.iter().map(|meta| Edit::RemoveFile(meta.id)).collect();
    Manifest::resume(Arc::clone(files), read)?.apply(&edits)
}

/// Makes a manifest of what is there: every data file whose frame is whole lives.
fn rebuild_manifest(
    files: &Arc<dyn Files>,
    is_dry: bool,
    repair: &mut Repair,
) -> Result<(), Error> {
    repair
        .actions
        .push(format!("move {}/ to {QUARANTINE}/ and list anew what is there", manifest::FOLDER));
    let rebuilt = super::rebuild::rebuild(&**files)?;
    for path in &rebuilt.unreadable {
        repair.actions.push(format!("move {path} to {QUARANTINE}/: it cannot be read"));
    }
    repair
        .actions
        .push(format!("list {} files, and replay the whole log", rebuilt.state.files.len()));
    if is_dry {
        return Ok(());
    }
    for path in &rebuilt.unreadable {
        quarantine(&**files, path)?;
    }
    let entries = files.list(manifest::FOLDER).unwrap_or_default();
    let newest = entries
        .iter()
        .filter_map(|entry| entry.name.strip_suffix(".manifest")?.parse::<u64>().ok())
        .max();
    for entry in &entries {
        quarantine(&**files, &format!("{}/{}", manifest::FOLDER, entry.name))?;
    }
    // What only the old manifest knew to be in the archive must not be taken for leftovers there: from
    // now on it is somebody else's.
    quarantine(&**files, LINEAGE)?;
    files.create_dir_all(manifest::FOLDER).map_err(failed(&**files, "create", manifest::FOLDER))?;
    // Edits are counted from far ahead: what the log knows to be durable is not missed.
    let ahead = 1 << 40;
    Manifest::begin(Arc::clone(files), rebuilt.database, rebuilt.state, newest.unwrap_or(0), ahead)
        .map(|_| ())
}

/// Moves a file to the quarantine, under a name that is free there.
fn quarantine(files: &dyn Files, path: &str) -> Result<(), Error> {
    files.create_dir_all(QUARANTINE).map_err(failed(files, "create", QUARANTINE))?;
    let name = path.rsplit('/').next().unwrap_or(path);
    let free = (0..).map(|number| match number {
        0 => format!("{QUARANTINE}/{name}"),
        _ => format!("{QUARANTINE}/{name}.{number}"),
    });
    for to in free {
        if files.exists(&to).map_err(failed(files, "look for", &to))? {
            continue;
        }
        return match files.rename(path, &to) {
            Err(gone) if gone.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(source) if is_full(&source) => Err(failed(files, "move", path)(source)),
            moved => {
                moved.and_then(|()| files.sync_dir(QUARANTINE)).map_err(failed(files, "move", path))
            }
        };
    }
    Ok(())
}

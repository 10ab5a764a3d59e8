//! A whole directory: manifest, files, log, catalog.

use std::{collections::BTreeSet, io, time::Duration};

use crate::model::Metadata;
use crate::os::{Files, read_whole};
use crate::store::{
    catalog::{self, Index},
    error::{Damage, Error, failed},
    file::{DataFile, FileKey},
    manifest::{self, FileKind, FileMeta, State},
    rebuild::rebuild,
    recover::{TABLES, expected},
    wal::{self, Judgement, Scan},
};

/// A longer log or catalog is not read at once: none gets there.
const LOG_BYTES_MAX: u64 = 4 << 30;

/// What is in a directory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inspection {
    /// The database's id; None where nothing tells it.
    pub database: Option<u128>,
    /// The manifest's path; None where it could not be read and the files were looked for.
    pub manifest: Option<String>,
    /// Rows up to this position are in files.
    pub in_files: u64,
    /// Deletions that wait to be carried out.
    pub deletions: u64,
    /// Rows up to this instant (ns) were dropped by retention; None where none were.
    pub dropped_until: Option<i64>,
    /// Live files, by partition, then by position.
    pub files: Vec<FileSummary>,
    /// Log segments, oldest first.
    pub segments: Vec<SegmentSummary>,
    /// The catalog; None where there is none yet.
    pub catalog: Option<CatalogSummary>,
    /// What is wrong or odd, each with file and place. None is no proof that all is right.
    pub findings: Vec<String>,
}

/// What a data file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataKind {
    /// Its chunks refer to the catalog.
    Part,
    /// It has its own labels.
    Block,
    /// It has its own labels, and buckets of a tier: its rows are buckets.
    Tier,
}

/// A live data file, as the manifest or its own frame says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSummary {
    /// Its path below the root.
    pub path: String,
    /// What it is.
    pub kind: DataKind,
    /// The name of its partition's folder: the day.
    pub day: String,
    /// First and last row, ns.
    pub times: (i64, i64),
    /// The positions whose rows it holds: from, not included, to, included.
    pub positions: (u64, u64),
    /// How many series.
    pub series: u64,
    /// How many rows.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Whether it is in the archive, and not on this disk.
    pub is_archived: bool,
}

/// A log segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SegmentSummary {
    /// Its path below the root.
    pub path: String,
    /// Good records.
    pub records: u64,
    /// Positions of the first and last of them.
    pub positions: Option<(u64, u64)>,
    /// Rows in them, floats and histograms.
    pub rows: u64,
    /// Of those, the ones that are not in files yet.
    pub rows_waiting: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Bytes at its end that were never acknowledged.
    pub torn_bytes: u64,
    /// Whether acknowledged records are missing in it.
    pub is_damaged: bool,
}

/// The catalog's file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CatalogSummary {
    /// Its path below the root.
    pub path: String,
    /// Series that could be read.
    pub series: u64,
    /// Distinct pairs of a label's name and value.
    pub pairs: u64,
    /// Metrics of which type, unit or help is known.
    pub metadata: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

impl Inspection {
    /// Rows in files, buckets of tiers left out; those that are there twice count twice.
    pub fn rows(&self) -> u64 {
        self.files_of_rows().map(|file| file.rows).sum()
    }

    fn files_of_rows(&self) -> impl Iterator<Item = &FileSummary> {
        self.files.iter().filter(|file| file.kind != DataKind::Tier)
    }

    /// Bytes of data files on this disk.
    pub fn file_bytes(&self) -> u64 {
        self.files.iter().filter(|file| !file.is_archived).map(|file| file.bytes).sum()
    }

    /// Bytes of the log.
    pub fn log_bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// Bytes of parts and blocks for each row in them; None where there is no row.
    pub fn bytes_per_row(&self) -> Option<f64> {
        ratio(self.files_of_rows().map(|file| file.bytes).sum(), self.rows())
    }

    /// First and last row of all files, ns.
    pub fn times(&self) -> Option<(i64, i64)> {
        let times = self.files_of_rows().map(|file| file.times);
        times.reduce(|left, right| (left.0.min(right.0), left.1.max(right.1)))
    }
}

impl FileSummary {
    /// Bytes for each row; None where there is no row.
    pub fn bytes_per_row(&self) -> Option<f64> {
        ratio(self.bytes, self.rows)
    }

    pub(super) fn of(meta: &FileMeta) -> Self {
        let folder = meta.partition.folder();
        Self {
            path: meta.path(),
            kind: match meta.kind {
                FileKind::Part => DataKind::Part,
                FileKind::Block => DataKind::Block,
                FileKind::Tier => DataKind::Tier,
            },
            day: folder.rsplit('/').next().unwrap_or(&folder).to_owned(),
            times: meta.times,
            positions: meta.positions,
            series: meta.series,
            rows: meta.rows,
            bytes: meta.bytes,
            is_archived: meta.archived.is_some(),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
pub(super) fn ratio(bytes: u64, rows: u64) -> Option<f64> {
    (rows > 0).then(|| bytes as f64 / rows as f64)
}

/// Looks at everything in `files`, shortly.
///
/// # Errors
/// Where there is no database at all, or the system fails a call. Damage is no error: it is a finding.
pub fn inspect(files: &dyn Files) -> Result<Inspection, Error> {
    let mut inspection = Inspection::default();
    let known = known(files, &mut inspection.findings)?;
    let Known { database, state, manifest, sequence } = known;
    inspection.database = database;
    inspection.manifest = manifest;
    inspection.in_files = state.in_files;
    inspection.deletions = state.tombstones.len() as u64;
    inspection.dropped_until = Some(state.dropped_until).filter(|until| *until > i64::MIN);
    let database = database.unwrap_or_default();
    let place = Place { files, database, state: &state };
    look_at_files(&place, &mut inspection)?;
    let judgement = look_at_log(&place, &mut inspection)?;
    if sequence.is_some_and(|sequence| sequence < judgement.manifest) {
        let what = "the log knows of changes that the manifest does not hold";
        inspection.findings.push(format!("{}: {what}", files.path_of(manifest::FOLDER).display()));
    }
    look_at_catalog(&place, judgement.catalog, &mut inspection)?;
    Ok(inspection)
}

/// What is looked at.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) files: &'a dyn Files,
    pub(super) database: u128,
    pub(super) state: &'a State,
}

/// What lives, as far as anything tells.
pub(super) struct Known {
    pub(super) database: Option<u128>,
    pub(super) state: State,
    manifest: Option<String>,
    /// Changes that the manifest holds; None where there is none.
    sequence: Option<u64>,
}

/// Reads the manifest; where that is not possible, looks for files.
pub(super) fn known(files: &dyn Files, findings: &mut Vec<String>) -> Result<Known, Error> {
    let read = match manifest::read(files) {
        Ok(opened) => opened.read,
        Err(error @ Error::Damaged { .. }) => {
            findings.push(error.to_string());
            None
        }
        Err(error) => return Err(error),
    };
    if let Some(read) = read {
        if let Some((at, what)) = read.bad {
            let end = if read.is_damaged { "" } else { " (a torn tail)" };
            findings.push(format!("{}{end}", damaged(files, &read.path, at, what)));
        }
        return Ok(Known {
            database: Some(read.database),
            state: read.state,
            manifest: Some(read.path),
            sequence: Some(read.sequence),
        });
    }
    let holds = |folder| files.exists(folder).unwrap_or(false);
    if !holds(wal::FOLDER) && !holds(TABLES) && !holds(manifest::FOLDER) {
        let root = files.path_of("");
        return Err(Error::Invalid(format!("{} holds no database", root.display())));
    }
    if findings.is_empty() {
        let (directory, manifest) = (files.path_of(""), files.path_of(manifest::FOLDER));
        findings.push(Error::NoManifest { directory, manifest }.to_string());
    }
    let (database, state) = match rebuild(files) {
        Ok(rebuilt) => {
            let unreadable = rebuilt.unreadable.iter();
            findings.extend(unreadable.map(|path| format!("{path} is no whole data file")));
            (Some(rebuilt.database), rebuilt.state)
        }
        Err(error) => {
            findings.push(error.to_string());
            (None, State::new())
        }
    };
    Ok(Known { database, state, manifest: None, sequence: None })
}

fn damaged(files: &dyn Files, path: &str, at: u64, what: Damage) -> Error {
    Error::Damaged { file: files.path_of(path), at, what }
}

fn look_at_files(place: &Place<'_>, inspection: &mut Inspection) -> Result<(), Error> {
    let Place { files, database, state } = *place;
    for meta in state.files.values() {
        inspection.files.push(FileSummary::of(meta));
        if meta.archived.is_some() {
            continue;
        }
        let key = FileKey { now: Duration::ZERO, database, meta };
        match DataFile::open(files, key, None) {
            Ok(_) => {}
            Err(error @ (Error::Damaged { .. } | Error::Missing { .. })) => {
                inspection.findings.push(error.to_string());
            }
            Err(error) => return Err(error),
        }
    }
    inspection.files.sort_by(|a, b| (&a.day, a.positions.1).cmp(&(&b.day, b.positions.1)));
    Ok(())
}

fn look_at_log(place: &Place<'_>, inspection: &mut Inspection) -> Result<Judgement, Error> {
    let Place { files, database, state } = *place;
    let (mut scans, mut summaries) = (Vec::new(), Vec::new());
    for (number, path) in wal::segments(files)? {
        let Some(bytes) = read_or_find(files, &path, &mut inspection.findings)? else { continue };
        let scan = wal::scan(&bytes, number, database);
        let summary = summarise(&scan, &bytes, path, state.in_files);
        if number < state.segments.0 {
            // Only rows that are in files: its removal was not seen yet.
            inspection.segments.push(summary);
        } else {
            scans.push(scan);
            summaries.push(summary);
        }
    }
    let judgement = wal::judge(&scans, expected(state));
    for finding in &judgement.damage {
        let path = wal::segment_path(finding.number);
        if let Some(summary) = summaries.iter_mut().find(|summary| summary.path == path) {
            summary.is_damaged = true;
        }
        let error = damaged(files, &path, finding.at, finding.what.clone());
        inspection.findings.push(error.to_string());
    }
    for ((summary, scan), end) in summaries.iter_mut().zip(&scans).zip(&judgement.ends) {
        summary.torn_bytes = (scan.length as u64).saturating_sub(*end);
    }
    inspection.segments.append(&mut summaries);
    Ok(judgement)
}

fn summarise(scan: &Scan, bytes: &[u8], path: String, in_files: u64) -> SegmentSummary {
    let mut summary = SegmentSummary { path, bytes: bytes.len() as u64, ..Default::default() };
    for found in &scan.records {
        let position = found.header().position.sequence;
        let (first, _) = summary.positions.unwrap_or((position, position));
        summary.positions = Some((first, position));
        summary.records += 1;
        let payload = found.payload(bytes).unwrap_or_default();
        match wal::decode_rows(payload, found.header().tenant) {
            Ok(batch) => {
                let rows = (batch.rows.len() + batch.histograms.len()) as u64;
                summary.rows += rows;
                summary.rows_waiting += if position > in_files { rows } else { 0 };
            }
            Err(_) => summary.is_damaged = true,
        }
    }
    summary
}

fn look_at_catalog(
    place: &Place<'_>,
    claims: u64,
    inspection: &mut Inspection,
) -> Result<(), Error> {
    let (mut metrics, mut index) = (BTreeSet::new(), Index::new(0));
    let findings = &mut inspection.findings;
    let mut metric = |metric| {
        metrics.insert(metric);
    };
    let Some(loaded) = load_catalog(place, &mut index, &mut metric, findings)? else {
        return Ok(());
    };
    if loaded.is_whole && loaded.sequence < claims {
        let what = Damage::RecordsMissing(claims - loaded.sequence);
        findings.push(damaged(place.files, &loaded.path, loaded.bytes, what).to_string());
    }
    inspection.catalog = Some(CatalogSummary {
        path: loaded.path,
        series: u64::from(index.len()),
        pairs: index.pairs().len() as u64,
        metadata: metrics.len() as u64,
        bytes: loaded.bytes,
    });
    Ok(())
}

/// A catalog that was read as far as it goes.
pub(super) struct Loaded {
    path: String,
    bytes: u64,
    sequence: u64,
    /// Whether it was read to its end.
    pub(super) is_whole: bool,
}

/// Reads the catalog into `index`; None where there is none. `metric` is told what has metadata.
pub(super) fn load_catalog(
    place: &Place<'_>,
    index: &mut Index,
    metric: &mut dyn FnMut(String),
    findings: &mut Vec<String>,
) -> Result<Option<Loaded>, Error> {
    let number = place.state.catalog;
    if number == 0 {
        return Ok(None);
    }
    let path = catalog::catalog_path(number);
    let Some(bytes) = read_or_find(place.files, &path, findings)? else { return Ok(None) };
    let mut metadata = |it: Metadata| metric(it.metric);
    let loaded = catalog::load(&bytes, place.database, number, index, &mut metadata);
    let is_whole = loaded.damage.is_none();
    if let Some((at, what)) = loaded.damage {
        findings.push(damaged(place.files, &path, at, what).to_string());
    }
    let bytes = bytes.len() as u64;
    Ok(Some(Loaded { path, bytes, sequence: loaded.sequence, is_whole }))
}

/// Reads a file; one that is not there is a finding.
fn read_or_find(
    files: &dyn Files,
    path: &str,
    findings: &mut Vec<String>,
) -> Result<Option<Vec<u8>>, Error> {
    match read_whole(files, path, LOG_BYTES_MAX) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(gone) if gone.kind() == io::ErrorKind::NotFound => {
            findings.push(Error::Missing { file: files.path_of(path) }.to_string());
            Ok(None)
        }
        Err(source) => Err(failed(files, "read", path)(source)),
    }
}

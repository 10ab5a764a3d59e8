//! One part or block: what its sections take, how its columns are written, whose rows they are.

use std::{cmp::Reverse, collections::BTreeMap, io, sync::Arc, time::Duration};

use crate::codec;
use crate::model::{Labels, SeriesRef};
use crate::os::{Files, ReadFile};
use crate::store::{
    catalog::Index,
    error::{Error, failed},
    file::{ChunkKind, DataFile, FileKey, Section, Tables, read_frame},
    manifest::{FileMeta, State},
    rebuild,
};

use super::directory::{FileSummary, Known, Place, known, load_catalog, ratio};

/// Bytes that are read at once to see how columns begin.
const WINDOW_BYTES: usize = 1 << 20;
/// How a chunk of histograms is written.
const HISTOGRAMS: &str = "histograms";
/// What stands for the encoding of buckets, which have one for each column.
const BUCKETS: &str = "buckets";
/// A column whose tag says nothing that is known.
const UNKNOWN: &str = "unknown";

/// What is in a data file.
#[derive(Clone, Debug, PartialEq)]
pub struct FileInspection {
    /// What the manifest says of it, or its own frame where none lists it.
    pub summary: FileSummary,
    /// Its sections as they stand in it; last the frame: header, directory, checksums, footer.
    pub sections: Vec<SectionBytes>,
    /// Its columns, by what they hold and how they are written.
    pub columns: Vec<ColumnBytes>,
    /// The metrics that take most, at most as many as were asked for. None of a part whose catalog is
    /// lost.
    pub metrics: Vec<MetricBytes>,
    /// What could not be read, each with file and place.
    pub findings: Vec<String>,
}

/// One section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SectionBytes {
    /// Its name in storage-format.md.
    pub section: &'static str,
    /// What it takes.
    pub bytes: u64,
}

/// Columns of one kind in one encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnBytes {
    /// `times`, `values`, `starts`.
    pub column: &'static str,
    /// The encoding's name.
    pub encoding: &'static str,
    /// How many columns.
    pub count: u64,
    /// Their rows. A time column that many chunks share counts once.
    pub rows: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl ColumnBytes {
    /// Bytes for each row; None where there is no row.
    pub fn bytes_per_row(&self) -> Option<f64> {
        ratio(self.bytes, self.rows)
    }
}

/// What a metric takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetricBytes {
    /// Its name; empty for series without.
    pub metric: String,
    /// Its series in this file.
    pub series: u64,
    /// Their rows.
    pub rows: u64,
    /// Their values and starts. Time columns are shared and belong to none.
    pub bytes: u64,
}

/// Looks into the part or block at `path`, below the root. At most `limit` metrics are listed.
///
/// # Errors
/// Where it cannot be opened: missing, damaged in its frame, or no data file. Other damage is a finding.
pub fn inspect_file(files: &dyn Files, path: &str, limit: usize) -> Result<FileInspection, Error> {
    let Described { database, state, meta } = describe(files, path)?;
    let file = DataFile::open(files, FileKey { now: Duration::ZERO, database, meta: &meta }, None)?;
    let mut inspection = FileInspection {
        summary: FileSummary::of(&meta),
        sections: sections(&file),
        columns: Vec::new(),
        metrics: Vec::new(),
        findings: Vec::new(),
    };
    let findings = &mut inspection.findings;
    if let Err(error) = file.verify() {
        findings.push(error.to_string());
    }
    // What is wrong with the tables was found just now.
    let Ok(tables) = file.tables() else { return Ok(inspection) };
    let read = files.open_read(path).map_err(failed(files, "open", path))?;
    let columns = columns(&mut Window::new(read), tables);
    inspection.columns = columns.map_err(failed(files, "read", path))?;
    let metrics = if file.is_block() {
        let Ok(labels) = file.labels() else { return Ok(inspection) };
        metrics(tables, |series| Some(labels.labels(series)))
    } else {
        let Ok(refs) = file.refs() else { return Ok(inspection) };
        let mut index = Index::new(0);
        let catalog = Place { files, database, state: &state };
        load_catalog(&catalog, &mut index, &mut drop, findings)?;
        let slot = |series: usize| index.slot(SeriesRef(*refs.get(series)?));
        metrics(tables, |series| slot(series).map(|slot| index.labels(slot)))
    };
    inspection.metrics = metrics;
    inspection.metrics.truncate(limit);
    Ok(inspection)
}

struct Described {
    database: u128,
    state: State,
    meta: FileMeta,
}

/// What the manifest says of a file, or the file of itself.
fn describe(files: &dyn Files, path: &str) -> Result<Described, Error> {
    // What is odd elsewhere is not asked here.
    if let Ok(Known { database: Some(database), state, .. }) = known(files, &mut Vec::new()) {
        let meta = state.files.values().find(|meta| meta.path() == path).cloned();
        if let Some(meta) = meta {
            return Ok(Described { database, state, meta });
        }
    }
    let frame = read_frame(files, path)?;
    let meta = rebuild::meta(&frame);
    Ok(Described { database: frame.header.database, state: State::new(), meta })
}

fn sections(file: &DataFile) -> Vec<SectionBytes> {
    let mut sections = Vec::new();
    let mut frame = file.meta.bytes;
    for entry in file.directory() {
        let section = match entry.section {
            Section::Data => "data",
            Section::Times => "times",
            Section::Chunks => "chunks",
            Section::Refs => "refs",
            Section::Exemplars => "exemplars",
            Section::Statistics => "statistics",
            Section::Pairs => "pairs",
            Section::Series => "series",
            Section::Postings => "postings",
        };
        frame = frame.saturating_sub(entry.length);
        sections.push(SectionBytes { section, bytes: entry.length });
    }
    sections.push(SectionBytes { section: "frame", bytes: frame });
    sections
}

/// All columns by what they hold and how they are written, those that take most first.
fn columns(window: &mut Window, tables: &Tables) -> io::Result<Vec<ColumnBytes>> {
    let mut sums: BTreeMap<(&str, &str), (u64, u64, u64)> = BTreeMap::new();
    let mut add = |column, encoding, rows: u32, bytes: u32| {
        let (all, all_rows, all_bytes) = sums.entry((column, encoding)).or_default();
        *all += 1;
        *all_rows += u64::from(rows);
        *all_bytes += u64::from(bytes);
    };
    for time in &tables.times {
        add("times", window.encoding(time.at)?, time.rows, time.bytes);
    }
    for chunk in &tables.chunks {
        let rows = tables.time_of(chunk).map_or(0, |time| time.rows);
        let encoding = match chunk.kind {
            ChunkKind::Floats => window.encoding(chunk.at)?,
            ChunkKind::Histograms | ChunkKind::HistogramBuckets => HISTOGRAMS,
            ChunkKind::Buckets => BUCKETS,
        };
        add("values", encoding, rows, chunk.values_bytes);
        if chunk.starts_bytes > 0 {
            let starts_at = chunk.at + u64::from(chunk.values_bytes);
            add("starts", window.encoding(starts_at)?, rows, chunk.starts_bytes);
        }
    }
    let mut columns: Vec<ColumnBytes> = sums
        .into_iter()
        .map(|((column, encoding), (count, rows, bytes))| ColumnBytes {
            column,
            encoding,
            count,
            rows,
            bytes,
        })
        .collect();
    columns.sort_by_key(|column| Reverse(column.bytes));
    Ok(columns)
}

/// All metrics, those that take most first. Series whose labels are lost are left out.
fn metrics(tables: &Tables, labels: impl Fn(usize) -> Option<Labels>) -> Vec<MetricBytes> {
    let mut sums: BTreeMap<String, MetricBytes> = BTreeMap::new();
    for series in 0..tables.series() {
        let Some(labels) = labels(series) else { continue };
        let sum = sums.entry(labels.metric().to_owned()).or_default();
        sum.series += 1;
        for chunk in tables.of(series) {
            sum.rows += tables.time_of(chunk).map_or(0, |time| u64::from(time.rows));
            sum.bytes += u64::from(chunk.values_bytes) + u64::from(chunk.starts_bytes);
        }
    }
    let named = sums.into_iter().map(|(metric, sum)| MetricBytes { metric, ..sum });
    let mut metrics: Vec<MetricBytes> = named.collect();
    metrics.sort_by_key(|metric| Reverse(metric.bytes));
    metrics
}

/// A piece of a file, read at once: columns are looked at in about their order.
struct Window {
    file: Arc<dyn ReadFile>,
    begin: u64,
    bytes: Vec<u8>,
}

impl Window {
    fn new(file: Arc<dyn ReadFile>) -> Self {
        Self { file, begin: 0, bytes: Vec::new() }
    }

    /// How the column that begins `at` is written.
    fn encoding(&mut self, at: u64) -> io::Result<&'static str> {
        let tag = self.byte(at)?;
        Ok(codec::encoding_of(&[tag]).map_or(UNKNOWN, codec::Encoding::name))
    }

    fn byte(&mut self, at: u64) -> io::Result<u8> {
        let place = at.checked_sub(self.begin).and_then(|place| usize::try_from(place).ok());
        if let Some(byte) = place.and_then(|place| self.bytes.get(place)) {
            return Ok(*byte);
        }
        let left = self.file.len()?.saturating_sub(at);
        let length = usize::try_from(left).unwrap_or(WINDOW_BYTES).min(WINDOW_BYTES);
        self.bytes.resize(length, 0);
        self.begin = at;
        self.file.read_exact_at(at, &mut self.bytes)?;
        self.bytes.first().copied().ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

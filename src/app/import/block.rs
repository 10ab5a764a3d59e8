//! One block of theirs, open: series from front to back, and the rows of each.

use std::{collections::BTreeSet, path::PathBuf};

use super::{error::ImportError, window::Window};
use crate::ingest::tsdb::{
    self, BlockMeta, CHUNK_HEAD_BYTES, Columns, INDEX_TAIL_BYTES, IndexTail, Series, Symbols,
    Tombstone,
};
use crate::os::{Files, read_whole};

/// Bytes that are looked at first for a chunk: writers aim at 1 KiB.
const CHUNK_BYTES: usize = 1100;
/// Bytes that are looked at first for a series.
const SERIES_BYTES: usize = 512;
/// A larger file of tombstones or symbols is not read: none gets there.
const WHOLE_BYTES_MAX: u64 = 4 << 30;
/// Damaged chunks that are told in words.
pub(super) const DAMAGE_SHOWN: usize = 10;

/// A block, and how far its series were read.
pub(super) struct Block {
    pub(super) meta: BlockMeta,
    pub(super) symbols: Symbols,
    folder: PathBuf,
    index: Window,
    tail: IndexTail,
    segments: Vec<Window>,
    tombstones: Vec<Tombstone>,
    at: u64,
}

/// Milliseconds, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: i64,
    pub(super) last: i64,
}

impl Span {
    pub(super) fn overlaps(self, first: i64, last: i64) -> bool {
        first <= self.last && last >= self.first
    }
}

/// Chunks that could not be read.
#[derive(Debug, Default)]
pub(super) struct Damaged {
    pub(super) chunks: u64,
    pub(super) shown: Vec<String>,
    /// Those that reach into the next span, where they are met again: block, segment, place.
    pub(super) reaching: BTreeSet<(String, u64, u64)>,
    /// Those that reached into this one.
    pub(super) told: BTreeSet<(String, u64, u64)>,
}

impl Block {
    /// Opens a block that is a folder of `files`.
    pub(super) fn open(files: &dyn Files, meta: &BlockMeta) -> Result<Self, ImportError> {
        let name = &meta.ulid;
        let open = |path: &str| {
            let opened = files.open_read(path).and_then(Window::new);
            opened.map_err(read_error(files, path))
        };
        let path = format!("{name}/index");
        let mut index = open(&path)?;
        let tail = read_tail(&mut index).map_err(read_error(files, &path))?;
        let tail = tail.map_err(damaged(name))?;
        let length = usize::try_from(tail.symbols.end - tail.symbols.start).unwrap_or(usize::MAX);
        if length as u64 > WHOLE_BYTES_MAX {
            let why = "its symbols have more than 4 GiB".to_owned();
            return Err(ImportError::Meta { file: files.path_of(&path), why });
        }
        let bytes = index.at(tail.symbols.start, length).map_err(read_error(files, &path))?;
        let symbols = Symbols::read(bytes, tail.symbols.start).map_err(damaged(name))?;
        let mut segments = Vec::new();
        let folder = format!("{name}/chunks");
        for entry in files.list(&folder).map_err(read_error(files, &folder))? {
            if entry.is_dir || !entry.name.bytes().all(|byte| byte.is_ascii_digit()) {
                continue;
            }
            let path = format!("{folder}/{}", entry.name);
            let mut segment = open(&path)?;
            let head = segment.at(0, 8).map_err(read_error(files, &path))?;
            tsdb::check_segment(head).map_err(damaged(name))?;
            segments.push(segment);
        }
        Ok(Self {
            meta: meta.clone(),
            symbols,
            folder: files.path_of(name),
            index,
            at: tail.series.start,
            tail,
            segments,
            tombstones: read_tombstones(files, name)?,
        })
    }

    /// Begins with the first series again.
    pub(super) fn rewind(&mut self) {
        self.at = self.tail.series.start;
    }

    /// The next series; false behind the last.
    pub(super) fn advance(&mut self, series: &mut Series) -> Result<bool, ImportError> {
        let end = self.tail.series.end;
        let mut least = SERIES_BYTES;
        while self.at < end {
            let left = usize::try_from(end - self.at).unwrap_or(usize::MAX);
            let folder = &self.folder;
            let bytes = self
                .index
                .at(self.at, least.min(left))
                .map_err(|source| ImportError::Read { file: folder.join("index"), source })?;
            let bytes = bytes.get(..left).unwrap_or(bytes);
            let read = tsdb::read_series(bytes, self.at, &self.symbols, series);
            match read.map_err(damaged(&self.meta.ulid))? {
                Ok(0) => break,
                Ok(size) => {
                    self.at += size as u64;
                    return Ok(true);
                }
                Err(size) if size > left => {
                    let fault = tsdb::Fault::Truncated("a series");
                    let source = tsdb::Error { part: "index", at: self.at, fault };
                    return Err(damaged(&self.meta.ulid)(source));
                }
                Err(size) => least = size,
            }
        }
        Ok(false)
    }

    /// Appends the rows of a series whose chunks touch `span`; damaged chunks are counted.
    pub(super) fn read(
        &mut self,
        series: &Series,
        span: Span,
        out: &mut Columns,
        bad: &mut Damaged,
    ) -> Result<(), ImportError> {
        let before = (out.times.len(), out.histograms.len());
        for chunk in series.chunks.iter().filter(|it| span.overlaps(it.first, it.last)) {
            let Some(segment) = self.segments.get_mut(chunk.segment as usize) else {
                note(
                    bad,
                    format!("{}: segment {} is missing", self.folder.display(), chunk.segment),
                );
                continue;
            };
            let file = || self.folder.join(format!("chunks/{:06}", chunk.segment + 1));
            let at = u64::from(chunk.at);
            let decoded = read_chunk(segment, at, out)
                .map_err(|source| ImportError::Read { file: file(), source })?;
            if let Err(error) = decoded {
                let place = (self.meta.ulid.clone(), u64::from(chunk.segment), at);
                let is_told = bad.told.contains(&place);
                if chunk.last > span.last {
                    bad.reaching.insert(place);
                }
                if is_told {
                    continue;
                }
                note(bad, format!("{} at {at}: {error}", file().display()));
            }
        }
        self.bury(series.number, before, out);
        Ok(())
    }

    /// Takes away rows that were deleted.
    fn bury(&self, series: u64, (rows, histograms): (usize, usize), out: &mut Columns) {
        let begin = self.tombstones.partition_point(|stone| stone.series < series);
        let stones = self.tombstones.get(begin..).unwrap_or_default();
        let end = stones.partition_point(|stone| stone.series == series);
        let stones = stones.get(..end).unwrap_or_default();
        if stones.is_empty() {
            return;
        }
        let lives = |time: i64| !stones.iter().any(|it| it.first <= time && time <= it.last);
        let kept: Vec<bool> =
            out.times.iter().enumerate().map(|(i, time)| i < rows || lives(*time)).collect();
        let mut keep = kept.iter();
        out.values.retain(|_| *keep.next().unwrap_or(&true));
        let mut keep = kept.iter();
        out.starts.retain(|_| *keep.next().unwrap_or(&true));
        let mut keep = kept.iter();
        out.times.retain(|_| *keep.next().unwrap_or(&true));
        let mut number = 0;
        out.histograms.retain(|point| {
            number += 1;
            number <= histograms || lives(point.time)
        });
    }
}

fn note(bad: &mut Damaged, text: String) {
    bad.chunks += 1;
    if bad.shown.len() < DAMAGE_SHOWN {
        bad.shown.push(text);
    }
}

fn read_chunk(
    segment: &mut Window,
    at: u64,
    out: &mut Columns,
) -> std::io::Result<Result<(), tsdb::Error>> {
    let mut least = CHUNK_BYTES;
    for _ in 0..2 {
        let bytes = segment.at(at, least)?;
        match tsdb::open_frame(bytes, at) {
            Ok(Ok(frame)) => return Ok(tsdb::decode(frame.encoding, frame.data, out)),
            Ok(Err(size)) => least = size.max(CHUNK_HEAD_BYTES),
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Err(tsdb::Error { part: "chunk segment", at, fault: tsdb::Fault::Truncated("a chunk") }))
}

fn read_tail(index: &mut Window) -> std::io::Result<Result<IndexTail, tsdb::Error>> {
    let head = index.at(0, 5)?.to_vec();
    let size = index.size();
    let tail = index.at(size.saturating_sub(INDEX_TAIL_BYTES as u64), INDEX_TAIL_BYTES)?;
    Ok(IndexTail::read(&head, tail, size))
}

fn read_tombstones(files: &dyn Files, name: &str) -> Result<Vec<Tombstone>, ImportError> {
    let path = format!("{name}/tombstones");
    match read_whole(files, &path, WHOLE_BYTES_MAX) {
        Ok(bytes) => tsdb::read_tombstones(&bytes).map_err(damaged(name)),
        Err(none) if none.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(read_error(files, &path)(source)),
    }
}

pub(super) fn read_error<'a>(
    files: &'a dyn Files,
    path: &'a str,
) -> impl FnOnce(std::io::Error) -> ImportError + 'a {
    move |source| ImportError::Read { file: files.path_of(path), source }
}

fn damaged(block: &str) -> impl FnOnce(tsdb::Error) -> ImportError + '_ {
    move |source| ImportError::Damaged { block: block.to_owned(), source }
}

//! Writing a data file, from front to back.
//!
//! The file gets its name when it is whole and synced; the manifest lists it after that.

use std::{io, sync::Arc};

use crate::codec;
use crate::model::Partial;
use crate::os::{Files, PageWriter};
use crate::store::{
    bytes::put_signed,
    crash::crash_point,
    error::{Error, failed},
    manifest::{FileId, FileKind, FileMeta, Partition, file_path},
    rows::SeriesRows,
    wal::put_labels,
};

use super::{
    chunks::ChunkWriter,
    labels::LabelsWriter,
    layout::{self, Entry, FOOTER_BYTES, Footer, Header, Section},
    statistics::Statistics,
    tables::{Tables, put_column},
};

/// A part or block being written.
#[derive(Debug)]
pub(in crate::store) struct DataWriter {
    files: Arc<dyn Files>,
    header: Header,
    path: String,
    unfinished: String,
    pages: PageWriter,
    chunks: ChunkWriter,
    begins: Vec<u32>,
    rows: u64,
    times: Option<(i64, i64)>,
    exemplars: Vec<u8>,
    exemplar_count: u64,
}

/// A file that is written, synced and named. It is not known yet.
#[derive(Debug)]
pub(in crate::store) struct Written {
    pub(in crate::store) meta: FileMeta,
}

impl DataWriter {
    /// Begins a file. Leftovers of its name are removed.
    pub(in crate::store) fn create(
        files: &Arc<dyn Files>,
        database: u128,
        id: FileId,
        kind: FileKind,
        partition: Partition,
    ) -> Result<Self, Error> {
        let folder = partition.folder();
        let path = file_path(kind, id, partition);
        let unfinished = format!("{path}.tmp");
        let header = Header { database, id, kind, partition };
        let begin = || {
            files.create_dir_all(&folder)?;
            if files.exists(&unfinished)? {
                files.remove(&unfinished)?;
            }
            let mut pages = PageWriter::new(files.create(&unfinished)?);
            pages.append(&header.bytes())?;
            Ok(pages)
        };
        let pages = begin().map_err(failed(&**files, "create", &unfinished))?;
        Ok(Self {
            files: Arc::clone(files),
            header,
            path,
            unfinished,
            pages,
            chunks: ChunkWriter::default(),
            begins: vec![0],
            rows: 0,
            times: None,
            exemplars: Vec::new(),
            exemplar_count: 0,
        })
    }

    /// Adds the rows of the next series.
    pub(in crate::store) fn write(&mut self, rows: &SeriesRows) -> Result<(), Error> {
        let count = self.chunks.write(rows, &mut self.pages);
        let count = count.map_err(failed(&*self.files, "write", &self.unfinished))?;
        let before = self.begins.last().copied().unwrap_or_default();
        self.begins.push(before.saturating_add(count));
        self.rows += rows.len() as u64;
        if let Some((first, last)) = rows.span() {
            let (earliest, latest) = self.times.unwrap_or((first, last));
            self.times = Some((earliest.min(first), latest.max(last)));
        }
        Ok(())
    }

    /// Adds the buckets of the next series, of a file of a tier.
    pub(in crate::store) fn write_buckets(&mut self, buckets: &[Partial]) -> Result<(), Error> {
        let Some(tier) = self.header.partition.tier else { return Ok(()) };
        let count = self.chunks.write_buckets(tier, buckets, &mut self.pages);
        let count = count.map_err(failed(&*self.files, "write", &self.unfinished))?;
        let before = self.begins.last().copied().unwrap_or_default();
        self.begins.push(before.saturating_add(count));
        self.rows += buckets.len() as u64;
        if let (Some(first), Some(last)) = (buckets.first(), buckets.last()) {
            let (first, last) = (first.until, last.until);
            let (earliest, latest) = self.times.unwrap_or((first, last));
            self.times = Some((earliest.min(first), latest.max(last)));
        }
        Ok(())
    }

    /// Adds an exemplar of the series added last.
    pub(in crate::store) fn write_exemplar(&mut self, exemplar: &crate::model::Exemplar) {
        let series = self.begins.len().saturating_sub(1) as u64;
        codec::encode_varint(series.saturating_sub(1), &mut self.exemplars);
        put_signed(exemplar.time, &mut self.exemplars);
        self.exemplars.extend_from_slice(&exemplar.value.to_le_bytes());
        put_labels(&exemplar.labels, &mut self.exemplars);
        self.exemplar_count += 1;
    }

    /// Bytes written so far.
    pub(in crate::store) fn bytes(&self) -> u64 {
        self.pages.position()
    }

    /// Ends a part, whose series are `refs`, rising.
    pub(in crate::store) fn finish_part(
        self,
        refs: &[u64],
        positions: (u64, u64),
    ) -> Result<Written, Error> {
        let mut bytes = Vec::new();
        put_column(&refs.iter().map(|it| it.cast_signed()).collect::<Vec<_>>(), &mut bytes);
        self.finish(vec![(Section::Refs, bytes)], positions)
    }

    /// Ends a block, whose series have these labels.
    pub(in crate::store) fn finish_block(
        self,
        labels: LabelsWriter,
        positions: (u64, u64),
    ) -> Result<Written, Error> {
        let sections =
            labels.sections().map_err(failed(&*self.files, "compress labels of", &self.path))?;
        self.finish(sections, positions)
    }

    fn finish(
        mut self,
        mut sections: Vec<(Section, Vec<u8>)>,
        positions: (u64, u64),
    ) -> Result<Written, Error> {
        let tables = Tables {
            begins: std::mem::take(&mut self.begins),
            chunks: std::mem::take(&mut self.chunks.chunks),
            times: std::mem::take(&mut self.chunks.times),
        };
        let series = tables.series() as u64;
        let (times, chunks) = tables.encode();
        drop(tables);
        sections.extend([(Section::Times, times), (Section::Chunks, chunks)]);
        let statistics = Statistics::encode(&self.chunks.statistics);
        if !statistics.is_empty() {
            sections.push((Section::Statistics, statistics));
        }
        if self.exemplar_count > 0 {
            let mut bytes = Vec::new();
            codec::encode_varint(self.exemplar_count, &mut bytes);
            bytes.append(&mut self.exemplars);
            sections.push((Section::Exemplars, bytes));
        }
        let (files, path, unfinished) =
            (Arc::clone(&self.files), self.path.clone(), self.unfinished.clone());
        let (header, rows, times) = (self.header, self.rows, self.times.unwrap_or_default());
        let is_block = header.kind != FileKind::Part;
        let (bytes, footer_crc) =
            self.end(&sections).map_err(failed(&*files, "write", &unfinished))?;
        crash_point(if is_block { "block-written" } else { "part-written" });
        let named = || {
            crash_point("block-before-rename");
            files.rename(&unfinished, &path)?;
            crash_point("block-after-rename");
            files.sync_dir(&header.partition.folder())
        };
        named().map_err(failed(&*files, "rename", &unfinished))?;
        let known = header.meta(bytes, footer_crc);
        let meta = FileMeta { positions, times, series, rows, ..known };
        Ok(Written { meta })
    }

    /// Sections, directory, checksums, footer; then the sync. Size of the file, and its footer's
    /// checksum.
    fn end(mut self, sections: &[(Section, Vec<u8>)]) -> io::Result<(u64, u32)> {
        let data = Entry {
            section: Section::Data,
            offset: layout::HEADER_BYTES as u64,
            length: self.pages.position() - layout::HEADER_BYTES as u64,
        };
        let mut entries = vec![data];
        for (section, bytes) in sections {
            let (offset, length) = (self.pages.position(), bytes.len() as u64);
            entries.push(Entry { section: *section, offset, length });
            self.pages.append(bytes)?;
        }
        let mut directory = Vec::new();
        layout::put_directory(&entries, &mut directory);
        let directory_at = self.pages.position();
        self.pages.append(&directory)?;
        let data_bytes = self.pages.position();
        let (mut file, checksums) = self.pages.finish()?;
        let checksums: Vec<u8> = checksums.iter().flat_map(|crc| crc.to_le_bytes()).collect();
        let footer = Footer {
            data_bytes,
            directory_at,
            directory_bytes: directory.len() as u64,
            checksums_crc: crc32c::crc32c(&checksums),
            crc: 0,
        };
        let footer = footer.bytes();
        file.write_all_at(data_bytes, &[checksums.as_slice(), &footer].concat())?;
        file.sync()?;
        let crc = footer.last_chunk().copied().map_or(0, u32::from_le_bytes);
        Ok((data_bytes + checksums.len() as u64 + FOOTER_BYTES as u64, crc))
    }

    /// Gives the file up.
    pub(in crate::store) fn abandon(self) {
        // Best effort: a name that ends in .tmp is removed at the next start.
        drop(self.files.remove(&self.unfinished));
    }
}

//! Which blocks there are, and which of them have rows of a time.

use super::{
    block::{Span, read_error},
    error::ImportError,
};
use crate::ingest::tsdb::{BlockMeta, read_meta};
use crate::os::{Files, read_whole};

/// A larger `meta.json` is none.
const META_BYTES_MAX: u64 = 16 << 20;
/// Characters of a block's name.
const ULID_CHARS: usize = 26;

/// What lies in their directory.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// By first time, then name.
    pub(super) blocks: Vec<BlockMeta>,
    /// What is there and not imported, in words.
    pub(super) notes: Vec<String>,
}

/// Looks for blocks, and leaves out those that became part of another one that is there too.
pub(super) fn find(files: &dyn Files) -> Result<Found, ImportError> {
    let mut found = Found::default();
    let mut has_head = false;
    for entry in files.list("").map_err(read_error(files, ""))? {
        has_head |= entry.is_dir && matches!(entry.name.as_str(), "wal" | "chunks_head" | "wbl");
        if !entry.is_dir || !is_ulid(&entry.name) {
            continue;
        }
        let path = format!("{}/meta.json", entry.name);
        let bytes = match read_whole(files, &path, META_BYTES_MAX) {
            Ok(bytes) => bytes,
            Err(none) if none.kind() == std::io::ErrorKind::NotFound => {
                found
                    .notes
                    .push(format!("{} has no meta.json: not finished, left out", entry.name));
                continue;
            }
            Err(source) => return Err(read_error(files, &path)(source)),
        };
        let meta = read_meta(&bytes);
        let mut meta = meta.map_err(|why| ImportError::Meta { file: files.path_of(&path), why })?;
        entry.name.clone_into(&mut meta.ulid);
        found.blocks.push(meta);
    }
    let parents: Vec<String> = found
        .blocks
        .iter()
        .flat_map(|block| block.compaction.parents.iter().map(|parent| parent.ulid.clone()))
        .collect();
    found.blocks.retain(|block| !parents.contains(&block.ulid));
    found.blocks.sort_by(|a, b| (a.min_time, &a.ulid).cmp(&(b.min_time, &b.ulid)));
    if has_head {
        found.notes.push(
            "rows that are not in blocks yet (wal, chunks_head: about the last two hours) are left out; \
             a snapshot has them: curl -XPOST http://PROMETHEUS/api/v1/admin/tsdb/snapshot, then import \
             the directory that it names"
                .to_owned(),
        );
    }
    Ok(found)
}

fn is_ulid(name: &str) -> bool {
    name.len() == ULID_CHARS
        && name.bytes().all(|it| it.is_ascii_digit() || it.is_ascii_uppercase())
}

/// How many rows of a block lie in `span`, were they evenly spread.
pub(super) fn share(block: &BlockMeta, span: Span) -> f64 {
    let first = block.min_time.max(span.first);
    let last = block.max_time.saturating_sub(1).min(span.last);
    if last < first {
        return 0.0;
    }
    let length = block.max_time.saturating_sub(block.min_time).max(1);
    as_float(block.stats.samples) * as_float(first.abs_diff(last) + 1)
        / as_float(length.unsigned_abs())
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
pub(super) const fn as_float(count: u64) -> f64 {
    count as f64
}

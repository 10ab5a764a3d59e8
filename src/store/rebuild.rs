//! A manifest out of nothing but the files: what `repair` does where the manifest is lost.
//!
//! Every part and block whose frame is whole lives, the newest catalog too, and the whole log is read
//! again. Rows that are in files and in the log are there twice and end as one; rows that were deleted,
//! or replaced in a file that a merge had not removed yet, may come back.

use crate::model::{Table, TenantId};
use crate::os::Files;

use super::{
    catalog,
    error::{Error, failed},
    file::{Frame, read_frame},
    manifest::{Edit, FileMeta, State},
    recover::TABLES,
    wal,
};

/// What could be found.
#[derive(Debug)]
pub(super) struct Rebuilt {
    pub(super) database: u128,
    pub(super) state: State,
    /// Data files that are none.
    pub(super) unreadable: Vec<String>,
}

/// Looks at all files.
///
/// # Errors
/// Where nothing tells which database this is.
pub(super) fn rebuild(files: &dyn Files) -> Result<Rebuilt, Error> {
    let mut found = Vec::new();
    let mut unreadable = Vec::new();
    for folder in files.list(TABLES).unwrap_or_default() {
        let folder_path = format!("{TABLES}/{}", folder.name);
        if !folder.is_dir || folder_path == catalog::FOLDER {
            continue;
        }
        for entry in files.list(&folder_path).map_err(failed(files, "list", &folder_path))? {
            let path = format!("{folder_path}/{}", entry.name);
            match read_frame(files, &path) {
                Ok(frame) => found.push(frame),
                Err(Error::Damaged { .. }) => unreadable.push(path),
                Err(error) => return Err(error),
            }
        }
    }
    let database = database(files, &found)?;
    let mut state = State::new();
    for frame in found.iter().filter(|frame| frame.header.database == database) {
        state.apply(&Edit::AddFile(Box::new(meta(frame))));
    }
    forget_rows(&mut state);
    let segments = wal::segments(files)?;
    if let (Some((first, _)), Some((last, _))) = (segments.first(), segments.last()) {
        state.apply(&Edit::Segments(*first, last + 1));
    }
    let catalogs = files.list(catalog::FOLDER).unwrap_or_default();
    let newest = catalogs.iter().filter_map(|entry| catalog::catalog_number(&entry.name)).max();
    state.apply(&Edit::Catalog(newest.unwrap_or(0)));
    Ok(Rebuilt { database, state, unreadable })
}

/// Notes that rows are gone which only tiers tell of: all before the first day that has rows.
fn forget_rows(state: &mut State) {
    let (tiers, rows): (Vec<_>, Vec<_>) =
        state.files.values().partition(|meta| meta.partition.tier.is_some());
    let first_row = rows.iter().map(|meta| meta.partition.after).min();
    let last = tiers.iter().map(|meta| meta.partition.until).max();
    let first = tiers.iter().map(|meta| meta.partition.after).min();
    if let Some(until) = first_row.or(last)
        && first.is_some_and(|first| first < until)
    {
        state.apply(&Edit::DroppedUntil(until));
    }
}

/// The id that headers agree on.
fn database(files: &dyn Files, found: &[Frame]) -> Result<u128, Error> {
    if let Some(frame) = found.first() {
        return Ok(frame.header.database);
    }
    // Without data files the log's segments tell; their headers have the id at byte 16.
    for (_, path) in wal::segments(files)? {
        let file = files.open_read(&path).map_err(failed(files, "open", &path))?;
        let mut id = [0; 16];
        if file.read_exact_at(16, &mut id).is_ok() {
            return Ok(u128::from_le_bytes(id));
        }
    }
    Err(Error::Invalid(format!(
        "nothing in {} tells which database it was",
        files.path_of("").display()
    )))
}

/// What a manifest would say of a file that none lists.
pub(super) fn meta(frame: &Frame) -> FileMeta {
    FileMeta {
        id: frame.header.id,
        kind: frame.header.kind,
        tenant: TenantId(0),
        table: Table::Metrics,
        partition: frame.header.partition,
        // By number: files are numbered in the order they were written.
        positions: (0, frame.header.id.0),
        times: (frame.header.partition.after.saturating_add(1), frame.header.partition.until),
        series: frame.series,
        rows: frame.rows,
        bytes: frame.bytes,
        footer_crc: frame.footer.crc,
        archived: None,
    }
}

//! Which labels and metrics make many series.

use crate::model::{Cardinality, Label};
use crate::os::Files;
use crate::store::{
    catalog::Index,
    error::Error,
    file::{DataFile, FileKey},
    source::count,
};

use super::directory::{Place, known, load_catalog};

/// Series by what they have in common.
#[derive(Clone, Debug, Default)]
pub struct SeriesInspection {
    /// Series, pairs, and of each list the entries of the highest counts. Rows and times are not
    /// looked at.
    pub counted: Cardinality,
    /// What could not be read, each with file and place.
    pub findings: Vec<String>,
}

/// Counts the series of the catalog; where that is not whole, those of the blocks too. Lists have at
/// most `limit` entries.
///
/// # Errors
/// Where there is no database at all, or the system fails a call.
pub fn inspect_series(files: &dyn Files, limit: usize) -> Result<SeriesInspection, Error> {
    let mut findings = Vec::new();
    let known = known(files, &mut findings)?;
    let place = Place { files, database: known.database.unwrap_or_default(), state: &known.state };
    let mut index = Index::new(0);
    let loaded = load_catalog(&place, &mut index, &mut drop, &mut findings)?;
    if !loaded.is_some_and(|loaded| loaded.is_whole) {
        add_blocks(&place, &mut index, &mut findings)?;
    }
    Ok(SeriesInspection { counted: count(&index, limit), findings })
}

/// Adds the series of all blocks that can be read.
fn add_blocks(
    place: &Place<'_>,
    index: &mut Index,
    findings: &mut Vec<String>,
) -> Result<(), Error> {
    // Refs are not asked for: any that are not given do.
    let mut next = 1 << 62;
    for meta in place.state.files.values() {
        if meta.archived.is_some() {
            findings.push(format!("{} is in the archive: its series are not counted", meta.path()));
            continue;
        }
        let key = FileKey { now: std::time::Duration::ZERO, database: place.database, meta };
        let file = match DataFile::open(place.files, key, None) {
            Ok(file) if file.is_block() => file,
            Ok(_) => continue,
            Err(error @ (Error::Damaged { .. } | Error::Missing { .. })) => {
                findings.push(error.to_string());
                continue;
            }
            Err(error) => return Err(error),
        };
        let labels = match file.labels() {
            Ok(labels) => labels,
            Err(error) => {
                findings.push(error.to_string());
                continue;
            }
        };
        for series in 0..labels.len() {
            let pairs: Vec<Label<'_>> =
                labels.list(series).iter().map(|pair| labels.pair(*pair)).collect();
            // None only where four thousand million pairs are not enough.
            if index.insert(&pairs, next).is_some_and(|(_, is_new)| is_new) {
                next += 1;
            }
        }
    }
    Ok(())
}

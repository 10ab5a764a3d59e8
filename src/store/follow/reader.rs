//! Reading the log, record by record, as it grows.

use std::sync::Arc;

use crate::model::{Batch, Labels, Metadata, SeriesRef};
use crate::store::{
    db::{Db, held},
    error::{Damage, Error},
    wal::{self, Cursor},
};

use super::bookmark::Bookmark;

/// Segments that may go between two looks.
const OPENINGS_MAX: usize = 64;

/// What a reader is given.
#[derive(Debug)]
pub struct Followed {
    /// Where the record stands.
    pub position: u64,
    /// Records before it that are gone: given up for want of room, or damaged.
    pub missed: u64,
    /// Its rows.
    pub batch: Batch,
}

/// A reader of the log.
#[derive(Debug)]
pub struct Follower {
    db: Arc<Db>,
    cursor: Option<Cursor>,
    /// The record given last.
    position: u64,
}

impl Db {
    /// A reader of this name: behind its marks of old, or at the end of the log if it has none.
    ///
    /// # Errors
    /// Where its marks cannot be read or written.
    pub fn follow(self: &Arc<Self>, name: &str) -> Result<(Follower, Bookmark), Error> {
        let bookmark = Bookmark::open(self, name)?;
        let position = bookmark.lowest();
        Ok((Follower { db: Arc::clone(self), cursor: None, position }, bookmark))
    }

    /// The position of the last record that readers of the log are given.
    pub fn log_end(&self) -> u64 {
        self.followers.end()
    }

    /// What all metrics are, by name.
    pub fn known_metadata(&self) -> Vec<Metadata> {
        self.catalog.metadata().values().cloned().collect()
    }
}

impl Follower {
    /// The position of the record given last.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The next record. None where all were given.
    ///
    /// # Errors
    /// Where the log cannot be read; asking again tries again.
    pub fn read(&mut self) -> Result<Option<Followed>, Error> {
        let files = Arc::clone(&self.db.files);
        while self.position < self.db.log_end() {
            if self.cursor.is_none() {
                self.open_segment()?;
            }
            let Some(cursor) = &mut self.cursor else { return Ok(None) };
            match cursor.next(&*files, self.position) {
                Ok(Some(record)) => {
                    let missed = record.sequence - self.position - 1;
                    self.position = record.sequence;
                    let batch = if record.payload.is_empty() {
                        Batch { tenant: record.tenant, ..Batch::default() }
                    } else {
                        wal::decode_rows(&record.payload, record.tenant)
                            .map_err(|what| self.damaged(what))?
                    };
                    return Ok(Some(Followed { position: self.position, missed, batch }));
                }
                Ok(None) => {
                    if !self.turn_page()? {
                        return Ok(None);
                    }
                }
                Err(damage @ Error::Damaged { .. }) => {
                    if !cursor.step_over(&*files)? && !self.turn_page()? {
                        return Err(damage);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Opens the segment that the next record is in.
    fn open_segment(&mut self) -> Result<(), Error> {
        let files = &*self.db.files;
        let mut number = held(&self.db.commit).wal.first_number_above(self.position);
        for _ in 0..OPENINGS_MAX {
            self.cursor = Cursor::open(files, self.db.database, number)?;
            if self.cursor.is_some() {
                return Ok(());
            }
            // It was given up just now.
            number = held(&self.db.commit).wal.first_number_above(self.position).max(number + 1);
        }
        Err(Error::Missing { file: files.path_of(&wal::segment_path(number)) })
    }

    /// Goes to the segment behind; false where there is none.
    fn turn_page(&mut self) -> Result<bool, Error> {
        let Some(cursor) = &self.cursor else { return Ok(true) };
        let Some(next) = held(&self.db.commit).wal.number_behind(cursor.number()) else {
            return Ok(false);
        };
        self.cursor = Cursor::open(&*self.db.files, self.db.database, next)?;
        Ok(true)
    }

    fn damaged(&self, what: Damage) -> Error {
        let file = self.db.files.path_of(wal::FOLDER);
        Error::Damaged { file, at: self.position, what }
    }

    /// Visits the labels of series, in order; None for one that the catalog does not know.
    pub fn labels(&self, series: &[SeriesRef], mut visit: impl FnMut(SeriesRef, Option<Labels>)) {
        self.db.catalog.with(|index| {
            for it in series {
                visit(*it, index.slot(*it).map(|slot| index.labels(slot)));
            }
        });
    }
}

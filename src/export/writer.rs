//! What every format is: series after series, rows after rows, and pieces of bytes that go out.

use std::mem;

use crate::model::{Error, Labels, Rows};

/// Bytes that are gathered before they are sent on.
const PIECE_BYTES: usize = 64 << 10;

/// Takes pieces of bytes; an error ends the export.
pub type Send<'a> = &'a mut dyn FnMut(Vec<u8>) -> Result<(), Error>;

/// Rows in one format. Memory is bounded, whatever comes.
pub trait RowWriter {
    /// The rows that follow are of this series.
    ///
    /// # Errors
    /// What sending returned.
    fn series(&mut self, labels: &Labels) -> Result<(), Error>;

    /// Consecutive rows of the series, by time.
    ///
    /// # Errors
    /// What sending returned.
    fn rows(&mut self, rows: Rows<'_>) -> Result<(), Error>;

    /// Sends what is left. Call once, after the last row.
    ///
    /// # Errors
    /// What sending returned.
    fn finish(self: Box<Self>) -> Result<(), Error>;
}

/// Bytes on their way out.
pub struct Pieces<'a> {
    pub(super) out: Vec<u8>,
    send: Send<'a>,
}

impl<'a> Pieces<'a> {
    /// `send` takes pieces of about 64 KiB.
    pub fn new(send: Send<'a>) -> Self {
        Self { out: Vec::with_capacity(PIECE_BYTES + (PIECE_BYTES >> 2)), send }
    }

    /// Sends the piece, if it is large enough.
    pub(super) fn send_full(&mut self) -> Result<(), Error> {
        if self.out.len() < PIECE_BYTES {
            return Ok(());
        }
        let next = Vec::with_capacity(PIECE_BYTES + (PIECE_BYTES >> 2));
        (self.send)(mem::replace(&mut self.out, next))
    }

    /// Sends what there is.
    pub(super) fn send_rest(&mut self) -> Result<(), Error> {
        if self.out.is_empty() { Ok(()) } else { (self.send)(mem::take(&mut self.out)) }
    }
}

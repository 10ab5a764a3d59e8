//! A stream of Arrow record batches: those of `table`, as they are.

use arrow_array::RecordBatch;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::ArrowError;

use super::table::{BatchRows, Sheet};
use crate::export::Pieces;
use crate::model::Error;

/// Writes an Arrow stream.
pub type ArrowRows<'a> = BatchRows<'a, StreamWriter<Vec<u8>>>;

fn failed(error: &ArrowError) -> Error {
    Error::Invalid(format!("cannot write Arrow: {error}"))
}

impl<'a> ArrowRows<'a> {
    /// `columns` are the names of all labels there will be.
    ///
    /// # Errors
    /// [`Error::Invalid`] where a label has the name of another column.
    pub fn new(pieces: Pieces<'a>, columns: Vec<String>) -> Result<Self, Error> {
        Self::begin(pieces, columns, |schema| {
            StreamWriter::try_new(Vec::new(), &schema).map_err(|error| failed(&error))
        })
    }
}

impl Sheet for StreamWriter<Vec<u8>> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        Self::write(self, batch).map_err(|error| failed(&error))
    }

    fn written(&mut self) -> &mut Vec<u8> {
        self.get_mut()
    }

    fn finish(self) -> Result<Vec<u8>, Error> {
        self.into_inner().map_err(|error| failed(&error))
    }
}

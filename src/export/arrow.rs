//! A stream of Arrow record batches: those of `table`, as they are.

use arrow_ipc::writer::StreamWriter;
use arrow_schema::ArrowError;

use super::table::{BATCH_ROWS, Table};
use crate::export::{Pieces, RowWriter};
use crate::model::{Error, Labels, Rows};

/// Writes an Arrow stream.
pub struct ArrowRows<'a> {
    pieces: Pieces<'a>,
    table: Table,
    writer: StreamWriter<Vec<u8>>,
}

fn failed(error: &ArrowError) -> Error {
    Error::Invalid(format!("cannot write Arrow: {error}"))
}

impl<'a> ArrowRows<'a> {
    /// `columns` are the names of all labels there will be.
    ///
    /// # Errors
    /// [`Error::Invalid`] where a label has the name of another column.
    pub fn new(pieces: Pieces<'a>, columns: Vec<String>) -> Result<Self, Error> {
        let table = Table::new(columns)?;
        let writer = StreamWriter::try_new(Vec::new(), &table.schema());
        Ok(Self { pieces, table, writer: writer.map_err(|error| failed(&error))? })
    }

    fn end_batch(&mut self) -> Result<(), Error> {
        if self.table.len() == 0 {
            return Ok(());
        }
        let batch = self.table.batch()?;
        self.writer.write(&batch).map_err(|error| failed(&error))?;
        self.pieces.out.append(self.writer.get_mut());
        self.pieces.send_full()
    }
}

impl RowWriter for ArrowRows<'_> {
    fn series(&mut self, labels: &Labels) -> Result<(), Error> {
        self.table.series(labels);
        Ok(())
    }

    fn rows(&mut self, rows: Rows<'_>) -> Result<(), Error> {
        self.table.rows(rows);
        if self.table.len() >= BATCH_ROWS { self.end_batch() } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> Result<(), Error> {
        self.end_batch()?;
        let rest = self.writer.into_inner().map_err(|error| failed(&error))?;
        self.pieces.out.extend_from_slice(&rest);
        self.pieces.send_rest()
    }
}

//! Parquet: the batches of `table`, in row groups of 131,072 rows, packed with zstd.

use std::sync::Arc;

use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::properties::WriterProperties,
};

use super::table::{BATCH_ROWS, Table};
use crate::export::{Pieces, RowWriter};
use crate::model::{Error, Labels, Rows};

/// Rows in a row group: what is held in memory before it is written.
const GROUP_ROWS: usize = 2 * BATCH_ROWS;

/// Writes Parquet.
pub struct ParquetRows<'a> {
    pieces: Pieces<'a>,
    table: Table,
    writer: ArrowWriter<Vec<u8>>,
}

fn failed(error: &ParquetError) -> Error {
    Error::Invalid(format!("cannot write Parquet: {error}"))
}

impl<'a> ParquetRows<'a> {
    /// `columns` are the names of all labels there will be.
    ///
    /// # Errors
    /// [`Error::Invalid`] where a label has the name of another column.
    pub fn new(pieces: Pieces<'a>, columns: Vec<String>) -> Result<Self, Error> {
        let table = Table::new(columns)?;
        let level = ZstdLevel::try_new(3).map_err(|error| failed(&error))?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .build();
        let writer =
            ArrowWriter::try_new(Vec::new(), Arc::clone(&table.schema()), Some(properties))
                .map_err(|error| failed(&error))?;
        Ok(Self { pieces, table, writer })
    }

    fn end_batch(&mut self) -> Result<(), Error> {
        if self.table.len() == 0 {
            return Ok(());
        }
        let batch = self.table.batch()?;
        self.writer.write(&batch).map_err(|error| failed(&error))?;
        // What is written goes out at once; the writer counts its place itself.
        self.pieces.out.append(self.writer.inner_mut());
        self.pieces.send_full()
    }
}

impl RowWriter for ParquetRows<'_> {
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

//! Parquet: the batches of `table`, in row groups of 131,072 rows, packed with zstd.

use arrow_array::RecordBatch;
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::properties::WriterProperties,
};

use super::table::{BATCH_ROWS, BatchRows, Sheet};
use crate::export::Pieces;
use crate::model::Error;

/// Rows in a row group: what is held in memory before it is written.
const GROUP_ROWS: usize = 2 * BATCH_ROWS;

/// Writes Parquet.
pub type ParquetRows<'a> = BatchRows<'a, ArrowWriter<Vec<u8>>>;

fn failed(error: &ParquetError) -> Error {
    Error::Invalid(format!("cannot write Parquet: {error}"))
}

impl<'a> ParquetRows<'a> {
    /// `columns` are the names of all labels there will be.
    ///
    /// # Errors
    /// [`Error::Invalid`] where a label has the name of another column.
    pub fn new(pieces: Pieces<'a>, columns: Vec<String>) -> Result<Self, Error> {
        Self::begin(pieces, columns, |schema| {
            let level = ZstdLevel::try_new(3).map_err(|error| failed(&error))?;
            let properties = WriterProperties::builder()
                .set_compression(Compression::ZSTD(level))
                .set_max_row_group_row_count(Some(GROUP_ROWS))
                .build();
            ArrowWriter::try_new(Vec::new(), schema, Some(properties))
                .map_err(|error| failed(&error))
        })
    }
}

impl Sheet for ArrowWriter<Vec<u8>> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        Self::write(self, batch).map_err(|error| failed(&error))
    }

    /// What is taken goes out at once: the writer counts its place itself.
    fn written(&mut self) -> &mut Vec<u8> {
        self.inner_mut()
    }

    fn finish(self) -> Result<Vec<u8>, Error> {
        self.into_inner().map_err(|error| failed(&error))
    }
}

//! Rows as a Parquet file, written in one go.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::error::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

/// As much of a row group is kept, more or less, before it is written.
const ROW_GROUP_BYTES: usize = 16 << 20;

/// Writes a Parquet file to what can only be appended to. It keeps a row group in memory at a time.
pub(super) struct ParquetWriter<W: Write + Send> {
    /// `None` once the file is whole.
    writer: Option<ArrowWriter<W>>,
    schema: SchemaRef,
}

impl<W: Write + Send> ParquetWriter<W> {
    /// A file with these columns, whose names differ.
    pub(super) fn new(out: W, schema: &Schema) -> Result<Self, ArrowError> {
        let schema = Arc::new(kept(schema));
        let compression = Compression::ZSTD(ZstdLevel::default());
        let properties = WriterProperties::builder().set_compression(compression).build();
        let writer = ArrowWriter::try_new(out, Arc::clone(&schema), Some(properties)).map_err(told)?;
        Ok(Self { writer: Some(writer), schema })
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let writer = self.writer.as_mut().ok_or_else(ended)?;
        let columns = batch.columns().iter().zip(self.schema.fields());
        let columns =
            columns.map(|(values, field)| of_type(values, field.data_type())).collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?;
        writer.write(&batch).map_err(told)?;
        if writer.in_progress_size() >= ROW_GROUP_BYTES {
            writer.flush().map_err(told)?;
        }
        Ok(())
    }

    pub(super) fn finish(&mut self) -> Result<(), ArrowError> {
        let writer = self.writer.take().ok_or_else(ended)?;
        writer.close().map(|_| ()).map_err(told)
    }
}

/// The columns as the file has them: what Parquet has no type for is text there, as it is in CSV.
fn kept(schema: &Schema) -> Schema {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Interval(_) | DataType::Duration(_) => field.as_ref().clone().with_data_type(DataType::Utf8),
        _ => field.as_ref().clone(),
    });
    Schema::new(fields.collect::<Vec<_>>())
}

fn of_type(values: &ArrayRef, of: &DataType) -> Result<ArrayRef, ArrowError> {
    if values.data_type() == of { Ok(Arc::clone(values)) } else { cast(values, of) }
}

fn told(error: ParquetError) -> ArrowError {
    match error {
        ParquetError::ArrowError(text) | ParquetError::General(text) | ParquetError::NYI(text) => {
            ArrowError::InvalidArgumentError(text)
        }
        other => ArrowError::ParquetError(other.to_string()),
    }
}

fn ended() -> ArrowError {
    ArrowError::InvalidArgumentError("the file has been ended".to_owned())
}

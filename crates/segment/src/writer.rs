//! Writes segments in every format.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::ipc::writer::StreamWriter;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::batch::{record_columns, record_schema};
use crate::{Error, Format, Result, SegmentRows};

/// Writes batches of segments as NDJSON, a JSON array, an Arrow IPC stream or a Parquet file. When a store took them is
/// not written.
pub struct SegmentWriter<W: Write + Send>(Target<W>);

enum Target<W: Write + Send> {
    Ndjson(W),
    Json { out: W, is_first: bool },
    Arrow(Box<StreamWriter<W>>),
    Parquet(Box<ArrowWriter<W>>),
}

impl<W: Write + Send> SegmentWriter<W> {
    /// A writer of `format` to `out`.
    ///
    /// # Errors
    /// Where the beginning cannot be written.
    pub fn new(format: Format, mut out: W) -> Result<Self> {
        Ok(Self(match format {
            Format::Ndjson => Target::Ndjson(out),
            Format::Json => {
                out.write_all(b"[")?;
                Target::Json { out, is_first: true }
            }
            Format::Arrow => Target::Arrow(Box::new(StreamWriter::try_new(out, &record_schema())?)),
            Format::Parquet => Target::Parquet(Box::new(parquet_writer(out)?)),
        }))
    }

    /// Writes the rows of `batch`, which is of [`schema`](crate::schema()).
    ///
    /// # Errors
    /// Where they cannot be written.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match &mut self.0 {
            Target::Ndjson(out) => write_objects(batch, |json| {
                out.write_all(json)?;
                out.write_all(b"\n")
            }),
            Target::Json { out, is_first } => write_objects(batch, |json| {
                out.write_all(if std::mem::take(is_first) { b"\n" } else { b",\n" })?;
                out.write_all(json)
            }),
            Target::Arrow(writer) => Ok(writer.write(&record_columns(batch)?)?),
            Target::Parquet(writer) => writer.write(&record_columns(batch)?).map_err(unwritable),
        }
    }

    /// Writes the end, and returns the output.
    ///
    /// # Errors
    /// Where the end cannot be written.
    pub fn finish(self) -> Result<W> {
        match self.0 {
            Target::Ndjson(out) => Ok(out),
            Target::Json { mut out, .. } => {
                out.write_all(b"\n]\n")?;
                Ok(out)
            }
            Target::Arrow(writer) => Ok(writer.into_inner()?),
            Target::Parquet(writer) => writer.into_inner().map_err(unwritable),
        }
    }
}

fn write_objects(batch: &RecordBatch, mut write: impl FnMut(&[u8]) -> std::io::Result<()>) -> Result<()> {
    let rows = SegmentRows::new(batch)?;
    let mut json = Vec::new();
    for row in 0..rows.len() {
        json.clear();
        serde_json::to_writer(&mut json, &rows.segment(row)?).map_err(std::io::Error::from)?;
        write(&json)?;
    }
    Ok(())
}

fn parquet_writer<W: Write + Send>(out: W) -> Result<ArrowWriter<W>> {
    let level = ZstdLevel::try_new(1).map_err(unwritable)?;
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
    // Without Arrow's own metadata the columns are what Parquet says: plain text and timestamps for every reader.
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    ArrowWriter::try_new_with_options(out, record_schema(), options).map_err(unwritable)
}

fn unwritable(error: parquet::errors::ParquetError) -> Error {
    Error::Unwritable { format: Format::Parquet.name(), reason: error.to_string() }
}

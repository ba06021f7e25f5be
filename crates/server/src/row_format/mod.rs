//! Rows as JSON, CSV, Arrow or Parquet, written while they come.

mod calendar;
mod keys;
mod parquet;

use std::io::{self, Write};
use std::mem;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use arrow_json::writer::{JsonArray, LineDelimited};
use parking_lot::Mutex;

use self::parquet::ParquetWriter;
use calendar::check_calendar;
use keys::{with_keys, with_names};

/// RFC 3339 without a zone, for times that have none: clocks of some place show them.
const TIME_FORMAT: &str = "%Y-%m-%dT%H:%M:%S%.f";

/// A format of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFormat {
    /// An array of objects.
    Json,
    /// One object a line.
    Ndjson,
    /// One line with the names of the columns, then one line a row.
    Csv,
    /// An Arrow IPC stream.
    Arrow,
    /// A Parquet file.
    Parquet,
}

impl RowFormat {
    /// All formats by the names that requests give them.
    pub(crate) const NAMES: [(&'static str, Self); 5] = [
        ("json", Self::Json),
        ("ndjson", Self::Ndjson),
        ("csv", Self::Csv),
        ("arrow", Self::Arrow),
        ("parquet", Self::Parquet),
    ];

    /// All formats by media type. A client that takes any of them gets the first.
    pub(crate) const MEDIA_TYPES: [(&'static str, Self); 5] = [
        ("application/json", Self::Json),
        ("application/x-ndjson", Self::Ndjson),
        ("text/csv", Self::Csv),
        ("application/vnd.apache.arrow.stream", Self::Arrow),
        ("application/vnd.apache.parquet", Self::Parquet),
    ];

    /// The header `Content-Type` of such rows.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Arrow => "application/vnd.apache.arrow.stream",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// What a file of such rows is called after its point.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Arrow => "arrows",
            Self::Parquet => "parquet",
        }
    }

    /// Whether columns are told apart by their names.
    fn has_keys(self) -> bool {
        matches!(self, Self::Json | Self::Ndjson | Self::Parquet)
    }
}

/// Writes rows as they come. The bytes written so far can be taken at any time.
pub struct RowWriter {
    written: Buffer,
    writer: Writer,
    /// The columns by keys of their own, where those of the rows are not all different and objects are written.
    keys: Option<SchemaRef>,
}

enum Writer {
    Json(arrow_json::Writer<Buffer, JsonArray>),
    Ndjson(arrow_json::Writer<Buffer, LineDelimited>),
    Csv(Box<arrow_csv::Writer<Buffer>>),
    Arrow(Box<StreamWriter<Buffer>>),
    Parquet(Box<ParquetWriter<Buffer>>),
}

impl RowWriter {
    /// A writer of rows with these columns. Text has times in RFC 3339. Where columns have one name, objects and Parquet
    /// have the second as `name_2`.
    ///
    /// # Errors
    /// Where the format cannot hold such columns. [`write`](Self::write) and [`finish`](Self::finish) fail then too.
    pub fn new(format: RowFormat, schema: &Schema) -> Result<Self, ArrowError> {
        let written = Buffer::default();
        let keys = if format.has_keys() { with_keys(schema).map(Arc::new) } else { None };
        let json = || {
            let builder = arrow_json::WriterBuilder::new();
            builder.with_explicit_nulls(true).with_timestamp_format(TIME_FORMAT.to_owned())
        };
        let writer = match format {
            RowFormat::Json => Writer::Json(json().build(written.clone())),
            RowFormat::Ndjson => Writer::Ndjson(json().build(written.clone())),
            RowFormat::Csv => {
                let builder = arrow_csv::WriterBuilder::new().with_timestamp_format(TIME_FORMAT.to_owned());
                let mut writer = builder.build(written.clone());
                // Writes the names of the columns even where no rows come.
                writer.write(&RecordBatch::new_empty(Arc::new(schema.clone())))?;
                Writer::Csv(Box::new(writer))
            }
            RowFormat::Arrow => Writer::Arrow(Box::new(StreamWriter::try_new(written.clone(), schema)?)),
            RowFormat::Parquet => {
                let columns = keys.as_deref().unwrap_or(schema);
                Writer::Parquet(Box::new(ParquetWriter::new(written.clone(), columns)?))
            }
        };
        Ok(Self { written, writer, keys })
    }

    /// Writes the rows of a batch.
    ///
    /// # Errors
    /// As with [`new`](Self::new), and for a value that the format cannot tell: a time beyond the calendar in text.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        if !matches!(self.writer, Writer::Arrow(_) | Writer::Parquet(_)) {
            Self::check(batch)?;
        }
        let keyed = self.keys.as_ref().map(|keys| with_names(batch, keys)).transpose()?;
        let batch = keyed.as_ref().unwrap_or(batch);
        match &mut self.writer {
            Writer::Json(writer) => writer.write(batch),
            Writer::Ndjson(writer) => writer.write(batch),
            Writer::Csv(writer) => writer.write(batch),
            Writer::Arrow(writer) => writer.write(batch),
            Writer::Parquet(writer) => writer.write(batch),
        }
    }

    /// Looks whether a text can tell all values of a batch.
    ///
    /// # Errors
    /// Where it cannot: for a time beyond the calendar.
    pub fn check(batch: &RecordBatch) -> Result<(), ArrowError> {
        check_calendar(batch)
    }

    /// Writes the end of the format, after the last row.
    ///
    /// # Errors
    /// As with [`new`](Self::new).
    pub fn finish(&mut self) -> Result<(), ArrowError> {
        match &mut self.writer {
            Writer::Json(writer) => writer.finish(),
            Writer::Ndjson(writer) => writer.finish(),
            Writer::Csv(_) => Ok(()),
            Writer::Arrow(writer) => writer.finish(),
            Writer::Parquet(writer) => writer.finish(),
        }
    }

    /// Takes the bytes that were written since the last call.
    pub fn take(&mut self) -> Vec<u8> {
        mem::take(&mut self.written.0.lock())
    }

    pub(crate) fn length(&self) -> usize {
        self.written.0.lock().len()
    }
}

/// Bytes that the writer of a format appends, and [`RowWriter`] takes.
#[derive(Debug, Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

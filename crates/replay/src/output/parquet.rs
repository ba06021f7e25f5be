//! Reports as Parquet, one row for each set of metrics.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMillisecondArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::basic::Compression;
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use skillscope_query::Report;

use super::{beside, complete, open_partial, remove};
use crate::{Error, Result};

/// The number of rows that are passed to the Parquet writer at a time.
const BATCH_ROWS: usize = 64 << 10;

const TIME_ZONE: &str = "UTC";

/// A row for each set of metrics: of an account at an instant, of an interval or (null) the whole timeframe, and of a
/// skill or (null) all skills together.
///
/// A Parquet file cannot be continued, so each checkpoint ends a part, which is a file of its own. At the end, the
/// pages of all parts are copied to one file.
pub(crate) struct ParquetOutput {
    path: PathBuf,
    /// The file to which the parts are copied in the end.
    whole: File,
    /// The number of complete parts.
    parts: u64,
    /// The writer of the current part.
    writer: Option<ArrowWriter<File>>,
    batches: Vec<RecordBatch>,
    rows: usize,
}

impl ParquetOutput {
    pub(super) fn open(path: &Path, parts: u64) -> Result<Self> {
        let whole = open_partial(path)?;
        // The parts after the checkpoint are written again.
        let mut stale = parts;
        while part(path, stale).exists() {
            remove(&part(path, stale))?;
            stale += 1;
        }
        Ok(Self { path: path.to_owned(), whole, parts, writer: None, batches: Vec::new(), rows: 0 })
    }

    pub(super) fn reaches(path: &Path, parts: u64) -> bool {
        (0..parts).all(|number| part(path, number).exists())
    }

    pub(super) fn write(&mut self, account: &str, now: i64, report: &Report) -> Result<()> {
        let batch = rows(account, now, report)?;
        self.rows += batch.num_rows();
        self.batches.push(batch);
        if self.rows >= BATCH_ROWS { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        let part = part(&self.path, self.parts);
        let batch = concat_batches(&schema(), &self.batches).map_err(|error| failed(&part)(error.into()))?;
        self.batches.clear();
        self.rows = 0;
        let mut writer = match self.writer.take() {
            Some(writer) => writer,
            None => {
                let file = File::create(&part).map_err(Error::output(&part))?;
                ArrowWriter::try_new(file, schema(), Some(properties())).map_err(failed(&part))?
            }
        };
        writer.write(&batch).map_err(failed(&part))?;
        self.writer = Some(writer);
        Ok(())
    }

    pub(super) fn sync(&mut self) -> Result<u64> {
        if self.rows > 0 {
            self.flush()?;
        }
        if let Some(writer) = self.writer.take() {
            let part = part(&self.path, self.parts);
            let file = writer.into_inner().map_err(failed(&part))?;
            file.sync_all().map_err(Error::output(&part))?;
            self.parts += 1;
        }
        Ok(self.parts)
    }

    pub(super) fn finish(mut self) -> Result<()> {
        self.sync()?;
        let parts: Vec<PathBuf> = (0..self.parts).map(|number| part(&self.path, number)).collect();
        join(&parts, &self.whole, &beside(&self.path, ".partial"))?;
        complete(&self.path)?;
        parts.iter().try_for_each(|part| remove(part))
    }
}

fn part(path: &Path, number: u64) -> PathBuf {
    beside(path, &format!(".partial-{number}"))
}

fn failed(path: &Path) -> impl Fn(ParquetError) -> Error {
    let path = path.to_owned();
    move |error| Error::output(&path)(std::io::Error::other(error))
}

fn properties() -> WriterProperties {
    let compression = Compression::ZSTD(Default::default());
    WriterProperties::builder().set_compression(compression).set_writer_version(WriterVersion::PARQUET_1_0).build()
}

/// Copies the row groups of the parts to one file.
fn join(parts: &[PathBuf], file: &File, whole: &Path) -> Result<()> {
    file.set_len(0).map_err(Error::output(whole))?;
    // The schema is in the file even if no part is.
    let writer = ArrowWriter::try_new(file, schema(), Some(properties())).map_err(failed(whole))?;
    let mut writer: SerializedFileWriter<&File> = writer.into_serialized_writer().map_err(failed(whole))?.0;
    for path in parts {
        let part = File::open(path).map_err(Error::output(path))?;
        let read = ArrowReaderMetadata::load(&part, ArrowReaderOptions::new()).map_err(failed(path))?;
        for group in read.metadata().row_groups() {
            let mut out = writer.next_row_group().map_err(failed(whole))?;
            for column in group.columns() {
                let copied = ColumnCloseResult {
                    bytes_written: u64::try_from(column.compressed_size()).unwrap_or(0),
                    rows_written: u64::try_from(group.num_rows()).unwrap_or(0),
                    metadata: column.clone(),
                    bloom_filter: None,
                    column_index: None,
                    offset_index: None,
                };
                out.append_column(&part, copied).map_err(failed(whole))?;
            }
            out.close().map_err(failed(whole))?;
        }
    }
    writer.close().map_err(failed(whole))?;
    file.sync_all().map_err(Error::output(whole))
}

/// The columns: the account and the instant of a report, and the columns of its rows.
fn schema() -> SchemaRef {
    let now = DataType::Timestamp(TimeUnit::Millisecond, Some(TIME_ZONE.into()));
    let keys = [Field::new("account_id", DataType::Utf8, false), Field::new("now", now, false)];
    let of_report = Report::rows_schema();
    let fields = keys.into_iter().chain(of_report.fields().iter().map(|field| field.as_ref().clone()));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn rows(account: &str, now: i64, report: &Report) -> Result<RecordBatch> {
    let of_report = report.to_rows().map_err(Error::Query)?;
    let count = of_report.num_rows();
    let accounts = StringArray::from_iter_values(std::iter::repeat_n(account, count));
    let instants =
        TimestampMillisecondArray::from_iter_values(std::iter::repeat_n(now, count)).with_timezone(TIME_ZONE);
    let mut columns: Vec<ArrayRef> = vec![Arc::new(accounts), Arc::new(instants)];
    columns.extend(of_report.columns().iter().cloned());
    RecordBatch::try_new(schema(), columns).map_err(|error| Error::Plan(error.into()))
}

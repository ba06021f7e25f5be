//! Reads the rows of batches that a decoder of the Arrow or Parquet library returns.

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::datatypes::SchemaRef;

use super::collector::Collector;
use super::{Chunk, Format};
use crate::{Error, SegmentRows};

/// Reads the rows of every batch of `reader`, whose columns mean what the fields of `schema` say.
pub(super) fn read_batches<E: From<Error>, S>(
    mut reader: impl RecordBatchReader,
    schema: &SchemaRef,
    collector: &mut Collector<'_, S>,
) -> Result<(), E>
where
    S: FnMut(Chunk) -> Result<(), E>,
{
    check_columns(schema, Format::Parquet)?;
    let mut line = 0;
    let mut next = || match reader.next().transpose()? {
        Some(batch) => batch.with_schema(Arc::clone(schema)).map(Some),
        None => Ok(None),
    };
    while let Some(batch) = guarded(&mut next).transpose() {
        match batch {
            Ok(batch) => line = take_rows(&batch, line, collector)?,
            Err(reason) => return collector.broken(line + 1, reason),
        }
    }
    Ok(())
}

/// Checks that the columns of a segment are there, each of a type that can be read: also where no batch follows.
pub(super) fn check_columns(schema: &SchemaRef, format: Format) -> Result<(), Error> {
    // There are types of which the library can make no column.
    let empty = guarded(|| Ok::<_, String>(RecordBatch::new_empty(Arc::clone(schema))));
    let unreadable = |reason| Error::Unreadable { format: format.name(), reason };
    SegmentRows::new(&empty.map_err(unreadable)?).map(drop)
}

/// Passes the rows of a batch to the collector. `line` is the number of the record before the first row; the number of
/// the last row is returned.
pub(super) fn take_rows<E: From<Error>, S>(
    batch: &RecordBatch,
    mut line: u64,
    collector: &mut Collector<'_, S>,
) -> Result<u64, E>
where
    S: FnMut(Chunk) -> Result<(), E>,
{
    let rows = SegmentRows::in_zone(batch, collector.time_zone())?;
    collector.begin_batch(&rows)?;
    if collector.take_whole(batch, &rows, line)? {
        return Ok(line + rows.len() as u64);
    }
    for row in 0..rows.len() {
        line += 1;
        collector.take(line, rows.segment(row))?;
    }
    Ok(line)
}

/// Runs a step of a library's decoder over bytes from outside. A panic of the decoder counts as an error of the input.
pub(super) fn guarded<T, E: Display>(step: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(step)) {
        Ok(outcome) => outcome.map_err(|error| error.to_string()),
        Err(_) => Err("its bytes are corrupt".to_owned()),
    }
}

use std::io::BufRead;

use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::ipc::reader::StreamReader;

use super::collector::Collector;
use super::parquet::guarded;
use super::{Chunk, Format};
use crate::{Error, SegmentRows};

/// An Arrow IPC *file* is this, padded to 8 bytes, and then a stream; its footer comes after the stream's end.
const FILE_MAGIC: &[u8] = b"ARROW1";
const FILE_PREFIX_BYTES: usize = 8;

pub(super) fn read<E: From<Error>, S>(mut input: impl BufRead, collector: &mut Collector<'_, S>) -> Result<(), E>
where
    S: FnMut(Chunk) -> Result<(), E>,
{
    skip_file_prefix(&mut input).map_err(Error::from)?;
    let reader = guarded(|| StreamReader::try_new(input, None));
    let reader = reader.map_err(|reason| Error::Unreadable { format: Format::Arrow.name(), reason })?;
    read_batches(reader, collector)
}

/// Reads the rows of every batch that `reader` gives.
pub(super) fn read_batches<E: From<Error>, S>(
    mut reader: impl RecordBatchReader,
    collector: &mut Collector<'_, S>,
) -> Result<(), E>
where
    S: FnMut(Chunk) -> Result<(), E>,
{
    // Columns that are missing are found here even where no batch follows.
    SegmentRows::new(&RecordBatch::new_empty(reader.schema()))?;
    let mut line = 0;
    while let Some(batch) = reader_next(&mut reader) {
        let rows = match batch.and_then(|batch| guarded(|| SegmentRows::new(&batch))) {
            Ok(rows) => rows,
            Err(reason) => return collector.broken(line + 1, reason),
        };
        for row in 0..rows.len() {
            line += 1;
            collector.take(line, rows.segment(row))?;
        }
    }
    Ok(())
}

fn reader_next(reader: &mut impl RecordBatchReader) -> Option<Result<RecordBatch, String>> {
    guarded(|| reader.next().transpose()).transpose()
}

fn skip_file_prefix(input: &mut impl BufRead) -> std::io::Result<()> {
    if input.fill_buf()?.starts_with(FILE_MAGIC) {
        input.read_exact(&mut [0; FILE_PREFIX_BYTES])?;
    }
    Ok(())
}

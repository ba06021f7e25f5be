//! Reads Parquet files. Each is looked at before it is decoded, since the library believes what a file says of itself.

mod columns;
mod delta;
mod footer;
mod page_header;
mod pages;
mod shapes;
#[cfg(test)]
mod tests;
mod texts;
mod thrift;

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::datatypes::{Schema, SchemaRef};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::ChunkReader;

use super::batches::{check_columns, guarded, read_batches};
use super::collector::Collector;
use super::unfolding::Unfolding;
use super::{Chunk, Format, Input};
use crate::{Error, Result};
pub use footer::{TAIL_BYTES, decode_metadata, metadata_length};

pub(super) fn read<E: From<Error>, S>(input: Input, collector: &mut Collector<'_, S>) -> std::result::Result<(), E>
where
    S: FnMut(Chunk) -> std::result::Result<(), E>,
{
    match input {
        Input::File(file) => read_chunks(file, collector),
        Input::Bytes(bytes) => read_chunks(bytes, collector),
        Input::Stream(mut stream) => {
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).map_err(Error::from)?;
            read_chunks(Bytes::from(bytes), collector)
        }
    }
}

fn read_chunks<E: From<Error>, S>(
    input: impl ChunkReader + 'static,
    collector: &mut Collector<'_, S>,
) -> std::result::Result<(), E>
where
    S: FnMut(Chunk) -> std::result::Result<(), E>,
{
    let metadata = Arc::new(footer::read(&input)?);
    let arrow = columns::arrow_metadata(&metadata)?;
    let ours = columns::ours(arrow.schema());
    let is_ours = |name: &str| ours.iter().any(|ours| ours == name);
    check_types(arrow.schema(), is_ours)?;
    let input = Arc::new(input);
    pages::check(&input, &metadata, is_ours, &mut Unfolding::within(collector.most_unfolded()))?;
    let reader = guarded(|| {
        let input = Arc::into_inner(input).ok_or("it is still being looked at")?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(input, arrow);
        let projection = ProjectionMask::columns(builder.parquet_schema(), ours.iter().map(String::as_str));
        builder.with_projection(projection).build().map_err(|error| error.to_string())
    });
    let reader = reader.map_err(unreadable)?;
    let schema = columns::with_meaning(&reader.schema(), &metadata);
    read_batches(reader, &schema, collector)
}

/// Passes on the batches of a file, in memory, whose columns may be any, and tells which they are.
///
/// # Errors
/// Where it cannot be read to its end, and the errors of `take`.
pub(super) fn each_batch(
    bytes: Bytes,
    most_unfolded: u64,
    mut take: impl FnMut(RecordBatch) -> Result<()>,
) -> Result<SchemaRef> {
    let metadata = Arc::new(footer::read(&bytes)?);
    let arrow = columns::arrow_metadata(&metadata)?;
    // There are types of which the library can make no column.
    guarded(|| Ok::<_, String>(RecordBatch::new_empty(Arc::clone(arrow.schema())))).map_err(unreadable)?;
    pages::check(&Arc::new(bytes.clone()), &metadata, |_| true, &mut Unfolding::within(Some(most_unfolded)))?;
    let reader = guarded(|| {
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(bytes, arrow).build();
        reader.map_err(|error| error.to_string())
    });
    let mut reader = reader.map_err(unreadable)?;
    while let Some(batch) = guarded(|| reader.next().transpose()).map_err(unreadable)? {
        take(batch)?;
    }
    Ok(reader.schema())
}

/// Checks that the columns of a segment are there, each of a type that can be read.
fn check_types(schema: &SchemaRef, is_ours: impl Fn(&str) -> bool) -> Result<()> {
    let ours = schema.fields().iter().filter(|field| is_ours(field.name())).cloned();
    let ours = Arc::new(Schema::new(ours.collect::<Vec<_>>()));
    check_columns(&ours, Format::Parquet)
}

/// Checks the pages of a Parquet file whose columns others are to decode: those of the names that `is_needed` has.
///
/// # Errors
/// Where a page says something of itself that must not be believed.
pub fn check_pages<R: ChunkReader + 'static>(
    input: R,
    metadata: &ParquetMetaData,
    is_needed: impl Fn(&str) -> bool,
) -> Result<()> {
    pages::check(&Arc::new(input), metadata, is_needed, &mut Unfolding::within(None))
}

/// The Arrow schema of a Parquet file.
///
/// # Errors
/// Where it has none.
pub fn arrow_schema(metadata: &ParquetMetaData) -> Result<Schema> {
    let file = metadata.file_metadata();
    guarded(|| parquet::arrow::parquet_to_arrow_schema(file.schema_descr(), file.key_value_metadata()))
        .map_err(unreadable)
}

fn unreadable(reason: String) -> Error {
    Error::Unreadable { format: Format::Parquet.name(), reason }
}

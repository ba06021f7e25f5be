//! Reads Parquet files.

use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::reader::ChunkReader;

use super::batches::{guarded, read_batches};
use super::collector::Collector;
use super::{Chunk, Format, Input};
use crate::Error;

pub(super) fn read<E: From<Error>, S>(input: Input, collector: &mut Collector<'_, S>) -> Result<(), E>
where
    S: FnMut(Chunk) -> Result<(), E>,
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

fn read_chunks<E: From<Error>, S>(input: impl ChunkReader + 'static, collector: &mut Collector<'_, S>) -> Result<(), E>
where
    S: FnMut(Chunk) -> Result<(), E>,
{
    let reader = guarded(|| {
        let builder = ParquetRecordBatchReaderBuilder::try_new(input)?;
        let schema = crate::schema();
        let ours = schema.fields().iter().map(|field| field.name().as_str());
        let projection = ProjectionMask::columns(builder.parquet_schema(), ours);
        builder.with_projection(projection).build()
    });
    let reader = reader.map_err(|reason| Error::Unreadable { format: Format::Parquet.name(), reason })?;
    read_batches(reader, collector)
}

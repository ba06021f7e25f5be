//! Lets the Parquet reader read from an object store.

use std::ops::Range;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::{FutureExt, TryFutureExt};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ParquetMetaData;
use skillscope_segment::parquet_file::{TAIL_BYTES, decode_metadata, metadata_length};

/// The number of bytes that are read first, from the end of a file. Most footers fit. Reading more would slow down
/// archives of thousands of files.
const FOOTER_BYTES: u64 = 16 << 10;

/// Reads a Parquet file from an object store.
pub(super) struct ObjectReader {
    store: Arc<dyn ObjectStore>,
    meta: ObjectMeta,
}

impl ObjectReader {
    pub(super) fn new(store: &Arc<dyn ObjectStore>, meta: &ObjectMeta) -> Self {
        Self { store: Arc::clone(store), meta: meta.clone() }
    }

    /// The file's metadata. They are looked at before they are decoded, since anybody may have written the file.
    pub(super) async fn footer(&mut self) -> Result<Arc<ParquetMetaData>> {
        let size = self.meta.size;
        if size < TAIL_BYTES as u64 {
            return Err(corrupt("it is too short"));
        }
        let end = self.get_bytes(size.saturating_sub(FOOTER_BYTES)..size).await?;
        let metadata_end = end.len().checked_sub(TAIL_BYTES).ok_or_else(|| corrupt("it is too short"))?;
        let length = metadata_length(&end.slice(metadata_end..), size).map_err(unreadable)?;
        let metadata = match metadata_end.checked_sub(length) {
            Some(start) => end.slice(start..metadata_end),
            None => {
                let metadata_end = size.saturating_sub(TAIL_BYTES as u64);
                self.get_bytes(metadata_end.saturating_sub(length as u64)..metadata_end).await?
            }
        };
        Ok(Arc::new(decode_metadata(&metadata).map_err(unreadable)?))
    }
}

impl AsyncFileReader for ObjectReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<bytes::Bytes>> {
        self.store.get_range(&self.meta.location, range).map_err(failed).boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<bytes::Bytes>>> {
        async move { self.store.get_ranges(&self.meta.location, &ranges).await.map_err(failed) }.boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>>> {
        self.footer().boxed()
    }
}

fn corrupt(problem: &str) -> ParquetError {
    ParquetError::General(problem.to_owned())
}

/// What the look at a file found.
pub(super) fn unreadable(error: skillscope_segment::Error) -> ParquetError {
    match error {
        skillscope_segment::Error::Unreadable { reason, .. } => ParquetError::General(reason),
        error => ParquetError::General(error.to_string()),
    }
}

fn failed(error: object_store::Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}

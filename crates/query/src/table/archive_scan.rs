//! Reading archived rows, with DataFusion's source for Parquet. A file stays readable until the query ends, also where
//! it is removed meanwhile.

use std::ops::Range;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use bytes::Bytes;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::parquet::arrow::arrow_reader::ArrowReaderOptions;
use datafusion::parquet::arrow::async_reader::AsyncFileReader;
use datafusion::parquet::errors::{ParquetError, Result as ParquetResult};
use datafusion::parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::FutureExt;
use futures::future::BoxFuture;
use skillscope_segment::column;
use skillscope_store::{ArchiveFile, OpenArchiveFile};

/// The bytes that are read first, from the end of a file. Most footers and page indexes fit.
const FOOTER_BYTES: usize = 64 << 10;

/// A scan of files by at most `threads` threads, with the columns of `schema`. Plans call the files as `told` says. Row groups and pages that `predicate`
/// rules out are not read; rows that it rules out may still come.
pub(crate) fn archive_scan(
    files: Vec<Arc<ArchiveFile>>,
    predicate: Option<Arc<dyn PhysicalExpr>>,
    schema: &SchemaRef,
    projection: Option<&Vec<usize>>,
    limit: Option<usize>,
    threads: usize,
    told: impl Fn(&ArchiveFile) -> String,
) -> Result<Arc<dyn ExecutionPlan>> {
    let mut source = ParquetSource::new(Arc::clone(schema)).with_parquet_file_reader_factory(Arc::new(ArchiveReaders));
    if let Some(predicate) = predicate {
        source = source.with_predicate(predicate);
    }
    // The object store is never asked: the files are opened by the store.
    let config = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), Arc::new(source))
        .with_projection_indices(projection.cloned())?
        .with_limit(limit)
        .with_file_groups(shares(files, schema, threads, told))
        .build();
    Ok(DataSourceExec::from_data_source(config))
}

/// The files in groups of about the same number of rows, one for each thread.
fn shares(
    mut files: Vec<Arc<ArchiveFile>>,
    schema: &SchemaRef,
    threads: usize,
    told: impl Fn(&ArchiveFile) -> String,
) -> Vec<FileGroup> {
    files.sort_by_key(|file| std::cmp::Reverse(file.rows()));
    let mut groups: Vec<(u64, Vec<PartitionedFile>)> = vec![(0, Vec::new()); threads.clamp(1, files.len().max(1))];
    for file in files {
        // There is at least one group.
        if let Some((rows, group)) = groups.iter_mut().min_by_key(|(rows, _)| *rows) {
            *rows += file.rows();
            let in_file = columns_in(&file, schema);
            let file_of_scan = PartitionedFile::new(told(&file), file.bytes()).with_arrow_schema(in_file);
            group.push(file_of_scan.with_extension(file));
        }
    }
    groups.into_iter().map(|(_, files)| FileGroup::new(files)).collect()
}

/// The columns of `schema` that a file has.
fn columns_in(file: &ArchiveFile, schema: &SchemaRef) -> SchemaRef {
    if file.has_arrival_time() {
        return Arc::clone(schema);
    }
    let others = schema.fields().iter().filter(|field| field.name() != column::ARRIVAL_TIME);
    Arc::new(Schema::new(others.cloned().collect::<Vec<_>>()))
}

#[derive(Debug)]
struct ArchiveReaders;

impl ParquetFileReaderFactory for ArchiveReaders {
    fn create_reader(
        &self,
        _partition: usize,
        file: PartitionedFile,
        _metadata_size: Option<usize>,
        _metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let Some(file) = file.extension::<Arc<ArchiveFile>>() else {
            return Err(DataFusionError::Internal("a file that is not of the archive".to_owned()));
        };
        let open = file.open().map_err(|error| DataFusionError::External(Box::new(error)))?;
        Ok(Box::new(ArchiveReader(open)))
    }
}

/// Reads one file, on threads that may wait for the disk.
struct ArchiveReader(OpenArchiveFile);

impl AsyncFileReader for ArchiveReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        let read = self.read(vec![range]);
        async move { Ok(read.await?.pop().unwrap_or_default()) }.boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        self.read(ranges).boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        let length = self.0.bytes();
        async move {
            let reader = ParquetMetaDataReader::new()
                .with_page_index_policy(PageIndexPolicy::Optional)
                .with_prefetch_hint(Some(FOOTER_BYTES));
            Ok(Arc::new(reader.load_and_finish(self, length).await?))
        }
        .boxed()
    }
}

impl ArchiveReader {
    fn read(&self, ranges: Vec<Range<u64>>) -> impl Future<Output = ParquetResult<Vec<Bytes>>> + Send + use<> {
        let file = self.0.clone();
        async move {
            let read = tokio::task::spawn_blocking(move || file.read(&ranges)).await;
            let read = read.map_err(|error| ParquetError::External(Box::new(error)))?;
            read.map_err(|error| ParquetError::External(Box::new(error)))
        }
    }
}

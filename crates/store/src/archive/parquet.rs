//! The bytes of an archive file.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{TimestampMillisecondType, UInt32Type};
use arrow::error::ArrowError;
use bytes::{Buf, Bytes};
use parquet::arrow::arrow_reader::{
    ArrowPredicateFn, ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowFilter,
};
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::bloom_filter::Sbbf;
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{ReaderProperties, WriterProperties, WriterPropertiesBuilder};
use parquet::file::reader::{ChunkReader, FileReader, Length};
use parquet::file::serialized_reader::{ReadOptionsBuilder, SerializedFileReader};
use parquet::schema::types::ColumnPath;
use skillscope_segment::{column, normalize_encoding, normalize_encoding_to, record_schema, schema};

use super::reading::OpenArchiveFile;
use crate::error::Result;

/// Rows in a row group: one skill's rows of an hour are then some pages of a few groups.
const ROW_GROUP_ROWS: usize = 1 << 17;

/// Rows in a page, the least that a reader can pass over.
const PAGE_ROWS: usize = 1 << 13;

/// The false-positive rate of the bloom filter.
const FALSE_POSITIVES: f64 = 0.01;

/// The footer's name for the numbers of the files whose rows a file has taken over.
const REPLACES: &str = "skillscope.replaces";

/// A dictionary of times of arrival is worth its place where so many rows share each of them.
const ROWS_AN_ARRIVAL: usize = 8;

/// The columns that rows are sorted by.
const SORTED_BY: [&str; 3] = [column::SKILL_ID, column::USER_TYPE, column::END_TIME];

/// Rows are read back in batches of this size.
const BATCH_ROWS: usize = 1 << 18;

/// A Parquet file of the sorted rows of `batch`, which has taken over the rows of the files numbered `replaces`.
pub(crate) fn encode(batch: &RecordBatch, replaces: &[u64]) -> Result<Vec<u8>> {
    Ok(encoded(batch, replaces)?)
}

fn encoded(batch: &RecordBatch, replaces: &[u64]) -> std::result::Result<Vec<u8>, ParquetError> {
    // As long as in a file's name: the size of a file, which its account is told, tells nothing of how many others have.
    let replaces = replaces.iter().map(|number| format!("{number:08}")).collect::<Vec<_>>().join(",");
    let properties =
        properties(batch)?.set_key_value_metadata(Some(vec![KeyValue::new(REPLACES.to_owned(), replaces)])).build();
    // Arrow's own metadata is left out, so that every reader sees plain text and timestamps.
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(Vec::new(), schema(), options)?;
    writer.write(batch)?;
    writer.into_inner()
}

fn properties(batch: &RecordBatch) -> std::result::Result<WriterPropertiesBuilder, ParquetError> {
    let mut sorting = Vec::new();
    for name in SORTED_BY {
        let place = batch.schema().index_of(name)?;
        sorting.push(SortingColumn { column_idx: place as i32, descending: false, nulls_first: false });
    }
    let conversation = ColumnPath::from(column::CONVERSATION_ID);
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_sorting_columns(Some(sorting))
        .set_column_bloom_filter_enabled(conversation.clone(), true)
        .set_column_bloom_filter_fpp(conversation.clone(), FALSE_POSITIVES)
        .set_column_bloom_filter_max_ndv(conversation.clone(), batch.num_rows().min(ROW_GROUP_ROWS) as u64)
        .set_column_dictionary_enabled(conversation, false);
    // Times hardly repeat, and lie close to each other. Those of arrival repeat where many rows come together.
    let times = [column::START_TIME, column::END_TIME, column::FIRST_ASSIGNED_TIME, column::FIRST_AGENT_MESSAGE_TIME];
    let arrival_time = (!arrives_in_batches(batch)).then_some(column::ARRIVAL_TIME);
    for time in times.into_iter().chain(arrival_time) {
        builder = builder
            .set_column_dictionary_enabled(time.into(), false)
            .set_column_encoding(time.into(), Encoding::DELTA_BINARY_PACKED);
    }
    Ok(builder)
}

/// Whether rows share their times of arrival with so many others that a dictionary of the times is small.
fn arrives_in_batches(batch: &RecordBatch) -> bool {
    let Some(column) = batch.column_by_name(column::ARRIVAL_TIME) else { return false };
    let Some(times) = column.as_primitive_opt::<TimestampMillisecondType>() else { return false };
    let most = times.len() / ROWS_AN_ARRIVAL;
    let mut distinct = HashSet::new();
    times.values().iter().all(|time| {
        distinct.insert(*time);
        distinct.len() <= most.max(1)
    })
}

/// The rows of a file, with the schema of segments.
pub(crate) fn decode(bytes: Bytes) -> Result<Vec<RecordBatch>> {
    decoded(reader(bytes)?)
}

/// Some columns of the rows.
pub(crate) fn decode_columns(bytes: Bytes, names: &[&str]) -> Result<Vec<RecordBatch>> {
    let reader = reader(bytes)?;
    let places = names.iter().map(|name| schema().index_of(name)).collect::<Result<Vec<_>, _>>()?;
    let schema = Arc::new(schema().project(&places)?);
    let mask = ProjectionMask::columns(reader.parquet_schema(), names.iter().copied());
    let batches = reader.with_projection(mask).with_batch_size(BATCH_ROWS).build()?;
    batches.map(|batch| Ok(normalize_encoding_to(&batch?, Arc::clone(&schema))?)).collect()
}

/// The rows of some conversations, of which the whole file has few.
pub(crate) fn decode_conversations(bytes: Bytes, conversations: &HashSet<&str>) -> Result<Vec<RecordBatch>> {
    let reader = reader(bytes)?;
    let mask = ProjectionMask::columns(reader.parquet_schema(), [column::CONVERSATION_ID]);
    let wanted: HashSet<String> = conversations.iter().map(|conversation| (*conversation).to_owned()).collect();
    let is_wanted = ArrowPredicateFn::new(mask, move |batch: RecordBatch| {
        let names = batch.column(0).as_string::<i32>();
        Ok(names.iter().map(|name| Some(name.is_some_and(|name| wanted.contains(name)))).collect())
    });
    decoded(reader.with_row_filter(RowFilter::new(vec![Box::new(is_wanted)])))
}

fn reader(bytes: Bytes) -> Result<ParquetRecordBatchReaderBuilder<Bytes>> {
    let metadata = ArrowReaderMetadata::load(&bytes, ArrowReaderOptions::new())?;
    let schema = if tells_arrival(&metadata) { schema() } else { record_schema() };
    let options = ArrowReaderOptions::new().with_schema(schema);
    let metadata = ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options)?;
    Ok(ParquetRecordBatchReaderBuilder::new_with_metadata(bytes, metadata))
}

/// Whether a file has the column `arrival_time`, which files of older programs lack.
pub(crate) fn has_arrival_time(bytes: &Bytes) -> Result<bool> {
    Ok(tells_arrival(&ArrowReaderMetadata::load(bytes, ArrowReaderOptions::new())?))
}

fn tells_arrival(metadata: &ArrowReaderMetadata) -> bool {
    metadata.schema().index_of(column::ARRIVAL_TIME).is_ok()
}

fn decoded(builder: ParquetRecordBatchReaderBuilder<Bytes>) -> Result<Vec<RecordBatch>> {
    let mut batches = Vec::new();
    for batch in builder.with_batch_size(BATCH_ROWS).build()? {
        batches.push(without_slack(normalize_encoding(&batch?)?)?);
    }
    Ok(batches)
}

/// The batch without the memory that its buffers have beyond their content: the reader's grow by doubling.
fn without_slack(batch: RecordBatch) -> Result<RecordBatch> {
    let (schema, mut columns, _) = batch.into_parts();
    for column in &mut columns {
        if let Some(array) = Arc::get_mut(column) {
            array.shrink_to_fit();
        }
    }
    Ok(RecordBatch::try_new(schema, columns)?)
}

/// The numbers of the files whose rows a file has taken over.
pub(crate) fn replaces(bytes: Bytes) -> Result<Vec<u64>> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes)?;
    let footer = builder.metadata().file_metadata().key_value_metadata();
    let value = footer.into_iter().flatten().find(|entry| entry.key == REPLACES).and_then(|entry| entry.value.as_ref());
    Ok(value.into_iter().flat_map(|numbers| numbers.split(',')).filter_map(|number| number.parse().ok()).collect())
}

/// The keys of a file's rows: conversation, segment index and end time of each are given to `each`.
pub(crate) fn for_each_key(bytes: Bytes, mut each: impl FnMut(&str, u32, i64)) -> Result<()> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes)?;
    let names = [column::CONVERSATION_ID, column::SEGMENT_INDEX, column::END_TIME];
    let mask = ProjectionMask::columns(builder.parquet_schema(), names);
    for batch in builder.with_projection(mask).with_batch_size(BATCH_ROWS).build()? {
        let batch = batch?;
        let column = |name: &str| Ok::<_, ArrowError>(batch.column(batch.schema().index_of(name)?).clone());
        let (conversations, indexes, times) = (column(names[0])?, column(names[1])?, column(names[2])?);
        let indexes = indexes.as_primitive::<UInt32Type>().values();
        let times = times.as_primitive::<TimestampMillisecondType>().values();
        for ((conversation, index), time) in conversations.as_string::<i32>().iter().zip(indexes).zip(times) {
            each(conversation.unwrap_or_default(), *index, *time);
        }
    }
    Ok(())
}

/// Whether a file may hold a row of one of the conversations, by its bloom filters.
pub(crate) fn may_hold<'c>(file: OpenArchiveFile, mut conversations: impl Iterator<Item = &'c str>) -> Result<bool> {
    let filters = BloomFilters::read(file)?;
    Ok(conversations.any(|conversation| filters.may_hold(conversation)))
}

/// The bloom filters of a file's conversations, one for each row group; `None` where a row group has none.
pub(crate) struct BloomFilters(Vec<Option<Sbbf>>);

impl BloomFilters {
    pub(crate) fn read(file: OpenArchiveFile) -> Result<Self> {
        let properties = ReaderProperties::builder().set_read_bloom_filter(true).build();
        let options = ReadOptionsBuilder::new().with_reader_properties(properties).build();
        let reader = SerializedFileReader::new_with_options(DiskReader(file), options)?;
        let metadata = reader.metadata();
        let is_conversation = |path: &ColumnPath| path.string() == column::CONVERSATION_ID;
        let columns = metadata.file_metadata().schema_descr().columns();
        let place = columns.iter().position(|column| is_conversation(column.path()));
        let mut filters = Vec::new();
        for group in 0..metadata.num_row_groups() {
            let group = reader.get_row_group(group)?;
            filters.push(place.and_then(|place| group.get_column_bloom_filter(place).cloned()));
        }
        Ok(Self(filters))
    }

    /// Whether there may be a row of a conversation. A no is certain.
    pub(crate) fn may_hold(&self, conversation: &str) -> bool {
        self.0.iter().any(|filter| filter.as_ref().is_none_or(|filter| filter.check(conversation)))
    }
}

/// A file on disk, for the Parquet reader.
struct DiskReader(OpenArchiveFile);

impl Length for DiskReader {
    fn len(&self) -> u64 {
        self.0.bytes()
    }
}

impl ChunkReader for DiskReader {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> std::result::Result<Self::T, ParquetError> {
        let length = usize::try_from(self.len().saturating_sub(start)).unwrap_or(usize::MAX);
        Ok(self.get_bytes(start, length)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> std::result::Result<Bytes, ParquetError> {
        let read = self.0.read_stretch(start..start.saturating_add(length as u64));
        read.map_err(|error| ParquetError::External(Box::new(error)))
    }
}

//! One Parquet file of a folder or bucket: its account, its times and its number of rows.

use std::fs::File;
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, SchemaRef, TimeUnit, TimestampMillisecondType};
use futures::{FutureExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::arrow::async_reader::ParquetRecordBatchStreamBuilder;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::statistics::Statistics;
use skillscope_query::Scope;
use skillscope_segment::{column, parquet_file};

use super::columns::{self, needed_columns};
use super::object_reader::{ObjectReader, unreadable as refused};
use crate::stretches::Extent;
use crate::{Error, Result};

/// A Parquet file, as its footer describes it.
#[derive(Debug, Clone)]
pub(crate) struct ParquetFile {
    pub(crate) meta: ObjectMeta,
    pub(crate) account: FileAccount,
    /// The extent of each row group; `None` if the file has no such statistics.
    extents: Option<Vec<Extent>>,
    rows: u64,
    /// Whether there may be rows without an end time or an account.
    pub(super) may_lack: bool,
    /// The type of its column `arrival_time`, where it is none of a time.
    strange_arrival: Option<DataType>,
}

/// The account of the rows of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FileAccount {
    /// The name of a folder tells the account, and there is no column for it.
    Folder(String),
    /// Every row has this account.
    Only(String),
    /// The rows tell, each for itself.
    Rows,
}

impl FileAccount {
    /// The account of all rows, if it is known.
    pub(crate) fn known(&self) -> Option<&str> {
        match self {
            Self::Folder(account) | Self::Only(account) => Some(account),
            Self::Rows => None,
        }
    }
}

impl ParquetFile {
    /// Reads a file's footer, and looks at its pages if it is the file `local` of this machine. `name` is the name of
    /// the file for messages, and `folder_account` the account that its folders name.
    pub(super) async fn read(
        store: &Arc<dyn ObjectStore>,
        meta: ObjectMeta,
        name: &str,
        folder_account: Option<String>,
        local: Option<PathBuf>,
    ) -> Result<Self> {
        let footer = ObjectReader::new(store, &meta).footer().await.map_err(|error| unreadable(name, error))?;
        let file = footer.file_metadata();
        let schema = parquet_file::arrow_schema(&footer).map_err(|error| unreadable(name, refused(error)))?;
        let schema = Arc::new(schema);
        columns::check(name, &schema, folder_account.is_some())?;
        if let Some(local) = local {
            check_pages(local, Arc::clone(&footer)).await.map_err(|error| unreadable(name, error))?;
        }
        let account = match folder_account {
            Some(account) if schema.column_with_name(column::ACCOUNT_ID).is_none() => FileAccount::Folder(account),
            _ => only_account(&footer).map_or(FileAccount::Rows, FileAccount::Only),
        };
        let rows = u64::try_from(file.num_rows()).unwrap_or(0);
        let mut needed = vec![column::END_TIME];
        needed.extend((!matches!(account, FileAccount::Folder(_))).then_some(column::ACCOUNT_ID));
        let may_lack = needed.into_iter().any(|name| may_have_nulls(&footer, name));
        let (extents, strange_arrival) = (extents(&footer, &schema), columns::strange_arrival(&schema));
        Ok(Self { meta, account, extents, rows, may_lack, strange_arrival })
    }

    /// Checks that it can tell when its rows arrived; where it has no such column, they have always been there.
    pub(super) fn check_arrival(&self, name: &str) -> Result<()> {
        self.strange_arrival.as_ref().map_or(Ok(()), |found| Err(columns::arrival_refused(name, found)))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.meta.location
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// The times and numbers of its rows, in parts. A file without statistics counts as one part that covers `span`.
    pub(crate) fn extents(&self, span: &Range<i64>) -> Vec<Extent> {
        match &self.extents {
            Some(extents) => extents.clone(),
            None => vec![Extent { end_times: span.start..=span.end, rows: self.rows }],
        }
    }

    /// Whether it may have rows in a range of time.
    pub(crate) fn may_have(&self, range: &Range<i64>) -> bool {
        let overlaps =
            |extent: &Extent| *extent.end_times.start() < range.end && *extent.end_times.end() >= range.start;
        self.extents.as_ref().is_none_or(|extents| extents.iter().any(overlaps))
    }

    /// Whether it may have rows in scope.
    pub(crate) fn may_be_of(&self, scope: &Scope) -> bool {
        self.account.known().is_none_or(|known| scope.includes(known))
    }

    /// Reads the columns that reports need, to see whether they can be read.
    pub(super) async fn verify(&self, store: &Arc<dyn ObjectStore>, name: &str) -> Result<()> {
        let read = async {
            let reader = ObjectReader::new(store, &self.meta);
            let builder = ParquetRecordBatchStreamBuilder::new(reader).await?;
            let columns = ProjectionMask::columns(builder.parquet_schema(), needed_columns());
            let mut rows = builder.with_projection(columns).build()?;
            while rows.try_next().await?.is_some() {}
            Ok::<_, ParquetError>(())
        };
        // The decoder of bytes that are corrupt may panic.
        let read = AssertUnwindSafe(read).catch_unwind().await;
        let read = read.unwrap_or_else(|_| Err(ParquetError::General("its bytes are corrupt".to_owned())));
        read.map_err(|error| unreadable(name, error))
    }
}

/// Looks at the pages of all columns of segments before anything decodes them.
async fn check_pages(path: PathBuf, footer: Arc<ParquetMetaData>) -> std::result::Result<(), ParquetError> {
    let check = move || {
        let own = skillscope_segment::schema();
        let is_own = |name: &str| own.column_with_name(name).is_some();
        parquet_file::check_pages(File::open(&path)?, &footer, is_own).map_err(refused)
    };
    let checked = tokio::task::spawn_blocking(check).await;
    checked.unwrap_or_else(|error| Err(ParquetError::External(Box::new(error))))
}

fn unreadable(name: &str, error: ParquetError) -> Error {
    let file = name.to_owned();
    match error {
        // The store may have failed, and not the file.
        ParquetError::External(error) => match error.downcast::<object_store::Error>() {
            Ok(cause) => Error::Read { location: file, cause: *cause },
            Err(error) => Error::Corrupt { file, problem: error.to_string() },
        },
        error => Error::Corrupt { file, problem: error.to_string() },
    }
}

/// Whether a column may have nulls, as far as the footer tells.
fn may_have_nulls(footer: &ParquetMetaData, name: &str) -> bool {
    footer.row_groups().iter().filter(|group| group.num_rows() > 0).any(|group| {
        let column = group.columns().iter().find(|column| column.column_path().string() == name);
        column.is_none_or(|column| {
            let is_optional = column.column_descr().max_def_level() > 0;
            is_optional && column.statistics().and_then(Statistics::null_count_opt) != Some(0)
        })
    })
}

/// The account of all rows, if the statistics show that there is only one.
fn only_account(footer: &ParquetMetaData) -> Option<String> {
    let mut only = None;
    for group in footer.row_groups() {
        let column = group.columns().iter().find(|column| column.column_path().string() == column::ACCOUNT_ID)?;
        let Some(Statistics::ByteArray(statistics)) = column.statistics() else { return None };
        let is_exact = statistics.min_is_exact() && statistics.max_is_exact();
        let (lowest, highest) = (statistics.min_opt()?, statistics.max_opt()?);
        let account = std::str::from_utf8(lowest.data()).ok()?;
        let is_other = only.as_ref().is_some_and(|only| only != account);
        if !is_exact || lowest != highest || is_other || statistics.null_count_opt() != Some(0) {
            return None;
        }
        only = Some(account.to_owned());
    }
    only
}

/// The lowest and highest end time of each row group.
fn extents(footer: &ParquetMetaData, schema: &SchemaRef) -> Option<Vec<Extent>> {
    let descriptor = footer.file_metadata().schema_descr();
    let converter = StatisticsConverter::try_new(column::END_TIME, schema, descriptor).ok()?;
    let groups = footer.row_groups();
    let lowest = milliseconds(&converter.row_group_mins(groups).ok()?)?;
    let highest = milliseconds(&converter.row_group_maxes(groups).ok()?)?;
    let (lowest, highest) =
        (lowest.as_primitive::<TimestampMillisecondType>(), highest.as_primitive::<TimestampMillisecondType>());
    let mut extents = Vec::with_capacity(groups.len());
    for (place, group) in groups.iter().enumerate() {
        let rows = u64::try_from(group.num_rows()).unwrap_or(0);
        if rows == 0 {
            continue;
        }
        if lowest.is_null(place) || highest.is_null(place) {
            return None;
        }
        extents.push(Extent { end_times: lowest.value(place)..=highest.value(place), rows });
    }
    Some(extents)
}

fn milliseconds(times: &ArrayRef) -> Option<ArrayRef> {
    cast(times, &DataType::Timestamp(TimeUnit::Millisecond, None)).ok()
}

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray, TimestampMillisecondArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use async_trait::async_trait;
use datafusion::catalog::{MemTable, Session, TableProvider};
use datafusion::datasource::TableType;
use datafusion::error::Result;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;
use skillscope_store::{ArchiveFile, Snapshot};

/// The table `system.files`: the Parquet files of a snapshot, of one account or of all.
#[derive(Debug)]
pub(crate) struct FilesTable {
    snapshot: Arc<Snapshot>,
    /// The only account that can be seen; `None` where all can.
    scope: Option<String>,
}

impl FilesTable {
    pub(crate) fn new(snapshot: Arc<Snapshot>, scope: Option<String>) -> Self {
        Self { snapshot, scope }
    }

    fn rows(&self) -> Result<RecordBatch> {
        let in_scope = |account: &&skillscope_segment::AccountId| {
            self.scope.as_ref().is_none_or(|scope| scope == account.as_str())
        };
        let accounts = self.snapshot.accounts().filter(in_scope);
        let mut files: Vec<&Arc<ArchiveFile>> = accounts.flat_map(|account| self.snapshot.files(account)).collect();
        files.sort_by_key(|file| file.path());
        let texts = |text: &dyn Fn(&ArchiveFile) -> String| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(files.iter().map(|file| text(file))))
        };
        let numbers = |number: &dyn Fn(&ArchiveFile) -> u64| -> ArrayRef {
            Arc::new(UInt64Array::from_iter_values(files.iter().map(|file| number(file))))
        };
        let times = |time: &dyn Fn(&ArchiveFile) -> i64| -> ArrayRef {
            let times = files.iter().map(|file| time(file));
            Arc::new(TimestampMillisecondArray::from_iter_values(times).with_timezone("UTC"))
        };
        let resident = files.iter().map(|file| Some(self.snapshot.is_resident(file))).collect::<BooleanArray>();
        let columns = vec![
            texts(&|file| file.path().display().to_string()),
            texts(&|file| file.account().to_string()),
            times(&|file| *file.hours().start()),
            times(&|file| *file.hours().end()),
            times(&|file| *file.end_times().start()),
            times(&|file| *file.end_times().end()),
            numbers(&ArchiveFile::rows),
            numbers(&ArchiveFile::bytes),
            texts(&|file| format!("{:016x}", file.checksum())),
            times(&ArchiveFile::written),
            Arc::new(resident),
            texts(&|file| file.state().to_string()),
        ];
        Ok(RecordBatch::try_new(schema(), columns)?)
    }
}

fn schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let time = || DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
        let columns = [
            ("path", DataType::Utf8),
            ("account_id", DataType::Utf8),
            ("first_hour", time()),
            ("last_hour", time()),
            ("first_end_time", time()),
            ("last_end_time", time()),
            ("rows", DataType::UInt64),
            ("bytes", DataType::UInt64),
            ("checksum", DataType::Utf8),
            ("written", time()),
            ("in_memory", DataType::Boolean),
            ("state", DataType::Utf8),
        ];
        Arc::new(Schema::new(columns.map(|(name, data_type)| Field::new(name, data_type, false)).to_vec()))
    });
    Arc::clone(&SCHEMA)
}

#[async_trait]
impl TableProvider for FilesTable {
    fn schema(&self) -> SchemaRef {
        schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let rows = MemTable::try_new(schema(), vec![vec![self.rows()?]])?;
        rows.scan(state, projection, filters, limit).await
    }
}

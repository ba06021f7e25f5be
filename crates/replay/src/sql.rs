//! SQL over an archive.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::view::ViewTable;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::LogicalPlan;
use futures::TryStreamExt;
use skillscope_query::{CellRequest, Scope};

use crate::archive::Archive;
use crate::plan_runner::PlanRunner;
use crate::{Error, Result};

/// Runs SQL over an archive, whose segments are the table `segments`, in this process or on a cluster.
pub struct ArchiveSql {
    runner: PlanRunner,
    /// Keeps what is read.
    _archive: Archive,
}

impl ArchiveSql {
    /// SQL over the segments in `scope`.
    ///
    /// # Errors
    /// Where the archive cannot be planned over.
    pub async fn new(mut archive: Archive, runner: PlanRunner, scope: &Scope) -> Result<Self> {
        archive.register(&runner);
        archive.check_directory(scope, &(i64::MIN..i64::MAX)).await?;
        archive.check_seen(&runner).await?;
        let unseen = if runner.is_cluster() { archive.unarchived_rows() } else { 0 };
        if unseen > 0 {
            tracing::warn!("{unseen} segments are in no file of the archive yet; the cluster does not see them");
        }
        let table = archive.table(scope, runner.is_cluster())?;
        let register = || match table {
            Some(plan) => runner.context().register_table(CellRequest::SEGMENTS, Arc::new(ViewTable::new(plan, None))),
            None => runner.context().register_table(CellRequest::SEGMENTS, Arc::new(no_segments()?)),
        };
        register().map_err(Error::Plan)?;
        Ok(Self { runner, _archive: archive })
    }

    /// Runs a statement that reads.
    ///
    /// # Errors
    /// Where it does anything else, or cannot be planned.
    pub async fn run(&self, text: &str) -> Result<ArchiveRows> {
        let plan = self.runner.context().state().create_logical_plan(text).await.map_err(Error::Plan)?;
        let reading = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        if reading.verify_plan(&plan).is_err() {
            return Err(Error::Usage("only statements that read are allowed here".to_owned()));
        }
        // What there is to name is known here, and only here.
        let is_for_cluster = names_segments(&plan).map_err(Error::Plan)?;
        let schema = Arc::clone(plan.schema().inner());
        Ok(ArchiveRows { schema, rows: self.runner.stream(plan, is_for_cluster).await? })
    }
}

/// The rows of a statement, as they come.
pub struct ArchiveRows {
    schema: SchemaRef,
    rows: SendableRecordBatchStream,
}

impl ArchiveRows {
    /// Their columns.
    pub fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(self.schema.fields().clone()))
    }

    /// The next of them; `None` after the last.
    ///
    /// # Errors
    /// Where the statement fails.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let Some(batch) = self.rows.try_next().await.map_err(Error::Plan)? else { return Ok(None) };
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        // A cluster gives plain text where dictionaries were planned.
        let columns = self.schema.fields().iter().zip(batch.columns());
        let columns =
            columns.map(|(field, values)| cast(values, field.data_type())).collect::<std::result::Result<Vec<_>, _>>();
        let batch = columns.and_then(|columns| RecordBatch::try_new_with_options(self.schema(), columns, &options));
        batch.map(Some).map_err(|error| Error::Plan(DataFusionError::from(error)))
    }
}

/// A table for an archive without segments in scope.
fn no_segments() -> std::result::Result<MemTable, DataFusionError> {
    MemTable::try_new(skillscope_segment::schema(), vec![Vec::new()])
}

fn names_segments(plan: &LogicalPlan) -> std::result::Result<bool, DataFusionError> {
    let mut is_named = false;
    plan.apply_with_subqueries(|node| {
        is_named |= matches!(node, LogicalPlan::TableScan(scan) if scan.table_name.table() == CellRequest::SEGMENTS);
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(is_named)
}

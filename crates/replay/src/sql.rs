//! SQL over an archive, within the same limits as SQL over a store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::view::ViewTable;
use datafusion::catalog::{MemorySchemaProvider, SchemaProvider, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use futures::TryStreamExt;
use skillscope_query::{
    CellRequest, Schemas, Scope, SqlLimits, SqlRows, StatementRunner, StatementTables, catalog_list,
};

use crate::archive::Archive;
use crate::plan_runner::PlanRunner;
use crate::{Error, Result};

/// Where statements come from, in lists of statements.
const DOOR: &str = "console";

/// Runs SQL over an archive, whose segments are the table `segments`, in this process or on a cluster.
pub struct ArchiveSql {
    plans: PlanRunner,
    statements: StatementRunner,
    segments: Arc<dyn TableProvider>,
    /// The number of steps of the plan that the table `segments` is.
    steps_of_segments: usize,
    limits: SqlLimits,
    archive: Archive,
}

impl ArchiveSql {
    /// SQL over the segments in `scope`, within `limits`. On a cluster, the limits of time and number hold. Its memory
    /// is its own.
    ///
    /// # Errors
    /// Where the archive cannot be planned over, or the threads for statements cannot be set up.
    pub async fn new(mut archive: Archive, plans: PlanRunner, scope: &Scope, limits: SqlLimits) -> Result<Self> {
        archive.register(&plans);
        archive.check_directory(scope, &(i64::MIN..i64::MAX)).await?;
        archive.check_seen(&plans).await?;
        let unseen = if plans.is_cluster() { archive.unarchived_rows() } else { 0 };
        if unseen > 0 {
            tracing::warn!("{unseen} segments are in no file of the archive yet; the cluster does not see them");
        }
        let Seen { statements, segments, steps_of_segments } = Seen::of(&archive, &plans, scope, limits.clone())?;
        Ok(Self { plans, statements, segments, steps_of_segments, limits, archive })
    }

    /// Sees the segments in another scope from now on.
    ///
    /// # Errors
    /// Those of [`new`](Self::new). What was seen before is seen then.
    pub async fn see(&mut self, scope: &Scope) -> Result<()> {
        self.archive.check_directory(scope, &(i64::MIN..i64::MAX)).await?;
        let seen = Seen::of(&self.archive, &self.plans, scope, self.limits.clone())?;
        (self.statements, self.segments, self.steps_of_segments) =
            (seen.statements, seen.segments, seen.steps_of_segments);
        Ok(())
    }

    /// Runs a statement that reads.
    ///
    /// # Errors
    /// [`Error::Query`] where the statement is wrong, does anything but read, or reaches a limit; [`Error::Cluster`]
    /// where the cluster fails.
    pub async fn run(&self, text: &str) -> Result<ArchiveRows> {
        let cluster = self.plans.cluster_state();
        let tables = Arc::new(ArchiveTables {
            segments: Arc::clone(&self.segments),
            steps_of_segments: self.steps_of_segments,
            cluster,
            runs_on_cluster: AtomicBool::new(false),
        });
        let rows = self.statements.run(Arc::clone(&tables) as Arc<dyn StatementTables>, text, Vec::new()).await;
        let cluster_url = || tables.runs_on_cluster.load(Ordering::Relaxed).then(|| self.plans.cluster_url()).flatten();
        match rows {
            Ok(rows) => Ok(ArchiveRows { cluster_url: cluster_url().map(str::to_owned), rows }),
            Err(error) => Err(failure(error, cluster_url())),
        }
    }
}

/// What the statements of a scope see, and where they run.
struct Seen {
    statements: StatementRunner,
    segments: Arc<dyn TableProvider>,
    steps_of_segments: usize,
}

impl Seen {
    fn of(archive: &Archive, plans: &PlanRunner, scope: &Scope, limits: SqlLimits) -> Result<Self> {
        let mut steps_of_segments = 1;
        let segments: Arc<dyn TableProvider> = match archive.table(scope, plans.is_cluster())? {
            Some(plan) => {
                steps_of_segments = steps(&plan).map_err(Error::Plan)?;
                Arc::new(ViewTable::new(plan, None))
            }
            None => Arc::new(no_segments().map_err(Error::Plan)?),
        };
        let statements = StatementRunner::new(scope.clone(), DOOR, limits).map_err(Error::Query)?;
        if let Some((url, store)) = archive.object_store() {
            statements.base().runtime_env().register_object_store(url, Arc::clone(store));
        }
        Ok(Self { statements, segments, steps_of_segments })
    }
}

/// The rows of a statement, as they are computed. Dropping them ends the statement.
pub struct ArchiveRows {
    /// The cluster on which the statement runs.
    cluster_url: Option<String>,
    rows: SqlRows,
}

impl ArchiveRows {
    /// The columns of the rows.
    pub fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(self.rows.schema().fields().clone()))
    }

    /// The next rows; `None` after the last.
    ///
    /// # Errors
    /// Where the statement fails, or reaches a limit.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let batch = self.rows.try_next().await.map_err(|error| failure(error, self.cluster_url.as_deref()))?;
        let Some(batch) = batch else { return Ok(None) };
        let schema = self.schema();
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        // A cluster sends plain text where the plan has dictionaries.
        let columns = schema.fields().iter().zip(batch.columns());
        let columns =
            columns.map(|(field, values)| cast(values, field.data_type())).collect::<std::result::Result<Vec<_>, _>>();
        let batch = columns.and_then(|columns| RecordBatch::try_new_with_options(schema, columns, &options));
        batch.map(Some).map_err(|error| Error::Plan(DataFusionError::from(error)))
    }
}

/// The failure of a statement, which may be one of the cluster on which it ran.
fn failure(error: skillscope_query::Error, cluster_url: Option<&str>) -> Error {
    match (error, cluster_url) {
        (skillscope_query::Error::Sql(cause) | skillscope_query::Error::Archive(cause), Some(url)) => {
            Error::Cluster { url: url.to_owned(), cause }
        }
        (error, _) => Error::Query(error),
    }
}

/// The table `segments` as one statement sees it.
struct ArchiveTables {
    segments: Arc<dyn TableProvider>,
    steps_of_segments: usize,
    cluster: Option<SessionState>,
    /// Whether the statement was planned to run on the cluster.
    runs_on_cluster: AtomicBool,
}

impl StatementTables for ArchiveTables {
    fn state(&self, base: &SessionState) -> datafusion::error::Result<SessionState> {
        let mut config = base.config().clone();
        // There may be thousands of files, whose footers planning would read otherwise.
        config.options_mut().execution.collect_statistics = false;
        let mut state = match &self.cluster {
            None => SessionStateBuilder::new_from_existing(base.clone()).with_config(config).build(),
            // A cluster knows the functions of DataFusion, and none of our own.
            Some(_) => SessionStateBuilder::new_with_default_features()
                .with_config(config)
                .with_runtime_env(Arc::clone(base.runtime_env()))
                .build(),
        };
        let names = state.config_options().catalog.clone();
        let schema = MemorySchemaProvider::new();
        schema.register_table(CellRequest::SEGMENTS.to_owned(), Arc::clone(&self.segments))?;
        let schemas: Schemas = vec![(names.default_schema, Arc::new(schema))];
        state.config_mut().options_mut().catalog.information_schema = false;
        state.register_catalog_list(catalog_list(vec![names.default_catalog.clone()], &schemas, &schemas)?);
        // `now()` is the time at which the statement began.
        state.mark_start_execution();
        Ok(state)
    }

    fn steps_of_table(&self) -> usize {
        self.steps_of_segments
    }

    fn has_our_meaning(&self) -> bool {
        self.cluster.is_none()
    }

    fn outside(&self, statement: &LogicalPlan) -> datafusion::error::Result<Option<SessionState>> {
        // Everything that can be named, but for `segments`, is known in this process alone.
        let cluster = if names_segments(statement)? { self.cluster.clone() } else { None };
        self.runs_on_cluster.store(cluster.is_some(), Ordering::Relaxed);
        Ok(cluster)
    }
}

/// A table for an archive without segments in scope.
fn no_segments() -> std::result::Result<MemTable, DataFusionError> {
    MemTable::try_new(skillscope_segment::text_schema(), vec![Vec::new()])
}

fn steps(plan: &LogicalPlan) -> std::result::Result<usize, DataFusionError> {
    let mut steps = 0;
    plan.apply_with_subqueries(|_| {
        steps += 1;
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(steps)
}

fn names_segments(plan: &LogicalPlan) -> std::result::Result<bool, DataFusionError> {
    let mut is_named = false;
    plan.apply_with_subqueries(|node| {
        is_named |= matches!(node, LogicalPlan::TableScan(scan) if scan.table_name.table() == CellRequest::SEGMENTS);
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(is_named)
}

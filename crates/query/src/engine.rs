use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::RecordBatch;
use datafusion::error::DataFusionError;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::{ExecutionPlan, collect_partitioned, displayable};
use skillscope_store::Store;

use crate::assembly::assemble;
use crate::files_table::FilesTable;
use crate::report_session::ReportSession;
use crate::table::SegmentsTable;
use crate::{Clock, Error, Report, ReportRequest, Result, SqlQuery, sql};

/// Memory that all SQL statements may use together, in bytes; beyond it they spill to disk, or fail.
const SQL_MEMORY_BYTES: usize = 2 << 30;

/// Answers questions over the segments of a store.
pub struct Engine {
    store: Arc<Store>,
    clock: Clock,
    reports: ReportSession,
    sql_runtime: Arc<RuntimeEnv>,
    breaches: AtomicU64,
}

impl Engine {
    /// An engine over `store`, whose now is `clock`'s.
    ///
    /// # Errors
    /// Where DataFusion's runtime cannot be set up.
    pub fn new(store: Arc<Store>, clock: Clock) -> Result<Self> {
        let sql_runtime = RuntimeEnvBuilder::new().with_memory_limit(SQL_MEMORY_BYTES, 1.0).build_arc();
        Ok(Self {
            store,
            clock,
            reports: ReportSession::new().map_err(Error::Report)?,
            sql_runtime: sql_runtime.map_err(Error::Report)?,
            breaches: AtomicU64::new(0),
        })
    }

    /// The engine's clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Answers a report request.
    ///
    /// # Errors
    /// [`Error::Report`] where DataFusion fails on the plan.
    pub async fn report(&self, request: &ReportRequest) -> Result<Report> {
        let plan = self.plan_report(request).await?;
        let report = plan.run().await?;
        self.check_outcomes(&report, request);
        Ok(report)
    }

    /// Compiles a report request to a physical plan over what is stored now.
    ///
    /// # Errors
    /// [`Error::Report`] where DataFusion refuses the plan.
    pub async fn plan_report(&self, request: &ReportRequest) -> Result<ReportPlan> {
        self.plan_report_over(SegmentsTable::new(Arc::clone(&self.store), None), request).await
    }

    /// As [`plan_report`](Self::plan_report), by a scan of the rows.
    #[cfg(test)]
    pub(crate) async fn plan_report_by_scan(&self, request: &ReportRequest) -> Result<ReportPlan> {
        let table = SegmentsTable::new(Arc::clone(&self.store), None).without_totals();
        self.plan_report_over(table, request).await
    }

    async fn plan_report_over(&self, table: SegmentsTable, request: &ReportRequest) -> Result<ReportPlan> {
        let physical = self.reports.plan(table, request).await.map_err(Error::of_report)?;
        Ok(ReportPlan { request: request.clone(), physical, task: self.reports.task() })
    }

    /// Runs a statement that reads, and streams its rows.
    ///
    /// # Errors
    /// [`Error::Sql`] where the statement is wrong, [`Error::OutOfMemory`] where it needs too much memory. The stream's
    /// own errors become the same through [`Error::from_sql_stream`].
    pub async fn sql(&self, query: &SqlQuery) -> Result<SendableRecordBatchStream> {
        self.sql_over(SegmentsTable::new(Arc::clone(&self.store), query.account.clone()), query).await
    }

    /// As [`sql`](Self::sql), by a scan of the rows.
    #[cfg(test)]
    pub(crate) async fn sql_by_scan(&self, query: &SqlQuery) -> Result<SendableRecordBatchStream> {
        let segments = SegmentsTable::new(Arc::clone(&self.store), query.account.clone());
        self.sql_over(segments.without_totals(), query).await
    }

    async fn sql_over(&self, segments: SegmentsTable, query: &SqlQuery) -> Result<SendableRecordBatchStream> {
        let files = FilesTable::new(segments.snapshot(), query.account.clone());
        let runtime = Arc::clone(&self.sql_runtime);
        let planned = sql::plan(&query.text, self.clock.now(), segments, files, runtime).map_err(Error::of_sql)?;
        planned.execute_stream().await.map_err(Error::of_sql)
    }

    /// How many sets of metrics have been answered whose outcomes did not add up to their total. It stays 0 unless
    /// there is a defect: stored segments keep the rules.
    pub fn breaches(&self) -> u64 {
        self.breaches.load(Ordering::Relaxed)
    }

    /// Logs and counts a breach of the identity of outcomes; the answer is given all the same.
    pub(crate) fn check_outcomes(&self, report: &Report, request: &ReportRequest) {
        let broken = report.all_metrics().filter(|metrics| !metrics.outcomes_add_up()).count() as u64;
        if broken > 0 {
            let so_far = self.breaches.fetch_add(broken, Ordering::Relaxed).saturating_add(broken);
            tracing::error!(account = request.account(), broken, so_far, "outcomes do not add up to the total");
        }
    }
}

impl Error {
    /// The error of a stream that [`Engine::sql`] gave.
    pub fn from_sql_stream(error: DataFusionError) -> Self {
        Self::of_sql(error)
    }
}

/// A report request that is ready to run, as often as need be. It is displayed as `EXPLAIN` displays plans.
pub struct ReportPlan {
    request: ReportRequest,
    physical: Arc<dyn ExecutionPlan>,
    task: Arc<TaskContext>,
}

impl fmt::Display for ReportPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        displayable(self.physical.as_ref()).indent(false).fmt(f)
    }
}

impl ReportPlan {
    /// Runs the plan and puts the report together.
    ///
    /// # Errors
    /// [`Error::Report`] where DataFusion fails, [`Error::Archive`] where a file cannot be read.
    pub async fn run(&self) -> Result<Report> {
        assemble(&self.request, &self.cells().await?).map_err(Error::Report)
    }

    /// Runs the plan and gives its rows: a row for each skill, or for each skill and interval, that has segments, with the
    /// counts and sums of [`Metrics`](crate::Metrics).
    ///
    /// # Errors
    /// As [`run`](Self::run), but for a report that cannot be put together.
    pub async fn cells(&self) -> Result<Vec<RecordBatch>> {
        let parts = collect_partitioned(Arc::clone(&self.physical), Arc::clone(&self.task)).await;
        Ok(parts.map_err(Error::of_report)?.into_iter().flatten().collect())
    }
}

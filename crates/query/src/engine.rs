//! The engine: what other crates ask for reports and sessions.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use arrow::array::RecordBatch;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::{ExecutionPlan, collect_partitioned, displayable};
use skillscope_store::{Moment, Store};

use crate::report::{ReportSession, assemble, report_cells};
use crate::slow::log_report;
use crate::sql::{DoorCounts, SqlLimits, SqlLoad, SqlService, SqlSession, SqlTask, StoreTables};
use crate::table::SegmentsTable;
use crate::{Clock, Error, Report, ReportParameters, ReportRequest, Result, Scope};

/// Answers questions over the segments of a store.
pub struct Engine {
    store: Arc<Store>,
    clock: Clock,
    reports: Arc<ReportSession>,
    sql: Arc<SqlService>,
    tables: Arc<StoreTables>,
    breaches: AtomicU64,
}

impl Engine {
    /// An engine over `store`. Its present is the time of `clock`, and its statements run within `limits`.
    ///
    /// # Errors
    /// Where DataFusion's runtime, or threads for statements, cannot be set up.
    pub fn new(store: Arc<Store>, clock: Clock, limits: SqlLimits) -> Result<Self> {
        let reports = Arc::new(ReportSession::new().map_err(Error::Report)?);
        let sql = Arc::new(SqlService::new(limits)?);
        let tables = Arc::new(StoreTables::new(Arc::clone(&store), clock.clone(), Arc::clone(&reports), &sql));
        Ok(Self { store, clock, reports, sql, tables, breaches: AtomicU64::new(0) })
    }

    /// The engine's clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// All that is closed and all that is open at this instant.
    pub(crate) fn moment(&self) -> Moment {
        self.store.moment()
    }

    /// Answers a report request.
    ///
    /// # Errors
    /// [`Error::Report`] where DataFusion fails on the plan.
    pub async fn report(&self, request: &ReportRequest) -> Result<Report> {
        let begun = Instant::now();
        let plan = self.plan_report(request).await?;
        let report = plan.run().await?;
        log_report(begun, self.sql.limits().slow, request.account(), &plan);
        self.check_outcomes(&report, request);
        Ok(report)
    }

    /// About how many cells a report has to count: a skill's metrics in an interval, of each part of what is stored.
    /// Rather more than fewer. It takes far less time than the report.
    pub fn report_cells(&self, request: &ReportRequest) -> u64 {
        report_cells(&self.store.snapshot(), request)
    }

    /// Compiles a report request to a physical plan over what is stored now.
    ///
    /// # Errors
    /// [`Error::Report`] where DataFusion refuses the plan.
    pub async fn plan_report(&self, request: &ReportRequest) -> Result<ReportPlan> {
        self.plan_report_over(SegmentsTable::new(Arc::clone(&self.store), Scope::All), request).await
    }

    /// As [`plan_report`](Self::plan_report), with a plan that scans rows instead of looking totals up.
    #[cfg(test)]
    pub(crate) async fn plan_report_by_scan(&self, request: &ReportRequest) -> Result<ReportPlan> {
        let table = SegmentsTable::new(Arc::clone(&self.store), Scope::All).without_totals();
        self.plan_report_over(table, request).await
    }

    async fn plan_report_over(&self, table: SegmentsTable, request: &ReportRequest) -> Result<ReportPlan> {
        let physical = self.reports.plan(table, request).await.map_err(Error::of_report)?;
        Ok(ReportPlan { parameters: request.parameters().clone(), physical, task: self.reports.task() })
    }

    /// A session for statements over the segments in `scope`. `door` is the word by which `system.queries` tells where
    /// its statements come from.
    pub fn sql(&self, scope: Scope, door: &'static str) -> SqlSession {
        SqlSession::new(Arc::clone(&self.sql), Arc::clone(&self.tables), scope, door)
    }

    /// Runs a future on the SQL threads, such as the server of a protocol.
    pub fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> SqlTask<T> {
        self.sql.spawn(work)
    }

    /// What was counted of statements since the start, by the door by which they came.
    pub fn sql_counts(&self) -> Vec<DoorCounts> {
        self.sql.counts()
    }

    /// What statements take now.
    pub fn sql_load(&self) -> SqlLoad {
        self.sql.load()
    }

    /// The number of statements on the list.
    #[cfg(test)]
    pub(crate) fn listed_statements(&self) -> usize {
        self.sql.listed_statements()
    }

    /// The number of answered sets of metrics whose outcomes did not add up to their total. It stays 0 unless there is
    /// a defect, because only segments that keep the rules are stored.
    pub fn breaches(&self) -> u64 {
        self.breaches.load(Ordering::Relaxed)
    }

    /// Logs and counts a breach of the identity of outcomes; the answer is given all the same.
    pub(crate) fn check_outcomes(&self, report: &Report, request: &ReportRequest) {
        let broken = report.all_metrics().filter(|metrics| !metrics.outcomes_add_up()).count() as u64;
        if broken > 0 {
            let so_far = self.breaches.fetch_add(broken, Ordering::Relaxed).saturating_add(broken);
            tracing::error!(account = ?request.account(), broken, so_far, "outcomes do not add up to the total");
        }
    }
}

/// A report request that has been planned, and can run any number of times. It is displayed as `EXPLAIN` displays
/// plans.
pub struct ReportPlan {
    parameters: ReportParameters,
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
        assemble(&self.parameters, &self.cells().await?).map_err(Error::Report)
    }

    /// Runs the plan and gives its rows: a row for each skill, or for each skill and interval, that has segments, with
    /// the counts and sums of [`Metrics`](crate::Metrics).
    ///
    /// # Errors
    /// As [`run`](Self::run), but for a report that cannot be put together.
    pub async fn cells(&self) -> Result<Vec<RecordBatch>> {
        let parts = collect_partitioned(Arc::clone(&self.physical), Arc::clone(&self.task)).await;
        Ok(parts.map_err(Error::of_report)?.into_iter().flatten().collect())
    }
}

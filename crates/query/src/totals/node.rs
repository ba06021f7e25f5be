//! The node of a logical plan that stands for an answer from running totals.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::DFSchemaRef;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::error::Result;
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};

use super::TotalsQuery;
use super::exec::TotalsExec;
use super::parts::parts;
use crate::table::SegmentsTable;

/// An aggregation that is to be answered from running totals.
#[derive(Debug, Clone)]
pub(super) struct TotalsNode {
    /// The aggregation over a scan, for when there are no totals of some rows.
    plain: LogicalPlan,
    table: Arc<SegmentsTable>,
    query: Arc<TotalsQuery>,
}

impl TotalsNode {
    pub(super) fn new(plain: LogicalPlan, table: Arc<SegmentsTable>, query: TotalsQuery) -> Self {
        Self { plain, table, query: Arc::new(query) }
    }

    /// The plan that looks totals up. It scans rows instead where some have no totals, or where a scan is faster.
    async fn physical_plan(&self, session: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(parts) = parts(&self.table, &self.query.conditions).await? else {
            return session.create_physical_plan(&self.scan_instead()?).await;
        };
        let schema = Arc::clone(self.plain.schema().inner());
        let threads = session.config().target_partitions();
        // A condition may fail for a skill or account that no row has, so the scan decides whether it fails.
        match TotalsExec::try_new(Arc::clone(&self.query), parts, schema, threads) {
            Ok(exec) if !exec.is_worse_than_a_scan() => Ok(Arc::new(exec)),
            _ => session.create_physical_plan(&self.scan_instead()?).await,
        }
    }

    /// The aggregation over a scan of the same snapshot.
    fn scan_instead(&self) -> Result<LogicalPlan> {
        let without_totals = |plan| {
            let LogicalPlan::TableScan(mut scan) = plan else { return Ok(Transformed::no(plan)) };
            if let Some(table) = source_as_provider(&scan.source)?.downcast_ref::<SegmentsTable>() {
                scan.source = provider_as_source(Arc::new(table.without_totals()));
            }
            Ok(Transformed::yes(LogicalPlan::TableScan(scan)))
        };
        Ok(self.plain.clone().transform_up(without_totals)?.data)
    }
}

// The query follows from the plan, so comparing plans is enough.

impl PartialEq for TotalsNode {
    fn eq(&self, other: &Self) -> bool {
        self.plain == other.plain
    }
}

impl Eq for TotalsNode {}

impl PartialOrd for TotalsNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.plain.partial_cmp(&other.plain)
    }
}

impl Hash for TotalsNode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.plain.hash(state);
    }
}

impl UserDefinedLogicalNodeCore for TotalsNode {
    fn name(&self) -> &str {
        "SegmentTotals"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        Vec::new()
    }

    fn schema(&self) -> &DFSchemaRef {
        self.plain.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SegmentTotals: {}", self.plain.display())
    }

    fn with_exprs_and_inputs(&self, _expressions: Vec<Expr>, _inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(self.clone())
    }
}

/// The physical plan of a logical one that is nothing but a [`TotalsNode`]; `None` for any other.
pub(crate) async fn plan_totals(plan: &LogicalPlan, session: &dyn Session) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let LogicalPlan::Extension(extension) = plan else { return Ok(None) };
    match extension.node.as_any().downcast_ref::<TotalsNode>() {
        Some(node) => node.physical_plan(session).await.map(Some),
        None => Ok(None),
    }
}

/// DataFusion's planner, which is taught [`TotalsNode`]s.
pub(crate) fn totals_query_planner() -> Arc<dyn QueryPlanner + Send + Sync> {
    Arc::new(TotalsQueryPlanner(DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(TotalsPlanner)])))
}

struct TotalsQueryPlanner(DefaultPhysicalPlanner);

impl fmt::Debug for TotalsQueryPlanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotalsQueryPlanner")
    }
}

#[async_trait]
impl QueryPlanner for TotalsQueryPlanner {
    async fn create_physical_plan(
        &self,
        logical_plan: &LogicalPlan,
        session: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.0.create_physical_plan(logical_plan, session).await
    }
}

struct TotalsPlanner;

#[async_trait]
impl ExtensionPlanner for TotalsPlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        _physical_inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        _planning_ctx: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        match node.as_any().downcast_ref::<TotalsNode>() {
            Some(node) => node.physical_plan(session).await.map(Some),
            None => Ok(None),
        }
    }
}

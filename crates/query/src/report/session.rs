//! The session of DataFusion in which reports are planned and run.

use std::fmt;
use std::sync::Arc;

use datafusion::datasource::provider_as_source;
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::optimizer::OptimizerRule;
use datafusion::optimizer::optimize_projections::OptimizeProjections;
use datafusion::optimizer::push_down_filter::PushDownFilter;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::combine_partial_final_agg::CombinePartialFinalAggregate;
use datafusion::physical_optimizer::ensure_coop::EnsureCooperative;
use datafusion::physical_optimizer::ensure_requirements::EnsureRequirements;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;

use super::plan::ReportPlans;
use super::request::ReportRequest;
use crate::table::SegmentsTable;
use crate::totals::{AnswerFromTotals, plan_totals};

/// Plans reports and runs them. Planning is a large part of a small report's time, so the session has only the rules
/// that the one shape of a report needs: a scan, a filter and an aggregation.
pub(crate) struct ReportSession {
    plans: ReportPlans,
    state: SessionState,
    task: Arc<TaskContext>,
}

impl fmt::Debug for ReportSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReportSession").finish_non_exhaustive()
    }
}

impl ReportSession {
    pub(crate) fn new() -> Result<Self> {
        let state = SessionStateBuilder::new_with_default_features()
            .with_config(SessionConfig::new().with_information_schema(false))
            .with_analyzer_rules(Vec::new())
            .with_optimizer_rules(optimizer_rules())
            .with_physical_optimizer_rules(physical_optimizer_rules())
            .build();
        let task = Arc::new(TaskContext::from(&state));
        Ok(Self { plans: ReportPlans::new()?, state, task })
    }

    /// Compiles a request to a physical plan over the table.
    pub(crate) async fn plan(&self, table: SegmentsTable, request: &ReportRequest) -> Result<Arc<dyn ExecutionPlan>> {
        let logical = self.plans.plan(provider_as_source(Arc::new(table)), request)?;
        let rewritten = AnswerFromTotals.rewrite(logical, &self.state)?.data;
        // An answer from totals is a single node: DataFusion's planner has nothing to do.
        match plan_totals(&rewritten, &self.state).await? {
            Some(plan) => Ok(plan),
            None => self.state.create_physical_plan(&rewritten).await,
        }
    }

    pub(crate) fn task(&self) -> Arc<TaskContext> {
        Arc::clone(&self.task)
    }
}

/// These are for a scan, where some rows have no running totals: filters prune it, and only the columns of the plan are
/// read.
fn optimizer_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    vec![Arc::new(PushDownFilter::new()), Arc::new(OptimizeProjections::new())]
}

/// These split the aggregation where its input has several parts, and let every part be interrupted.
fn physical_optimizer_rules() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    vec![
        Arc::new(EnsureRequirements::new()),
        Arc::new(CombinePartialFinalAggregate::new()),
        Arc::new(EnsureCooperative::new()),
    ]
}

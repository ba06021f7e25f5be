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

/// The session that reports are planned and run in. Planning is a large part of a small report's time, so that it carries
/// only the rules that their one shape needs: a scan, a filter and an aggregation.
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
        // What totals answer is one node: DataFusion's planner has nothing to do.
        match plan_totals(&rewritten, &self.state).await? {
            Some(plan) => Ok(plan),
            None => self.state.create_physical_plan(&rewritten).await,
        }
    }

    pub(crate) fn task(&self) -> Arc<TaskContext> {
        Arc::clone(&self.task)
    }
}

/// For a scan, where some rows have no running totals: it prunes by the filters, and reads the columns that are asked for.
fn optimizer_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    vec![Arc::new(PushDownFilter::new()), Arc::new(OptimizeProjections::new())]
}

/// The aggregation is made in parts where there are several, and every part can be interrupted.
fn physical_optimizer_rules() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    vec![
        Arc::new(EnsureRequirements::new()),
        Arc::new(CombinePartialFinalAggregate::new()),
        Arc::new(EnsureCooperative::new()),
    ]
}

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::OptimizerRule;
use datafusion::optimizer::optimize_projections::OptimizeProjections;
use datafusion::optimizer::push_down_filter::PushDownFilter;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::combine_partial_final_agg::CombinePartialFinalAggregate;
use datafusion::physical_optimizer::ensure_coop::EnsureCooperative;
use datafusion::physical_optimizer::ensure_requirements::EnsureRequirements;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;

use crate::totals::{AnswerFromTotals, totals_query_planner};

/// The session that reports are planned and run in. Planning is a large part of a small report's time, so that it carries
/// only the rules that their one shape needs: a scan, a filter and an aggregation.
pub(crate) struct ReportSession {
    state: SessionState,
    task: Arc<TaskContext>,
}

impl ReportSession {
    pub(crate) fn new() -> Self {
        let state = SessionStateBuilder::new_with_default_features()
            .with_config(SessionConfig::new().with_information_schema(false))
            .with_analyzer_rules(Vec::new())
            .with_query_planner(totals_query_planner())
            .with_optimizer_rules(optimizer_rules())
            .with_physical_optimizer_rules(physical_optimizer_rules())
            .build();
        let task = Arc::new(TaskContext::from(&state));
        Self { state, task }
    }

    pub(crate) async fn plan(&self, logical: &LogicalPlan) -> Result<Arc<dyn ExecutionPlan>> {
        self.state.create_physical_plan(logical).await
    }

    pub(crate) fn task(&self) -> Arc<TaskContext> {
        Arc::clone(&self.task)
    }
}

/// Running totals answer every report. Where some rows have none, a scan prunes by the filters, and reads the columns that are
/// asked for.
fn optimizer_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    vec![Arc::new(AnswerFromTotals), Arc::new(PushDownFilter::new()), Arc::new(OptimizeProjections::new())]
}

/// The aggregation is made in parts where there are several, and every part can be interrupted.
fn physical_optimizer_rules() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    vec![
        Arc::new(EnsureRequirements::new()),
        Arc::new(CombinePartialFinalAggregate::new()),
        Arc::new(EnsureCooperative::new()),
    ]
}

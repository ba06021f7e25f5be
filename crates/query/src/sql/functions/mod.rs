//! The functions that SQL has here beside DataFusion's, one a file.

mod date_trunc;
mod kill_query;
mod percentile_cont;
mod skill_report;

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::registry::FunctionRegistry;

use super::bounds::bounded;
use super::run::RunningQueries;
use crate::report::ReportSession;
use crate::table::SegmentsTable;
use skill_report::SkillReport;

/// What functions need to know of the statement that calls them.
pub(super) struct Caller {
    pub(super) segments: Arc<SegmentsTable>,
    /// The number of its session.
    pub(super) session: u64,
}

/// Registers the functions that are the same for every statement, in the place of DataFusion's of the same names.
pub(super) fn register(state: &mut SessionState) -> Result<()> {
    state.register_udaf(Arc::new(percentile_cont::percentile_cont()))?;
    state.register_udf(Arc::new(date_trunc::date_trunc()))?;
    let functions: Vec<_> = state.scalar_functions().values().filter_map(bounded).collect();
    for function in functions {
        state.register_udf(function)?;
    }
    Ok(())
}

/// Registers the functions that answer by what the statement's session may see.
pub(super) fn register_for(
    caller: Caller,
    state: &mut SessionState,
    reports: &Arc<ReportSession>,
    running: &Arc<RunningQueries>,
) -> Result<()> {
    let scope = caller.segments.scope().clone();
    let report = SkillReport { reports: Arc::clone(reports), segments: caller.segments };
    state.register_udtf(skill_report::NAME, Arc::new(report));
    state.register_udf(Arc::new(kill_query::kill_query(Arc::clone(running), scope, caller.session)))?;
    Ok(())
}

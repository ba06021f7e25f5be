//! The functions that SQL has here beside DataFusion's, one a file.

mod age;
mod computed;
mod date_part;
mod date_trunc;
mod from_text;
mod generate_series;
mod kill_query;
mod open_table;
mod patterns;
mod percentile_cont;
mod report_arguments;
mod report_segments;
mod scaled_span;
mod similar_to;
mod skill_report;
mod span;
mod span_order;
mod timezone;
mod to_char;
mod to_text;
mod version;
mod zoned;

use std::sync::Arc;

use datafusion::common::exec_datafusion_err;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::registry::FunctionRegistry;

use super::bounds::bounded;
use super::run::{RunningQueries, StatementReach};
use super::times::beside_text;
use crate::report::ReportSession;
use crate::table::SegmentsTable;
use generate_series::GenerateSeries;
use open_table::{OpenFunction, TableOfValues};
use report_segments::ReportSegments;
use skill_report::SkillReport;

pub(super) use date_part::date_part;
pub(super) use kill_query::KILL_QUERY;
pub(super) use open_table::{open_arguments, with_values};
pub(super) use scaled_span::scaled_span;
pub use span::Span;
pub(super) use span_order::span_order;
pub(super) use to_text::to_text;
pub use to_text::{write_double, write_single};
pub use version::POSTGRESQL_VERSION;

/// What functions need to know of the statement that calls them.
pub(super) struct Caller {
    pub(super) segments: Arc<SegmentsTable>,
    /// What its session may list and end.
    pub(super) reach: StatementReach,
}

/// Registers the functions that are the same for every statement, in the place of DataFusion's of the same names.
pub(super) fn register(state: &mut SessionState) -> Result<()> {
    state.register_udaf(Arc::new(percentile_cont::percentile_cont()))?;
    let to_timestamp = state.udf("to_timestamp")?;
    for function in [
        age::age(),
        date_part::date_part(),
        date_trunc::date_trunc(),
        from_text::to_date(),
        from_text::to_number(),
        from_text::to_timestamp(to_timestamp),
        similar_to::similar_to_escape(),
        timezone::timezone(),
        to_char::to_char(),
        version::version(),
        zoned::zoned_date_bin(),
        zoned::zoned_date_trunc(),
    ] {
        state.register_udf(Arc::new(function))?;
    }
    if let Some(inner) = state.table_functions().get(generate_series::NAME).map(|known| Arc::clone(known.function())) {
        state.register_udtf(generate_series::NAME, Arc::new(GenerateSeries { inner }));
    }
    let times: Vec<_> = state.scalar_functions().values().filter_map(beside_text).collect();
    for function in times {
        state.register_udf(function)?;
    }
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
    let rows = ReportSegments { segments: Arc::clone(&caller.segments) };
    let report = SkillReport { reports: Arc::clone(reports), segments: caller.segments };
    for function in [Arc::new(rows) as Arc<dyn TableOfValues>, Arc::new(report)] {
        state.register_udtf(function.function().name, Arc::new(OpenFunction(function)));
    }
    state.register_udf(Arc::new(kill_query::kill_query(Arc::clone(running), caller.reach)))?;
    Ok(())
}

/// The names of the parameters of one of our table functions, in the order of their places.
pub(super) fn parameters_of(function: &str) -> Option<Vec<&'static str>> {
    let ours = [&skill_report::FUNCTION, &report_segments::FUNCTION];
    let found = ours.into_iter().find(|ours| ours.name == function)?;
    Some(found.parameters.iter().map(|(name, _)| *name).collect())
}

fn wrong_number(function: &str) -> DataFusionError {
    exec_datafusion_err!("{function} was called with another number of arguments than it takes")
}

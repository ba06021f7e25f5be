//! The route of the report at an instant of the past.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use skillscope_query::ReportRequest;

use super::openapi::ReportBody;
use super::path_variables::PathVariables;
use super::problem::Problem;
use super::query_parameters::query_parameters;
use super::report::{ReportAccount, ReportMemory, ReportProblems, ReportQuery, respond};
use crate::App;
use crate::caller::Caller;
use crate::memory_budget::Owners;

/// The report as it would have been at an instant of the past.
///
/// Its parameters and its body are those of the report, and its timeframe ends at `at`. All that is stored counts, also
/// what came later; with `asKnown=true`, what had arrived by then, as the report was answered at that instant.
#[utoipa::path(get, path = "/v1/accounts/{account}/report", operation_id = "past_report", tag = "report",
    params(
        ReportAccount,
        ("at" = String, Query,
            format = "instant",
            description = "The instant, from 1970 to 2199: RFC 3339, or milliseconds since the epoch."),
        ("asKnown" = Option<bool>, Query,
            description = "Whether to count what had arrived by the instant, and not what has come since. Segments that \
                do not tell when they arrived always count. Absent, it means `false`."),
        ReportQuery,
    ),
    responses(
        (status = 200, description = "The report, with the headers of the report of now.", body = ReportBody),
        ReportProblems,
    ))]
pub(super) async fn get(
    State(app): State<App>,
    State(memory): State<ReportMemory>,
    caller: Caller,
    PathVariables(account): PathVariables<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = query.unwrap_or_default();
    let parameters = query_parameters(&query);
    let account = caller.account(&account)?;
    let request = ReportRequest::of_past(account.as_str(), &parameters)?;
    respond(app, memory, &Owners::of(Some(&account), caller.holder()), request).await
}

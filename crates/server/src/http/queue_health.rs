//! The route of the queue's health at this instant: the method that existing clients ask beside the report.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use skillscope_query::QueueHealthRequest;
use utoipa::IntoParams;

use super::live_answer::live_answer;
use super::openapi::{QueueHealthBody, problem_responses};
use super::path_variables::PathVariables;
use super::problem::Problem;
use super::query_parameters::query_parameters;
use super::report::ReportAccount;
use crate::App;
use crate::caller::Caller;

problem_responses! {
    QueueHealthProblems {
        400: "The account is not one, or a parameter is missing or not allowed.",
        503: "Too many large reports are under way.",
    }
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "it is there to be described")]
pub(super) struct QueueHealthQuery {
    /// The version of the API: 1.
    #[param(minimum = 1, maximum = 1)]
    v: i64,
    /// Skills separated by commas, or `all`. Absent, it means `all`.
    #[param(pattern = "^(all|-?[0-9]{1,18}(,-?[0-9]{1,18})*)$")]
    skill_ids: Option<String>,
}

/// Tell how many conversations wait for an agent at this instant, and for how long, by skill.
///
/// What the events say is exact. What they cannot say (who can act on a conversation, manual service levels, which
/// consumers are new) is -1, as is a wait where nobody waits. Skills without open conversations do not appear.
#[utoipa::path(get, path = "/operations/api/account/{account}/msgqueuehealth/current", operation_id = "queue_health",
    tag = "report",
    params(ReportAccount, QueueHealthQuery),
    responses(
        (status = 200, description = "The queue's health, with the headers of the report.", body = QueueHealthBody),
        QueueHealthProblems,
    ))]
pub(super) async fn get(
    State(app): State<App>,
    caller: Caller,
    PathVariables(account): PathVariables<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = query.unwrap_or_default();
    let parameters = query_parameters(&query);
    let account = caller.account(&account)?;
    let request = QueueHealthRequest::new(account.as_str(), &parameters)?;
    live_answer(app, &account, move |engine| engine.queue_health(&request)).await
}

//! The route of what is open at this instant.

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use skillscope_query::NowRequest;
use utoipa::IntoParams;

use super::live_answer::live_answer;
use super::openapi::{NowBody, problem_responses};
use super::path_variables::PathVariables;
use super::problem::Problem;
use super::query_parameters::query_parameters;
use super::report::ReportAccount;
use super::streams::{self, Feeds, StreamQuery};
use crate::App;
use crate::caller::Caller;

problem_responses! {
    NowProblems {
        400: "The account is not one, or a parameter is not allowed.",
        503: "Too many large reports are under way.",
    }
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "it is there to be described")]
pub(super) struct NowQuery {
    /// Skills separated by commas, or `all`. Absent, it means `all`.
    #[param(pattern = "^(all|-?[0-9]{1,18}(,-?[0-9]{1,18})*)$")]
    skill_ids: Option<String>,
}

/// Count an account's open conversations at this instant, by skill.
///
/// Who waits waits for an agent: no agent is assigned. Skills without open conversations do not appear.
#[utoipa::path(get, path = "/v1/accounts/{account}/now", operation_id = "now", tag = "report",
    params(ReportAccount, NowQuery, StreamQuery),
    responses(
        (status = 200, description = "What is open, with the headers of the report. For `Accept: text/event-stream`, the \
            same again and again as the data of events called `now`, as the report.", content(
            (NowBody = "application/json"),
            (String = "text/event-stream"),
        )),
        NowProblems,
    ))]
pub(super) async fn get(
    State(app): State<App>,
    State(feeds): State<Feeds<NowRequest>>,
    caller: Caller,
    PathVariables(account): PathVariables<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = query.unwrap_or_default();
    let parameters = query_parameters(&query);
    let account = caller.account(&account)?;
    let request = NowRequest::new(account.as_str(), &parameters)?;
    if streams::are_wanted(&headers) {
        return streams::follow(&feeds, request, &parameters, caller);
    }
    live_answer(app, &account, move |engine| engine.now(&request)).await
}

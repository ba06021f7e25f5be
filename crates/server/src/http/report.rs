//! The route of the report.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use skillscope_query::ReportRequest;

use super::openapi::{ReportBody, problem_responses};
use super::path_variables::PathVariables;
use super::problem::Problem;
use crate::App;
use crate::caller::Caller;

/// Reports that are larger are written while they are sent.
const STREAMED_BYTES: usize = 1 << 20;

problem_responses! {
    ReportProblems {
        400: "A parameter is missing or not allowed.",
        503: "A file that the report needs cannot be read now.",
    }
}

/// Count an account's closed skill segments of the last minutes, by skill and by interval.
///
/// The timeframe ends at the instant of the request. Intervals are cut from its start and listed newest first; skills
/// without segments do not appear.
#[utoipa::path(get, path = "/operations/api/account/{account}/msgskillsegments", tag = "report",
    params(
        ("account" = String, Path, description = "The brand's account; one that has no segments gives an empty report."),
        ("timeframe" = i64, Query, minimum = 1, maximum = 1440, description = "How many minutes to look back."),
        ("v" = i64, Query, minimum = 1, maximum = 1, description = "The version of the API: 1."),
        ("skillIds" = Option<String>, Query, pattern = "^(all|-?[0-9]+(,-?[0-9]+)*)$",
            description = "Skills separated by commas, or `all`. Absent, it means `all`."),
        ("interval" = Option<i64>, Query, minimum = 5, maximum = 1440,
            description = "Minutes of an interval; it divides the timeframe. Absent, there are no intervals."),
        ("userType" = Option<String>, Query, pattern = "^(human|bot|all)$",
            description = "Only segments whose agents were all human, or all bots. Absent, it means `all`."),
    ),
    responses(
        (status = 200, description = "The report.", body = ReportBody),
        ReportProblems,
    ))]
pub(super) async fn get(
    State(app): State<App>,
    caller: Caller,
    PathVariables(account): PathVariables<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = query.unwrap_or_default();
    let parameters: Vec<(Cow<'_, str>, Cow<'_, str>)> = form_urlencoded::parse(query.as_bytes()).collect();
    let account = caller.account_of_report(&account)?;
    let request = ReportRequest::from_parameters(account, app.engine().clock().now(), &parameters)?;
    let report = app.engine().report(&request).await?;
    let body = if report.json_bytes() > STREAMED_BYTES {
        Body::from_stream(Arc::new(report).json_stream())
    } else {
        let mut body = Vec::new();
        report.write_json(&mut body);
        Body::from(body)
    };
    Ok(([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response())
}

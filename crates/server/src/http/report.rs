use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use skillscope_query::ReportRequest;

use super::Problem;
use super::openapi::ReportBody;
use super::path_variables::PathVariables;
use crate::App;

/// Larger answers are written while they are sent.
const STREAMED_BYTES: usize = 1 << 20;

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
        (status = 400, description = "A parameter is missing or not allowed.", body = Problem,
            content_type = "application/problem+json"),
        (status = 503, description = "A file that the report needs cannot be read now.", body = Problem,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn get(
    State(app): State<App>,
    PathVariables(account): PathVariables<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = query.unwrap_or_default();
    let parameters: Vec<(Cow<'_, str>, Cow<'_, str>)> = form_urlencoded::parse(query.as_bytes()).collect();
    let request = ReportRequest::from_parameters(&account, app.engine().clock().now(), &parameters)?;
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

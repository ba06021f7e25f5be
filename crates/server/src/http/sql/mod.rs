//! The route of SQL.

mod answer;

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::header::{CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::negotiation::{accepted, named};
use super::openapi::problem_responses;
use super::options::HttpOptions;
use super::problem::Problem;
use super::request_body::RequestBody;
use crate::caller::Caller;
use crate::memory_budget::Owners;
use crate::{App, RowFormat};
use answer::answer;

/// How `system.queries` names the door of these statements.
const DOOR: &str = "http";

/// The longest body: far more than the longest statement takes, however its characters are written.
const MAX_BODY_BYTES: usize = 8 << 20;

/// A longer body is taken apart on the threads for SQL.
const SHORT_BYTES: usize = 64 << 10;

/// A statement to run.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SqlBody {
    /// A statement that reads, in DataFusion's dialect of SQL, over the table `segments`, its views, and the schema
    /// `system`.
    #[schema(
        format = "sql",
        min_length = 1,
        example = "select skill_id, count(*) as segments from segments group by skill_id"
    )]
    query: String,
    /// The only account whose rows are seen; absent, all are.
    #[schema(example = "demo", pattern = "^[A-Za-z0-9._-]{1,64}$")]
    account: Option<String>,
}

problem_responses! {
    SqlProblems {
        400: "The body has another field, the statement is wrong, or the answer is too long or cannot be written.",
        403: "A web page of another origin sends it.",
        406: "None of the formats is accepted.",
        408: "The body did not go on.",
        409: "The statement was ended on request.",
        413: "The body is too large.",
        415: "The body is no JSON.",
        422: "The statement took too long.",
        503: "The statement needs more memory than there is, too many run at once, or a file cannot be read now.",
    }
}

/// Run a SQL statement that reads.
///
/// The rows come as they are computed. Where the statement fails after some megabytes of them, the status has been
/// sent: the last line is a problem document then, and the connection is broken off.
#[utoipa::path(post, path = "/v1/sql", tag = "sql", request_body = SqlBody,
    responses(
        (status = 200, description = "The rows; times are RFC 3339. Of columns of one name, objects have the second as `name_2`.", content(
            (Vec<Object> = "application/json"),
            (String = "application/x-ndjson"),
            (String = "text/csv"),
            (Vec<u8> = "application/vnd.apache.arrow.stream"),
        )),
        SqlProblems,
    ))]
pub(super) async fn post(
    State(app): State<App>,
    State(options): State<Arc<HttpOptions>>,
    caller: Caller,
    RawQuery(parameters): RawQuery,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, Problem> {
    check_parameters(parameters.as_deref().unwrap_or_default())?;
    named(&headers, CONTENT_TYPE, &[("application/json", ())], None)?;
    let format = accepted(&headers, &RowFormat::MEDIA_TYPES)?;
    // It names its account in itself.
    let owners = Owners::of(None, caller.holder());
    let body = body.read_at_most(MAX_BODY_BYTES, &owners).await?;
    let parsed: Result<SqlBody, _> = match body.bytes() {
        short if short.len() <= SHORT_BYTES => serde_json::from_slice(&short),
        long => app.engine().spawn(async move { serde_json::from_slice(&long) }).await?,
    };
    drop(body);
    let SqlBody { query, account } = parsed.map_err(|error| Problem::invalid_body(error.to_string()))?;
    let session = caller.sql(&app, caller.scope_of(account.as_deref())?, DOOR);
    let rows = answer(session, query, format, options.max_sql_rows).await?;
    let content_type = HeaderValue::from_static(format.content_type());
    Ok(([(CONTENT_TYPE, content_type), (VARY, HeaderValue::from_static("accept"))], rows).into_response())
}

/// What belongs in the body is not passed over where it stands in the URL.
fn check_parameters(parameters: &str) -> Result<(), Problem> {
    for (name, value) in form_urlencoded::parse(parameters.as_bytes()) {
        let meant = ["query", "account"].into_iter().find(|field| name.eq_ignore_ascii_case(field));
        if let Some(field) = meant {
            let rule = format!("it belongs in the body, as the field {field}, and not in the URL");
            return Err(Problem::invalid_parameter(rule).blaming(&name, Some(value.into_owned())));
        }
    }
    Ok(())
}

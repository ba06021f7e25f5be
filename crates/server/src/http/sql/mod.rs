//! The routes of SQL.
//!
//! ```text
//! request.rs  what is asked for ─▶ parameters.rs  its values ─▶ answer.rs  the rows, while they are computed
//! ```

mod answer;
mod parameters;
mod request;

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};

use super::negotiation::named;
use super::openapi::{Binary, problem_responses};
use super::options::HttpOptions;
use super::problem::Problem;
use super::request_body::RequestBody;
use crate::caller::Caller;
use crate::memory_budget::Owners;
use crate::{App, RowFormat};
use answer::{Asked, answer};
use request::{SqlBody, SqlQuery};

/// How `system.queries` names the door of these statements.
pub(super) const DOOR: &str = "http";

/// The longest body: far more than the longest statement takes, however its characters are written.
const MAX_BODY_BYTES: usize = 8 << 20;

/// A longer body is taken apart on the threads for SQL.
const SHORT_BYTES: usize = 64 << 10;

problem_responses! {
    SqlProblems {
        400: "The body has another field, a value is none, the statement is wrong, or the answer is too long or cannot be written.",
        403: "A web page of another origin sends it.",
        406: "None of the formats is accepted.",
        408: "The body did not go on.",
        409: "The statement was ended on request.",
        413: "The body is too large.",
        415: "The body is no JSON.",
        422: "The statement took too long.",
        503: "The statement needs more memory than there is, too many run at once, or a file cannot be read now.",
    }
    SqlQueryProblems {
        400: "A parameter is missing, or has a value that it cannot have, the statement is wrong or does anything but read, or the answer is too long or cannot be written.",
        403: "A web page of another origin asks.",
        406: "None of the formats is accepted.",
        409: "The statement was ended on request.",
        422: "The statement took too long.",
        503: "The statement needs more memory than there is, too many run at once, or a file cannot be read now.",
    }
}

/// Run a SQL statement.
///
/// The rows come as they are computed. Where the statement fails after some megabytes of them, the status has been
/// sent: the last line is a problem document then, and the connection is broken off.
#[utoipa::path(post, path = "/v1/sql", operation_id = "sql", tag = "sql", request_body = SqlBody,
    responses(
        (status = 200, description = "The rows; times are RFC 3339. Of columns of one name, objects have the second as `name_2`.", content(
            (Vec<Object> = "application/json"),
            (String = "application/x-ndjson"),
            (String = "text/csv"),
            (inline(Binary) = "application/vnd.apache.arrow.stream"),
            (inline(Binary) = "application/vnd.apache.parquet"),
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
    SqlBody::check_url(parameters.as_deref().unwrap_or_default())?;
    named(&headers, CONTENT_TYPE, &[("application/json", ())], None)?;
    // It names its account in itself.
    let owners = Owners::of(None, caller.holder());
    let body = body.read_at_most(MAX_BODY_BYTES, &owners).await?;
    let parsed: Result<SqlBody, _> = match body.bytes() {
        short if short.len() <= SHORT_BYTES => serde_json::from_slice(&short),
        long => app.engine().spawn(async move { serde_json::from_slice(&long) }).await?,
    };
    drop(body);
    let body = parsed.map_err(|error| Problem::invalid_body(error.to_string()))?;
    let format = body.format(&headers)?;
    let session = caller.sql(&app, caller.scope_of(body.account.as_deref())?, DOOR);
    let rows = answer(session, asked(body, format, &options)).await?;
    Ok((headers_of(format), rows).into_response())
}

/// Run a SQL statement that reads, by its URL.
///
/// As with POST. Statements only read: what changes something, such as `kill_query`, is refused.
#[utoipa::path(get, path = "/v1/sql", operation_id = "sql_by_url", tag = "sql", params(SqlQuery),
    responses(
        (status = 200, description = "The rows, as with POST.", content(
            (Vec<Object> = "application/json"),
            (String = "application/x-ndjson"),
            (String = "text/csv"),
            (inline(Binary) = "application/vnd.apache.arrow.stream"),
            (inline(Binary) = "application/vnd.apache.parquet"),
        )),
        SqlQueryProblems,
    ))]
pub(super) async fn get(
    State(app): State<App>,
    State(options): State<Arc<HttpOptions>>,
    caller: Caller,
    RawQuery(parameters): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let body = SqlBody::of_url(parameters.as_deref().unwrap_or_default())?;
    let format = body.format(&headers)?;
    // Browsers, and programs that look for something new, send a GET without being asked to.
    let session = caller.sql(&app, caller.scope_of(body.account.as_deref())?, DOOR).only_reading();
    let rows = answer(session, asked(body, format, &options)).await?;
    let mut response = (headers_of(format), rows).into_response();
    // A browser shows JSON, and keeps anything else.
    if format != RowFormat::Json {
        let name = format!("attachment; filename=\"answer.{}\"", format.extension());
        let name = HeaderValue::try_from(name).map_err(|_| Problem::internal("a name is no header"))?;
        response.headers_mut().insert(CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

fn asked(body: SqlBody, format: RowFormat, options: &HttpOptions) -> Asked {
    let SqlBody { query, parameters, bom, .. } = body;
    let (parameters, has_mark) = (parameters.unwrap_or_default(), bom.unwrap_or(false));
    Asked { query, parameters, format, has_mark, max_rows: options.max_sql_rows }
}

fn headers_of(format: RowFormat) -> [(HeaderName, HeaderValue); 2] {
    [(CONTENT_TYPE, HeaderValue::from_static(format.content_type())), (VARY, HeaderValue::from_static("accept"))]
}

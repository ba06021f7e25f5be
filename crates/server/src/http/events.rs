use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use skillscope_store::Records;

use super::Problem;
use super::ingestion::{IngestionBody, ingest_body};
use super::negotiation::named;
use super::openapi::EventBody;
use super::path_variables::PathVariables;
use crate::App;

/// Follow conversations.
///
/// Events are put in order by their sequence, and a segment is stored the moment its conversation leaves the skill or
/// closes. An event is known by account, conversation and sequence, and has its effect once. One that waits for others is
/// accepted; so is one that turns out to be impossible, which has no effect and is kept for the operator.
#[utoipa::path(post, path = "/v1/accounts/{account}/events", tag = "ingestion",
    params(
        ("account" = String, Path, pattern = "^[A-Za-z0-9._-]{1,64}$", description = "The brand's account; records may leave it out, and none may name another."),
        ("Content-Encoding" = Option<String>, Header, pattern = "^(gzip|zstd|identity)$", description = "`gzip`, `zstd` or `identity`."),
    ),
    request_body(description = "Conversation events, one a line.", content((EventBody = "application/x-ndjson"))),
    responses(
        (status = 200, description = "What was accepted is on disk, with the segments that it closed.", body = IngestionBody),
        (status = 400, description = "The account is not one, or the body cannot be read at all.", body = Problem,
            content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is of a type that is not taken.", body = Problem,
            content_type = "application/problem+json"),
        (status = 503, description = "The events could not be stored.", body = Problem,
            content_type = "application/problem+json"),
        (status = 507, description = "The disk is full.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn post(
    State(app): State<App>,
    PathVariables(account): PathVariables<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<IngestionBody>, Problem> {
    named(&headers, CONTENT_TYPE, &[("application/x-ndjson", ())], None)?;
    ingest_body(app, account, &headers, body, Records::Events).await
}

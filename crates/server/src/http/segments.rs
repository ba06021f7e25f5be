use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use skillscope_segment::Format;
use skillscope_store::Records;

use super::Problem;
use super::ingestion::{IngestionBody, ingest_body};
use super::negotiation::named;
use super::openapi::SegmentBody;
use super::path_variables::PathVariables;
use crate::App;

const MEDIA_TYPES: [(&str, Format); 4] = [
    ("application/x-ndjson", Format::Ndjson),
    ("application/json", Format::Json),
    ("application/vnd.apache.arrow.stream", Format::Arrow),
    ("application/vnd.apache.parquet", Format::Parquet),
];

/// Store closed segments.
///
/// A segment is known by account, conversation and index, and counts once. Records that break a rule are listed and
/// cost themselves alone.
#[utoipa::path(post, path = "/v1/accounts/{account}/segments", tag = "ingestion",
    params(
        ("account" = String, Path, pattern = "^[A-Za-z0-9._-]{1,64}$", description = "The brand's account; records may leave it out, and none may name another."),
        ("Content-Encoding" = Option<String>, Header, pattern = "^(gzip|zstd|identity)$", description = "`gzip`, `zstd` or `identity`."),
    ),
    request_body(description = "Closed segments: in NDJSON, one a line.", content(
        (SegmentBody = "application/x-ndjson"),
        (Vec<SegmentBody> = "application/json"),
        (Vec<u8> = "application/vnd.apache.arrow.stream"),
        (Vec<u8> = "application/vnd.apache.parquet"),
    )),
    responses(
        (status = 200, description = "What was accepted is on disk.", body = IngestionBody),
        (status = 400, description = "The account is not one, or the body cannot be read at all.", body = Problem,
            content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is of a type that is not taken.", body = Problem,
            content_type = "application/problem+json"),
        (status = 503, description = "The segments could not be stored.", body = Problem,
            content_type = "application/problem+json"),
        (status = 507, description = "The disk is full.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn post(
    State(app): State<App>,
    PathVariables(account): PathVariables<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<IngestionBody>, Problem> {
    let format = named(&headers, CONTENT_TYPE, &MEDIA_TYPES, None)?;
    ingest_body(app, account, &headers, body, Records::Segments(format)).await
}

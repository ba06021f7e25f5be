//! The route that takes closed segments.

use axum::Json;
use axum::extract::State;
use skillscope_segment::Format;
use skillscope_store::Records;

use super::ingestion::{IngestionAccount, IngestionBody, IngestionProblems, IngestionQuery, IngestionRequest};
use super::openapi::{Binary, SegmentRecord, problem_responses};
use super::problem::Problem;
use crate::App;

const MEDIA_TYPES: [(&str, Records); 4] = [
    ("application/x-ndjson", Records::Segments(Format::Ndjson)),
    ("application/json", Records::Segments(Format::Json)),
    ("application/vnd.apache.arrow.stream", Records::Segments(Format::Arrow)),
    ("application/vnd.apache.parquet", Records::Segments(Format::Parquet)),
];

problem_responses! {
    SegmentsNotStored { 503: "The segments could not be stored, or too much is under way.", }
}

/// Store closed segments.
///
/// A segment is known by account, conversation and index, and counts once. A record that breaks a rule is listed and
/// left out; the others are stored.
#[utoipa::path(post, path = "/v1/accounts/{account}/segments", operation_id = "store_segments", tag = "ingestion",
    params(IngestionAccount, IngestionQuery),
    request_body(description = "Closed segments: in NDJSON, one a line. The header `Content-Encoding` may say `gzip` or `zstd`.", content(
        (SegmentRecord = "application/x-ndjson"),
        (Vec<SegmentRecord> = "application/json"),
        (inline(Binary) = "application/vnd.apache.arrow.stream"),
        (inline(Binary) = "application/vnd.apache.parquet"),
    )),
    responses(
        (status = 200, description = "What was accepted is on disk.", body = IngestionBody),
        IngestionProblems,
        SegmentsNotStored,
    ))]
pub(super) async fn post(State(app): State<App>, request: IngestionRequest) -> Result<Json<IngestionBody>, Problem> {
    request.ingest(app, "segments", &MEDIA_TYPES).await
}

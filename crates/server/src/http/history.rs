//! The route that takes exports of message history.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use skillscope_store::{Ingested, Records};
use utoipa::ToSchema;

use super::ingestion::{IngestionAccount, IngestionProblems, IngestionQuery, IngestionRequest, RejectedBody, listed};
use super::openapi::{HistoryPage, problem_responses};
use super::problem::Problem;
use crate::App;

const MEDIA_TYPES: [(&str, Records); 2] =
    [("application/json", Records::History), ("application/x-ndjson", Records::History)];

/// What became of the conversations of a request.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HistoryBody {
    /// Segments that are stored now, and were not before.
    accepted: u64,
    /// Segments that were stored already.
    duplicates: u64,
    /// Records that were not taken.
    rejected_count: u64,
    /// Conversations that are open, and are followed from there on.
    followed: u64,
    /// The first 100 of the records that were not taken.
    rejected: Vec<RejectedBody>,
}

problem_responses! {
    HistoryNotStored { 503: "The segments could not be stored, or too much is under way.", }
}

/// Store message history.
///
/// The segments of the conversations that have ended are stored, each once. A conversation that is open is followed from
/// where the export leaves it: events that are later than the last thing told of it go on from there, and earlier ones
/// are repeats, whether they come before the export or after it.
#[utoipa::path(post, path = "/v1/accounts/{account}/history", operation_id = "store_history", tag = "ingestion",
    params(IngestionAccount, IngestionQuery),
    request_body(description = "An export of message history: pages, an array of records, or in NDJSON one of either a line. The header `Content-Encoding` may say `gzip` or `zstd`.", content(
        (HistoryPage = "application/json"),
        (HistoryPage = "application/x-ndjson"),
    )),
    responses(
        (status = 200, description = "What was accepted is on disk, with the conversations that are followed.", body = HistoryBody),
        IngestionProblems,
        HistoryNotStored,
    ))]
pub(super) async fn post(State(app): State<App>, request: IngestionRequest) -> Result<Json<HistoryBody>, Problem> {
    let ingested = request.outcome(app, "history", &MEDIA_TYPES).await?;
    let Ingested { accepted, duplicates, rejected_count, followed, rejected } = ingested;
    Ok(Json(HistoryBody { accepted, duplicates, rejected_count, followed, rejected: listed(rejected) }))
}

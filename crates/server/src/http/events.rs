//! The route that takes conversation events.

use axum::Json;
use axum::extract::State;
use skillscope_store::Records;

use super::ingestion::{IngestionAccount, IngestionBody, IngestionProblems, IngestionQuery, IngestionRequest};
use super::openapi::{EventRecord, problem_responses};
use super::problem::Problem;
use crate::App;

const MEDIA_TYPES: [(&str, Records); 1] = [("application/x-ndjson", Records::Events)];

problem_responses! {
    EventsNotStored { 503: "The events could not be stored, or too much is under way.", }
}

/// Follow conversations.
///
/// Events are put in order by their sequence, and a segment is stored the moment its conversation leaves the skill or
/// closes. An event is known by account, conversation and sequence, and has its effect once. One that waits for others
/// is accepted; so is one that turns out to be impossible, which has no effect and is kept for the operator.
#[utoipa::path(post, path = "/v1/accounts/{account}/events", operation_id = "store_events", tag = "ingestion",
    params(IngestionAccount, IngestionQuery),
    request_body(description = "Conversation events, one a line. The header `Content-Encoding` may say `gzip` or `zstd`.",
        content((EventRecord = "application/x-ndjson"))),
    responses(
        (status = 200, description = "What was accepted is on disk, with the segments that it closed.", body = IngestionBody),
        IngestionProblems,
        EventsNotStored,
    ))]
pub(super) async fn post(State(app): State<App>, request: IngestionRequest) -> Result<Json<IngestionBody>, Problem> {
    request.ingest(app, "events", &MEDIA_TYPES).await
}

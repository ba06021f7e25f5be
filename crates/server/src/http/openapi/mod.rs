//! The OpenAPI 3.1 document. A route is described where its handler is. Here are the parts around the routes, and the
//! bodies for which the server has no other type.

mod event_body;
mod problem_responses;
mod report_body;
mod segment_body;
mod values;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use utoipa::OpenApi;

use super::problem::Problem;
pub(super) use event_body::EventBody;
pub(super) use problem_responses::{problem_response, problem_responses};
pub(super) use report_body::ReportBody;
pub(super) use segment_body::SegmentBody;

/// The document without its routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "skillscope",
        description = "Skill-segment reports of a messaging contact centre: exact to the millisecond, for any timeframe that ends now.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(Problem)),
    tags(
        (name = "report", description = "Counts of closed skill segments."),
        (name = "ingestion", description = "Bringing closed segments and conversation events in."),
        (name = "sql", description = "Questions that no fixed report answers."),
        (name = "operation", description = "Running the server."),
    )
)]
pub(super) struct Document;

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "operation",
    responses((status = 200, description = "OpenAPI 3.1.", body = Object)))]
pub(super) async fn get(State(document): State<Arc<utoipa::openapi::OpenApi>>) -> Json<utoipa::openapi::OpenApi> {
    Json(document.as_ref().clone())
}

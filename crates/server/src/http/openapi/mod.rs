//! The OpenAPI 3.1 document. A route is described where its handler is. Here are the parts around the routes, and the
//! bodies for which the server has no other type.

mod binary;
mod column_comments;
mod common_problems;
mod event_body;
mod history_body;
mod now_body;
mod problem_responses;
mod queue_health_body;
mod record;
mod report_body;
mod segment_body;
mod values;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::problem::Problem;
pub(super) use binary::Binary;
use column_comments::with_column_comments;
pub(super) use common_problems::describe_common_problems;
use event_body::EventBody;
pub(super) use history_body::HistoryPage;
pub(super) use now_body::NowBody;
pub(super) use problem_responses::{problem_response, problem_responses};
pub(super) use queue_health_body::QueueHealthBody;
pub(super) use record::{EventRecord, SegmentRecord};
pub(super) use report_body::ReportBody;
use segment_body::SegmentBody;
pub(super) use values::scopes;

/// The document without its routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "skillscope",
        description = "Skill-segment reports of a messaging contact centre: exact to the millisecond, for any timeframe that ends now.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(Problem)),
    modifiers(&TokenScheme),
    tags(
        (name = "report", description = "Counts of closed skill segments."),
        (name = "ingestion", description = "Bringing closed segments, conversation events and message history in."),
        (name = "sql", description = "Questions that no fixed report answers."),
        (name = "operation", description = "Running the server."),
    )
)]
pub(super) struct Document;

/// By what name the document calls the way to show a token.
pub(super) const BEARER: &str = "token";

/// Describes how a caller shows its token, where the server asks for one.
struct TokenScheme;

impl Modify for TokenScheme {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let description = "A token of the data directory (`skillscope token add`). Where it has none, nobody is asked.";
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description)).build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(BEARER, SecurityScheme::Http(scheme));
    }
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", operation_id = "openapi", tag = "operation",
    responses((status = 200, description = "OpenAPI 3.1.", body = Object)))]
pub(super) async fn get(State(document): State<Arc<utoipa::openapi::OpenApi>>) -> Json<utoipa::openapi::OpenApi> {
    Json(document.as_ref().clone())
}

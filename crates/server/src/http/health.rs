//! The routes that tell whether the server is alive and ready.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::openapi::problem_responses;
use super::problem::Problem;
use crate::App;

/// How the server is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    #[schema(example = "ok")]
    status: &'static str,
}

/// Whether the process answers at all.
#[utoipa::path(get, path = "/healthz", operation_id = "health", tag = "operation", responses((status = 200, description = "It does.", body = Health)))]
pub(super) async fn live() -> Json<Health> {
    Json(Health { status: "ok" })
}

problem_responses! {
    NotReady { 503: "The server is starting or shutting down, or its disk refuses writes.", }
}

/// Whether requests should be sent here: data is loaded, the disk takes writes, and the server is not shutting down.
#[utoipa::path(get, path = "/readyz", operation_id = "ready", tag = "operation", responses(
    (status = 200, description = "They should.", body = Health),
    NotReady,
))]
pub(super) async fn ready(State(app): State<App>) -> Result<Json<Health>, Problem> {
    match app.not_ready() {
        Some(reason) => Err(Problem::unavailable(reason)),
        None => Ok(Json(Health { status: "ready" })),
    }
}

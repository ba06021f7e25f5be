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

/// That requests should be sent here.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Ready {
    #[schema(example = "ready")]
    status: &'static str,
    /// How many accounts there are of which nothing has come for longer than `--quiet-after`. Absent where that is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    quiet_accounts: Option<u64>,
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
    (status = 200, description = "They should.", body = Ready),
    NotReady,
))]
pub(super) async fn ready(State(app): State<App>) -> Result<Json<Ready>, Problem> {
    match app.not_ready() {
        Some(reason) => Err(Problem::unavailable(reason)),
        None => Ok(Json(Ready { status: "ready", quiet_accounts: app.quiet_accounts() })),
    }
}

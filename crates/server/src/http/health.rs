use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Problem;
use crate::App;

/// How the server is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    #[schema(example = "ok")]
    status: &'static str,
}

/// Whether the process answers at all.
#[utoipa::path(get, path = "/healthz", tag = "operation", responses((status = 200, description = "It does.", body = Health)))]
pub(super) async fn live() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Whether requests should be sent here: the data is loaded, and the server is not shutting down.
#[utoipa::path(get, path = "/readyz", tag = "operation", responses(
    (status = 200, description = "They should.", body = Health),
    (status = 503, description = "The server is shutting down.", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn ready(State(app): State<App>) -> Result<Json<Health>, Problem> {
    if app.is_stopping() {
        return Err(Problem::unavailable("the server is shutting down"));
    }
    Ok(Json(Health { status: "ready" }))
}

use std::any::Any;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use super::{Problem, backup, events, health, host_lookup, openapi, report, segments, sql};
use crate::App;

/// All routes.
pub fn router(app: App) -> Router {
    let live = Router::new()
        .route("/operations/api/account/{account}/msgskillsegments", get(report::get))
        .route("/api/account/{account}/service/{service}/baseURI.json", get(host_lookup::get))
        .route("/v1/sql", post(sql::post))
        .layer(map_response(no_store));
    let router = Router::new()
        .merge(live)
        .route("/v1/accounts/{account}/segments", post(segments::post))
        .route("/v1/accounts/{account}/events", post(events::post))
        .route("/v1/backup", get(backup::get))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/openapi.json", get(openapi::get))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(app.max_body_bytes()))
        .layer(CompressionLayer::new());
    let router = match app.cors_origins().layer() {
        Some(cors) => router.layer(cors),
        None => router,
    };
    router.layer(CatchPanicLayer::custom(panicked)).with_state(app)
}

/// The answer is about this instant: neither a browser nor a proxy may give it to anyone later.
async fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn unknown_path(request: Request) -> Problem {
    Problem::not_found(format!("there is nothing at {}", request.uri().path()))
}

async fn wrong_method(request: Request) -> Problem {
    let (method, path) = (request.method(), request.uri().path());
    Problem::method_not_allowed(format!("{path} cannot be asked with {method}"))
}

fn panicked(_: Box<dyn Any + Send>) -> Response {
    Problem::internal("the request could not be answered; the server's log says why").into_response()
}

//! The routes, and what is done to every request and answer.

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::openapi::Document;
use super::options::HttpOptions;
use super::problem::Problem;
use super::state::HttpState;
use super::{backup, events, health, host_lookup, openapi, report, segments, sql};
use crate::App;

/// Every route. Its method and path come from the `#[utoipa::path]` of its handler, which also describes it in the
/// document.
fn routes() -> OpenApiRouter<HttpState> {
    let live = OpenApiRouter::default()
        .routes(routes!(report::get))
        .routes(routes!(host_lookup::get))
        .routes(routes!(sql::post))
        .layer(map_response(no_store));
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(live)
        .routes(routes!(segments::post))
        .routes(routes!(events::post))
        .routes(routes!(backup::get))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(openapi::get))
}

/// The routes of `app`, with the layers that every request and answer goes through.
pub(crate) fn router(app: App, options: HttpOptions) -> Router {
    let (routes, document) = routes().split_for_parts();
    let router = routes
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(options.max_body_bytes))
        .layer(CompressionLayer::new());
    let router = match options.cors_origins.layer() {
        Some(cors) => router.layer(cors),
        None => router,
    };
    let state = HttpState { app, options: Arc::new(options), document: Arc::new(document) };
    router.layer(CatchPanicLayer::custom(panicked)).with_state(state)
}

/// Forbids browsers and proxies to keep an answer, which is about this instant.
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

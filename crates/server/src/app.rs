use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use skillscope_query::Engine;
use skillscope_store::Store;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use crate::{CorsOrigins, Problem, backup, events, health, host_lookup, ingestion, openapi, report, sql};

/// What the handlers share.
#[derive(Clone)]
pub struct App(Arc<Shared>);

struct Shared {
    store: Arc<Store>,
    engine: Engine,
    options: AppOptions,
    stopping: AtomicBool,
}

/// How the server is set up.
#[derive(Debug, Clone)]
pub struct AppOptions {
    /// The largest request body, in bytes, as sent and after decompression.
    pub max_body_bytes: usize,
    /// The most rows in one answer to a statement.
    pub max_sql_rows: u64,
    /// The origins whose pages may read answers.
    pub cors_origins: CorsOrigins,
}

impl App {
    /// The server over `store`, with answers from `engine`.
    pub fn new(store: Arc<Store>, engine: Engine, options: AppOptions) -> Self {
        Self(Arc::new(Shared { store, engine, options, stopping: AtomicBool::new(false) }))
    }

    pub(crate) fn store(&self) -> Arc<Store> {
        Arc::clone(&self.0.store)
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(crate) fn max_body_bytes(&self) -> usize {
        self.0.options.max_body_bytes
    }

    pub(crate) fn max_sql_rows(&self) -> u64 {
        self.0.options.max_sql_rows
    }

    /// From now on the server says that it is not ready.
    pub(crate) fn stop(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::Relaxed)
    }
}

/// All routes.
pub fn router(app: App) -> Router {
    let live = Router::new()
        .route("/operations/api/account/{account}/msgskillsegments", get(report::get))
        .route("/api/account/{account}/service/{service}/baseURI.json", get(host_lookup::get))
        .route("/v1/sql", post(sql::post))
        .layer(map_response(no_store));
    let router = Router::new()
        .merge(live)
        .route("/v1/accounts/{account}/segments", post(ingestion::post))
        .route("/v1/accounts/{account}/events", post(events::post))
        .route("/v1/backup", get(backup::get))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/openapi.json", get(openapi::get))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(app.max_body_bytes()))
        .layer(CompressionLayer::new());
    let router = match app.0.options.cors_origins.layer() {
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

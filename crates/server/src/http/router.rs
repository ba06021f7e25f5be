//! The routes, and what is done to every request and answer.

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING};
use axum::middleware::{from_fn_with_state, map_response, map_response_with_state};
use axum::response::{IntoResponse, Response};
use tokio_util::sync::CancellationToken;
use tower::util::MapRequest;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::admission::{let_in, permitted};
use super::answer_body::is_whole;
use super::counting::count;
use super::followed_report::ReportSource;
use super::guard::{Guard, guard};
use super::metrics::MetricsTurn;
use super::openapi::{Document, describe_common_problems};
use super::options::HttpOptions;
use super::problem::Problem;
use super::report::ReportMemory;
use super::request_body::BodyLimits;
use super::state::HttpState;
use super::streams::Feeds;
use super::traced::traced;
use super::trailing_slash::without_slash;
use super::{
    backup, console, events, health, history, host_lookup, login, me, metrics, names, now, openapi, past_report,
    queue_health, report, segments, sql, tables,
};
use crate::App;
use crate::access::{Access, Holder, Permission};
use crate::limiter::Limiter;
use crate::metrics::TextFormat;
use crate::statistics::HttpStatistics;
use crate::threads::{Place, ahead};

/// Every route, by what a caller must be permitted. Its method and path come from the `#[utoipa::path]` of its handler,
/// which also describes it in the document.
fn routes(access: &Access, limiter: &Arc<Limiter<Holder>>) -> OpenApiRouter<HttpState> {
    let new = OpenApiRouter::<HttpState>::default;
    let reports = new().routes(routes!(report::get)).routes(routes!(past_report::get));
    let reports = reports.routes(routes!(now::get)).routes(routes!(queue_health::get));
    let reports = reports.layer(map_response(of_report_threads)).routes(routes!(names::get));
    let ingestion = new().routes(routes!(segments::post)).routes(routes!(events::post)).routes(routes!(history::post));
    let statements = new().routes(routes!(sql::get, sql::post));
    let operation = new().routes(routes!(backup::post)).routes(routes!(metrics::get)).routes(routes!(tables::post));
    let live = permitted(Permission::Report, access, limiter, reports)
        .merge(permitted(Permission::Sql, access, limiter, statements))
        .merge(let_in(access, limiter, new().routes(routes!(me::get))))
        .routes(routes!(host_lookup::get))
        .routes(routes!(host_lookup::list))
        .routes(routes!(host_lookup::list_of_csdr))
        .routes(routes!(login::post))
        .layer(map_response(no_store));
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(live)
        .merge(permitted(Permission::Ingest, access, limiter, ingestion))
        .merge(permitted(Permission::Admin, access, limiter, operation))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(openapi::get))
}

/// What answers requests.
pub(crate) type Routes = MapRequest<Router, fn(Request) -> Request>;

/// The routes of `app`, with the layers that every request and answer goes through. Streams end with `ending`.
pub(crate) fn router(app: App, options: HttpOptions, ending: &CancellationToken) -> Routes {
    let (routes, mut document) = routes(app.access(), &Limiter::new(options.of_a_token)).split_for_parts();
    describe_common_problems(&mut document);
    let options = Arc::new(options);
    let access = app.access().clone();
    let guards = Guard::new(Arc::clone(&options), move || access.asks());
    let router = routes
        .merge(console::routes())
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(guards, guard))
        .layer(from_fn_with_state(Arc::clone(&options), traced))
        .layer(CompressionLayer::new().compress_when(worth_compressing()))
        .layer(map_response_with_state(app.clone(), compress_elsewhere));
    let router = match options.cors_origins.layer() {
        Some(cors) => router.layer(cors),
        None => router,
    };
    let bodies = Arc::new(BodyLimits::new(&options));
    let reports = ReportMemory::new(&options);
    let source = ReportSource { app: app.clone(), memory: reports.clone() };
    let streams = &app.statistics().streams;
    let report_feeds = Feeds::new(source, ending.clone(), Arc::clone(streams));
    let now_feeds = Feeds::new(app.clone(), ending.clone(), Arc::clone(streams));
    // Every route but the console's is in the document, by its path.
    let statistics = HttpStatistics::new(document.paths.paths.keys().cloned(), &console::PATHS);
    let counting = from_fn_with_state(Arc::clone(&statistics), count);
    let state = HttpState {
        app,
        options,
        bodies,
        reports,
        report_feeds,
        now_feeds,
        statistics,
        metrics_turn: MetricsTurn::default(),
        document: Arc::new(document),
    };
    let router = router.layer(CatchPanicLayer::custom(panicked)).layer(counting).with_state(state);
    // A path is made what it stands for before its route is looked for.
    MapRequest::new(router, without_slash)
}

/// Metrics are not compressed: they are to come also while the threads that compress are busy. Neither are streams, whose
/// bytes are the same for many.
fn worth_compressing() -> impl Predicate {
    let of_metrics = TextFormat::MEDIA_TYPES.map(|(media_type, _)| NotForContentType::const_new(media_type));
    let [text, open_metrics] = of_metrics;
    DefaultPredicate::new().and(text).and(open_metrics)
}

/// Forbids browsers and proxies to keep an answer, which is about this instant.
async fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Marks an answer that is compressed on the threads for reports.
#[derive(Debug, Clone, Copy)]
struct OfReportThreads;

async fn of_report_threads(mut response: Response) -> Response {
    response.extensions_mut().insert(OfReportThreads);
    response
}

/// An answer is compressed while its body is read, unless it is there as a whole. Threads that serve connections have no time for that, and those for
/// reports have none for anything but reports.
async fn compress_elsewhere(State(app): State<App>, mut response: Response) -> Response {
    let place = response.extensions_mut().remove::<Arc<Place>>();
    if !response.headers().contains_key(CONTENT_ENCODING) || is_whole(&response) {
        return response;
    }
    match response.extensions().get() {
        Some(OfReportThreads) => response.map(|body| app.threads().reports.ahead(body, place)),
        None => response.map(|body| ahead(body, (), |making| app.engine().spawn(making))),
    }
}

async fn unknown_path(request: Request) -> Problem {
    Problem::nothing_at(request.uri().path())
}

async fn wrong_method(request: Request) -> Problem {
    let (method, path) = (request.method(), request.uri().path());
    Problem::method_not_allowed(format!("{path} cannot be asked with {method}"))
}

fn panicked(_: Box<dyn Any + Send>) -> Response {
    Problem::internal("the request could not be answered; the server's log says why").into_response()
}

//! The route that operators' programs read.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use super::negotiation::accepted;
use super::openapi::problem_responses;
use super::problem::Problem;
use super::report::ReportMemory;
use super::request_body::BodyLimits;
use crate::App;
use crate::caller::Caller;
use crate::metrics::{Budgets, TextFormat, gather};
use crate::statistics::HttpStatistics;

problem_responses! {
    MetricsProblems { 500: "The metrics could not be written.", }
}

/// Lets one after the other look through everything, whoever asks.
#[derive(Clone, Default)]
pub(super) struct MetricsTurn(Arc<Mutex<()>>);

/// How the server does.
///
/// For Prometheus: its text format, or OpenMetrics where that is asked for. docs/metrics.md tells what each metric
/// means.
#[utoipa::path(get, path = "/metrics", operation_id = "metrics", tag = "operation", responses(
    (status = 200, description = "All metrics.", content(
        (String = "text/plain; version=0.0.4; charset=utf-8"),
        (String = "application/openmetrics-text; version=1.0.0; charset=utf-8"),
    )),
    MetricsProblems,
))]
pub(super) async fn get(
    State(app): State<App>,
    State(http): State<Arc<HttpStatistics>>,
    State(bodies): State<Arc<BodyLimits>>,
    State(reports): State<ReportMemory>,
    State(MetricsTurn(turn)): State<MetricsTurn>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.check_all()?;
    let format = accepted(&headers, &TextFormat::MEDIA_TYPES).unwrap_or(TextFormat::Prometheus);
    let _turn = turn.lock().await;
    // It takes some time, and reads files: not on a thread that serves connections, and on none that reports or
    // statements may keep busy.
    let write = move || {
        let budgets = Budgets { bodies: bodies.budget(), reports: reports.budget() };
        gather(&app, &http, &budgets).write(format)
    };
    let written = spawn_blocking(write).await.map_err(|_| Problem::internal("the server's log says why"))?;
    let text = written.map_err(|_| Problem::internal("the metrics could not be written"))?;
    let content_type = HeaderValue::from_static(format.content_type());
    let headers = [
        (CONTENT_TYPE, content_type),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (VARY, HeaderValue::from_static("accept")),
    ];
    Ok((headers, text).into_response())
}

//! What the handlers share.

use std::sync::Arc;

use axum::extract::FromRef;
use skillscope_query::NowRequest;
use utoipa::openapi::OpenApi;

use super::followed_report::FollowedReport;
use super::metrics::MetricsTurn;
use super::options::HttpOptions;
use super::report::ReportMemory;
use super::request_body::BodyLimits;
use super::streams::Feeds;
use crate::App;
use crate::statistics::HttpStatistics;

/// What the handlers share. Each takes the part that it needs, as `State<…>`.
#[derive(Clone)]
pub(super) struct HttpState {
    pub(super) app: App,
    pub(super) options: Arc<HttpOptions>,
    pub(super) bodies: Arc<BodyLimits>,
    pub(super) reports: ReportMemory,
    pub(super) report_feeds: Feeds<FollowedReport>,
    pub(super) now_feeds: Feeds<NowRequest>,
    pub(super) statistics: Arc<HttpStatistics>,
    pub(super) metrics_turn: MetricsTurn,
    pub(super) document: Arc<OpenApi>,
}

impl FromRef<HttpState> for App {
    fn from_ref(state: &HttpState) -> Self {
        state.app.clone()
    }
}

impl FromRef<HttpState> for Arc<HttpOptions> {
    fn from_ref(state: &HttpState) -> Self {
        Arc::clone(&state.options)
    }
}

impl FromRef<HttpState> for Arc<BodyLimits> {
    fn from_ref(state: &HttpState) -> Self {
        Arc::clone(&state.bodies)
    }
}

impl FromRef<HttpState> for ReportMemory {
    fn from_ref(state: &HttpState) -> Self {
        state.reports.clone()
    }
}

impl FromRef<HttpState> for Feeds<FollowedReport> {
    fn from_ref(state: &HttpState) -> Self {
        state.report_feeds.clone()
    }
}

impl FromRef<HttpState> for Feeds<NowRequest> {
    fn from_ref(state: &HttpState) -> Self {
        state.now_feeds.clone()
    }
}

impl FromRef<HttpState> for Arc<HttpStatistics> {
    fn from_ref(state: &HttpState) -> Self {
        Arc::clone(&state.statistics)
    }
}

impl FromRef<HttpState> for MetricsTurn {
    fn from_ref(state: &HttpState) -> Self {
        state.metrics_turn.clone()
    }
}

impl FromRef<HttpState> for Arc<OpenApi> {
    fn from_ref(state: &HttpState) -> Self {
        Arc::clone(&state.document)
    }
}

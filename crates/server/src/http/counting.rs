//! Counting requests.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::answer_body::{is_live, keep_until_gone};
use crate::statistics::HttpStatistics;

/// Counts a request from its head to the end of its answer, or to the beginning of one that goes on.
pub(super) async fn count(State(statistics): State<Arc<HttpStatistics>>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>();
    let mut counted = statistics.begin(path.map(MatchedPath::as_str), request.method());
    let response = next.run(request).await;
    counted.answered(response.status());
    // How long somebody follows a report is not how long a request takes.
    if is_live(&response) { response } else { keep_until_gone(response, counted) }
}

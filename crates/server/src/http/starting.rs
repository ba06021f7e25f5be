//! What is answered while the server reads what is stored.

use axum::extract::Request;
use axum::routing::get;
use tower::util::MapRequest;

use super::problem::Problem;
use super::router::Routes;
use super::{console, health};

/// The routes of a server that is not ready: it lives, and everything else has to wait. The console does so by itself, so
/// that whoever opens it now sees it as soon as there is something to see.
pub(super) fn starting_routes() -> Routes {
    let router = console::routes().route("/healthz", get(health::live)).fallback(not_yet);
    MapRequest::new(router.method_not_allowed_fallback(not_yet), as_it_is)
}

fn as_it_is(request: Request) -> Request {
    request
}

async fn not_yet() -> Problem {
    Problem::busy("the server is starting: it reads what is stored; ask again in a moment")
}

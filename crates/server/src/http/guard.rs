//! What is refused whatever it asks for.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::cors::CorsOrigins;
use super::options::HttpOptions;
use super::problem::Problem;

/// How a browser tells where the page is from that sends a request.
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Passes requests on that are sound, and do nothing in the name of somebody who only looks at a web page.
pub(super) async fn guard(State(options): State<Arc<HttpOptions>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    if headers.get_all(HOST).iter().nth(1).is_some() {
        return Problem::invalid_parameter("the request has more than one Host header")
            .blaming("Host", None)
            .into_response();
    }
    // The others change nothing, and which pages read their answers is for CORS.
    let may_change = ![Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    if may_change && is_foreign(headers, &options.cors_origins) {
        let rule = "a web page of another origin may not send this; --cors-origin allows an origin to";
        return Problem::forbidden(rule).into_response();
    }
    next.run(request).await
}

/// Whether a browser sends this for a page of another origin that is not allowed to. Programs tell no origin.
fn is_foreign(headers: &HeaderMap, allowed: &CorsOrigins) -> bool {
    let origin = headers.get(ORIGIN);
    if origin.is_some_and(|origin| allowed.allows(origin)) {
        return false;
    }
    if let Some(site) = headers.get(SITE) {
        return !["same-origin", "none"].iter().any(|own| site == own);
    }
    let Some(origin) = origin else { return false };
    let of_page = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    let own = headers.get(HOST).and_then(|host| host.to_str().ok());
    of_page.is_none() || of_page != own
}

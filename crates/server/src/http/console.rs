//! The web console: its page, and what the page loads. They are the same for everybody, so that no token is asked for;
//! what they then ask for is let in like anybody's. They are no part of the API, and so not in its document.

use axum::Router;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::negotiation::takes_gzip;
use super::problem::Problem;
use crate::console::{ConsoleFile, asset, page};

/// The routes. Metrics count all of them as the first.
pub(super) const PATHS: [&str; 2] = [PAGE, ASSETS];
const PAGE: &str = "/";
const ASSETS: &str = "/assets/{name}";
const FOLDER: &str = "/assets/";

/// The page may have changed with the program. Under an asset's name there is never anything else.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");
const KEEP: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// What a browser lets the page do: load what is here, ask here, and be in no other page's frame.
const PROTECTION: [(HeaderName, &str); 5] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// The routes of the console, which need nothing of a server.
pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route(PAGE, get(get_page)).route(ASSETS, get(get_asset))
}

async fn get_page(headers: HeaderMap) -> Response {
    answer(page(), ASK_AGAIN, &headers)
}

async fn get_asset(uri: Uri, headers: HeaderMap) -> Response {
    match uri.path().strip_prefix(FOLDER).and_then(asset) {
        Some(file) => answer(file, KEEP, &headers),
        None => Problem::nothing_at(uri.path()).into_response(),
    }
}

/// The file, unless the client has it already.
fn answer(file: &ConsoleFile, caching: HeaderValue, asked: &HeaderMap) -> Response {
    let mut response = match (is_known(file.tag(), asked), takes_gzip(asked)) {
        (true, _) => StatusCode::NOT_MODIFIED.into_response(),
        (false, true) => ([(CONTENT_ENCODING, "gzip")], file.gzip()).into_response(),
        (false, false) => file.unpacked().into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(file.media_type()));
    headers.insert(CACHE_CONTROL, caching);
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(tag) = HeaderValue::from_str(file.tag()) {
        headers.insert(ETAG, tag);
    }
    headers.extend(PROTECTION.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}

/// Whether the client tells that it has what `tag` stands for.
fn is_known(tag: &str, asked: &HeaderMap) -> bool {
    let told = asked.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    told.flat_map(|tags| tags.split(',')).map(str::trim).any(|told| told == "*" || opaque(told) == opaque(tag))
}

/// An entity tag without the mark of a weak one.
fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

//! What is refused whatever it asks for.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Scheme;
use axum::http::{HeaderMap, HeaderName, Method, Version};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::connection::Ends;
use super::cors::CorsOrigins;
use super::forwarded::SeenAs;
use super::options::HttpOptions;
use super::problem::Problem;

/// How a browser tells where the page is from that sends a request, and what it sends it for.
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// Whoever looks whether the server lives calls it by any name.
const PROBES: [&str; 2] = ["/healthz", "/readyz"];

/// What may be opened by a link on a page of any site.
const PAGES: [&str; 1] = ["/"];

/// What a request must be to be passed on. Cheap to clone.
#[derive(Clone)]
pub(super) struct Guard {
    options: Arc<HttpOptions>,
    asks_for_tokens: Arc<dyn Fn() -> bool + Send + Sync>,
}

/// Passes requests on that are sound, were meant for this server, and do nothing in the name of somebody who only looks
/// at a web page.
pub(super) async fn guard(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    match guard.check(&request) {
        Ok(seen) => {
            request.extensions_mut().insert(seen);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

impl Guard {
    /// `asks_for_tokens` says whether every caller has to show a token now.
    pub(super) fn new(options: Arc<HttpOptions>, asks_for_tokens: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { options, asks_for_tokens: Arc::new(asks_for_tokens) }
    }

    /// How the sender of a request saw the server, if the request may be passed on.
    fn check(&self, request: &Request) -> Result<SeenAs, Problem> {
        let (headers, uri) = (request.headers(), request.uri());
        if headers.get_all(HOST).iter().nth(1).is_some() {
            return Err(Problem::invalid_parameter("the request has more than one Host header").blaming("Host", None));
        }
        let ends = request.extensions().get::<Ends>().copied().unwrap_or_default();
        let seen = SeenAs::of(&ends, &self.options.trusted_proxies, uri, headers);
        if PROBES.contains(&uri.path()) {
            return Ok(seen);
        }
        self.check_host(&seen, &ends, request)?;
        // Whether a page may send something, its browser asks by OPTIONS first.
        if request.method() == Method::OPTIONS || is_link(request) {
            return Ok(seen);
        }
        if is_foreign(headers, &seen, &self.options.cors_origins) {
            let rule = "a web page of another origin may not send this; --cors-origin allows an origin to";
            return Err(Problem::forbidden(rule));
        }
        Ok(seen)
    }

    fn check_host(&self, seen: &SeenAs, ends: &Ends, request: &Request) -> Result<(), Problem> {
        let Some(host) = &seen.host else {
            // Browsers name a host. Only clients of old may leave it out.
            if request.version() == Version::HTTP_10 && !request.headers().contains_key(HOST) {
                return Ok(());
            }
            return Err(Problem::invalid_parameter("the request has no valid Host header").blaming("Host", None));
        };
        if seen.is_vouched_for || (self.asks_for_tokens)() || self.options.allowed_hosts.is_own(host, ends) {
            return Ok(());
        }
        let name = host.host();
        let rule = format!(
            "{name} is not known to be a name of this server, and without tokens the page of any site could reach it by a name of \
             its own; if {name} is a name of this server, allow it with --allow-host {name}"
        );
        Err(Problem::misdirected(rule).blaming("Host", Some(host.to_string())))
    }
}

/// Whether somebody has followed a link to a page of the server.
fn is_link(request: &Request) -> bool {
    let is_read = [Method::GET, Method::HEAD].contains(request.method());
    is_read
        && PAGES.contains(&request.uri().path())
        && request.headers().get(MODE).is_some_and(|mode| mode == "navigate")
}

/// Whether a browser sends this for a page of another origin that is not allowed to. Programs tell no origin.
fn is_foreign(headers: &HeaderMap, seen: &SeenAs, allowed: &CorsOrigins) -> bool {
    let origin = headers.get(ORIGIN);
    if origin.is_some_and(|origin| allowed.allows(origin)) {
        return false;
    }
    if let Some(site) = headers.get(SITE) {
        return !["same-origin", "none"].iter().any(|own| site == own);
    }
    let Some(origin) = origin else { return false };
    let of_page = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    let Some(((scheme, of_page), own)) = of_page.zip(seen.host.as_ref()) else { return true };
    // A proxy may encrypt without saying so.
    let is_weaker = seen.scheme == Scheme::HTTPS && scheme != "https";
    is_weaker || !of_page.eq_ignore_ascii_case(own.as_str())
}

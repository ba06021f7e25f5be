//! Which web pages may read answers.

use std::time::Duration;

use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, Method, Uri};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::feed_headers::{DATA_UNTIL, LAST_ARRIVAL};

/// What a client that follows a report tells of the last event that it has.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// How long a browser may remember the answer to a preflight.
const MAX_AGE: Duration = Duration::from_secs(3600);

/// The origins whose pages may read answers in a browser.
#[derive(Debug, Clone, Default)]
pub struct CorsOrigins(Vec<HeaderValue>);

/// The error for text that is not an origin.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0:?} is not an origin: it is scheme and host, with a port where needed and nothing after it, such as https://wall.example; or *"
)]
pub struct InvalidOrigin(String);

impl CorsOrigins {
    /// Reads origins. `*` stands for all of them; an empty list turns CORS off.
    ///
    /// # Errors
    /// [`InvalidOrigin`] for the first text that is not an origin.
    pub fn parse(origins: &[String]) -> Result<Self, InvalidOrigin> {
        let parse = |origin: &String| match HeaderValue::from_str(origin) {
            Ok(value) if origin == "*" || is_origin(origin) => Ok(value),
            _ => Err(InvalidOrigin(origin.clone())),
        };
        origins.iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    /// Whether pages of this origin may read answers.
    pub(super) fn allows(&self, origin: &HeaderValue) -> bool {
        self.0.iter().any(|allowed| allowed == "*" || allowed == origin)
    }

    /// The layer that answers preflights, and puts the headers on other answers; `None` where CORS is off.
    pub(super) fn layer(&self) -> Option<CorsLayer> {
        let allowed = match self.0.as_slice() {
            [] => return None,
            origins if origins.iter().any(|origin| origin == "*") => AllowOrigin::any(),
            origins => AllowOrigin::list(origins.iter().cloned()),
        };
        let layer = CorsLayer::new()
            .allow_origin(allowed)
            .allow_methods([Method::GET, Method::POST])
            .allow_headers([ACCEPT, AUTHORIZATION, CONTENT_TYPE, CONTENT_ENCODING, LAST_EVENT_ID])
            .expose_headers([DATA_UNTIL, LAST_ARRIVAL])
            .max_age(MAX_AGE);
        Some(layer)
    }
}

/// Browsers send scheme and authority, and compare them letter by letter. An origin with a slash at its end would never
/// match.
fn is_origin(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    match (uri.scheme_str(), uri.authority()) {
        (Some(scheme), Some(authority)) => text == format!("{scheme}://{authority}"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_and_host() {
        for good in ["*", "https://wall.example", "http://localhost:3000", "http://[::1]:80"] {
            assert!(CorsOrigins::parse(&[good.to_owned()]).is_ok(), "{good}");
        }
        for bad in
            ["", "wall.example", "https://wall.example/", "https://wall.example/path", "https://a b", "ht tp://x"]
        {
            assert!(CorsOrigins::parse(&[bad.to_owned()]).is_err(), "{bad:?}");
        }
    }
}

//! Paths of the API family that existing clients speak, which some of them end with a slash.

use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;

/// How the paths of the family begin.
const FAMILY: [&str; 3] = ["/operations/", "/api/account/", "/csdr/"];

/// The URL of a request as its sender wrote it, among the extensions of one whose path was shortened.
#[derive(Debug, Clone)]
pub(super) struct AsSent(pub(super) Uri);

/// The same request without the slash at the end of its path.
pub(super) fn without_slash(mut request: Request) -> Request {
    if let Some(uri) = shortened(request.uri()) {
        let sent = std::mem::replace(request.uri_mut(), uri);
        request.extensions_mut().insert(AsSent(sent));
    }
    request
}

/// The same URL without the slash at the end of its path; `None` where there is none to take away.
fn shortened(uri: &Uri) -> Option<Uri> {
    let path = uri.path().strip_suffix('/')?;
    if !FAMILY.iter().any(|family| path.starts_with(family)) {
        return None;
    }
    let path = match uri.query() {
        Some(query) => PathAndQuery::try_from(format!("{path}?{query}")),
        None => PathAndQuery::try_from(path),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path.ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slash_goes_and_everything_else_stays() {
        for (uri, expected) in [
            (
                "/operations/api/account/a/msgskillsegments/?v=1&x=/",
                Some("/operations/api/account/a/msgskillsegments?v=1&x=/"),
            ),
            ("/csdr/account/a/service/baseURI.json/", Some("/csdr/account/a/service/baseURI.json")),
            ("/api/account/a/service/s/baseURI.json/?", Some("/api/account/a/service/s/baseURI.json?")),
            ("http://h:1/api/account/a/b/?c", Some("http://h:1/api/account/a/b?c")),
            ("/operations/api/account/a/msgskillsegments?v=1/", None),
            ("/operations/", None),
            ("/", None),
            ("/v1/sql/", None),
            ("*", None),
        ] {
            let expected = expected.map(|uri| uri.parse::<Uri>().unwrap());
            assert_eq!(shortened(&uri.parse().unwrap()), expected, "{uri}");
        }
    }
}

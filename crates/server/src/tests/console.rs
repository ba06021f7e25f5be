//! The web console's page and what it loads.

use std::io::Read;

use axum::body::Body;
use axum::http::{Method, Request};
use flate2::read::GzDecoder;

use super::door::{Answer, Door};
use crate::{AllowedHosts, HttpOptions};

async fn asked(door: &Door, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = headers.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
    door.send(request.body(Body::empty()).unwrap()).await
}

fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let mut unpacked = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut unpacked).unwrap();
    unpacked
}

/// What the page loads at once.
async fn assets(door: &Door) -> Vec<String> {
    let page = asked(door, "/", &[]).await.text();
    let names = page.split("\"/assets/").skip(1).map(|rest| rest.split('"').next().unwrap());
    names.map(|name| format!("/assets/{name}")).collect()
}

#[tokio::test]
async fn the_page_and_what_it_loads_come_with_their_types_and_are_kept_or_asked_for_again() {
    let door = Door::new();
    let page = asked(&door, "/", &[("accept", "text/html")]).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(page.header("cache-control"), Some("no-cache"));
    let assets = assets(&door).await;
    assert!(!assets.is_empty());
    for path in assets {
        let asset = asked(&door, &path, &[]).await;
        assert_eq!(asset.status, 200, "{path}");
        assert_eq!(asset.header("cache-control"), Some("public, max-age=31536000, immutable"));
        let media_type = match path.rsplit_once('.').unwrap().1 {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            other => panic!("{other}"),
        };
        assert_eq!(asset.header("content-type"), Some(media_type), "{path}");
    }
}

#[tokio::test]
async fn every_file_is_protected() {
    let door = Door::new();
    let paths = assets(&door).await.into_iter().chain(["/".to_owned()]);
    for path in paths {
        let answer = asked(&door, &path, &[]).await;
        for (name, value) in [
            (
                "content-security-policy",
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                 font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            ),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("vary", "accept-encoding"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}");
        }
    }
}

#[tokio::test]
async fn files_come_compressed_to_those_who_take_it_and_unpacked_to_others() {
    let door = Door::new();
    let plain = asked(&door, "/", &[]).await;
    assert_eq!(plain.header("content-encoding"), None);
    assert!(plain.text().starts_with("<!doctype html>"), "{}", plain.text());
    for accepted in ["gzip", "GZIP", "br, gzip;q=0.5, zstd", "*", "deflate, *;q=0.1"] {
        let answer = asked(&door, "/", &[("accept-encoding", accepted)]).await;
        assert_eq!(answer.header("content-encoding"), Some("gzip"), "{accepted}");
        assert_eq!(answer.header("content-length"), Some(answer.body.len().to_string().as_str()));
        assert_eq!(unpacked(&answer.body), plain.body, "{accepted}");
    }
    for accepted in ["identity", "gzip;q=0", "gzip;q=0, identity", "br", ""] {
        let answer = asked(&door, "/", &[("accept-encoding", accepted)]).await;
        assert_eq!(answer.header("content-encoding"), None, "{accepted}");
        assert_eq!(answer.body, plain.body, "{accepted}");
    }
}

#[tokio::test]
async fn who_has_the_page_already_is_told_so() {
    let door = Door::new();
    let tag = asked(&door, "/", &[]).await.header("etag").unwrap().to_owned();
    let strong = tag.strip_prefix("W/").unwrap();
    for known in [&tag, strong, "*", &format!("\"other\", {tag}")] {
        let answer = asked(&door, "/", &[("if-none-match", known)]).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (304, 0), "{known}");
        assert_eq!(answer.header("etag"), Some(tag.as_str()));
        assert!(answer.header("content-security-policy").is_some());
    }
    for unknown in ["\"other\"", "", strong.trim_matches('"')] {
        assert_eq!(asked(&door, "/", &[("if-none-match", unknown)]).await.status, 200, "{unknown}");
    }
}

#[tokio::test]
async fn the_page_is_the_servers_own_under_its_own_names() {
    let allowed_hosts = AllowedHosts::parse(&["wall.example".to_owned()]).unwrap();
    let door = Door::with_http(HttpOptions { allowed_hosts, ..HttpOptions::default() });
    let asset = assets(&door).await.remove(0);
    for path in ["/", &asset] {
        assert_eq!(asked(&door, path, &[("host", "wall.example")]).await.status, 200);
        asked(&door, path, &[("host", "evil.example")]).await.problem(421);
        // Another page's frame, or its script.
        for mode in ["no-cors", "nested-navigate", "cors"] {
            asked(&door, path, &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", mode)]).await.problem(403);
        }
    }
}

#[tokio::test]
async fn the_page_is_read_and_nothing_else() {
    let door = Door::new();
    let head = door.send(Request::head("/").body(Body::empty()).unwrap()).await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    assert!(head.header("etag").is_some());
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let answer = door.send(Request::builder().method(method).uri("/").body(Body::empty()).unwrap()).await;
        answer.problem(405);
        assert_eq!(answer.header("allow"), Some("GET,HEAD"));
    }
}

#[tokio::test]
async fn nothing_else_is_there() {
    let door = Door::new();
    for path in
        ["/assets/../console.rs", "/assets/%2e%2e%2fmod.rs", "/assets/%ff", "/assets/index.html", "/assets/a/b.js"]
    {
        asked(&door, path, &[]).await.problem(404);
    }
}

#[tokio::test]
async fn metrics_count_page_and_assets_as_one() {
    let door = Door::new();
    let asset = assets(&door).await.remove(0);
    asked(&door, &asset, &[]).await;
    asked(&door, "/assets/none.js", &[]).await;
    let metrics = door.get("/metrics").await.text();
    let counted: Vec<&str> =
        metrics.lines().filter(|line| line.contains("requests_total{") && line.contains("route=\"/\"")).collect();
    let of = |status, number| counted.iter().any(|line| line.contains(status) && line.ends_with(number));
    assert!(counted.len() == 2 && of("status=\"200\"", " 2") && of("status=\"404\"", " 1"), "{counted:?}");
    assert!(!metrics.contains("/assets"), "{metrics}");
}

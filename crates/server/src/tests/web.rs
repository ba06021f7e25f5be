//! What every web server owes its clients.

use axum::body::Body;
use axum::http::{Method, Request};

use super::door::{Door, SEGMENTS, line, report_of};

#[tokio::test]
async fn unknown_paths_are_not_found() {
    let door = Door::new();
    for path in
        ["/v1", "/operations/api/account/acme", "/healthz/", "/index.html", "/assets", "/assets/", "/assets/a.js"]
    {
        let problem = door.get(path).await.problem(404);
        assert!(problem["detail"].as_str().unwrap().contains(path), "{problem}");
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let door = Door::new();
    for (method, path, allowed) in [
        (Method::POST, report_of("acme"), "GET,HEAD"),
        (Method::GET, SEGMENTS.to_owned(), "POST"),
        (Method::DELETE, "/v1/sql".to_owned(), "GET,HEAD,POST"),
    ] {
        let answer = door.send(Request::builder().method(method).uri(path).body(Body::empty()).unwrap()).await;
        answer.problem(405);
        assert_eq!(answer.header("allow"), Some(allowed));
    }
}

#[tokio::test]
async fn head_is_answered_like_get_without_a_body() {
    let door = Door::new();
    let answer = door.send(Request::head(report_of("acme")).body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.is_empty());
}

#[tokio::test]
async fn health_and_readiness() {
    let door = Door::new();
    assert_eq!(door.get("/healthz").await.json()["status"], "ok");
    assert_eq!(door.get("/readyz").await.json()["status"], "ready");
    door.app.stop();
    assert_eq!(door.get("/healthz").await.status, 200);
    door.get("/readyz").await.problem(503);
}

async fn compressed(door: &Door, encoding: &str) -> super::door::Answer {
    let request = Request::get(report_of("acme")).header("accept-encoding", encoding).body(Body::empty()).unwrap();
    door.send(request).await
}

#[tokio::test]
async fn answers_are_compressed_when_asked_for() {
    let door = Door::new();
    door.post(SEGMENTS, "application/x-ndjson", line("c-1", 7, 1)).await;
    let plain = door.get(&report_of("acme")).await;
    assert_eq!(plain.header("content-encoding"), None);

    let zstd = compressed(&door, "zstd").await;
    assert_eq!(zstd.header("content-encoding"), Some("zstd"));
    assert_eq!(zstd::decode_all(zstd.body.as_slice()).unwrap(), plain.body);

    let gzip = compressed(&door, "gzip").await;
    assert_eq!(gzip.header("content-encoding"), Some("gzip"));
    let mut text = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(gzip.body.as_slice()), &mut text).unwrap();
    assert_eq!(text, plain.body);
}

fn preflight(origin: &str) -> Request<Body> {
    Request::builder()
        .method(Method::OPTIONS)
        .uri(report_of("acme"))
        .header("origin", origin)
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization")
        .body(Body::empty())
        .unwrap()
}

fn from(origin: &str) -> Request<Body> {
    Request::get(report_of("acme")).header("origin", origin).body(Body::empty()).unwrap()
}

const ALLOWED: &str = "access-control-allow-origin";

#[tokio::test]
async fn cors_is_off_by_default() {
    let door = Door::new();
    let answer = door.send(from("https://wall.example")).await;
    answer.problem(403);
    assert_eq!(answer.header(ALLOWED), None);
    door.send(preflight("https://wall.example")).await.problem(405);
}

#[tokio::test]
async fn pages_of_an_allowed_origin_may_read_answers() {
    let door = Door::with_cors(&["https://wall.example", "http://localhost:3000"]);
    for origin in ["https://wall.example", "http://localhost:3000"] {
        let answer = door.send(preflight(origin)).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header(ALLOWED), Some(origin));
        assert!(answer.header("access-control-allow-methods").unwrap().contains("GET"));
        assert!(answer.header("access-control-allow-headers").unwrap().contains("authorization"));
        assert_eq!(door.send(from(origin)).await.header(ALLOWED), Some(origin));
    }
    for origin in ["https://other.example", "https://wall.example.evil", "null"] {
        assert_eq!(door.send(preflight(origin)).await.header(ALLOWED), None, "{origin}");
        assert_eq!(door.send(from(origin)).await.header(ALLOWED), None, "{origin}");
    }
}

#[tokio::test]
async fn an_error_can_be_read_by_a_page_too() {
    let door = Door::with_cors(&["https://wall.example"]);
    let request =
        Request::get("/operations/api/account/acme/msgskillsegments").header("origin", "https://wall.example");
    let answer = door.send(request.body(Body::empty()).unwrap()).await;
    answer.problem(400);
    assert_eq!(answer.header(ALLOWED), Some("https://wall.example"));
}

#[tokio::test]
async fn every_origin_may_be_allowed() {
    let door = Door::with_cors(&["*"]);
    assert_eq!(door.send(from("https://any.example")).await.header(ALLOWED), Some("*"));
}

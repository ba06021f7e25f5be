//! Requests that are refused whatever they ask for, and the backup, which is made once at a time.

use axum::body::Body;
use axum::http::{Method, Request};
use tower::ServiceExt;

use super::door::{Answer, Door, SEGMENTS, line, report_of};

/// A request that changes something, or costs something, with some more headers.
fn request(path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::post(path).header("host", "skillscope.example:8080");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (content_type, body) = match path {
        "/v1/sql" => ("application/json", r#"{"query":"select 1"}"#.to_owned()),
        _ => ("application/x-ndjson", line("c-1", 7, 1)),
    };
    request.header("content-type", content_type).body(body.into()).unwrap()
}

const BACKUP: &str = "/v1/backup";

#[tokio::test]
async fn a_page_of_another_origin_sends_nothing_in_somebodys_name() {
    let door = Door::new();
    for path in [BACKUP, SEGMENTS, "/v1/accounts/acme/events", "/v1/sql"] {
        for headers in [
            &[("origin", "https://evil.example")][..],
            &[("origin", "null")],
            &[("origin", "http://skillscope.example")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site"), ("origin", "http://skillscope.example:8080")],
        ] {
            let problem = door.send(request(path, headers)).await.problem(403);
            assert!(problem["detail"].as_str().unwrap().contains("--cors-origin"), "{problem}");
        }
    }
}

#[tokio::test]
async fn programs_own_pages_and_pages_of_allowed_origins_send_what_they_like() {
    let door = Door::with_cors(&["https://wall.example"]);
    for headers in [
        &[][..],
        &[("origin", "http://skillscope.example:8080")],
        &[("sec-fetch-site", "same-origin"), ("origin", "https://proxied.example")],
        &[("sec-fetch-site", "none")],
        &[("sec-fetch-site", "cross-site"), ("origin", "https://wall.example")],
    ] {
        assert_eq!(door.send(request(SEGMENTS, headers)).await.status, 200, "{headers:?}");
    }
    let any = Door::with_cors(&["*"]);
    assert_eq!(any.send(request(SEGMENTS, &[("origin", "https://any.example")])).await.status, 200);
    let other = request(SEGMENTS, &[("origin", "https://wall.example.evil")]);
    door.send(other).await.problem(403);
}

#[tokio::test]
async fn two_hosts_are_one_too_many() {
    let door = Door::new();
    for uri in [report_of("acme"), "/healthz".to_owned()] {
        let request = Request::get(uri).header("host", "a.example").header("host", "b.example");
        let problem = door.send(request.body(Body::empty()).unwrap()).await.problem(400);
        assert_eq!(problem["parameter"], "Host");
    }
}

async fn backup(door: &Door) -> Answer {
    door.send(request(BACKUP, &[])).await
}

#[tokio::test]
async fn a_backup_is_posted_for() {
    let answer = Door::new().send(Request::get(BACKUP).body(Body::empty()).unwrap()).await;
    answer.problem(405);
    assert_eq!(answer.header("allow"), Some("POST"));
}

#[tokio::test]
async fn one_backup_is_made_at_a_time_and_one_that_nobody_reads_ends_with_its_reader() {
    let door = Door::new();
    // More than what is sent ahead of the reader.
    for part in 0..40 {
        let lines: String = (0..200).map(|row| line(&format!("conversation-{part}-{row}"), row, 1)).collect();
        assert_eq!(door.post(SEGMENTS, "application/x-ndjson", lines).await.status, 200);
    }
    let unread = door.routes().oneshot(request(BACKUP, &[])).await.unwrap();
    assert_eq!(unread.status(), 200);
    let second = backup(&door).await;
    second.problem(503);
    assert!(second.header("retry-after").is_some());
    assert_eq!(
        door.send(Request::builder().method(Method::GET).uri("/healthz").body(Body::empty()).unwrap()).await.status,
        200
    );
    drop(unread);
    let whole = loop {
        let answer = backup(&door).await;
        if answer.status == 200 {
            break answer;
        }
        tokio::task::yield_now().await;
    };
    assert!(whole.body.len() > 1 << 20, "{} bytes are sent ahead", whole.body.len());
    let staged = door.directory().join("staging").read_dir().unwrap().count();
    assert_eq!(staged, 0, "nothing is left of either");
}

//! Requests that are refused whatever they ask for, and the backup, which is made once at a time.

use axum::body::Body;
use axum::http::{Method, Request, Version};
use tower::ServiceExt;

use super::door::{Answer, Door, SEGMENTS, line, report_of};
use crate::http::Ends;
use crate::{AllowedHosts, HttpOptions, TrustedProxies};

/// A request that changes something, or costs something, with some more headers.
fn request(path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::post(path).header("host", "127.0.0.1:8080");
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
    for path in WRITES {
        for headers in [
            &[("origin", "https://evil.example")][..],
            &[("origin", "null")],
            &[("origin", "http://127.0.0.1")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site"), ("origin", "http://127.0.0.1:8080")],
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
        &[("origin", "http://127.0.0.1:8080")],
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

const READS: [&str; 5] = [
    "/v1/sql?query=select+1",
    "/operations/api/account/acme/msgskillsegments?timeframe=60&v=1",
    "/api/account/acme/service/agentVep/baseURI.json",
    "/openapi.json",
    "/no/such/path",
];

const WRITES: [&str; 5] = [BACKUP, SEGMENTS, "/v1/accounts/acme/events", "/v1/accounts/acme/history", "/v1/sql"];

fn read(path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let request = headers.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
    request.body(Body::empty()).unwrap()
}

/// A request for another host.
fn to_host(mut request: Request<Body>, host: &str) -> Request<Body> {
    request.headers_mut().insert("host", host.parse().unwrap());
    request
}

#[tokio::test]
async fn a_page_of_another_origin_reads_nothing_either() {
    let door = Door::new();
    for path in READS {
        for headers in [
            &[("origin", "https://evil.example")][..],
            &[("origin", "null")],
            &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")],
            // A link to what is no page.
            &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")],
            &[("sec-fetch-site", "same-site")],
        ] {
            let problem = door.send(read(path, headers)).await.problem(403);
            assert!(problem["detail"].as_str().unwrap().contains("--cors-origin"), "{problem}");
        }
    }
    // What it means to send, it may ask.
    let asked = Request::options(SEGMENTS).header("origin", "https://evil.example").body(Body::empty()).unwrap();
    door.send(asked).await.problem(405);
    // Typed into the address bar, or a program.
    for headers in [&[("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate")][..], &[]] {
        assert_eq!(door.send(read(READS[0], headers)).await.status, 200);
    }
}

#[tokio::test]
async fn a_link_leads_to_the_page_and_probes_are_answered_to_anybody() {
    let door = Door::new();
    let link = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
    assert_eq!(door.send(read("/", &link)).await.status, 200);
    for path in ["/healthz", "/readyz"] {
        assert_eq!(door.send(to_host(read(path, &link), "10-0-0-1.pod.example")).await.status, 200);
    }
}

#[tokio::test]
async fn under_a_name_that_is_not_its_own_the_server_does_nothing() {
    let door = Door::new();
    for host in ["evil.example", "evil.example:8080", "localhost.evil.example", "192.0.2.1:8080", "[2001:db8::1]"] {
        for path in READS {
            let problem = door.send(to_host(read(path, &[]), host)).await.problem(421);
            assert!(problem["detail"].as_str().unwrap().contains("--allow-host"), "{problem}");
            assert_eq!((&problem["parameter"], &problem["value"]), (&"Host".into(), &host.into()));
        }
        for path in WRITES {
            // As a browser sends it once the name points here.
            let origin = format!("http://{host}");
            let headers = [("origin", origin.as_str()), ("sec-fetch-site", "same-origin")];
            door.send(to_host(request(path, &headers), host)).await.problem(421);
        }
    }
    let whole_url = Request::get(format!("http://evil.example{}", READS[0])).body(Body::empty()).unwrap();
    door.send(whole_url).await.problem(421);
    assert_eq!(door.get(&report_of("acme")).await.json()["skillsMetrics"], serde_json::json!({}), "nothing was stored");
}

#[tokio::test]
async fn the_servers_own_names_are_its_addresses_localhost_and_what_is_allowed() {
    let allowed_hosts = AllowedHosts::parse(&["wall.example".to_owned()]).unwrap();
    let door = Door::with_http(HttpOptions { allowed_hosts, ..HttpOptions::default() });
    for host in ["127.0.0.1:8080", "localhost", "LOCALHOST.:1", "[::1]:8080", "Wall.example.", "wall.example:443"] {
        assert_eq!(door.send(to_host(read(READS[0], &[]), host)).await.status, 200, "{host}");
        let origin = format!("http://{host}");
        let own = request(SEGMENTS, &[("origin", origin.as_str())]);
        assert_eq!(door.send(to_host(own, host)).await.status, 200, "{host}");
    }
    let whole_url = Request::get(format!("http://localhost:8080{}", READS[0])).header("host", "evil.example");
    assert_eq!(door.send(whole_url.body(Body::empty()).unwrap()).await.status, 200, "the URL counts");
    door.send(to_host(read(READS[0], &[]), "evil.example")).await.problem(421);
}

#[tokio::test]
async fn other_machines_reach_the_server_by_any_address_of_it_and_by_no_other_name() {
    let door = Door::new();
    let asked = |host: &str| {
        let mut request = to_host(read(READS[0], &[]), host);
        request.extensions_mut().insert(Ends { is_exposed: true, ..Ends::default() });
        request
    };
    for host in ["192.0.2.1:8080", "[2001:db8::1]", "127.0.0.1"] {
        assert_eq!(door.send(asked(host)).await.status, 200, "{host}");
    }
    door.send(asked("evil.example")).await.problem(421);
}

#[tokio::test]
async fn a_proxy_that_is_trusted_vouches_for_the_host() {
    let trusted_proxies = TrustedProxies::parse(&["127.0.0.1".to_owned()]).unwrap();
    let behind = Door::with_http(HttpOptions { trusted_proxies, ..HttpOptions::default() });
    let forwarded =
        [("x-forwarded-host", "wall.example"), ("origin", "https://wall.example"), ("x-forwarded-proto", "https")];
    let request = || to_host(request(SEGMENTS, &forwarded), "upstream");
    assert_eq!(behind.send(request()).await.status, 200);
    behind.send(to_host(read(READS[0], &[]), "upstream")).await.problem(421);
    Door::new().send(request()).await.problem(421);
    // A page that was not encrypted is another origin.
    let weaker =
        [("x-forwarded-host", "wall.example"), ("origin", "http://wall.example"), ("x-forwarded-proto", "https")];
    behind.send(read(READS[0], &weaker)).await.problem(403);
}

#[tokio::test]
async fn a_host_that_is_none_is_malformed_and_only_clients_of_old_leave_it_out() {
    let door = Door::new();
    for host in ["", "a b", "user@localhost", "http://localhost"] {
        let problem = door.send(to_host(read(READS[0], &[]), host)).await.problem(400);
        assert_eq!(problem["parameter"], "Host", "{host}");
    }
    for (version, status) in [(Version::HTTP_10, 200), (Version::HTTP_11, 400)] {
        let request = Request::get(READS[0]).version(version).body(Body::empty()).unwrap();
        assert_eq!(door.routes().oneshot(request).await.unwrap().status(), status, "{version:?}");
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

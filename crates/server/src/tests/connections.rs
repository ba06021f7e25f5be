//! HTTP over sockets: clients that stall, send half of something, or are too many.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::pending;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::door::{Door, MAX_BODY_BYTES, MAX_SQL_ROWS};
use crate::{ConnectionLimits, HttpOptions, HttpServer, serve_http};

/// Far longer than any test takes.
pub(super) const LONG: Duration = Duration::from_secs(3600);

/// Short, and long enough for a request that is sent in one go.
pub(super) const SHORT: Duration = Duration::from_millis(300);

/// Nothing ends anything.
pub(super) fn patient() -> HttpOptions {
    HttpOptions {
        connections: ConnectionLimits { unread_answer: LONG, ..ConnectionLimits::of(100) },
        header_timeout: LONG,
        idle_timeout: LONG,
        body_timeout: LONG,
        max_body_bytes: MAX_BODY_BYTES,
        max_sql_rows: MAX_SQL_ROWS,
        ..HttpOptions::default()
    }
}

pub(super) fn at_most(connections: usize, options: HttpOptions) -> HttpOptions {
    HttpOptions { connections: ConnectionLimits { most: connections, ..options.connections }, ..options }
}

/// Serves a door's app over sockets for the rest of the test.
pub(super) fn serve(door: &Door, options: HttpOptions) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let app = door.app.clone();
    tokio::spawn(async move { serve_http(listener, app, options, pending()).await.unwrap() });
    address
}

pub(super) async fn send(address: SocketAddr, request: &str) -> TcpStream {
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(request.as_bytes()).await.unwrap();
    client
}

/// All that the server sends until it closes. A connection that is reset has been closed, too.
pub(super) async fn rest(client: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = client.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// The answer to a request of its own connection.
pub(super) async fn ask(address: SocketAddr, request: &str) -> String {
    rest(&mut send(address, request).await).await
}

pub(super) const HEALTH: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// Asks until the door has room.
async fn ask_in_the_end(address: SocketAddr, request: &str) -> String {
    loop {
        let answer = ask(address, request).await;
        if !answer.is_empty() && !answer.starts_with("HTTP/1.1 503") {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn post(account: &str, length: usize, more: &str) -> String {
    let path = format!("/v1/accounts/{account}/segments");
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nContent-Length: {length}\r\n{more}\r\n"
    )
}

#[tokio::test]
async fn half_sent_requests_make_room_for_others() {
    let address = serve(&Door::new(), at_most(2, HttpOptions { header_timeout: SHORT, ..patient() }));
    for half in ["", "GET /healthz HTTP/1.1\r\nHost:"] {
        let (mut one, mut two) = (send(address, half).await, send(address, half).await);
        assert_eq!(rest(&mut one).await + &rest(&mut two).await, "");
        assert!(ask_in_the_end(address, HEALTH).await.starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn a_connection_that_waits_for_its_next_request_ends_in_time_and_not_as_half_a_request() {
    let options = HttpOptions { idle_timeout: SHORT, ..patient() };
    let address = serve(&Door::new(), options);
    let mut idle = send(address, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(rest(&mut idle).await.starts_with("HTTP/1.1 200"));
    let header_timeout = 3 * SHORT;
    let address = serve(&Door::new(), HttpOptions { header_timeout, ..patient() });
    let mut idle = send(address, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let mut first = [0; 8];
    idle.read_exact(&mut first).await.unwrap();
    tokio::time::sleep(2 * header_timeout).await;
    idle.write_all(HEALTH.as_bytes()).await.unwrap();
    assert_eq!(rest(&mut idle).await.matches("HTTP/1.1 200").count(), 1, "the second answer came, too");
}

#[tokio::test]
async fn one_connection_too_many_is_asked_to_come_again() {
    let address = serve(&Door::new(), at_most(1, patient()));
    let mut only = send(address, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    only.read_exact(&mut [0; 8]).await.unwrap();
    let refused = ask(address, HEALTH).await;
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    assert!(refused.contains("\r\nretry-after: 1\r\n"), "{refused}");
    let (head, body) = refused.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("content-length: {}", body.len())), "{refused}");
    assert_eq!(serde_json::from_str::<serde_json::Value>(body).unwrap()["status"], 503);
    drop(only);
    assert!(ask_in_the_end(address, HEALTH).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_body_that_does_not_go_on_is_given_up() {
    let address = serve(&Door::new(), HttpOptions { body_timeout: SHORT, ..patient() });
    let answer = ask(address, &(post("acme", 100, "") + "{")).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("--body-timeout"), "{answer}");
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_told_before_its_body_is_sent() {
    let address = serve(&Door::new(), patient());
    let large = post("acme", MAX_BODY_BYTES + 1, "Expect: 100-continue\r\n");
    let wrong_type = post("acme", 100, "Expect: 100-continue\r\n").replace("x-ndjson", "pdf");
    let wrong_account = post("a%2Fb", 100, "Expect: 100-continue\r\n");
    for (request, status) in [(large, "413"), (wrong_type, "415"), (wrong_account, "400")] {
        let answer = ask(address, &request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "a body that is not read ends the connection: {answer}");
    }
}

#[tokio::test]
async fn a_client_that_sends_all_of_a_body_that_is_too_large_reads_why_it_is_refused() {
    let address = serve(&Door::new(), patient());
    let length = 16 << 20;
    let mut client = send(address, &post("acme", length, "")).await;
    client.write_all(&vec![b'\n'; length]).await.unwrap();
    let answer = rest(&mut client).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn bodies_of_one_account_leave_memory_for_others() {
    let options = HttpOptions { body_memory: 64 << 10, body_patience: SHORT, ..patient() };
    let address = serve(&Door::new(), options);
    // Slow ones, which together would take more than there is.
    let slow = post("acme", 60 << 10, "") + &"\n".repeat(40 << 10);
    let (mut first, mut second) = (send(address, &slow).await, send(address, &slow).await);
    let refused = tokio::select! {
        refused = rest(&mut first) => refused,
        refused = rest(&mut second) => refused,
    };
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    assert!(refused.contains("retry-after") && refused.contains("--body-memory"), "{refused}");
    assert!(refused.contains("\r\nconnection: close\r\n"), "the next try needs another connection: {refused}");
    let other = post("bolt", 1, "Connection: close\r\n") + "\n";
    assert!(ask(address, &other).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn an_answer_that_nobody_reads_ends_with_its_connection() {
    let options = patient();
    let connections = ConnectionLimits { most: 1, unread_answer: SHORT, ..options.connections };
    let address = serve(&Door::new(), HttpOptions { connections, ..options });
    let query =
        serde_json::json!({ "query": "select repeat('x', 1000) as x from generate_series(1, 90000)" }).to_string();
    let head = "POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length:";
    let stalled = send(address, &format!("{head} {}\r\n\r\n{query}", query.len())).await;
    assert!(ask_in_the_end(address, HEALTH).await.starts_with("HTTP/1.1 200"), "it has made room");
    drop(stalled);
}

#[tokio::test]
async fn until_there_is_something_to_serve_the_server_lives_and_is_not_ready() {
    let door = Door::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = HttpServer::open(listener, patient()).unwrap();
    let routes = server.routes();
    tokio::spawn(server.serve(pending()));
    assert!(ask(address, HEALTH).await.starts_with("HTTP/1.1 200"));
    let report = "GET /operations/api/account/acme/msgskillsegments?timeframe=60&v=1 HTTP/1.1\r\nHost: localhost\r\n";
    let closing = |head: &str| format!("{head}Connection: close\r\n\r\n");
    let ready = closing("GET /readyz HTTP/1.1\r\nHost: localhost\r\n");
    for request in [&ready, &closing(report), &closing("POST /healthz HTTP/1.1\r\nHost: localhost\r\n")] {
        let answer = ask(address, request).await;
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        assert!(answer.contains("retry-after: 1\r\n") && answer.contains("application/problem+json"), "{answer}");
    }
    // A connection of that time goes on.
    let mut early = send(address, "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    early.read_exact(&mut [0; 12]).await.unwrap();
    routes.go_live(door.app.clone());
    assert!(ask(address, &ready).await.starts_with("HTTP/1.1 200"));
    early.write_all(closing(report).as_bytes()).await.unwrap();
    let answers = rest(&mut early).await;
    assert!(answers.contains("HTTP/1.1 200") && answers.contains("metricsTotal"), "{answers}");
}

#[tokio::test]
async fn a_server_that_stops_ends_what_is_idle_and_answers_what_is_under_way() {
    let door = Door::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, told) = oneshot::channel::<()>();
    let serving = tokio::spawn(serve_http(listener, door.app.clone(), patient(), told.map(|_| ())));
    let mut silent = send(address, "").await;
    let mut idle = send(address, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let mut under_way = send(address, &post("acme", 2, "Expect: 100-continue\r\n")).await;
    for connection in [&mut idle, &mut under_way] {
        connection.read_exact(&mut [0; 8]).await.unwrap();
    }
    stop.send(()).unwrap();
    assert_eq!(rest(&mut silent).await, "");
    assert!(rest(&mut idle).await.starts_with(" 200"));
    under_way.write_all(b"\n\n").await.unwrap();
    let answer = rest(&mut under_way).await;
    assert!(answer.starts_with(" 100 Continue") && answer.contains("HTTP/1.1 200"), "{answer}");
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_long_line_is_taken_and_one_that_is_too_long_is_refused() {
    let address = serve(&Door::new(), patient());
    let report = "/operations/api/account/acme/msgskillsegments?v=1&timeframe=60&skillIds=1";
    for (more, status) in [(20_000, "200"), (100_000, "431")] {
        let line =
            format!("GET {report}{} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", ",12".repeat(more));
        let answer = ask(address, &line).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
}

#[tokio::test]
async fn whatever_is_under_way_small_answers_are_given() {
    let door = Door::new();
    let address = serve(&door, patient());
    // Every thread that computes has something to do that does not end.
    let threads = door.app.threads();
    let (release, gate) = std::sync::mpsc::channel::<()>();
    let gate = Arc::new(Mutex::new(gate));
    let wait = || {
        let gate = Arc::clone(&gate);
        move || {
            let _ = gate.lock().recv();
        }
    };
    for _ in 0..64 {
        threads.text.spawn("busy", wait());
        threads.columns.spawn("busy", wait());
        let wait = wait();
        threads.reports.handle().spawn(async move { wait() });
    }
    let small = "GET /operations/api/account/acme/msgskillsegments?v=1&timeframe=60 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    for request in [HEALTH, small] {
        assert!(ask(address, request).await.starts_with("HTTP/1.1 200"));
    }
    drop(release);
}

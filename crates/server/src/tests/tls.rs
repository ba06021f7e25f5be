//! HTTP and Flight SQL over TLS: clients that speak it, plain text, half of it, or nothing.

use std::net::SocketAddr;
use std::time::Duration;

use futures::FutureExt;
use futures::future::pending;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::client::TlsStream;

use super::door::Door;
use crate::tls::{RECORD, TestCertificate};
use crate::{ConnectionLimits, HttpOptions, Listener, serve_flight_sql, serve_http};

/// Far longer than any test takes.
const LONG: Duration = Duration::from_secs(3600);

const SHORT: Duration = Duration::from_millis(300);

const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

const LAST: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

fn listen(certificate: &TestCertificate) -> (Listener, SocketAddr) {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    (Listener::new(socket, Some(certificate.tls())), address)
}

fn patient(most: usize) -> HttpOptions {
    let connections = ConnectionLimits { unread_answer: LONG, ..ConnectionLimits::of(most) };
    HttpOptions { connections, header_timeout: LONG, idle_timeout: LONG, body_timeout: LONG, ..HttpOptions::default() }
}

/// Serves HTTP for the rest of the test.
fn serve(door: &Door, certificate: &TestCertificate, options: HttpOptions) -> SocketAddr {
    let (listener, address) = listen(certificate);
    let app = door.app.clone();
    tokio::spawn(async move { serve_http(listener, app, options, pending()).await.unwrap() });
    address
}

async fn connect(certificate: &TestCertificate, address: SocketAddr) -> TlsStream<TcpStream> {
    certificate.connect(TcpStream::connect(address).await.unwrap(), &["http/1.1"]).await.unwrap()
}

/// All that the server sends until it closes, and whether it closed as TLS does.
async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> (String, bool) {
    let mut answer = Vec::new();
    let ended = stream.read_to_end(&mut answer).await.is_ok();
    (String::from_utf8_lossy(&answer).into_owned(), ended)
}

async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &[u8]) -> (String, bool) {
    stream.write_all(request).await.unwrap();
    rest(stream).await
}

#[tokio::test]
async fn requests_are_answered_one_after_the_other_and_the_end_is_told() {
    let certificate = TestCertificate::new(&["localhost"]);
    let address = serve(&Door::new(), &certificate, patient(100));
    let mut client = connect(&certificate, address).await;
    client.write_all(HEALTH).await.unwrap();
    let (answers, is_whole) = ask(&mut client, LAST).await;
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 2, "{answers}");
    assert!(is_whole);
}

#[tokio::test]
async fn plain_text_is_told_that_https_is_spoken() {
    let certificate = TestCertificate::new(&["localhost"]);
    let address = serve(&Door::new(), &certificate, patient(100));
    let (answer, _) = ask(&mut TcpStream::connect(address).await.unwrap(), HEALTH).await;
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("application/problem+json"), "{head}");
    assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
    let problem: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(problem["status"], 400);
    assert!(problem["detail"].as_str().unwrap().contains("https://"), "{problem}");
}

/// Connections with nothing, a byte, and half a message of a handshake.
async fn stall(address: SocketAddr) -> Vec<TcpStream> {
    let mut stalled = Vec::new();
    for begun in [&b""[..], &[RECORD], &[RECORD, 3, 1, 2, 0, 1]] {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(begun).await.unwrap();
        stalled.push(client);
    }
    stalled
}

#[tokio::test]
async fn handshakes_that_stand_still_hold_nobody_up_and_end() {
    let (certificate, door) = (TestCertificate::new(&["localhost"]), Door::new());
    let address = serve(&door, &certificate, patient(100));
    let _stalled = stall(address).await;
    let mut client = connect(&certificate, address).await;
    assert!(ask(&mut client, LAST).await.0.starts_with("HTTP/1.1 200"));
    let address = serve(&door, &certificate, HttpOptions { header_timeout: SHORT, ..patient(100) });
    for client in &mut stall(address).await {
        assert_eq!(rest(client).await.0, "");
    }
}

#[tokio::test]
async fn one_connection_too_many_is_told_so_over_tls() {
    let certificate = TestCertificate::new(&["localhost"]);
    let address = serve(&Door::new(), &certificate, patient(1));
    let mut only = connect(&certificate, address).await;
    only.write_all(HEALTH).await.unwrap();
    only.read_exact(&mut [0; 8]).await.unwrap();
    let (refused, is_whole) = rest(&mut connect(&certificate, address).await).await;
    assert!(refused.starts_with("HTTP/1.1 503") && is_whole, "{refused}");
    assert!(refused.contains("\r\nretry-after: 1\r\n"), "{refused}");
}

#[tokio::test]
async fn an_idle_connection_and_one_whose_answer_nobody_reads_end_as_without_tls() {
    let (certificate, door) = (TestCertificate::new(&["localhost"]), Door::new());
    let address = serve(&door, &certificate, HttpOptions { idle_timeout: SHORT, ..patient(100) });
    let (answer, is_whole) = ask(&mut connect(&certificate, address).await, HEALTH).await;
    assert!(answer.starts_with("HTTP/1.1 200") && is_whole, "{answer}");

    let connections = ConnectionLimits { most: 1, unread_answer: SHORT, ..ConnectionLimits::of(1) };
    let address = serve(&door, &certificate, HttpOptions { connections, ..patient(1) });
    let query = r#"{"query":"select repeat('x', 1000) as x from generate_series(1, 90000)"}"#;
    let head = "POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length:";
    let mut stalled = connect(&certificate, address).await;
    stalled.write_all(format!("{head} {}\r\n\r\n{query}", query.len()).as_bytes()).await.unwrap();
    loop {
        // One that is refused may be closed before its handshake is over.
        let stream = TcpStream::connect(address).await.unwrap();
        let Ok(mut client) = certificate.connect(stream, &[]).await else { continue };
        if client.write_all(LAST).await.is_ok() && rest(&mut client).await.0.starts_with("HTTP/1.1 200") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(stalled);
}

#[tokio::test]
async fn a_server_that_stops_ends_handshakes_and_answers_what_is_under_way() {
    let (certificate, door) = (TestCertificate::new(&["localhost"]), Door::new());
    let (listener, address) = listen(&certificate);
    let (stop, told) = oneshot::channel::<()>();
    let serving = tokio::spawn(serve_http(listener, door.app.clone(), patient(100), told.map(|_| ())));
    let mut begun = TcpStream::connect(address).await.unwrap();
    begun.write_all(&[RECORD]).await.unwrap();
    let mut silent = connect(&certificate, address).await;
    let mut idle = connect(&certificate, address).await;
    idle.write_all(HEALTH).await.unwrap();
    let mut under_way = connect(&certificate, address).await;
    let post = b"POST /v1/accounts/acme/segments HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
    under_way.write_all(post).await.unwrap();
    for connection in [&mut idle, &mut under_way] {
        connection.read_exact(&mut [0; 8]).await.unwrap();
    }
    stop.send(()).unwrap();
    assert_eq!(rest(&mut begun).await.0, "");
    assert_eq!(rest(&mut silent).await.0, "");
    assert!(rest(&mut idle).await.1, "it is told that nothing more comes");
    let (answer, is_whole) = ask(&mut under_way, b"\n\n").await;
    assert!(answer.contains("HTTP/1.1 200") && is_whole, "{answer}");
    serving.await.unwrap().unwrap();
}

/// How a client of HTTP/2 begins, and the head of the server's first frame: its settings.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

#[tokio::test]
async fn flight_sql_is_spoken_over_tls_and_not_in_plain_text() {
    let (certificate, door) = (TestCertificate::new(&["localhost"]), Door::new());
    let (listener, address) = listen(&certificate);
    let app = door.app.clone();
    tokio::spawn(async move { serve_flight_sql(listener, app, ConnectionLimits::of(100), pending()).await.unwrap() });
    // Others that stand still in their handshakes do not matter.
    let _stalled = stall(address).await;
    let stream = TcpStream::connect(address).await.unwrap();
    let mut client = certificate.connect(stream, &["h2"]).await.unwrap();
    assert_eq!(client.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    client.write_all(PREFACE).await.unwrap();
    let mut head = [0; 9];
    client.read_exact(&mut head).await.unwrap();
    assert_eq!(head[3..], [4, 0, 0, 0, 0, 0], "these are settings");

    let mut plain = TcpStream::connect(address).await.unwrap();
    let (told, _) = ask(&mut plain, PREFACE).await;
    assert!(told.ends_with("this port speaks TLS: connect to grpc+tls://, or with TLS"), "{told:?}");
    let stream = TcpStream::connect(address).await.unwrap();
    assert!(certificate.connect(stream, &["http/1.1"]).await.is_err());
}

//! Requests that cannot be read: they are answered in words that clients parse, too.

use futures::StreamExt;
use futures::stream;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::connections::{SHORT, ask, patient, rest, send, serve};
use super::door::Door;
use crate::{ConnectionLimits, HttpOptions};

/// The problem in an answer that is the last one of its connection.
#[track_caller]
fn problem(answer: &str, status: u16) -> Value {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    for line in
        ["content-type: application/problem+json", "connection: close", &format!("content-length: {}", body.len())]
    {
        assert!(head.split("\r\n").any(|found| found == line), "{line} is missing: {answer}");
    }
    let problem: Value = serde_json::from_str(body).unwrap();
    assert_eq!(problem["status"], status);
    for member in ["type", "title", "detail"] {
        assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
    }
    problem
}

#[tokio::test]
async fn what_is_too_long_is_told_with_its_limit() {
    let address = serve(&Door::new(), patient());
    let report = "/operations/api/account/acme/msgskillsegments?v=1&timeframe=60&skillIds=1";
    let url = |skills: usize| format!("GET {report}{} HTTP/1.1\r\nHost: localhost\r\n\r\n", ",12".repeat(skills));
    let detail = |problem: Value| problem["detail"].as_str().unwrap().to_owned();
    let long = detail(problem(&ask(address, &url(22_000)).await, 414));
    assert!(long.contains("65534"), "{long}");
    for skills in [28_000, 100_000, 400_000] {
        let larger = detail(problem(&ask(address, &url(skills)).await, 431));
        assert!(larger.contains("81920") && larger.contains("65534"), "{larger}");
    }
    let many = "X: y\r\n".repeat(101);
    let large = format!("X: {}\r\n", "y".repeat(90_000));
    for headers in [many, large] {
        let request = format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        let larger = detail(problem(&ask(address, &request).await, 431));
        assert!(larger.contains("100 headers"), "{larger}");
    }
}

#[tokio::test]
async fn what_is_no_request_is_told_so() {
    let address = serve(&Door::new(), patient());
    for request in [
        "hello\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{fc}\u{3}\u{3}\r\n\r\n",
        "GET\r\n\r\n",
        "G@T / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /\u{1} HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET / HTTP/3.0\r\nHost: localhost\r\n\r\n",
        "GET / HTTP\r\nHost: localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nHost localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: local\u{0}host\r\n\r\n",
        "GET / HTTP/1.1\r\n : x\r\n\r\n",
        "POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Length: ten\r\n\r\n",
        "POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        "POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n",
        "POST /v1/sql HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
    ] {
        let told = problem(&ask(address, request).await, 400);
        assert_eq!(told["type"], "urn:skillscope:problem:malformed-request", "{request:?}: {told}");
    }
    let told = problem(&ask(address, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0").await, 505);
    assert!(told["detail"].as_str().unwrap().contains("HTTP/2"), "{told}");
}

#[tokio::test]
async fn urls_of_other_forms_are_answered_or_refused_in_words() {
    let address = serve(&Door::new(), patient());
    for (target, status) in [
        ("/operations/api/account/%ff/msgskillsegments?v=1&timeframe=60", 400),
        ("/operations/api/account/%C3%28/msgskillsegments?v=1&timeframe=60", 400),
        ("/operations/api/account/%zz/msgskillsegments?v=1&timeframe=60", 400),
        ("/operations/api/account/acme/msgskillsegments?v=1&timeframe=%ff", 400),
        ("*", 404),
        ("http://localhost/nothing", 404),
        ("http://evil.example/nothing", 421),
        ("/%", 404),
    ] {
        let answer =
            ask(address, &format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")).await;
        problem(&answer, status);
    }
}

#[tokio::test]
async fn half_a_request_is_told_that_it_is_half_and_silence_nothing() {
    let address = serve(&Door::new(), patient());
    for half in ["GET /healthz HT", "GET /healthz HTTP/1.1\r\nHost:"] {
        let mut client = send(address, half).await;
        client.shutdown().await.unwrap();
        problem(&rest(&mut client).await, 400);
    }
    let mut silent = send(address, "").await;
    silent.shutdown().await.unwrap();
    assert_eq!(rest(&mut silent).await, "");
    // One that has had its answer, and goes.
    let mut gone = send(address, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    gone.read_exact(&mut [0; 8]).await.unwrap();
    gone.shutdown().await.unwrap();
    assert_eq!(rest(&mut gone).await.matches("HTTP/1.1").count(), 0);
}

#[tokio::test]
async fn the_answers_before_it_are_given() {
    let address = serve(&Door::new(), patient());
    let good = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let posted = "POST /v1/accounts/acme/segments HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nContent-Length: 1\r\n\r\n\n";
    for (before, answers) in
        [(good.to_owned(), 1), (good.repeat(3), 3), (posted.to_owned(), 1), (format!("{posted}{good}"), 2)]
    {
        let answer = ask(address, &format!("{before}oops\r\n\r\n")).await;
        assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), answers, "{answer}");
        problem(
            answer.rsplit_once("}HTTP/1.1 400").map(|(_, last)| format!("HTTP/1.1 400{last}")).unwrap().as_str(),
            400,
        );
    }
    // A client that pauses in between.
    let mut client = send(address, good).await;
    client.read_exact(&mut [0; 8]).await.unwrap();
    client.write_all(b"oops\r\n\r\n").await.unwrap();
    let answer = rest(&mut client).await;
    assert_eq!(answer.matches("HTTP/1.1 400").count(), 1, "{answer}");
    assert!(answer.contains("malformed-request"), "{answer}");
}

/// Whatever is wrong with it, a request that is answered with an error has a problem document.
#[tokio::test]
async fn a_request_with_any_byte_changed_is_answered_in_words() {
    const BYTES: [u8; 6] = [0, b'\n', b' ', b':', b'9', 0xff];
    let connections = ConnectionLimits { most: 1000, ..patient().connections };
    let address = serve(
        &Door::new(),
        HttpOptions { connections, header_timeout: SHORT, idle_timeout: SHORT, body_timeout: SHORT, ..patient() },
    );
    let whole = "POST /v1/sql?x=%41 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
    let changed = (0..whole.len()).flat_map(|at| {
        BYTES.into_iter().map(move |byte| {
            let mut request = whole.as_bytes().to_vec();
            request[at] = byte;
            request
        })
    });
    let answers = stream::iter(changed).map(|request| async move {
        let mut client = send(address, "").await;
        client.write_all(&request).await.unwrap();
        (request, rest(&mut client).await)
    });
    let answered = answers.buffer_unordered(200).filter(|(request, answer)| {
        let text = String::from_utf8_lossy(request).into_owned();
        // One whose end does not come is closed.
        let is_told = !answer.is_empty();
        if is_told {
            let last = answer.rfind("HTTP/1.1 ").map(|at| &answer[at..]).unwrap_or(answer);
            let (head, body) = last.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with("HTTP/1.1 4") || head.starts_with("HTTP/1.1 505"), "{text:?}: {answer}");
            assert!(head.contains("application/problem+json"), "{text:?}: {answer}");
            assert!(serde_json::from_str::<Value>(body).is_ok(), "{text:?}: {answer}");
        }
        std::future::ready(is_told)
    });
    let answered = answered.count().await;
    assert!(answered > whole.len() * BYTES.len() / 2, "{answered}");
}

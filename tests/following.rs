//! Following the report over a socket, as a program does that knows nothing but HTTP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::Value;
use tempfile::TempDir;

use crate::binary::Server;
use crate::process::PATIENCE;

const REPORT: &str = "/operations/api/account/acme/msgskillsegments?timeframe=60&v=1&every=1";

/// The values of the next event's `id` and `data`.
fn next(stream: &mut impl BufRead) -> (i64, Value) {
    let mut id = None;
    loop {
        let mut line = String::new();
        assert!(stream.read_line(&mut line).unwrap() > 0, "the stream has ended");
        if let Some(text) = line.strip_prefix("id: ") {
            id = Some(text.trim().parse().unwrap());
        }
        if let Some(data) = line.strip_prefix("data: ") {
            return (id.expect("the id comes before the data"), serde_json::from_str(data).unwrap());
        }
    }
}

#[test]
fn reports_follow_one_another_until_the_server_says_that_it_ends() {
    let directory = TempDir::new().unwrap();
    let mut server = Server::over(directory.path(), &[]);
    let mut socket = TcpStream::connect(server.address()).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!("GET {REPORT} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
    socket.write_all(request.as_bytes()).unwrap();
    let mut stream = BufReader::new(socket);
    let mut status = String::new();
    stream.read_line(&mut status).unwrap();
    assert_eq!(status, "HTTP/1.1 200 OK\r\n");
    let (first, empty) = next(&mut stream);
    let total = |report: &Value| report["metricsTotal"]["totalSkillConversationSegments"].clone();
    assert_eq!(total(&empty), 0);
    // A conversation that ends in this instant is in a report soon.
    let ended = serde_json::json!({
        "conversation_id": "c-1", "segment_index": 0, "skill_id": 7, "start_time": first - 1000, "end_time": first,
        "start_reason": "new_conversation", "end_reason": "closed_by_consumer", "user_type": "none",
        "outcome": "abandoned", "abandoned_in_queue": true, "agent_messages": 0, "consumer_messages": 1,
    });
    let (status, answer) =
        server.post("/v1/accounts/acme/segments", "application/x-ndjson", format!("{ended}\n").as_bytes());
    assert_eq!(status, 200, "{answer}");
    let mut last = first;
    loop {
        let (id, report) = next(&mut stream);
        assert!(id > last, "{id} after {last}");
        last = id;
        if total(&report) == 1 {
            break;
        }
    }
    server.signal("TERM");
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("event: end\ndata: {") && rest.contains("the server is shutting down"), "{rest}");
    assert!(server.wait().success());
}

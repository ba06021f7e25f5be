use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::binary::{Server, run, serve, stderr};
use crate::foreign;
use crate::process::PATIENCE;

const NOW: &str = "2018-01-18T08:51:55.679Z";

const REPORT: &str = "/operations/api/account/acme/msgskillsegments?timeframe=60&v=1";

/// A line of NDJSON: an abandoned segment that ended at `end`.
fn line(conversation: &str, end: &str) -> String {
    let record = serde_json::json!({
        "conversation_id": conversation, "segment_index": 0, "skill_id": 7, "start_time": end, "end_time": end,
        "start_reason": "new_conversation", "end_reason": "closed_by_consumer", "user_type": "none",
        "outcome": "abandoned", "abandoned_in_queue": true, "agent_messages": 0, "consumer_messages": 1,
    });
    format!("{record}\n")
}

fn total(server: &Server) -> i64 {
    let (status, body) = server.get(REPORT);
    assert_eq!(status, 200, "{body}");
    let report: Value = serde_json::from_str(&body).unwrap();
    report["metricsTotal"]["totalSkillConversationSegments"].as_i64().unwrap()
}

#[test]
fn the_demo_prints_a_curl_line_whose_answer_has_data() {
    let temporary = TempDir::new().unwrap();
    let mut server = Server::spawn(serve().arg("--demo").env("TMPDIR", temporary.path()));
    let curl = server.line();
    let url = curl.strip_prefix("curl '").and_then(|rest| rest.strip_suffix('\'')).expect("a curl line");
    let (status, body) = server.get(url);
    assert_eq!(status, 200);
    let report: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(report["metricsByIntervals"].as_array().unwrap().len(), 2);
    let summary = &report["timeframeSummary"]["metricsTotal"];
    assert!(summary["totalSkillConversationSegments"].as_i64().unwrap() > 0, "{body}");

    if foreign::is_here("the demo's line through curl", "curl", "curl") {
        let output = foreign::command("sh").args(["-c", &format!("{curl} --silent --fail")]).output().unwrap();
        let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(printed["metricsByIntervals"].as_array().unwrap().len(), 2);
    }
    server.signal("INT");
    assert!(server.wait().success());
    assert_eq!(temporary.path().read_dir().unwrap().count(), 0, "the sample is gone with the server");
}

#[test]
fn what_was_acknowledged_is_there_after_a_restart() {
    let directory = TempDir::new().unwrap();
    let server = Server::over(directory.path(), &["--now", NOW]);
    let lines = line("c-1", "2018-01-18T08:00:00Z") + &line("c-2", "2018-01-18T08:51:55.678Z") + "oops\n";
    let (status, answer) = server.post("/v1/accounts/acme/segments", "application/x-ndjson", lines.as_bytes());
    assert_eq!(status, 200, "{answer}");
    assert_eq!(total(&server), 2);
    drop(server);
    let server = Server::over(directory.path(), &["--now", NOW]);
    assert_eq!(total(&server), 2);
    let (_, answer) = server.post("/v1/accounts/acme/segments", "application/x-ndjson", lines.as_bytes());
    assert_eq!(serde_json::from_str::<Value>(&answer).unwrap()["duplicates"], 2);
}

#[test]
fn a_fixed_clock_moves_the_report_and_hides_no_row_from_sql() {
    let directory = TempDir::new().unwrap();
    let server = Server::over(directory.path(), &["--now", "1516265515679"]);
    let lines = line("past", "2018-01-18T08:00:00Z") + &line("future", "2018-01-19T08:00:00Z");
    server.post("/v1/accounts/acme/segments", "application/x-ndjson", lines.as_bytes());
    assert_eq!(total(&server), 1);
    assert_eq!(server.sql("select count(*) as n from segments")[0]["n"], 2);
    assert_eq!(server.sql("select now() as now")[0]["now"], "2018-01-18T08:51:55.679Z");
}

#[test]
fn sigint_and_sigterm_end_the_server_with_0() {
    for signal in ["INT", "TERM"] {
        let directory = TempDir::new().unwrap();
        let mut server = Server::over(directory.path(), &[]);
        server.signal(signal);
        assert!(server.wait().success(), "{signal}");
        assert_eq!(server.rest(), "", "results alone go to standard output");
    }
}

/// A connection with a request under way, whose body of `length` bytes the server waits for.
fn begin_post(server: &Server, length: usize) -> TcpStream {
    let mut connection = TcpStream::connect(server.address()).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(
        connection,
        "POST /v1/accounts/acme/segments HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n\
         Content-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
    )
    .unwrap();
    let mut interim = [0; 25];
    connection.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    connection
}

#[test]
fn a_second_signal_ends_the_server_at_once() {
    let directory = TempDir::new().unwrap();
    let mut server = Server::over(directory.path(), &[]);
    let _unfinished = begin_post(&server, 1000);
    server.signal("INT");
    std::thread::sleep(Duration::from_millis(300));
    server.signal("INT");
    assert_eq!(server.wait().code(), Some(1));
}

#[test]
fn a_request_under_way_is_answered_before_the_server_ends() {
    let directory = TempDir::new().unwrap();
    let mut server = Server::over(directory.path(), &["--now", NOW]);
    let body = line("c-1", "2018-01-18T08:00:00Z");
    let (first, second) = body.split_at(body.len() / 2);
    let mut connection = begin_post(&server, body.len());
    connection.write_all(first.as_bytes()).unwrap();
    server.signal("TERM");
    std::thread::sleep(Duration::from_millis(300));
    assert!(TcpStream::connect(server.address()).is_err(), "no connection is taken any more");
    connection.write_all(second.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains(r#""accepted":1"#), "{answer}");
    assert!(server.wait().success());
}

#[test]
fn an_address_that_others_can_reach_needs_insecure() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().to_str().unwrap();
    let output = run(["serve", "--listen", "0.0.0.0:0", "--data-dir", data_dir]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--insecure"), "{}", stderr(&output));
    let mut command =
        crate::binary::skillscope(["serve", "--listen", "0.0.0.0:0", "--insecure", "--data-dir", data_dir]);
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut address = [0; 15];
    child.stdout.as_mut().unwrap().read_exact(&mut address).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(&address, b"http://0.0.0.0:");
}

#[test]
fn a_second_process_on_the_same_directory_is_told_so() {
    let directory = TempDir::new().unwrap();
    let _server = Server::over(directory.path(), &[]);
    let output = run(["serve", "--listen", "127.0.0.1:0", "--data-dir", directory.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("in use"), "{}", stderr(&output));
}

#[test]
fn pages_of_the_origin_given_may_read_reports() {
    let directory = TempDir::new().unwrap();
    let server = Server::over(directory.path(), &["--cors-origin", "https://wall.example"]);
    let mut connection = TcpStream::connect(server.address()).unwrap();
    write!(
        connection,
        "OPTIONS {REPORT} HTTP/1.1\r\nHost: localhost\r\nOrigin: https://wall.example\r\n\
         Access-Control-Request-Method: GET\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("access-control-allow-origin: https://wall.example"), "{answer}");
}

#[test]
fn connections_are_limited_and_half_a_request_ends() {
    let directory = TempDir::new().unwrap();
    let server = Server::over(directory.path(), &["--http-connections", "2", "--header-timeout", "1"]);
    let mut half: Vec<TcpStream> = (0..2).map(|_| TcpStream::connect(server.address()).unwrap()).collect();
    half.iter_mut().for_each(|connection| write!(connection, "GET {REPORT} HTTP/1.1\r\nHost:").unwrap());
    for connection in &mut half {
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut answer = String::new();
        let _ = connection.read_to_string(&mut answer);
        assert_eq!(answer, "");
    }
    assert_eq!(total(&server), 0);
}

#[test]
fn wrong_usage_ends_with_2() {
    for arguments in [
        &["serve", "--now", "yesterday"][..],
        &["serve", "--now", "9999-01-01T00:00:00Z"],
        &["serve", "--demo", "--now", "0"],
        &["serve", "--nonsense"],
        &["serve", "--listen", "nowhere"],
        &["serve", "--cors-origin", "https://wall.example/"],
        &["serve", "--http-connections", "0"],
        &["serve", "--header-timeout", "0"],
        &["serve", "--body-memory", "1"],
        &["sql", "--format", "xml"],
        &["sql", "--url", "ftp://x", "-c", "select 1"],
        &["replay"],
        &[],
    ] {
        assert_eq!(run(arguments).status.code(), Some(2), "{arguments:?}");
    }
    for arguments in [&["--help"][..], &["serve", "--help"], &["import", "segments", "--help"], &["--version"]] {
        assert_eq!(run(arguments).status.code(), Some(0), "{arguments:?}");
    }
}

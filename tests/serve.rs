use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::binary::{Server, run, serve, skillscope, stderr};
use crate::foreign;
use crate::process::{PATIENCE, until};
use crate::sample;

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

/// How many conversations of the demo are open.
fn open_in_demo(server: &Server) -> i64 {
    let answer = server.sql("select open_conversations as n from system.accounts where account_id = 'demo'");
    answer[0]["n"].as_i64().unwrap()
}

#[test]
fn the_demo_goes_on_while_one_watches() {
    let mut server = Server::start(&["--demo"]);
    let closed = || server.sql("select count(*) as n from segments where end_reason like 'closed%'")[0]["n"].as_i64();
    let (mut fewest, closed_before) = (open_in_demo(&server), closed());
    assert!(fewest > 0);
    let (mut has_opened, mut has_closed) = (false, false);
    let start = Instant::now();
    while !(has_opened && has_closed) {
        // At night, the next one may be half a minute away.
        assert!(start.elapsed() < 3 * PATIENCE, "a conversation opened: {has_opened}, closed: {has_closed}");
        let open = open_in_demo(&server);
        has_opened |= open > fewest;
        fewest = fewest.min(open);
        has_closed |= closed() > closed_before;
        std::thread::sleep(Duration::from_millis(20));
    }
    server.signal("INT");
    assert!(server.wait().success());
}

#[test]
fn the_demo_of_an_instant_is_always_the_same_and_has_open_conversations() {
    let (one, other) = (Server::start(&["--demo", "--now", NOW]), Server::start(&["--demo", "--now", NOW]));
    assert!(open_in_demo(&one) > 0);
    assert_eq!(open_in_demo(&one), open_in_demo(&other));
    let digest =
        "select count(*) as segments, max(end_time) as last, sum(segment_index * skill_id) as mixed from segments";
    assert_eq!(one.sql(digest), other.sql(digest));
    assert_eq!(one.sql(&format!("select count(*) as n from segments where end_time >= '{NOW}'"))[0]["n"], 0);
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
    let mut command = skillscope(["serve", "--listen", "0.0.0.0:0", "--insecure", "--data-dir", data_dir]);
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
fn a_server_that_drains_takes_requests_and_says_that_it_is_not_ready() {
    let directory = TempDir::new().unwrap();
    let mut server = Server::over(directory.path(), &["--drain-delay", "3600"]);
    assert_eq!(server.get("/readyz").0, 200);
    server.signal("TERM");
    until("the server is not ready", || server.get("/readyz").0 == 503);
    assert_eq!(server.get("/healthz").0, 200);
    assert_eq!(total(&server), 0);
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(1));
}

/// What a server has logged from its start to its end.
fn log_of(command: &mut Command, ask: impl FnOnce(&Server)) -> String {
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("log");
    let mut server = Server::spawn(command.stderr(File::create(&log).unwrap()));
    ask(&server);
    server.signal("INT");
    server.wait();
    std::fs::read_to_string(log).unwrap()
}

#[test]
fn the_log_begins_with_version_and_options() {
    let directory = TempDir::new().unwrap();
    let mut command = skillscope(["serve", "--listen", "127.0.0.1:0", "--data-dir"]);
    command.arg(directory.path()).env("SKILLSCOPE_RETAIN", "400d,acme=36h").env("SKILLSCOPE_LISTN", "x");
    let log = log_of(&mut command, |_| {});
    let begins = log.lines().find(|line| line.contains("skillscope begins to serve")).expect(&log);
    assert!(begins.contains(&format!("version=\"{}\"", env!("CARGO_PKG_VERSION"))), "{begins}");
    for option in ["--listen 127.0.0.1:0", "--retain 400d,acme=36h", "--http-connections 10000", "--demo false"] {
        assert!(begins.contains(option), "{option}: {begins}");
    }
    assert!(log.contains("memory that may be taken") && log.contains("hot_mib="), "{log}");
    assert!(log.contains("the variable SKILLSCOPE_LISTN is no option, and has no effect; is SKILLSCOPE_LISTEN meant?"));
    assert!(!log.contains("SKILLSCOPE_RETAIN is no option"), "{log}");
    assert!(log.contains("--retain names an account of which there is nothing"), "{log}");
}

#[test]
fn an_upload_that_is_rejected_leaves_a_line() {
    let directory = TempDir::new().unwrap();
    let log = log_of(serve().arg("--data-dir").arg(directory.path()), |server| {
        let lines = line("c-1", "2018-01-18T08:00:00Z") + "oops\n{}\n";
        assert_eq!(server.post("/v1/accounts/acme/segments", "application/x-ndjson", lines.as_bytes()).0, 200);
        assert_eq!(server.post("/v1/accounts/bolt/events", "application/json", b"[]").0, 415);
        assert_eq!(server.post("/v1/accounts/cosy/segments", "application/x-ndjson", b"").0, 200);
    });
    let of_acme = log.lines().find(|line| line.contains("acme")).expect(&log);
    for part in ["records=\"segments\"", "rejected=2", "accepted=1", "first=2", "reason="] {
        assert!(of_acme.contains(part), "{part}: {of_acme}");
    }
    let of_bolt = log.lines().find(|line| line.contains("bolt")).expect(&log);
    assert!(of_bolt.contains("status=415") && of_bolt.contains("records=\"events\""), "{of_bolt}");
    assert!(!log.contains("cosy"), "{log}");
}

#[test]
fn an_account_that_falls_quiet_and_is_heard_again_leaves_a_line_each() {
    let (directory, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let path = folder.path().join("log");
    let mut command = skillscope(["serve", "--listen", "127.0.0.1:0", "--log", "info", "--quiet-after", "300ms"]);
    command.arg("--data-dir").arg(directory.path());
    let mut server = Server::spawn(command.stderr(File::create(&path).unwrap()));
    let log = || std::fs::read_to_string(&path).unwrap();
    let send = |conversation| {
        let segment = line(conversation, "2018-01-18T08:00:00Z");
        assert_eq!(server.post("/v1/accounts/acme/segments", "application/x-ndjson", segment.as_bytes()).0, 200);
    };
    assert_eq!(server.get("/readyz"), (200, r#"{"status":"ready","quiet_accounts":0}"#.to_owned()));
    send("c-1");
    until("the account is quiet", || server.get("/readyz").1.contains("\"quiet_accounts\":1"));
    let quiet = "nothing has come of an account for longer than --quiet-after";
    until("that is told", || log().contains(quiet));
    send("c-2");
    until("the account is heard", || log().contains("something has come of an account again"));
    server.signal("INT");
    server.wait();
    assert!(log().lines().any(|line| line.contains(quiet) && line.contains("account=acme")), "{}", log());
    // It may have fallen quiet a second time before the server ended, and was heard once.
    assert!(log().matches(quiet).count() <= 2, "{}", log());
}

#[test]
fn no_account_is_called_quiet_where_that_is_off() {
    let directory = TempDir::new().unwrap();
    let server = Server::over(directory.path(), &["--quiet-after", "off"]);
    assert_eq!(server.get("/readyz"), (200, r#"{"status":"ready"}"#.to_owned()));
    let wrong = run(["serve", "--quiet-after", "soon"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(stderr(&wrong).contains("such as 15m; or off"), "{}", stderr(&wrong));
}

#[test]
fn systemd_is_told_how_the_server_is() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let told = |part: &str| {
        let mut bytes = [0; 1024];
        loop {
            let length = socket.recv(&mut bytes).unwrap();
            if std::str::from_utf8(&bytes[..length]).unwrap().lines().any(|line| line.starts_with(part)) {
                return;
            }
        }
    };
    let mut command = serve();
    command.arg("--data-dir").arg(folder.path().join("data"));
    let mut server = Server::spawn(command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "30000"));
    for part in ["STATUS=reading", "READY=1", "WATCHDOG=1", "WATCHDOG=1"] {
        told(part);
    }
    server.signal("HUP");
    told("RELOADING=1");
    told("READY=1");
    server.signal("TERM");
    told("STOPPING=1");
    assert!(server.wait().success());
}

/// The lines of a log in JSON.
fn objects(log: &str) -> Vec<Value> {
    log.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

#[test]
fn lines_of_a_request_tell_its_trace() {
    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    let directory = TempDir::new().unwrap();
    let log = log_of(serve().args(["--log-format", "json", "--data-dir"]).arg(directory.path()), |server| {
        for (account, header) in
            [("acme", format!("traceparent: 00-{TRACE}-b7ad6b7169203331-01\r\n")), ("bolt", String::new())]
        {
            let mut connection = TcpStream::connect(server.address()).unwrap();
            let head = format!("POST /v1/accounts/{account}/segments HTTP/1.1\r\nHost: {}\r\n", server.address());
            write!(
                connection,
                "{head}{header}Content-Type: application/x-ndjson\r\nContent-Length: 5\r\nConnection: close\r\n\r\noops\n"
            )
            .unwrap();
            let mut answer = String::new();
            connection.read_to_string(&mut answer).unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
    });
    let objects = objects(&log);
    let of = |account: &str| objects.iter().find(|object| object["fields"]["account"] == account).expect(&log);
    assert_eq!(of("acme")["spans"][0]["trace_id"], TRACE);
    assert_eq!(of("acme")["message"], "an upload had records that were rejected");
    assert_eq!(of("bolt").get("spans"), None);
}

#[test]
fn a_slow_statement_is_logged_with_its_plan() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    sample::import_into(&data);
    let statement = "select count(*) as n from segments a, segments b where a.start_time < b.end_time";
    let mut command = serve();
    command.args(["--log-format", "json", "--slow-request", "1", "--data-dir"]).arg(&data);
    let log = log_of(&mut command, |server| {
        assert!(server.sql(statement)[0]["n"].as_i64().is_some());
    });
    let objects = objects(&log);
    let slow = objects.iter().find(|object| object["message"] == "a slow statement").expect(&log);
    let fields = &slow["fields"];
    assert_eq!(
        (&fields["statement"], &fields["account"], &fields["door"]),
        (&statement.into(), &"*".into(), &"http".into())
    );
    let plan = fields["plan"].as_str().unwrap();
    assert!(plan.contains("NestedLoopJoinExec"), "{plan}");
    assert!(
        objects.iter().any(|object| object["message"] == "a slow request" && object["fields"]["path"] == "/v1/sql")
    );
    let quiet = log_of(serve().args(["--slow-request", "0", "--data-dir"]).arg(&data), |server| {
        server.sql(statement);
    });
    assert!(!quiet.contains("slow"), "{quiet}");
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
        &["serve", "--retain", "1d", "--now", NOW],
        &["serve", "--retain-dry-run"],
        &["serve", "--drain-delay", "-1"],
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

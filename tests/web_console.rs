//! The web console in a real browser: Debian's Chromium, driven by the scripts in `web/`.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bank_calls;
use crate::binary::{Server, serve, skillscope, stderr, succeed};
use crate::foreign;
use crate::node::Node;
use crate::process::{Running, end_of, free_port};
use crate::tokens::Owner;

/// Tuesday, 16 February 1999, at noon.
const NOW: i64 = 919_166_400_000;

const MINUTE_MS: i64 = 60_000;

/// A browser, and what drives it.
struct Browser(Node);

impl Browser {
    /// `None`, visibly, where there is none.
    fn of(test: &str) -> Option<Self> {
        if !foreign::is_here(test, "chromium", "chromium") {
            return None;
        }
        Node::with_browser_libraries(test).map(Self)
    }

    fn command(&self, script: &str, server: &Server, arguments: &[&str]) -> Command {
        let mut command = self.0.module(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/web").join(script));
        command.arg(&server.url).args(arguments);
        command
    }

    /// Runs a script, which ends with an error where something is not as it should be.
    #[track_caller]
    fn sees(&self, script: &str, server: &Server, arguments: &[&str]) {
        let output = self.command(script, server, arguments).output().unwrap();
        assert!(output.status.success(), "{script} {arguments:?}: {}", stderr(&output));
    }
}

/// A server over the calls of a bank, whose clock stands still; its skills have names, and some conversations are open.
struct February {
    server: Server,
    _directory: TempDir,
}

impl February {
    /// `None`, visibly, where the calls are not here.
    fn open(test: &str) -> Option<Self> {
        let segments = bank_calls::segments(test)?;
        let directory = TempDir::new().unwrap();
        let (file, data_dir) = (directory.path().join("calls.ndjson"), directory.path().join("data"));
        fs::write(&file, segments).unwrap();
        succeed(["import", "segments", file.to_str().unwrap(), "--data-dir", data_dir.to_str().unwrap()]);
        let server = Server::over(&data_dir, &["--now", &NOW.to_string()]);
        let post = |path: &str, content_type: &str, body: String| {
            let (status, answer) = server.post(&format!("/v1/accounts/bank/{path}"), content_type, body.as_bytes());
            assert_eq!(status, 200, "{answer}");
        };
        post("tables/skills", "text/csv", "skill_id,name\n1,Regular\n2,\"Prio<b>rity\"\n".to_owned());
        post("events", "application/x-ndjson", Self::open_conversations());
        Some(Self { server, _directory: directory })
    }

    /// Two wait, for 12 and for 3 minutes, and a third one is with an agent.
    fn open_conversations() -> String {
        let event = |conversation: &str, sequence: u64, minutes: i64, fields: Value| {
            let mut event =
                json!({ "conversation_id": conversation, "sequence": sequence, "time": NOW - minutes * MINUTE_MS });
            event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            format!("{event}\n")
        };
        let started = |skill: i64| json!({ "type": "conversation_started", "skill_id": skill });
        [
            event("open-1", 0, 12, started(1)),
            event("open-2", 0, 3, started(2)),
            event("open-3", 0, 5, started(2)),
            event("open-3", 1, 4, json!({ "type": "agent_assigned", "agent_id": "ada", "user_type": "human" })),
        ]
        .concat()
    }
}

#[test]
fn every_view_shows_a_month_of_real_calls_to_everybody_in_both_themes() {
    let test = "every_view_shows_a_month_of_real_calls_to_everybody_in_both_themes";
    let Some(browser) = Browser::of(test) else { return };
    let Some(february) = February::open(test) else { return };
    browser.sees("views.mjs", &february.server, &["bank", "full"]);
}

#[test]
fn every_view_shows_the_demo_that_moves() {
    let Some(browser) = Browser::of("every_view_shows_the_demo_that_moves") else { return };
    let temporary = TempDir::new().unwrap();
    let server = Server::spawn(serve().arg("--demo").env("TMPDIR", temporary.path()));
    browser.sees("views.mjs", &server, &["demo", "full"]);
}

#[test]
fn every_view_shows_an_account_that_has_nothing() {
    let Some(browser) = Browser::of("every_view_shows_an_account_that_has_nothing") else { return };
    let directory = TempDir::new().unwrap();
    browser.sees("views.mjs", &Server::over(directory.path(), &[]), &["nobody", "empty"]);
}

#[test]
fn every_cell_of_the_wall_is_what_the_endpoint_answers() {
    let test = "every_cell_of_the_wall_is_what_the_endpoint_answers";
    let Some(browser) = Browser::of(test) else { return };
    let Some(february) = February::open(test) else { return };
    let now = NOW.to_string();
    for parameters in
        ["timeframe=240&interval=10", "timeframe=1440&interval=5&skillIds=1,2&userType=human", "timeframe=4"]
    {
        browser.sees("figures.mjs", &february.server, &["bank", &now, parameters]);
    }
}

#[test]
fn what_goes_wrong_is_told_where_it_happens() {
    let Some(browser) = Browser::of("what_goes_wrong_is_told_where_it_happens") else { return };
    let temporary = TempDir::new().unwrap();
    let server = Server::spawn(serve().arg("--demo").env("TMPDIR", temporary.path()));
    browser.sees("troubles.mjs", &server, &["demo"]);
}

#[test]
fn a_token_opens_the_views_of_its_scopes() {
    let Some(browser) = Browser::of("a_token_opens_the_views_of_its_scopes") else { return };
    let owner = Owner::new();
    let all = owner.add("all", "*", "report,ingest,sql,admin");
    let report = owner.add("wall", "account-1", "report");
    browser.sees("tokens.mjs", &Server::over(owner.folder(), &[]), &["account-1", &all, &report]);
}

#[test]
fn the_wall_rides_out_a_restart_of_the_server() {
    let Some(browser) = Browser::of("the_wall_rides_out_a_restart_of_the_server") else { return };
    let directory = TempDir::new().unwrap();
    let (data_dir, address) = (directory.path().to_str().unwrap(), format!("127.0.0.1:{}", free_port()));
    let start =
        || Server::spawn(&mut skillscope(["serve", "--listen", &address, "--log", "warn", "--data-dir", data_dir]));
    let server = start();
    end_a_conversation(&server, "c-1");

    let mut script = browser.command("restart.mjs", &server, &["acme"]);
    let script = script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut script = Running(script.spawn().unwrap());
    let mut said = BufReader::new(script.0.stdout.take().unwrap()).lines();
    let mut told = script.0.stdin.take().unwrap();
    let mut says = |word: &str, script: &mut Running| match said.next() {
        Some(Ok(line)) if line == word => {}
        _ => {
            let mut why = String::new();
            let _ = std::io::Read::read_to_string(script.0.stderr.as_mut().unwrap(), &mut why);
            panic!("it is not {word}: {why}");
        }
    };
    says("one", &mut script);
    drop(server);
    writeln!(told, "the server is gone").unwrap();
    says("lost", &mut script);
    let server = start();
    end_a_conversation(&server, "c-2");
    writeln!(told, "it is back").unwrap();
    says("two", &mut script);
    // The script has read to the end then.
    drop(told);
    assert!(end_of(&mut script.0).success());
}

/// Sends a segment that has ended just now.
fn end_a_conversation(server: &Server, conversation: &str) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let ended = json!({
        "conversation_id": conversation, "segment_index": 0, "skill_id": 7, "start_time": now as i64 - 1000,
        "end_time": now as i64, "start_reason": "new_conversation", "end_reason": "closed_by_consumer",
        "user_type": "none", "outcome": "abandoned", "abandoned_in_queue": true, "agent_messages": 0,
        "consumer_messages": 1,
    });
    let body = format!("{ended}\n");
    let (status, answer) = server.post("/v1/accounts/acme/segments", "application/x-ndjson", body.as_bytes());
    assert_eq!(status, 200, "{answer}");
}

//! Conversations as they happen, event by event, and as exports of message history tell them afterwards.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binary::{Server, run, serve, skillscope, stderr, succeed};
use crate::process::until;
use crate::sample;

/// 2018-01-18T08:51:55.679Z
pub(crate) const START: i64 = 1_516_265_515_679;

/// Every column by its name, times in milliseconds, in the order in which `bank_calls.py` prints them.
pub(crate) const ROWS: &str = "select account_id, conversation_id, source, segment_index, skill_id, \
    cast(start_time as bigint) as start_time, cast(end_time as bigint) as end_time, start_reason, end_reason, \
    user_type, outcome, abandoned_in_queue, cast(first_assigned_time as bigint) as first_assigned_time, \
    cast(first_agent_message_time as bigint) as first_agent_message_time, time_to_first_agent_message_ms, \
    agent_messages, consumer_messages, last_agent_id from segments";

/// All rows of a server, in an order of their own.
pub(crate) fn rows(server: &Server) -> Value {
    server.sql(&format!("{ROWS} order by account_id, conversation_id, segment_index"))
}

pub(crate) fn rows_in(data_dir: &Path) -> Value {
    rows(&Server::over(data_dir, &[]))
}

/// A line of NDJSON: an event of account `acme`.
pub(crate) fn event(conversation: &str, sequence: u64, time: i64, kind: &str, fields: Value) -> String {
    let mut event = json!({
        "account_id": "acme", "conversation_id": conversation, "sequence": sequence, "time": time, "type": kind,
    });
    let Value::Object(fields) = fields else { panic!("fields are an object") };
    event.as_object_mut().unwrap().extend(fields);
    format!("{event}\n")
}

pub(crate) fn started(conversation: &str, start: i64) -> String {
    event(conversation, 0, start, "conversation_started", json!({ "skill_id": 7, "source": "WEB" }))
}

/// The events of a conversation in which an agent answers four seconds after being assigned.
pub(crate) fn served(conversation: &str, start: i64) -> [String; 5] {
    let event = |sequence, after, kind, fields| event(conversation, sequence, start + after, kind, fields);
    [
        started(conversation, start),
        event(1, 1000, "agent_assigned", json!({ "agent_id": "ada", "user_type": "human" })),
        event(2, 5000, "message", json!({ "sender": "agent", "agent_id": "ada" })),
        event(3, 6000, "message", json!({ "sender": "consumer" })),
        event(4, 10_000, "conversation_closed", json!({ "by": "consumer" })),
    ]
}

/// The row that comes of [`served`].
fn served_row(conversation: &str, start: i64) -> Value {
    json!({
        "account_id": "acme", "conversation_id": conversation, "segment_index": 0, "skill_id": 7, "source": "WEB",
        "start_time": start, "end_time": start + 10_000, "start_reason": "new_conversation",
        "end_reason": "closed_by_consumer", "user_type": "human", "outcome": "interactive",
        "abandoned_in_queue": false, "first_assigned_time": start + 1000, "first_agent_message_time": start + 5000,
        "time_to_first_agent_message_ms": 4000, "agent_messages": 1, "consumer_messages": 1, "last_agent_id": "ada",
    })
}

/// An event of a conversation of its own, so late that no event before it is waited for any longer.
fn two_minutes_later() -> String {
    started("two-minutes-later", START + 120_000)
}

/// The server's answer to events.
#[track_caller]
fn post(server: &Server, events: &str) -> Value {
    let (status, answer) = server.post("/v1/accounts/acme/events", "application/x-ndjson", events.as_bytes());
    assert_eq!(status, 200, "{answer}");
    serde_json::from_str(&answer).unwrap()
}

fn answer(accepted: usize, duplicates: usize) -> Value {
    json!({ "accepted": accepted, "duplicates": duplicates, "rejected_count": 0, "rejected": [] })
}

/// Imports a file into a data directory.
pub(crate) fn try_import(what: &str, file: &Path, data_dir: &Path, options: &[&str]) -> Output {
    let (file, data_dir) = (file.to_str().unwrap(), data_dir.to_str().unwrap());
    run(["import", what, file, "--data-dir", data_dir].iter().chain(options))
}

/// Imports a file, which must succeed, and gives what was printed.
#[track_caller]
pub(crate) fn import(what: &str, file: &Path, data_dir: &Path, options: &[&str]) -> String {
    let output = try_import(what, file, data_dir, options);
    assert!(output.status.success(), "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// Imports events, which must succeed, and gives what was printed.
#[track_caller]
pub(crate) fn import_events(events: &str, data_dir: &Path, options: &[&str]) -> String {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("events.ndjson");
    fs::write(&file, events).unwrap();
    import("events", &file, data_dir, options)
}

#[track_caller]
fn check(data_dir: &Path) -> String {
    succeed(["check", "--data-dir", data_dir.to_str().unwrap()]).trim_end().to_owned()
}

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// Waits until the server has so many rows.
#[track_caller]
fn wait_for_rows(server: &Server, count: usize) {
    let start = Instant::now();
    while rows(server).as_array().unwrap().len() != count {
        assert!(start.elapsed() < Duration::from_secs(20), "there are other rows: {}", rows(server));
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The lines of all files of dead letters.
fn dead_letters(data_dir: &Path) -> Vec<Value> {
    let Ok(folder) = data_dir.join("dead-letters").read_dir() else { return Vec::new() };
    let mut files: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let text: String = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_report_has_a_segment_as_soon_as_its_conversation_closes() {
    let directory = TempDir::new().unwrap();
    let server = Server::over(directory.path(), &[]);
    let report = || {
        let (status, body) = server.get("/operations/api/account/acme/msgskillsegments?timeframe=60&v=1");
        assert_eq!(status, 200, "{body}");
        serde_json::from_str::<Value>(&body).unwrap()
    };
    let [before @ .., close] = served("c-1", now() - 12_000);
    for event in before {
        assert_eq!(post(&server, &event), answer(1, 0));
        assert_eq!(report()["metricsTotal"]["totalSkillConversationSegments"], 0);
    }
    assert_eq!(post(&server, &close), answer(1, 0));
    let metrics = report()["skillsMetrics"]["7"].clone();
    assert_eq!(metrics["totalSkillConversationSegments"], 1);
    assert_eq!(metrics["interactiveSkillSegments"], 1);
    assert_eq!(metrics["avgTimetoFirstAgentMessageFromAgentAssignment"], 4000);
}

/// The events of [`served`] with bad lines between them, of which each is told by its number and a part of the reason.
fn with_bad_lines() -> (String, Vec<(u64, &'static str)>) {
    let [start, assigned, agent, consumer, close] = served("c-1", START);
    let returned = |time| event("c-1", 1, time, "returned_to_queue", json!({}));
    let lines = [
        start,
        "oops\n".to_owned(),
        assigned.replace(r#","user_type":"human""#, ""),
        assigned.replace("human", "robot"),
        assigned.clone(),
        event("c-1", 1, START, "vanished", json!({})),
        returned(START).replace("acme", "globex"),
        returned(-1),
        returned(7_258_118_400_000),
        agent,
        event("c-1", 3, START, "transferred", json!({ "skill_id": 8 })),
        consumer.replace(r#""sequence":3,"#, ""),
        consumer,
        close,
    ];
    let reasons = vec![
        (2, "JSON object"),
        (3, "user_type is missing"),
        (4, "user_type: unknown variant `robot`"),
        (6, "type: unknown variant `vanished`"),
        (7, r#"account_id is "globex""#),
        (8, "time is -1"),
        (9, "1970 to 2199"),
        (11, "reason is missing"),
        (12, "missing field `sequence`"),
    ];
    (lines.concat(), reasons)
}

#[test]
fn bad_lines_of_a_file_are_told_with_their_reasons_and_cost_themselves_alone() {
    let directory = TempDir::new().unwrap();
    let (file, data_dir) = (directory.path().join("some.ndjson"), directory.path().join("data"));
    let (lines, reasons) = with_bad_lines();
    fs::write(&file, lines).unwrap();
    let output = try_import("events", &file, &data_dir, &["--account", "acme"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "accepted 5, duplicates 0, rejected 9\n");
    let complaints = stderr(&output);
    assert_eq!(complaints.lines().count(), reasons.len(), "{complaints}");
    for (complaint, (line, reason)) in complaints.lines().zip(reasons) {
        assert!(complaint.contains(&format!("some.ndjson:{line}: ")) && complaint.contains(reason), "{complaint}");
    }
    assert_eq!(rows_in(&data_dir), json!([served_row("c-1", START)]));

    let strict = try_import("events", &file, &data_dir, &["--account", "acme", "--strict"]);
    assert_eq!(strict.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&strict.stdout), "accepted 0, duplicates 5, rejected 9\n");
}

#[test]
fn bad_lines_of_a_request_are_listed_with_their_reasons_and_cost_themselves_alone() {
    let directory = TempDir::new().unwrap();
    let server = Server::over(directory.path(), &[]);
    let (lines, reasons) = with_bad_lines();
    let answer = post(&server, &lines);
    assert_eq!((&answer["accepted"], &answer["rejected_count"]), (&json!(5), &json!(9)), "{answer}");
    let rejected = answer["rejected"].as_array().unwrap();
    assert_eq!(rejected.len(), reasons.len(), "{answer}");
    for (record, (line, reason)) in rejected.iter().zip(reasons) {
        assert_eq!(record["line"], line, "{record}");
        assert!(record["error"].as_str().unwrap().contains(reason), "{record}");
    }
    assert_eq!(rows(&server), json!([served_row("c-1", START)]));
}

#[test]
fn an_event_that_is_repeated_is_told_as_a_duplicate_and_changes_nothing() {
    let directory = TempDir::new().unwrap();
    let server = Server::over(directory.path(), &[]);
    let events = served("c-1", START);
    assert_eq!(post(&server, &[&*events[0], &*events[1], &*events[0], &*events[1]].concat()), answer(2, 2));
    assert_eq!(post(&server, &events.concat()), answer(3, 2));
    assert_eq!(post(&server, &events.concat()), answer(0, 5));
    assert_eq!(rows(&server), json!([served_row("c-1", START)]));
}

#[test]
fn the_order_in_which_events_arrive_changes_no_row() {
    let directory = TempDir::new().unwrap();
    let server = Server::over(directory.path(), &[]);
    let [first, events @ ..] = served("c-1", START);
    for event in events.iter().rev() {
        assert_eq!(post(&server, event), answer(1, 0));
        assert_eq!(post(&server, event), answer(0, 1), "one that waits is known, too");
    }
    assert_eq!(rows(&server), json!([]));
    assert_eq!(post(&server, &first), answer(1, 0));
    assert_eq!(rows(&server), json!([served_row("c-1", START)]));
}

/// [`served`] without the consumer's message.
fn with_a_gap() -> (String, String) {
    let [start, assigned, agent, consumer, close] = served("c-1", START);
    ([start, assigned, agent, close].concat(), consumer)
}

fn unanswered_row() -> Value {
    let mut row = served_row("c-1", START);
    (row["outcome"], row["consumer_messages"]) = (json!("non_responsive_consumer"), json!(0));
    row
}

#[test]
fn a_missing_event_holds_others_up_no_longer_than_the_wait_without_any_event() {
    let directory = TempDir::new().unwrap();
    let server = Server::over(directory.path(), &["--event-wait", "1"]);
    let (events, missing) = with_a_gap();
    assert_eq!(post(&server, &events), answer(4, 0));
    wait_for_rows(&server, 1);
    assert_eq!(rows(&server), json!([unanswered_row()]));

    assert_eq!(post(&server, &missing), answer(1, 0), "it may still come, and has no effect any more");
    assert_eq!(post(&server, &missing), answer(0, 1));
    assert_eq!(rows(&server), json!([unanswered_row()]));
    let letters = dead_letters(directory.path());
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0]["sequence"], 3);
}

#[test]
fn a_missing_event_holds_others_up_no_longer_than_the_wait_in_event_time() {
    let (events, _) = with_a_gap();
    for (wait, waits) in [(&[][..], true), (&["--event-wait", "30"], true), (&["--event-wait", "2"], false)] {
        let directory = TempDir::new().unwrap();
        let later = started("c-2", START + 10_000 + 20_000);
        import_events(&(events.clone() + &later), directory.path(), wait);
        let expected = if waits { json!([]) } else { json!([unanswered_row()]) };
        assert_eq!(rows_in(directory.path()), expected, "{wait:?}");
    }
}

/// A conversation whose start is missing, an event after a close, and an event that lets none of them wait.
fn impossible() -> String {
    let headless = |sequence, kind, fields| event("headless", sequence, START + 1000 * sequence as i64, kind, fields);
    let late = event("c-1", 5, START + 11_000, "message", json!({ "sender": "consumer" }));
    let message = headless(1, "message", json!({ "sender": "consumer" }));
    let close = headless(2, "conversation_closed", json!({ "by": "consumer" }));
    // What has no beginning is kept for a day.
    let a_day_later = started("a-day-later", START + 86_400_000 + 2000);
    [served("c-1", START).concat(), late, message, close, a_day_later].concat()
}

#[test]
fn impossible_events_are_told_and_kept_and_the_rest_counts() {
    let directory = TempDir::new().unwrap();
    let (file, data_dir) = (directory.path().join("some.ndjson"), directory.path().join("data"));
    fs::write(&file, impossible()).unwrap();
    let output = try_import("events", &file, &data_dir, &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "accepted 9, duplicates 0, rejected 0\n");
    let complaints = stderr(&output);
    for part in ["dead-letters: 2 (its conversation has not started)", "dead-letters: 1 (its conversation is closed"] {
        assert!(complaints.contains(part), "{complaints}");
    }

    let server = Server::over(&data_dir, &[]);
    assert_eq!(rows(&server), json!([served_row("c-1", START)]));
    let mut letters = dead_letters(&data_dir);
    letters.sort_by_key(|letter| letter["sequence"].as_u64());
    let told = letters
        .iter()
        .map(|letter| (letter["conversation_id"].as_str().unwrap(), letter["dead_letter_reason"].as_str().unwrap()));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            ("headless", "its conversation has not started"),
            ("headless", "its conversation has not started"),
            ("c-1", "its conversation is closed, and only a resume can follow"),
        ]
    );
    for letter in &mut letters {
        letter.as_object_mut().unwrap().remove("dead_letter_reason");
        assert!(impossible().lines().any(|line| serde_json::from_str::<Value>(line).unwrap() == *letter), "{letter}");
    }
}

#[test]
fn dead_letters_are_filed_by_the_day_on_which_they_came() {
    let directory = TempDir::new().unwrap();
    let server = Server::over(directory.path(), &["--now", "2018-01-18T08:51:55.679Z"]);
    let today = || {
        let days = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 86_400).unwrap();
        let date = server.sql(&format!("select cast(arrow_cast({days}, 'Date32') as varchar) as day"));
        format!("{}.ndjson", date[0]["day"].as_str().unwrap())
    };
    // It may be midnight in between.
    let before = today();
    post(&server, &impossible());
    let possible = [before, today()];
    let names: Vec<_> = directory.path().join("dead-letters").read_dir().unwrap().collect();
    assert_eq!(names.len(), 1);
    let name = names[0].as_ref().unwrap().file_name().into_string().unwrap();
    assert!(possible.contains(&name), "{name}");
}

#[test]
fn dead_letters_can_be_imported_again_when_what_was_missing_has_come() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().join("data");
    import_events(&impossible(), &data_dir, &[]);
    let folder = data_dir.join("dead-letters");
    let file = folder.read_dir().unwrap().next().unwrap().unwrap().path();
    import("events", &file, &data_dir, &[]);
    assert_eq!(rows_in(&data_dir), json!([served_row("c-1", START)]), "nothing has come of them so far");

    import_events(&started("headless", START), &data_dir, &[]);
    let file = folder.read_dir().unwrap().next().unwrap().unwrap().path();
    import("events", &file, &data_dir, &[]);
    let headless = json!({
        "account_id": "acme", "conversation_id": "headless", "segment_index": 0, "skill_id": 7, "source": "WEB",
        "start_time": START, "end_time": START + 2000, "start_reason": "new_conversation",
        "end_reason": "closed_by_consumer", "user_type": "none", "outcome": "abandoned",
        "abandoned_in_queue": true, "first_assigned_time": null, "first_agent_message_time": null,
        "time_to_first_agent_message_ms": null, "agent_messages": 0, "consumer_messages": 1, "last_agent_id": null,
    });
    assert_eq!(rows_in(&data_dir), json!([served_row("c-1", START), headless]));
}

#[test]
fn an_impossible_event_is_kept_also_where_nothing_else_changes() {
    let directory = TempDir::new().unwrap();
    let server = Server::over(directory.path(), &[]);
    post(&server, &two_minutes_later());
    // It is not the latest, and of its conversation nothing is known before or after.
    let headless = event("headless", 0, START, "message", json!({ "sender": "consumer" }));
    assert_eq!(post(&server, &headless), answer(1, 0));
    let letters = dead_letters(directory.path());
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert_eq!(letters[0]["conversation_id"], "headless");
}

#[test]
fn an_id_with_terminal_codes_is_rejected_and_does_not_reach_the_log() {
    let directory = TempDir::new().unwrap();
    let log = directory.path().join("log");
    let mut command = serve();
    command.arg("--data-dir").arg(directory.path().join("data")).stderr(fs::File::create(&log).unwrap());
    let server = Server::spawn(&mut command);
    post(&server, &two_minutes_later());
    let of = |id: &str| event(id, 0, START, "message", json!({ "sender": "consumer" }));
    let answer = post(&server, &(of("evil\n\u{1b}[31m\u{202e}") + &of(" ") + &of("headless")));
    assert_eq!((&answer["accepted"], &answer["rejected_count"]), (&json!(1), &json!(2)));
    let unseen = "conversation_id has the character U+000A, which cannot be seen: no identifier has one";
    let blank = "conversation_id is empty or blank: it has one character or more that can be seen";
    assert_eq!(answer["rejected"], json!([{ "line": 1, "error": unseen }, { "line": 2, "error": blank }]));
    let logged = || fs::read_to_string(&log).unwrap();
    until("the event is logged", || logged().contains("an event has no effect and was kept"));
    assert!(!logged().contains("evil") && !logged().contains(['\u{1b}', '\u{202e}']), "{}", logged());
}

#[test]
fn open_conversations_and_events_that_wait_survive_sigkill() {
    let directory = TempDir::new().unwrap();
    let [start, assigned, agent, consumer, close] = served("c-1", START);
    let server = Server::over(directory.path(), &[]);
    post(&server, &start);
    assert_eq!(post(&server, &[&*agent, &*consumer].concat()), answer(2, 0), "they wait for the assignment");
    drop(server);
    let server = Server::over(directory.path(), &[]);
    assert_eq!(post(&server, &assigned), answer(1, 0));
    drop(server);
    let server = Server::over(directory.path(), &[]);
    assert_eq!(post(&server, &close), answer(1, 0));
    drop(server);
    let server = Server::over(directory.path(), &[]);
    assert_eq!(rows(&server), json!([served_row("c-1", START)]));
    assert_eq!(post(&server, &served("c-1", START).concat()), answer(0, 5), "what has closed is known as well");
    assert_eq!(rows(&server), json!([served_row("c-1", START)]));
}

#[test]
fn every_way_in_gives_the_same_rows() {
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name);
    let mut printed = None;
    let mut compare = |way: &str, data_dir: &Path, output: String| {
        let found = (output, rows_in(data_dir));
        let expected = printed.get_or_insert_with(|| found.clone());
        assert!(found == *expected, "{way}: {}, not {}", found.0, expected.0);
    };
    for name in ["events.ndjson", "events.ndjson.gz", "events.ndjson.zst"] {
        let generate = ["generate", "events", "--rows", "2000", "--accounts", "3", "--end", "2018-01-18T08:51:55.679Z"];
        succeed(generate.into_iter().chain(["--out", path(name).to_str().unwrap()]));
        let data_dir = path(&format!("{name}.data"));
        let output = import("events", &path(name), &data_dir, &[]);
        assert!(output.starts_with("accepted 1") && output.ends_with(", duplicates 0, rejected 0"), "{output}");
        compare(name, &data_dir, output);
    }
    let file = path("events.ndjson");

    let data_dir = path("piped");
    let arguments = ["import", "events", "-", "--data-dir", data_dir.to_str().unwrap()];
    let mut child = skillscope(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&fs::read(&file).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    compare("standard input", &data_dir, String::from_utf8(output.stdout).unwrap().trim_end().to_owned());

    let data_dir = path("served");
    let server = Server::over(&data_dir, &[]);
    let output = succeed(["import", "events", file.to_str().unwrap(), "--url", &server.url]);
    drop(server);
    compare("a server", &data_dir, output.trim_end().to_owned());
}

#[test]
fn a_bad_line_is_told_by_its_number_also_where_a_server_takes_the_others() {
    let directory = TempDir::new().unwrap();
    let (file, data_dir) = (directory.path().join("some.ndjson"), directory.path().join("data"));
    let server = Server::over(&data_dir, &[]);
    let [first, others @ ..] = served("c-1", START);
    fs::write(&file, first + "oops\n" + &others.concat()).unwrap();
    let output = run(["import", "events", file.to_str().unwrap(), "--url", &server.url, "--strict"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "accepted 5, duplicates 0, rejected 1\n");
    assert!(stderr(&output).contains("some.ndjson:2: "), "{}", stderr(&output));
}

#[test]
fn a_backup_goes_on_with_open_conversations() {
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name);
    let data_dir = path("data");
    let [before @ .., close] = served("c-1", START);
    import_events(&before.concat(), &data_dir, &[]);
    let to = |name: &str| path(name).to_str().unwrap().to_owned();
    succeed(["backup", "--data-dir", data_dir.to_str().unwrap(), "--to", &to("cold")]);
    let server = Server::over(&data_dir, &[]);
    succeed(["backup", "--url", &server.url, "--to", &to("hot")]);
    drop(server);
    for name in ["cold", "hot", "data"] {
        assert_eq!(import_events(&close, &path(name), &[]), "accepted 1, duplicates 0, rejected 0", "{name}");
        assert_eq!(rows_in(&path(name)), json!([served_row("c-1", START)]), "{name}");
    }
}

#[test]
fn check_counts_the_conversations_in_the_journal() {
    let directory = TempDir::new().unwrap();
    let events = served("c-1", START);
    import_events(&events[..3].concat(), directory.path(), &[]);
    assert_eq!(
        check(directory.path()),
        "0 files with 0 segments, 0 segments and 1 conversations in the journal: nothing is wrong"
    );
}

#[test]
fn a_data_directory_of_the_version_before_is_taken_over_and_one_of_a_later_version_refused() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().join("data");
    let version = data_dir.join("format-version");
    import("segments", &sample::path(), &data_dir, &[]);
    let expected = rows_in(&data_dir);

    fs::write(&version, "2\n").unwrap();
    check(&data_dir);
    assert_eq!(fs::read_to_string(&version).unwrap(), "2\n", "whoever only looks changes nothing");
    import_events(&served("c-1", START)[..3].concat(), &data_dir, &[]);
    assert_eq!(fs::read_to_string(&version).unwrap(), "4\n");
    assert_eq!(rows_in(&data_dir), expected);

    fs::write(&version, "5\n").unwrap();
    let output = try_import("segments", &sample::path(), &data_dir, &[]);
    assert_eq!(output.status.code(), Some(1));
    for part in ["format version 5", "use a newer skillscope"] {
        assert!(stderr(&output).contains(part), "{}", stderr(&output));
    }
    assert_eq!(fs::read_to_string(&version).unwrap(), "5\n");
}

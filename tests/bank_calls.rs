//! A month of real calls to a bank, where they are at hand: the report against a loop over the records, and the
//! segments of the calls against those that their events give.
//!
//! Each run delivers the events in another disorder; `SKILLSCOPE_SHUFFLE_SEED` repeats that of an earlier run, and a
//! check that fails tells it.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::OnceLock;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binary::{Server, skipped, stderr, succeed};
use crate::events::ROWS;
use crate::python;

const MINUTE_MS: i64 = 60_000;

const SEGMENTS: usize = 64_191;
const EVENTS: u64 = 275_498;

/// How many of the shuffled events come twice.
const REPEATED: u64 = 13_774;

/// The records as NDJSON, or why they cannot be had here.
fn records(what: &[&str]) -> Result<String, &'static str> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let (tool, calls) = (shared.join("tools/bank_calls.py"), shared.join("data/bank-calls-1999-02.csv.gz"));
    if !tool.exists() || !calls.exists() {
        return Err("the records of the bank's calls are not here");
    }
    let (form, options) = what.split_first().unwrap();
    let mut python = python::bare().ok_or("python3 is not here")?;
    let output = python.arg(tool).arg(form).arg(calls).args(options).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    Ok(String::from_utf8(output.stdout).unwrap())
}

/// Records that several tests share; `None`, visibly, where they are not here.
fn shared(records: &'static OnceLock<Result<String, &'static str>>, what: &[&str], test: &str) -> Option<&'static str> {
    let records = records.get_or_init(|| self::records(what));
    records.as_ref().inspect_err(|reason| skipped(test, reason)).ok().map(String::as_str)
}

pub(crate) fn segments(test: &str) -> Option<&'static str> {
    static RECORDS: OnceLock<Result<String, &'static str>> = OnceLock::new();
    shared(&RECORDS, &["segments"], test)
}

pub(crate) fn events(test: &str) -> Option<&'static str> {
    static RECORDS: OnceLock<Result<String, &'static str>> = OnceLock::new();
    shared(&RECORDS, &["events"], test)
}

/// The events late, twice and out of order.
pub(crate) fn shuffled(test: &str) -> Option<&'static str> {
    static RECORDS: OnceLock<Result<String, &'static str>> = OnceLock::new();
    shared(&RECORDS, &["events", "--shuffle", &seed().to_string()], test)
}

pub(crate) fn seed() -> u64 {
    static SEED: OnceLock<u64> = OnceLock::new();
    let given = || std::env::var("SKILLSCOPE_SHUFFLE_SEED").ok().map(|seed| seed.parse().unwrap());
    *SEED.get_or_init(|| given().unwrap_or_else(|| RandomState::new().hash_one(0)))
}

/// Said where a check fails.
pub(crate) fn repeat() -> String {
    format!("SKILLSCOPE_SHUFFLE_SEED={}", seed())
}

/// Where the text is cut: a line that the seed chooses.
fn cut(text: &str) -> (&str, &str) {
    let place = text.len() / 10 + usize::try_from(seed() % (text.len() as u64 * 8 / 10)).unwrap();
    text.split_at(place + text[place..].find('\n').unwrap() + 1)
}

fn metrics(rows: &[&Value]) -> Value {
    let count = |column: &str, value: Value| rows.iter().filter(|row| row[column] == value).count();
    let samples: Vec<i64> = rows.iter().filter_map(|row| row["time_to_first_agent_message_ms"].as_i64()).collect();
    let (sum, samples) = (samples.iter().sum::<i64>() as f64, samples.len() as f64);
    let average = if samples == 0.0 { 0.0 } else { (sum / samples + 0.5).floor() };
    json!({
        "totalSkillConversationSegments": rows.len(),
        "skillSegmentsAbandonedByConsumers": count("outcome", json!("abandoned")),
        "skillSegmentsAbandonedByConsumersInQueue": count("abandoned_in_queue", json!(true)),
        "skillSegmentsWithNonResponsiveConsumers": count("outcome", json!("non_responsive_consumer")),
        "skillSegmentsWithNonResponsiveAgents": count("outcome", json!("non_responsive_agent")),
        "interactiveSkillSegments": count("outcome", json!("interactive")),
        "avgTimetoFirstAgentMessageFromAgentAssignment": average as i64,
    })
}

fn breakdown(rows: &[&Value]) -> Value {
    let mut skills = BTreeMap::<String, Vec<&Value>>::new();
    for row in rows {
        skills.entry(row["skill_id"].to_string()).or_default().push(row);
    }
    let skills: BTreeMap<String, Value> = skills.into_iter().map(|(skill, rows)| (skill, metrics(&rows))).collect();
    json!({ "skillsMetrics": skills, "metricsTotal": metrics(rows) })
}

fn between(rows: &[Value], start: i64, end: i64, wanted: impl Fn(&Value) -> bool) -> Vec<&Value> {
    let ended = |row: &&Value| (start..end).contains(&row["end_time"].as_i64().unwrap());
    rows.iter().filter(ended).filter(|row| wanted(row)).collect()
}

fn report(server: &Server, query: &str) -> Value {
    let (status, body) = server.get(&format!("/operations/api/account/bank/msgskillsegments?v=1&{query}"));
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

#[test]
fn reports_over_real_calls_equal_a_loop_over_the_records() {
    let Some(text) = segments("reports_over_real_calls_equal_a_loop_over_the_records") else { return };
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), SEGMENTS);
    let directory = TempDir::new().unwrap();
    let (file, data_dir) = (directory.path().join("calls.ndjson"), directory.path().join("data"));
    fs::write(&file, text).unwrap();
    let import = ["import", "segments", file.to_str().unwrap(), "--data-dir", data_dir.to_str().unwrap()];
    assert_eq!(succeed(import), "accepted 64191, duplicates 0, rejected 0\n");

    // Tuesday at noon, and an odd millisecond on a Thursday afternoon.
    for now in [919_166_400_000, 919_349_234_567_i64] {
        let server = Server::over(&data_dir, &["--now", &now.to_string()]);
        let start = |minutes: i64| now - minutes * MINUTE_MS;
        let everything = |_: &Value| true;
        assert_eq!(report(&server, "timeframe=1440"), breakdown(&between(&rows, start(1440), now, everything)));

        let bot = |row: &Value| row["user_type"] == "bot" && [1, 11].contains(&row["skill_id"].as_i64().unwrap());
        let answer = report(&server, "timeframe=60&skillIds=1,11&userType=bot");
        assert_eq!(answer, breakdown(&between(&rows, start(60), now, bot)));

        let human = |row: &Value| row["user_type"] == "human";
        let answer = report(&server, "timeframe=240&interval=5&userType=human");
        assert_eq!(answer["timeframeSummary"], breakdown(&between(&rows, start(240), now, human)));
        let intervals = answer["metricsByIntervals"].as_array().unwrap();
        assert_eq!(intervals.len(), 48);
        for (place, interval) in intervals.iter().enumerate() {
            let from = now - (place as i64 + 1) * 5 * MINUTE_MS;
            let mut expected = breakdown(&between(&rows, from, from + 5 * MINUTE_MS, human));
            expected["timestamp"] = from.into();
            assert_eq!(interval, &expected);
        }
    }
}

/// The text of each row that a server has, in all columns, sorted.
#[track_caller]
pub(crate) fn texts_of_rows(server: &Server) -> Vec<String> {
    let body = json!({ "query": ROWS }).to_string();
    let (status, answer) = server.post("/v1/sql", "application/json", body.as_bytes());
    assert_eq!(status, 200, "{answer}");
    let rows = answer.strip_prefix('[').and_then(|rows| rows.strip_suffix(']')).unwrap().replace("},{", "}\n{");
    let mut rows: Vec<String> = rows.lines().map(str::to_owned).collect();
    rows.sort_unstable();
    rows
}

/// Checks that the server has exactly the segments of the calls, in all columns, by the text of each row.
#[track_caller]
fn assert_has_the_segments(server: &Server, test: &str) {
    let (found, mut expected): (_, Vec<_>) = (texts_of_rows(server), segments(test).unwrap().lines().collect());
    expected.sort_unstable();
    let repeat = repeat();
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected, "{repeat}");
    }
    assert_eq!(found.len(), SEGMENTS, "{repeat}");
}

#[track_caller]
fn assert_has_the_segments_in(data_dir: &Path, test: &str) {
    assert_has_the_segments(&Server::over(data_dir, &[]), test);
}

/// What became of events: how many were accepted, and how many had come before.
pub(crate) type Counts = (u64, u64);

/// Imports events by a process of its own.
#[track_caller]
fn import(directory: &TempDir, text: &str) -> Counts {
    let file = directory.path().join("events.ndjson");
    fs::write(&file, text).unwrap();
    let data_dir = directory.path().join("data");
    let printed = succeed(["import", "events", file.to_str().unwrap(), "--data-dir", data_dir.to_str().unwrap()]);
    let numbers: Vec<u64> = printed
        .split([' ', ',', '\n'])
        .filter(|word| word.starts_with(|first: char| first.is_ascii_digit()))
        .map(|number| number.parse().unwrap())
        .collect();
    assert_eq!(printed, format!("accepted {}, duplicates {}, rejected 0\n", numbers[0], numbers[1]));
    (numbers[0], numbers[1])
}

#[track_caller]
pub(crate) fn post(server: &Server, text: &str) -> Counts {
    let (status, answer) = server.post("/v1/accounts/bank/events", "application/x-ndjson", text.as_bytes());
    assert_eq!(status, 200, "{answer}");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["rejected_count"], 0, "{answer}");
    (answer["accepted"].as_u64().unwrap(), answer["duplicates"].as_u64().unwrap())
}

fn sum(counts: impl IntoIterator<Item = Counts>) -> Counts {
    counts.into_iter().fold((0, 0), |sum, counts| (sum.0 + counts.0, sum.1 + counts.1))
}

#[test]
fn events_in_order_give_exactly_the_segments() {
    let test = "events_in_order_give_exactly_the_segments";
    let Some(events) = events(test) else { return };
    let directory = TempDir::new().unwrap();
    assert_eq!(import(&directory, events), (EVENTS, 0));
    assert_has_the_segments_in(&directory.path().join("data"), test);
}

#[test]
fn events_late_twice_and_out_of_order_give_exactly_the_segments_and_once_more_nothing() {
    let test = "events_late_twice_and_out_of_order_give_exactly_the_segments_and_once_more_nothing";
    let Some(events) = shuffled(test) else { return };
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().join("data");
    assert_eq!(import(&directory, events), (EVENTS, REPEATED), "{}", repeat());
    assert_has_the_segments_in(&data_dir, test);
    assert_eq!(import(&directory, events), (0, EVENTS + REPEATED), "{}", repeat());
    assert_has_the_segments_in(&data_dir, test);
    let checked = succeed(["check", "--data-dir", data_dir.to_str().unwrap()]);
    assert!(checked.contains(&format!("with {SEGMENTS} segments")), "{checked}");
    assert!(!data_dir.join("dead-letters").exists(), "every event had its effect; {}", repeat());
}

#[test]
fn events_imported_in_two_parts_by_two_processes_give_exactly_the_segments() {
    let test = "events_imported_in_two_parts_by_two_processes_give_exactly_the_segments";
    let Some(events) = shuffled(test) else { return };
    let directory = TempDir::new().unwrap();
    let (first, second) = cut(events);
    assert_eq!(sum([import(&directory, first), import(&directory, second)]), (EVENTS, REPEATED), "{}", repeat());
    assert_has_the_segments_in(&directory.path().join("data"), test);
}

#[test]
fn events_posted_in_small_requests_to_a_server_that_is_killed_in_between_give_exactly_the_segments() {
    const REQUEST_LINES: usize = 200;
    let test = "events_posted_in_small_requests_to_a_server_that_is_killed_in_between_give_exactly_the_segments";
    let Some(events) = shuffled(test) else { return };
    let lines: Vec<&str> = events.split_inclusive('\n').collect();
    let requests: Vec<String> = lines.chunks(REQUEST_LINES).map(|lines| lines.concat()).collect();
    let before_kill = 1 + usize::try_from(seed() % (requests.len() as u64 - 1)).unwrap();
    let (before, after) = requests.split_at(before_kill);
    let directory = TempDir::new().unwrap();

    let server = Server::over(directory.path(), &[]);
    let counts = sum(before.iter().map(|request| post(&server, request)));
    // The answer may have been lost on the way: then the request is sent again.
    drop(server);
    let server = Server::over(directory.path(), &[]);
    assert_eq!(post(&server, before.last().unwrap()), (0, REQUEST_LINES as u64), "{}", repeat());

    let counts = sum(after.iter().map(|request| post(&server, request)).chain([counts]));
    assert_eq!(counts, (EVENTS, REPEATED), "{}", repeat());
    assert_has_the_segments(&server, test);
}

#[test]
fn events_posted_in_one_request_give_exactly_the_segments() {
    let test = "events_posted_in_one_request_give_exactly_the_segments";
    let Some(events) = shuffled(test) else { return };
    let directory = TempDir::new().unwrap();
    let server = Server::over(directory.path(), &[]);
    assert_eq!(post(&server, events), (EVENTS, REPEATED), "{}", repeat());
    assert_has_the_segments(&server, test);
}

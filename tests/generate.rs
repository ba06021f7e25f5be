use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binary::{Server, run, stderr, succeed};
use crate::events::ROWS;

/// 2018-01-18T08:51:55.679Z
const END: i64 = 1_516_265_515_679;

fn generate(options: &[&str]) -> Vec<Value> {
    let end = END.to_string();
    let fixed = ["generate", "segments", "--out", "-", "--end", &end];
    let text = succeed(fixed.into_iter().chain(options.iter().copied()));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn distinct(rows: &[Value], column: &str) -> BTreeSet<String> {
    rows.iter().map(|row| row[column].as_str().map_or_else(|| row[column].to_string(), str::to_owned)).collect()
}

#[test]
fn there_are_as_many_rows_skills_and_accounts_as_asked_for_in_the_hours_before_the_end() {
    for (rows, hours) in [(1_usize, 1), (20_000, 1), (20_000, 30)] {
        let (count, length) = (rows.to_string(), hours.to_string());
        let segments = generate(&["--rows", &count, "--skills", "12", "--accounts", "3", "--hours", &length]);
        assert_eq!(segments.len(), rows);
        for segment in &segments {
            let end = segment["end_time"].as_i64().unwrap();
            assert!((END - hours * 3_600_000..END).contains(&end), "{segment}");
        }
        if rows > 1 {
            assert_eq!(distinct(&segments, "skill_id").len(), 12);
            assert_eq!(
                distinct(&segments, "account_id").into_iter().collect::<Vec<_>>(),
                ["account-1", "account-2", "account-3"]
            );
        }
    }
}

#[test]
fn every_outcome_user_type_and_transfer_occurs() {
    let segments = generate(&["--rows", "20000"]);
    let words = |column| distinct(&segments, column).into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(words("outcome"), "abandoned interactive non_responsive_agent non_responsive_consumer");
    assert_eq!(words("user_type"), "bot human mixed none");
    assert_eq!(words("start_reason"), "agent_transfer new_conversation resume skill_transfer");
    assert_eq!(
        words("end_reason"),
        "agent_transfer closed_by_agent closed_by_consumer closed_by_system skill_transfer"
    );
    assert_eq!(words("abandoned_in_queue"), "false true");
}

#[test]
fn skills_are_skewed_and_a_days_curve_shows() {
    let segments = generate(&["--rows", "20000", "--skills", "10"]);
    let mut by_skill = BTreeMap::<i64, usize>::new();
    let mut by_hour = BTreeMap::<i64, usize>::new();
    for segment in &segments {
        *by_skill.entry(segment["skill_id"].as_i64().unwrap()).or_default() += 1;
        *by_hour.entry(segment["end_time"].as_i64().unwrap() / 3_600_000 % 24).or_default() += 1;
    }
    assert!(by_skill[&1] > 3 * by_skill[&10], "{by_skill:?}");
    assert!(by_hour[&11] > 10 * by_hour[&3], "{by_hour:?}");
}

/// The segments of a conversation follow from each other as those of a real one do.
#[test]
fn segments_are_those_of_conversations() {
    let mut conversations = BTreeMap::<String, Vec<Value>>::new();
    for segment in generate(&["--rows", "20000"]) {
        conversations.entry(segment["conversation_id"].as_str().unwrap().to_owned()).or_default().push(segment);
    }
    assert!(conversations.values().any(|segments| segments.len() >= 4));
    for segments in conversations.values() {
        assert_eq!(segments[0]["start_reason"], "new_conversation");
        for (index, segment) in segments.iter().enumerate() {
            assert_eq!(segment["segment_index"], index);
        }
        for pair in segments.windows(2) {
            let (before, after) = (&pair[0], &pair[1]);
            let gap = after["start_time"].as_i64().unwrap() - before["end_time"].as_i64().unwrap();
            match before["end_reason"].as_str().unwrap() {
                transfer @ ("agent_transfer" | "skill_transfer") => {
                    assert_eq!(after["start_reason"], transfer);
                    assert_eq!(gap, 0);
                    assert_ne!(before["skill_id"], after["skill_id"], "only a change of skill ends a segment");
                }
                _ => {
                    assert_eq!(after["start_reason"], "resume");
                    assert!(gap >= 0);
                    assert!(after["time_to_first_agent_message_ms"].is_null(), "no sample after a resume: {after}");
                }
            }
        }
        let last = segments.last().unwrap()["end_reason"].as_str().unwrap();
        assert!(last.starts_with("closed_by_"), "the last segment ends with the conversation, not by {last}");
    }
}

#[test]
fn the_seed_chooses_the_workload() {
    let rows = |seed| generate(&["--rows", "500", "--seed", seed]);
    assert_eq!(rows("5"), rows("5"));
    assert_ne!(rows("5"), rows("6"));
}

#[test]
fn one_skill_is_enough() {
    assert_eq!(generate(&["--rows", "2000", "--skills", "1"]).len(), 2000);
}

#[test]
fn a_name_that_tells_no_format_is_refused() {
    let end = END.to_string();
    let output = run(["generate", "segments", "--end", &end, "--out", "/tmp/segments.csv"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains(".parquet"), "{}", stderr(&output));
}

#[test]
fn hours_before_1970_are_refused() {
    let output = run(["generate", "segments", "--end", "1970-01-01T12:00:00Z", "--hours", "24", "--out", "-"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("1970"), "{}", stderr(&output));
}

/// Generates a workload of 20,000 segments in each of the three forms, and gives the folder with the files.
fn in_three_forms(seed: &str) -> TempDir {
    let directory = TempDir::new().unwrap();
    let end = END.to_string();
    for (form, file) in FORMS {
        let out = directory.path().join(file);
        let options = ["--rows", "20000", "--accounts", "3", "--seed", seed, "--end", &end];
        succeed(["generate", form].into_iter().chain(options).chain(["--out", out.to_str().unwrap()]));
    }
    directory
}

const FORMS: [(&str, &str); 3] =
    [("segments", "segments.ndjson"), ("events", "events.ndjson"), ("history", "history.json")];

#[test]
fn the_three_forms_describe_the_same_conversations() {
    let seed = RandomState::new().hash_one(0).to_string();
    let directory = in_three_forms(&seed);
    let body = json!({ "query": format!("{ROWS} order by account_id, conversation_id, segment_index") }).to_string();
    let mut expected = None;
    for (form, file) in FORMS {
        let (file, data_dir) = (directory.path().join(file), directory.path().join(form));
        let (file, data_dir_text) = (file.to_str().unwrap(), data_dir.to_str().unwrap());
        let printed = succeed(["import", form, file, "--data-dir", data_dir_text]);
        assert!(printed.ends_with(", duplicates 0, rejected 0\n"), "seed {seed}: {form}: {printed}");
        assert!(!data_dir.join("dead-letters").exists(), "seed {seed}: {form}");
        let (status, rows) = Server::over(&data_dir, &[]).post("/v1/sql", "application/json", body.as_bytes());
        assert_eq!(status, 200, "{rows}");
        assert_eq!(rows.matches(r#""segment_index":"#).count(), 20_000, "seed {seed}: {form}");
        let expected: &String = expected.get_or_insert_with(|| rows.clone());
        for (found, expected) in rows.split("},{").zip(expected.split("},{")) {
            assert_eq!(found, expected, "seed {seed}: {form}");
        }
    }

    // Whoever has delivered the one may deliver the others as well.
    let data_dir = directory.path().join("history");
    for (form, file, printed) in [
        ("segments", "segments.ndjson", "accepted 0, duplicates 20000, rejected 0\n"),
        ("history", "history.json", "accepted 0, duplicates 20000, rejected 0\n"),
        // The history has told what the events tell.
        ("events", "events.ndjson", ", rejected 0\n"),
    ] {
        let file = directory.path().join(file);
        let output = succeed(["import", form, file.to_str().unwrap(), "--data-dir", data_dir.to_str().unwrap()]);
        assert!(output.ends_with(printed), "seed {seed}: {form}: {output}");
    }
    let (status, rows) = Server::over(&data_dir, &[]).post("/v1/sql", "application/json", body.as_bytes());
    assert_eq!(status, 200, "{rows}");
    assert!(rows == expected.unwrap(), "seed {seed}");
}

#[test]
fn events_come_in_order_of_time_and_those_of_a_conversation_in_sequence() {
    let (seed, end) = (RandomState::new().hash_one(0).to_string(), END.to_string());
    let options = ["--rows", "20000", "--accounts", "3", "--seed", &seed, "--end", &end, "--out", "-"];
    let text = succeed(["generate", "events"].into_iter().chain(options));
    let mut latest = i64::MIN;
    let mut next = BTreeMap::<(String, String), u64>::new();
    for line in text.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let time = event["time"].as_i64().unwrap();
        assert!(latest <= time && time < END, "seed {seed}: {line}");
        latest = time;
        let id = |column: &str| event[column].as_str().unwrap().to_owned();
        let next = next.entry((id("account_id"), id("conversation_id"))).or_default();
        assert_eq!(event["sequence"], *next, "seed {seed}: {line}");
        *next += 1;
    }
}

#[test]
fn events_and_history_are_written_in_no_other_format() {
    let end = END.to_string();
    for (form, file) in [("events", "/tmp/events.parquet"), ("events", "/tmp/events.json"), ("history", "/tmp/h.arrow")]
    {
        let output = run(["generate", form, "--end", &end, "--out", file]);
        assert_eq!(output.status.code(), Some(2), "{form} {file}");
        assert!(stderr(&output).contains(file), "{}", stderr(&output));
    }
}

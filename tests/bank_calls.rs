//! A month of real calls to a bank, where they are at hand: the report against a loop over the records.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binary::{Server, skipped, stderr, succeed};

const MINUTE_MS: i64 = 60_000;

/// The records as NDJSON; `None`, visibly, where they are not here.
fn records() -> Option<String> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let (tool, calls) = (shared.join("tools/bank_calls.py"), shared.join("data/bank-calls-1999-02.csv.gz"));
    if !tool.exists() || !calls.exists() {
        skipped("bank_calls", "the records of the bank's calls are not here");
        return None;
    }
    match Command::new("python3").arg(tool).arg("segments").arg(calls).output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            skipped("bank_calls", "python3 is not here");
            None
        }
        output => {
            let output = output.unwrap();
            assert!(output.status.success(), "{}", stderr(&output));
            Some(String::from_utf8(output.stdout).unwrap())
        }
    }
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
    let Some(text) = records() else { return };
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 64_191);
    let directory = TempDir::new().unwrap();
    let (file, data_dir) = (directory.path().join("calls.ndjson"), directory.path().join("data"));
    fs::write(&file, &text).unwrap();
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

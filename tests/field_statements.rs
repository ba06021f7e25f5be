//! Statements and folders that people had trouble with, with the right answers.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use crate::binary::{run, skipped, stderr, succeed};

/// A folder of inputs; `None`, visibly, where it is not here.
fn field(name: &str, test: &str) -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/field").join(name);
    if folder.exists() {
        return Some(folder);
    }
    skipped(test, "what was met in the field is not here");
    None
}

/// The rows of each statement of a folder's file, over its segments.
fn answers(folder: &std::path::Path) -> Vec<Vec<Value>> {
    let directory = TempDir::new().unwrap();
    let data = directory.path().join("data").to_str().unwrap().to_owned();
    succeed(["import", "segments", folder.join("segments.ndjson").to_str().unwrap(), "--data-dir", &data]);
    let statements = fs::read_to_string(folder.join("query.sql")).unwrap();
    let statements = statements.split(';').map(str::trim).filter(|statement| !statement.is_empty());
    let rows = statements.map(|statement| {
        let text = succeed(["sql", "--data-dir", &data, "--format", "ndjson", "-c", statement]);
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    });
    rows.collect()
}

#[test]
fn words_over_more_than_127_rows() {
    let Some(folder) = field("01-int8-dictionary-over-128", "words_over_more_than_127_rows") else { return };
    let answers = answers(&folder);
    assert_eq!(answers.iter().map(Vec::len).collect::<Vec<_>>(), [300, 300, 300, 300, 1]);
    let list = answers[4][0].as_object().unwrap().values().next().unwrap().as_array().unwrap();
    assert_eq!(list.len(), 300);
    assert_eq!(list[..2], ["non_responsive_agent", "interactive"]);
}

#[test]
fn any_and_all_over_the_same_table() {
    let Some(folder) = field("02-any-all-same-table", "any_and_all_over_the_same_table") else { return };
    let counts: Vec<Value> =
        answers(&folder).iter().map(|rows| rows[0].as_object().unwrap().values().next().unwrap().clone()).collect();
    assert_eq!(counts, [100, 100, 132]);
}

#[test]
fn a_replay_names_the_outcome_that_nobody_knows() {
    let Some(folder) = field("14-unknown-outcome-in-a-folder", "a_replay_names_the_outcome_that_nobody_knows") else {
        return;
    };
    let directory = TempDir::new().unwrap();
    let out = directory.path().join("r.ndjson");
    let (folder, out) = (folder.to_str().unwrap(), out.to_str().unwrap());
    let replay = ["replay", "--archive", folder, "--from", "2018-01-18T00:00:00Z", "--timeframe", "1440", "--out", out];
    let refused = run(replay);
    assert!(!refused.status.success());
    let told = stderr(&refused);
    assert!(told.contains("other.parquet has ") && told.contains("outcome"), "{told}");
    assert!(told.contains("--keep-going leaves such rows out"), "{told}");
    let left_out = run(replay.into_iter().chain(["--keep-going"]));
    let told = stderr(&left_out);
    assert!(left_out.status.success() && told.contains("left out 2 rows of "), "{told}");
    let report: Value = serde_json::from_str(fs::read_to_string(out).unwrap().lines().next().unwrap()).unwrap();
    let report = report.to_string();
    assert!(report.contains("\"totalSkillConversationSegments\":2"), "{report}");
}

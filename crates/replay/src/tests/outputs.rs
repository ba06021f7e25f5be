//! An output is complete or absent, continues after an interruption, and has the same reports in every form.

use std::fs::{self, File};
use std::path::Path;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, TimestampMillisecondType};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};
use skillscope_query::Metric;
use tempfile::TempDir;

use super::world::{Asked, rows, write};
use crate::output::Checkpoint;

struct Setting {
    folder: TempDir,
    rows: RecordBatch,
}

impl Setting {
    fn new() -> Self {
        let (folder, rows) = (TempDir::new().unwrap(), rows(1_500, 8));
        write(&folder.path().join("in/a.parquet"), &rows, 300);
        Self { folder, rows }
    }

    fn archive(&self) -> std::path::PathBuf {
        self.folder.path().join("in")
    }

    /// Runs until so many instants are done, as an interruption would leave it: a checkpoint, and more after it.
    async fn interrupted(&self, asked: &Asked, out: &Path, done: u64, position: u64) {
        let scratch = TempDir::new().unwrap();
        let stop = scratch.path().join(out.file_name().unwrap());
        // Its fingerprint is in the checkpoint that a replay begins with.
        let archive = crate::Archive::open(crate::Location::Folder(self.archive()), false).await.unwrap();
        let replay = crate::Replay::new(asked.question(), archive, crate::PlanRunner::local().unwrap(), &stop).unwrap();
        let of = replay.fingerprint(&[asked.account.unwrap().to_owned()]);
        Checkpoint { done, position, ..Checkpoint::start(of) }.save(out).unwrap();
    }
}

#[tokio::test]
async fn a_replay_goes_on_where_it_was_interrupted() {
    let setting = Setting::new();
    let asked = Asked::plain().with("interval", "5");
    let answers = asked.answers(&setting.rows).await;
    let lines: Vec<&str> = answers.split_inclusive('\n').collect();
    for done in [0, 1, 30, lines.len() - 1] {
        let out = setting.folder.path().join("reports.ndjson");
        let kept = lines[..done].concat();
        setting.interrupted(&asked, &out, done as u64, kept.len() as u64).await;
        // What was written after the checkpoint need not be whole.
        fs::write(setting.folder.path().join("reports.ndjson.partial"), kept.clone() + "{\"account\":").unwrap();
        let summary = asked.replay(&setting.archive(), &out, false).await.unwrap();
        assert_eq!(summary.resumed_at, done as u64);
        assert_eq!(fs::read_to_string(&out).unwrap(), answers);
    }
    // Another question begins anew, and so does another archive.
    for change in [0, 1] {
        let out = setting.folder.path().join("reports.ndjson");
        setting.interrupted(&asked, &out, 10, 10).await;
        let other = if change == 0 { asked.clone().with("userType", "bot") } else { asked.clone() };
        if change == 1 {
            write(&setting.archive().join("b.parquet"), &setting.rows.slice(0, 0), 10);
        }
        let summary = other.replay(&setting.archive(), &out, false).await.unwrap();
        assert_eq!(summary.resumed_at, 0);
        assert_eq!(fs::read_to_string(&out).unwrap(), other.answers(&setting.rows).await);
    }
}

#[tokio::test]
async fn what_was_there_before_stays_until_the_new_output_is_complete() {
    let setting = Setting::new();
    let out = setting.folder.path().join("reports.ndjson");
    fs::write(&out, "before").unwrap();
    fs::write(setting.archive().join("b.parquet"), "no Parquet").unwrap();
    let asked = Asked::plain();
    assert!(asked.replay(&setting.archive(), &out, false).await.is_err());
    assert_eq!(fs::read_to_string(&out).unwrap(), "before");
    asked.replay(&setting.archive(), &out, true).await.unwrap();
    assert_eq!(fs::read_to_string(&out).unwrap(), asked.answers(&setting.rows).await);

    let nowhere = setting.folder.path().join("nowhere/reports.ndjson");
    let error = asked.replay(&setting.archive(), &nowhere, true).await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot write {}", nowhere.display())), "{error}");
    let error = asked.replay(&setting.archive(), Path::new("reports.csv"), true).await.unwrap_err().to_string();
    assert_eq!(error, "the name of reports.csv does not tell how to write it; it ends with .ndjson or .parquet");
}

/// The rows of a report, by hand: intervals, then the whole; in each, skills and then their total.
fn rows_of(line: &Value) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut add = |start: &Value, breakdown: &Value| {
        let mut skills: Vec<(i64, &Value)> = breakdown["skillsMetrics"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(skill, of)| (skill.parse().unwrap(), of))
            .collect();
        skills.sort_by_key(|(skill, _)| *skill);
        let skills = skills.into_iter().map(|(skill, of)| (json!(skill), of));
        for (skill, of) in skills.chain([(Value::Null, &breakdown["metricsTotal"])]) {
            let metrics: Vec<i64> = [
                "totalSkillConversationSegments",
                "skillSegmentsAbandonedByConsumers",
                "skillSegmentsAbandonedByConsumersInQueue",
                "skillSegmentsWithNonResponsiveConsumers",
                "skillSegmentsWithNonResponsiveAgents",
                "interactiveSkillSegments",
                "avgTimetoFirstAgentMessageFromAgentAssignment",
            ]
            .map(|name| of[name].as_i64().unwrap())
            .to_vec();
            rows.push(json!([line["account"], line["now"], start, skill, metrics]));
        }
    };
    let report = &line["report"];
    match report["metricsByIntervals"].as_array() {
        None => add(&Value::Null, report),
        Some(intervals) => {
            intervals.iter().for_each(|interval| add(&interval["timestamp"], interval));
            add(&Value::Null, &report["timeframeSummary"]);
        }
    }
    rows
}

fn rows_in(path: &Path) -> Vec<Value> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap();
    let mut rows = Vec::new();
    for batch in reader.map(Result::unwrap) {
        let names: Vec<String> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
        assert_eq!(names[..4], ["account_id", "now", "interval_start", "skill_id"]);
        assert!(names[4..].iter().eq(Metric::ALL.iter().map(|metric| metric.name)), "{names:?}");
        let time = |place: usize, row: usize| {
            let times = batch.column(place).as_primitive::<TimestampMillisecondType>();
            times.is_valid(row).then(|| times.value(row))
        };
        let number = |place: usize, row: usize| {
            let numbers = batch.column(place).as_primitive::<Int64Type>();
            numbers.is_valid(row).then(|| numbers.value(row))
        };
        for row in 0..batch.num_rows() {
            let account = batch.column(0).as_string::<i32>().value(row);
            let metrics: Vec<_> = (4..11).map(|place| number(place, row)).collect();
            rows.push(json!([account, time(1, row), time(2, row), number(3, row), metrics]));
        }
    }
    rows
}

#[tokio::test]
async fn a_checkpoint_whose_output_is_gone_is_none() {
    let setting = Setting::new();
    let asked = Asked::plain();
    for name in ["reports.ndjson", "reports.parquet"] {
        let out = setting.folder.path().join(name);
        setting.interrupted(&asked, &out, 10, 3).await;
        let summary = asked.replay(&setting.archive(), &out, false).await.unwrap();
        assert_eq!(summary.resumed_at, 0);
    }
    let lines = fs::read_to_string(setting.folder.path().join("reports.ndjson")).unwrap();
    assert_eq!(lines, asked.answers(&setting.rows).await);
}

#[tokio::test]
async fn one_replay_at_a_time_writes_to_an_output() {
    let setting = Setting::new();
    for name in ["reports.ndjson", "reports.parquet"] {
        let out = setting.folder.path().join(name);
        let other = File::create(setting.folder.path().join(format!("{name}.partial"))).unwrap();
        other.lock().unwrap();
        let error = Asked::plain().replay(&setting.archive(), &out, false).await.unwrap_err().to_string();
        assert_eq!(error, format!("another replay is writing {}", out.display()));
        drop(other);
        Asked::plain().replay(&setting.archive(), &out, false).await.unwrap();
    }
}

#[tokio::test]
async fn parquet_has_the_same_reports_as_rows() {
    let setting = Setting::new();
    for asked in [Asked { account: None, ..Asked::plain() }.with("interval", "15"), Asked::plain()] {
        let answers = asked.answers(&setting.rows).await;
        let expected: Vec<Value> =
            answers.lines().flat_map(|line| rows_of(&serde_json::from_str(line).unwrap())).collect();
        let out = setting.folder.path().join("reports.parquet");
        asked.replay(&setting.archive(), &out, false).await.unwrap();
        assert_eq!(rows_in(&out), expected);
    }
}

#[tokio::test]
async fn parquet_goes_on_where_it_was_interrupted() {
    let setting = Setting::new();
    let asked = Asked::plain();
    let whole = setting.folder.path().join("whole.parquet");
    asked.replay(&setting.archive(), &whole, false).await.unwrap();
    // The first part is a complete file of the first ten instants.
    let out = setting.folder.path().join("reports.parquet");
    let first = Asked { to: asked.from + 9 * asked.every, ..asked.clone() };
    let part = setting.folder.path().join("part.parquet");
    first.replay(&setting.archive(), &part, false).await.unwrap();
    fs::rename(&part, setting.folder.path().join("reports.parquet.partial-0")).unwrap();
    setting.interrupted(&asked, &out, 10, 1).await;
    fs::write(setting.folder.path().join("reports.parquet.partial-1"), "half a part").unwrap();
    let summary = asked.replay(&setting.archive(), &out, false).await.unwrap();
    assert_eq!(summary.resumed_at, 10);
    assert_eq!(rows_in(&out), rows_in(&whole));
    let mut names: Vec<_> = fs::read_dir(setting.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["in", "reports.parquet", "whole.parquet"]);
}

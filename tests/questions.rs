//! Analysts' questions have the answers that another engine gives over the files of the archive.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::binary::{run, stderr, succeed};
use crate::python::Python;

/// Runs every statement of a folder over the files of an archive, and prints the rows as JSON.
const DUCKDB_ANSWERS: &str = r#"
import datetime, decimal, json, pathlib, sys
import duckdb

files, folder = sys.argv[1:]
con = duckdb.connect()
con.execute("set TimeZone='UTC'")
con.execute("create macro date_bin(stride, instant) as time_bucket(stride, instant)")
con.execute(f"create view segments as select * from read_parquet('{files}/*/*/*.parquet', hive_partitioning=false)")

def plain(value):
    if isinstance(value, datetime.datetime):
        return int(value.timestamp() * 1000)
    return float(value) if isinstance(value, decimal.Decimal) else value

answers = {}
for path in sorted(pathlib.Path(folder).glob("*.sql")):
    rows = con.sql(path.read_text())
    answers[path.stem] = {"columns": rows.columns, "rows": [[plain(value) for value in row] for row in rows.fetchall()]}
print(json.dumps(answers))
"#;

/// The same of answers that stand in Parquet files.
const OUR_ANSWERS: &str = r#"
import datetime, json, pathlib, sys
import pyarrow.parquet

def plain(value):
    return int(value.timestamp() * 1000) if isinstance(value, datetime.datetime) else value

answers = {}
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.parquet")):
    table = pyarrow.parquet.read_table(path)
    columns = [column.to_pylist() for column in table.columns]
    answers[path.stem] = {"columns": table.column_names, "rows": [[plain(value) for value in row] for row in zip(*columns)]}
print(json.dumps(answers))
"#;

#[test]
fn the_questions_have_the_answers_of_duckdb() {
    let Some(python) = Python::with_libraries("the_questions_have_the_answers_of_duckdb") else { return };
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (rows, data, answers) = (path("rows.parquet"), path("data"), path("answers"));
    // Two weeks and some, of several accounts.
    let size = ["--rows", "30000", "--skills", "9", "--accounts", "3", "--hours", "400"];
    let place = ["--end", "2018-01-18T08:51:55.679Z", "--out", &rows];
    succeed(["generate", "segments"].into_iter().chain(size).chain(place));
    succeed(["import", "segments", &rows, "--data-dir", &data]);
    fs::create_dir(&answers).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/sql/questions");
    let mut questions = 0;
    for question in folder.read_dir().unwrap() {
        let question = question.unwrap().path();
        let out = Path::new(&answers).join(question.file_name().unwrap()).with_extension("parquet");
        let text = fs::read_to_string(&question).unwrap();
        let asked = run(["sql", "--data-dir", &data, "--out", out.to_str().unwrap(), "-c", &text]);
        assert!(asked.status.success(), "{}: {}", question.display(), stderr(&asked));
        questions += 1;
    }
    assert_eq!(questions, 17);
    let archive = Path::new(&data).join("archive");
    let theirs = python.run(DUCKDB_ANSWERS, &[archive.to_str().unwrap(), folder.to_str().unwrap()]);
    let theirs: serde_json::Value = serde_json::from_str(&theirs).unwrap();
    let ours: serde_json::Value = serde_json::from_str(&python.run(OUR_ANSWERS, &[&answers])).unwrap();
    for (question, theirs) in theirs.as_object().unwrap() {
        let ours = &ours[question];
        assert_eq!(ours["columns"], theirs["columns"], "{question}");
        let (ours, theirs) = (ours["rows"].as_array().unwrap(), theirs["rows"].as_array().unwrap());
        assert!(!theirs.is_empty(), "{question}");
        assert_eq!(ours.len(), theirs.len(), "{question}");
        for (ours, theirs) in ours.iter().zip(theirs) {
            let (ours, theirs) = (ours.as_array().unwrap(), theirs.as_array().unwrap());
            assert!(ours.iter().zip(theirs).all(|(a, b)| is_same(a, b)), "{question}: {ours:?} is not {theirs:?}");
        }
    }
}

/// A consumer gave up after two seconds, and nobody else came.
#[test]
fn where_nobody_was_answered_nothing_is_divided_by_zero() {
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (row, data) = (path("row.ndjson"), path("data"));
    let record = serde_json::json!({
        "account_id": "acme", "conversation_id": "c-1", "segment_index": 0, "skill_id": 7,
        "start_time": "2018-01-17T09:29:59Z", "end_time": "2018-01-17T09:30:01Z", "start_reason": "new_conversation",
        "end_reason": "closed_by_consumer", "user_type": "none", "outcome": "abandoned", "abandoned_in_queue": true,
        "agent_messages": 0, "consumer_messages": 1,
    });
    fs::write(&row, record.to_string()).unwrap();
    succeed(["import", "segments", &row, "--data-dir", &data]);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/sql/questions");
    let expected = [
        ("service_level_by_quarter_hour", "7,2018-01-17T09:15:00Z,1,0,0.0\n"),
        ("service_level_by_day", "7,2018-01-17T00:00:00Z,1,1,0,\n"),
        ("speed_of_answer", "9,1,0,,\n"),
        ("patience", "7,1,0,0,\n"),
        ("missed_quarter_hours", ""),
    ];
    for (question, rows) in expected {
        let text = fs::read_to_string(folder.join(question).with_extension("sql")).unwrap();
        let answer = succeed(["sql", "--data-dir", &data, "--format", "csv", "-c", &text]);
        assert_eq!(answer.split_once('\n').map(|(_, rows)| rows), Some(rows), "{question}");
    }
}

/// A number is the same whether it is whole or not.
fn is_same(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

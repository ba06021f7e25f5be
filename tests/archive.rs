//! The data directory as other tools, operators and a disk without room meet it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::binary::{Server, run, serve, skipped, stderr, succeed};
use crate::python::Python;
use crate::sample;

/// Reads an archive with DuckDB and with pyarrow, as it stands, and prints what both make of it.
const READ_BY_OTHERS: &str = r#"
import json, sys
import duckdb, pyarrow.dataset

archive = sys.argv[1]
files = f"'{archive}/*/*/*.parquet'"
totals = "count(*), count(distinct skill_id), sum(consumer_messages), count(time_to_first_agent_message_ms)"
duck = duckdb.sql(f"select {totals}, min(epoch_ms(end_time)), max(epoch_ms(end_time)) from {files}").fetchall()[0]
by_day = duckdb.sql(f"select account, cast(date as varchar), count(*) from {files} group by all order by all").fetchall()
wrong_day = duckdb.sql(f"select count(*) from {files} where cast(end_time at time zone 'UTC' as date) <> date "
                       "or account <> account_id").fetchall()[0]

table = pyarrow.dataset.dataset(archive, format="parquet", partitioning="hive").to_table()
times = [value.value for value in table["end_time"]]
arrow = [table.num_rows, len(set(table["skill_id"].to_pylist())), sum(table["consumer_messages"].to_pylist()),
         table.num_rows - table["time_to_first_agent_message_ms"].null_count, min(times), max(times)]
print(json.dumps({"duckdb": duck, "pyarrow": arrow, "by_day": by_day, "wrong_day": wrong_day,
                  "type": str(table.schema.field("end_time").type)}))
"#;

#[test]
fn duckdb_and_pyarrow_read_the_archive_as_it_stands() {
    let Some(python) = Python::with_libraries("duckdb_and_pyarrow_read_the_archive_as_it_stands") else { return };
    let directory = TempDir::new().unwrap();
    sample::import_into(directory.path());
    let archive = directory.path().join("archive");
    let read = python.run(READ_BY_OTHERS, &[archive.to_str().unwrap()]);
    let read: Value = serde_json::from_str(&read).unwrap();

    // The truth is the file that was imported.
    let text = fs::read_to_string(sample::path()).unwrap();
    let records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let numbers = |name: &str| records.iter().filter_map(|record| record[name].as_i64()).collect::<Vec<_>>();
    let skills: std::collections::BTreeSet<i64> = numbers("skill_id").into_iter().collect();
    let end_times = numbers("end_time");
    let expected = serde_json::json!([
        records.len(),
        skills.len(),
        numbers("consumer_messages").iter().sum::<i64>(),
        numbers("time_to_first_agent_message_ms").len(),
        end_times.iter().min(),
        end_times.iter().max(),
    ]);
    assert_eq!(read["pyarrow"], expected);
    assert_eq!(read["duckdb"], expected);
    assert_eq!(read["wrong_day"], serde_json::json!([0]));
    assert_eq!(read["type"], "timestamp[ms, tz=UTC]");
    let mut by_day = std::collections::BTreeMap::new();
    for record in &records {
        let day = record["end_time"].as_i64().unwrap() / 86_400_000;
        *by_day.entry((record["account_id"].as_str().unwrap().to_owned(), day)).or_insert(0_i64) += 1;
    }
    let read_by_day: Vec<i64> = read["by_day"].as_array().unwrap().iter().map(|row| row[2].as_i64().unwrap()).collect();
    assert_eq!(read_by_day, by_day.into_values().collect::<Vec<_>>());
}

#[test]
fn an_import_leaves_every_hour_that_is_over_in_the_archive() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().to_str().unwrap();
    sample::import_into(directory.path());
    assert_eq!(
        succeed(["check", "--data-dir", data_dir]).lines().last().unwrap().split(" with ").nth(1).unwrap(),
        "200 segments, 0 segments and 0 conversations in the journal: nothing is wrong"
    );
    let server = Server::over(directory.path(), &[]);
    assert_eq!(server.sql("select sum(rows) as rows from system.files")[0]["rows"], 200);
    assert_eq!(server.sql("select count(*) as n from segments")[0]["n"], 200);
    drop(server);
    // A server would merge files meanwhile.
    let files = succeed(["sql", "--data-dir", data_dir, "--format", "json", "-c", "select path from system.files"]);
    let files: Value = serde_json::from_str(&files).unwrap();
    for file in files.as_array().unwrap() {
        assert!(directory.path().join(file["path"].as_str().unwrap()).is_file(), "{file}");
    }
}

#[test]
fn a_file_that_was_changed_is_named_by_check_and_costs_itself_alone() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().to_str().unwrap();
    sample::import_into(directory.path());
    // A server would merge files meanwhile.
    let first = "select path, rows from system.files order by path limit 1";
    let file = succeed(["sql", "--data-dir", data_dir, "--format", "ndjson", "-c", first]);
    let file: Value = serde_json::from_str(&file).unwrap();
    let (path, rows) = (file["path"].as_str().unwrap().to_owned(), file["rows"].as_i64().unwrap());
    let file = directory.path().join(&path);
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    let output = run(["check", "--data-dir", data_dir]);
    assert_eq!(output.status.code(), Some(1));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(printed.contains(&path) && printed.contains("1 problem"), "{printed}");

    let server = Server::over(directory.path(), &[]);
    assert_eq!(server.sql("select count(*) as n from segments")[0]["n"], 200 - rows);
    assert!(!file.exists() && directory.path().join("quarantine").join(&path).is_file());
    drop(server);
    let printed = succeed(["check", "--data-dir", data_dir]);
    assert!(printed.contains("quarantine/ holds 1 files"), "{printed}");
}

#[test]
fn backup_and_check_need_a_data_directory_and_say_so() {
    let directory = TempDir::new().unwrap();
    let (nothing, to) = (directory.path().join("nothing"), directory.path().join("to"));
    let (nothing, to) = (nothing.to_str().unwrap(), to.to_str().unwrap());
    for arguments in [&["check", "--data-dir", nothing][..], &["backup", "--data-dir", nothing, "--to", to]] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains("no skillscope data directory"), "{}", stderr(&output));
    }
    assert!(!Path::new(nothing).exists() && !Path::new(to).exists());
    assert_eq!(run(["backup"]).status.code(), Some(2));
    assert_eq!(run(["serve", "--retain", "a while"]).status.code(), Some(2));
}

#[test]
fn a_backup_is_made_of_a_directory_that_nobody_has_open_and_of_a_server_by_its_url() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().join("data");
    let data = data_dir.to_str().unwrap();
    sample::import_into(&data_dir);
    let copies = ["offline", "online"].map(|name| directory.path().join(name));
    succeed(["backup", "--data-dir", data, "--to", copies[0].to_str().unwrap()]);
    let server = Server::over(&data_dir, &[]);
    succeed(["backup", "--url", &server.url, "--to", copies[1].to_str().unwrap()]);
    let output = run(["backup", "--url", &server.url, "--to", copies[1].to_str().unwrap()]);
    assert!(stderr(&output).contains("is not empty"), "{}", stderr(&output));
    for copy in copies {
        assert_eq!(Server::over(&copy, &[]).sql("select count(*) as n from segments")[0]["n"], 200);
    }
}

/// The most bytes that a file of a process may have, as a disk that fills up.
fn limit_file_size(server: &Server, bytes: &str) -> bool {
    let limit = format!("prlimit --pid {} --fsize={bytes}", server.id());
    Command::new("sh").args(["-c", &limit]).stderr(Stdio::null()).status().unwrap().success()
}

#[test]
fn without_room_a_request_is_answered_with_507_until_there_is_some() {
    let directory = TempDir::new().unwrap();
    // The signal that comes with a file too large is left to the one who wrote.
    let mut command = Command::new("sh");
    let serve = serve();
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(serve.get_program()).args(serve.get_args());
    let server = Server::spawn(command.arg("--data-dir").arg(directory.path()));
    let sample = fs::read(sample::path()).unwrap();
    let post = || server.post("/v1/accounts/account-1/segments", "application/x-ndjson", &sample);
    if !limit_file_size(&server, "4096:unlimited") {
        return skipped("without_room_a_request_is_answered_with_507", "prlimit is not here");
    }
    for _ in 0..2 {
        let (status, body) = post();
        assert_eq!(status, 507, "{body}");
        assert!(body.contains("urn:skillscope:problem:storage-full"), "{body}");
        assert_eq!(server.sql("select count(*) as n from segments")[0]["n"], 0);
    }
    assert!(limit_file_size(&server, "unlimited:unlimited"));
    let (status, body) = post();
    assert_eq!(status, 200, "{body}");
    assert!(body.contains(r#""accepted":200,"duplicates":0"#), "{body}");
    drop(server);
    let printed = succeed(["check", "--data-dir", directory.path().to_str().unwrap()]);
    assert!(printed.contains("nothing is wrong"), "{printed}");
}

#[test]
fn a_server_seals_and_merges_while_it_runs() {
    let directory = TempDir::new().unwrap();
    let options = ["--seal-grace", "0", "--hot-hours", "0"];
    let server = Server::over(directory.path(), &options);
    let sample = fs::read_to_string(sample::path()).unwrap();
    for lines in sample.lines().collect::<Vec<_>>().chunks(20) {
        let body = lines.join("\n");
        let (status, answer) = server.post("/v1/accounts/account-1/segments", "application/x-ndjson", body.as_bytes());
        assert_eq!(status, 200, "{answer}");
    }
    let start = Instant::now();
    loop {
        let files =
            server.sql("select count(*) as files, coalesce(sum(rows), 0) as rows, max(rows) as most from system.files");
        assert_eq!(server.sql("select count(*) as n from segments")[0]["n"], 200, "every row counts once meanwhile");
        if files[0]["rows"] == 200 && files[0]["files"].as_i64() <= Some(6) {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{files}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

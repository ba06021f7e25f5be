use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;

use crate::binary::{Server, run, skillscope, stderr, succeed};
use crate::sample;

fn import(data_dir: &Path, arguments: &[&str]) -> String {
    let mut all = vec!["import", "segments", "--data-dir", data_dir.to_str().unwrap()];
    all.extend(arguments);
    succeed(all).trim_end().to_owned()
}

#[test]
fn every_format_and_compression_loads_the_same_rows() {
    let directory = TempDir::new().unwrap();
    let sample = sample::path();
    let rows_of = |data_dir: &Path| Server::over(data_dir, &[]).segments();
    let plain = directory.path().join("plain");
    assert_eq!(import(&plain, &[sample.to_str().unwrap()]), "accepted 200, duplicates 0, rejected 0");
    let expected = rows_of(&plain);
    for name in
        ["a.ndjson.gz", "a.ndjson.zst", "a.json", "a.json.gz", "a.arrow", "a.arrow.zst", "a.parquet", "a.parquet.gz"]
    {
        let file = directory.path().join(name);
        sample::generate(&file);
        let data_dir = directory.path().join(format!("{name}.data"));
        assert_eq!(import(&data_dir, &[file.to_str().unwrap()]), "accepted 200, duplicates 0, rejected 0", "{name}");
        assert_eq!(rows_of(&data_dir), expected, "{name}");
    }
}

#[test]
fn a_file_is_read_as_its_first_bytes_say_unless_the_format_is_given() {
    let directory = TempDir::new().unwrap();
    for (made, named) in [
        ("a.ndjson.gz", "b.json"),
        ("a.json", "b.ndjson"),
        ("a.ndjson", "b.ndjson.gz"),
        ("a.parquet", "b.arrow"),
        ("a.arrow", "b.parquet"),
        ("a.parquet.zst", "b.parquet"),
    ] {
        let (file, renamed) = (directory.path().join(made), directory.path().join(named));
        sample::generate(&file);
        fs::rename(&file, &renamed).unwrap();
        let data_dir = directory.path().join(format!("{made}.data"));
        let told = import(&data_dir, &[renamed.to_str().unwrap()]);
        assert_eq!(told, "accepted 200, duplicates 0, rejected 0", "{made} as {named}");
    }
}

#[test]
fn times_that_name_no_zone_are_of_the_one_that_is_said() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("a.ndjson");
    let line = |index: u32, end: &str| {
        format!(
            r#"{{"account_id":"acme","conversation_id":"c","segment_index":{index},"skill_id":7,"start_time":"2025-10-25 12:00:00","end_time":"{end}","start_reason":"new_conversation","end_reason":"closed_by_consumer","user_type":"none","outcome":"abandoned","abandoned_in_queue":true,"agent_messages":0,"consumer_messages":1}}"#
        )
    };
    let lines = [line(0, "2025-10-26 02:30:00"), line(1, "2026-03-29 02:30:00"), line(2, "2025-10-26T03:00:00")];
    fs::write(&file, lines.join("\n")).unwrap();
    let (data_dir, other) = (directory.path().join("data"), directory.path().join("other"));
    let file = file.to_str().unwrap();
    assert_eq!(import(&other, &[file]), "accepted 0, duplicates 0, rejected 3");
    let told = import(&data_dir, &[file, "--time-zone", "Europe/Berlin"]);
    assert_eq!(told, "accepted 2, duplicates 0, rejected 1");
    let rows = Server::over(&data_dir, &[]).sql("select end_time from segments order by segment_index");
    // The first of the two readings is of summer time.
    for (row, expected) in [(0, "2025-10-26T00:30:00"), (1, "2025-10-26T02:00:00")] {
        assert!(rows[row]["end_time"].as_str().unwrap().starts_with(expected), "{rows}");
    }
    let wrong = run(["import", "segments", file, "--time-zone", "Berlin"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(stderr(&wrong).contains("IANA"), "{}", stderr(&wrong));
}

#[test]
fn importing_a_file_again_changes_nothing() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().join("data");
    let sample = sample::path();
    let twice = [sample.to_str().unwrap(), sample.to_str().unwrap()];
    assert_eq!(import(&data_dir, &twice), "accepted 200, duplicates 200, rejected 0");
    assert_eq!(import(&data_dir, &twice), "accepted 0, duplicates 400, rejected 0");
}

#[test]
fn a_bad_record_is_told_by_file_and_line_and_fails_where_strict() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("some.ndjson");
    let sample = fs::read_to_string(sample::path()).unwrap();
    let lines: Vec<&str> = sample.lines().take(3).collect();
    fs::write(&file, [lines[0], "oops", lines[1], lines[2]].join("\n")).unwrap();
    let data_dir = directory.path().join("data");
    let arguments = ["import", "segments", file.to_str().unwrap(), "--data-dir", data_dir.to_str().unwrap()];
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "accepted 3, duplicates 0, rejected 1\n");
    assert!(stderr(&output).contains("some.ndjson:2: "), "{}", stderr(&output));
    let strict = run(arguments.into_iter().chain(["--strict"]));
    assert_eq!(strict.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&strict.stdout), "accepted 0, duplicates 3, rejected 1\n");
}

#[test]
fn a_contradiction_is_no_duplicate_and_fails_where_strict() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("some.ndjson");
    let sample = fs::read_to_string(sample::path()).unwrap();
    let first = sample.lines().next().unwrap();
    let changed = first.replace("\"agent_messages\":2", "\"agent_messages\":3");
    assert_ne!(first, changed);
    fs::write(&file, [first, first, &changed].join("\n")).unwrap();
    let data_dir = directory.path().join("data");
    let arguments =
        ["import", "segments", file.to_str().unwrap(), "--strict", "--data-dir", data_dir.to_str().unwrap()];
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "accepted 1, duplicates 1, rejected 1\n");
    let complaint = "some.ndjson:3: segment 0 of conversation \"6534ee33-d1fd-49d7-ae89-656c364e9184\" is stored with \
                     agent_messages 2, not 3: the first write of a segment counts";
    assert!(stderr(&output).contains(complaint), "{}", stderr(&output));
}

#[test]
fn terminal_codes_in_a_rejected_record_do_not_reach_the_terminal() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("one.ndjson");
    let sample = fs::read_to_string(sample::path()).unwrap();
    let mut record: Value = serde_json::from_str(sample.lines().next().unwrap()).unwrap();
    record["outcome"] = "\u{1b}[31m\nskillscope: done".into();
    fs::write(&file, record.to_string()).unwrap();
    let data_dir = directory.path().join("data");
    let output = run(["import", "segments", file.to_str().unwrap(), "--data-dir", data_dir.to_str().unwrap()]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "accepted 0, duplicates 0, rejected 1\n");
    let complaints = stderr(&output);
    assert!(complaints.contains(r"\u{1b}[31m\nskillscope: done"), "{complaints}");
    assert!(!complaints.contains('\u{1b}') && complaints.lines().count() == 1, "{complaints}");
}

#[test]
fn records_without_account_need_one_and_others_are_rejected() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("anonymous.ndjson");
    let sample = fs::read_to_string(sample::path()).unwrap().replace(r#""account_id":"account-1","#, "");
    fs::write(&file, sample).unwrap();
    let data_dir = directory.path().join("data");
    let file = file.to_str().unwrap();
    assert_eq!(import(&data_dir, &[file]), "accepted 0, duplicates 0, rejected 200");
    assert_eq!(import(&data_dir, &[file, "--account", "acme"]), "accepted 200, duplicates 0, rejected 0");
    let named = sample::path();
    let other = import(&data_dir, &[named.to_str().unwrap(), "--account", "acme"]);
    assert_eq!(other, "accepted 0, duplicates 0, rejected 200");
}

#[test]
fn standard_input_is_read_where_the_format_is_said() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().join("data");
    let arguments = ["import", "segments", "-", "--format", "ndjson", "--data-dir", data_dir.to_str().unwrap()];
    let mut child = skillscope(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&fs::read(sample::path()).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "accepted 200, duplicates 0, rejected 0\n");
}

#[test]
fn what_cannot_be_read_at_all_is_told_before_anything_is_loaded() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().join("data");
    let (data_dir, sample) = (data_dir.to_str().unwrap(), sample::path());
    let unnamed = directory.path().join("segments.csv");
    fs::write(&unnamed, "a,b").unwrap();
    for (file, code, part) in [("/no/such/file.ndjson", 1, "cannot open"), (unnamed.to_str().unwrap(), 2, "--format")] {
        let output = run(["import", "segments", sample.to_str().unwrap(), file, "--data-dir", data_dir]);
        assert_eq!(output.status.code(), Some(code));
        assert!(stderr(&output).contains(part), "{}", stderr(&output));
        assert!(!Path::new(data_dir).exists(), "and nothing was loaded");
    }
}

#[test]
fn a_file_that_cannot_be_loaded_is_told_and_the_others_are_loaded() {
    let directory = TempDir::new().unwrap();
    let (data_dir, broken) = (directory.path().join("data"), directory.path().join("broken.parquet"));
    fs::write(&broken, "no parquet").unwrap();
    let sample = sample::path();
    let files = ["import", "segments", broken.to_str().unwrap(), sample.to_str().unwrap()];
    let output = run(files.into_iter().chain(["--data-dir", data_dir.to_str().unwrap()]));
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("broken.parquet"), "{}", stderr(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "accepted 200, duplicates 0, rejected 0\n");
}

#[test]
fn a_server_that_takes_small_requests_is_sent_small_ones() {
    let directory = TempDir::new().unwrap();
    let server = Server::over(&directory.path().join("data"), &["--max-body-bytes", "40000"]);
    let sample = sample::path();
    let import = ["import", "segments", sample.to_str().unwrap(), "--url", &server.url];
    assert_eq!(succeed(import), "accepted 200, duplicates 0, rejected 0\n");
}

#[test]
fn a_running_server_is_loaded_through_its_url() {
    let directory = TempDir::new().unwrap();
    let server = Server::over(&directory.path().join("data"), &[]);
    let file = directory.path().join("three.ndjson");
    let generate =
        ["generate", "segments", "--rows", "40000", "--accounts", "3", "--end", "2018-01-18T08:51:55Z", "--out"];
    succeed(generate.into_iter().chain([file.to_str().unwrap()]));
    let import = ["import", "segments", file.to_str().unwrap(), "--url", &server.url];
    assert_eq!(succeed(import), "accepted 40000, duplicates 0, rejected 0\n");
    assert_eq!(server.sql("select count(*) as n, count(distinct account_id) as a from segments")[0]["n"], 40000);

    // A segment that has another end time there is refused, and told by its line.
    let text = fs::read_to_string(&file).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut moved: Value = serde_json::from_str(&lines[30_000]).unwrap();
    moved["end_time"] = (moved["end_time"].as_i64().unwrap() + 1).into();
    lines[30_000] = moved.to_string();
    fs::write(&file, lines.join("\n")).unwrap();
    let output = run(import);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "accepted 0, duplicates 39999, rejected 1\n");
    assert!(stderr(&output).contains("three.ndjson:30001: "), "{}", stderr(&output));
}

#[test]
fn a_server_that_is_not_there_is_told_so() {
    let sample = sample::path();
    for (url, code) in
        [("http://127.0.0.1:9", 1), ("https://127.0.0.1:9", 1), ("ftp://127.0.0.1:9", 2), ("127.0.0.1:8080", 2)]
    {
        let output = run(["import", "segments", sample.to_str().unwrap(), "--url", url]);
        assert_eq!(output.status.code(), Some(code));
        assert!(stderr(&output).contains(url), "{}", stderr(&output));
    }
}

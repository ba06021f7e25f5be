//! Recorded answers of another endpoint against ours, as a developer compares them who wants to switch over.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use tempfile::TempDir;

use crate::binary::{Server, run, skillscope, stderr, succeed};
use crate::sample;

/// Twelve answers to a question over the sample, recorded as curl would, in a file.
fn recorded(folder: &Path, data: &Path) -> PathBuf {
    let lines: String = (0..12)
        .map(|place| {
            let now = 1_516_265_515_679_i64 - place * 300_000;
            let server = Server::over(data, &["--now", &now.to_string()]);
            let path = "/operations/api/account/account-1/msgskillsegments?timeframe=60&interval=20&v=1";
            let (status, body) = server.get(path);
            assert_eq!(status, 200, "{body}");
            // The request was made some time before it was answered.
            format!("{{\"now\":{},\"url\":\"https://other.example{path}\",\"report\":{body}}}\n", now - 120)
        })
        .collect();
    let file = folder.join("recorded.ndjson");
    fs::write(&file, lines).unwrap();
    file
}

fn compare(options: &[&str], recorded: &Path, data: &Path) -> Output {
    let fixed = ["compare", "--data-dir", data.to_str().unwrap(), "--recorded", recorded.to_str().unwrap()];
    run(fixed.into_iter().chain(options.iter().copied()))
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn equal_answers_end_with_0_and_others_with_1_and_the_conversation() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    sample::import_into(&data);
    let recorded = recorded(folder.path(), &data);
    let output = compare(&["--explain"], &recorded, &data);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    let told = "compared 12 recordings: all of them are equal\n\
                the timestamps of intervals tell the instant of 12 recordings, 120 ms after the recorded one\n";
    assert!(stdout(&output).starts_with(told), "{}", stdout(&output));
    // The archive by itself, standard input and compressed recordings are as good.
    let archive = data.join("archive");
    let options = ["compare", "--archive", archive.to_str().unwrap(), "--recorded", "-"];
    let text = fs::read(&recorded).unwrap();
    let compressed = folder.path().join("recorded.ndjson.gz");
    let mut encoder = flate2::write::GzEncoder::new(fs::File::create(&compressed).unwrap(), Default::default());
    encoder.write_all(&text).unwrap();
    encoder.finish().unwrap();
    let mut child =
        skillscope(options).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&text).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).starts_with(told));
    assert_eq!(compare(&[], &compressed, &data).status.code(), Some(0));

    // A server without one of the conversations of the last hour.
    let all = fs::read_to_string(sample::path()).unwrap();
    let counts = |line: &str| -> bool {
        let segment: serde_json::Value = serde_json::from_str(line).unwrap();
        (1_516_262_515_679..1_516_264_015_679).contains(&segment["end_time"].as_i64().unwrap())
    };
    let extra = all.lines().rfind(|line| counts(line)).unwrap();
    let extra: serde_json::Value = serde_json::from_str(extra).unwrap();
    let conversation = extra["conversation_id"].as_str().unwrap();
    let without: String =
        all.lines().filter(|line| !line.contains(conversation)).map(|line| format!("{line}\n")).collect();
    let (file, other) = (folder.path().join("without.ndjson"), folder.path().join("other"));
    fs::write(&file, without).unwrap();
    succeed(["import", "segments", file.to_str().unwrap(), "--data-dir", other.to_str().unwrap()]);
    let recorded_there = {
        let there = folder.path().join("there");
        fs::create_dir(&there).unwrap();
        self::recorded(&there, &other)
    };
    let output = compare(&["--explain"], &recorded_there, &data);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let told = stdout(&output);
    assert!(told.contains(" differ\n") && told.contains(conversation) && told.contains("not have it"), "{told}");
    assert!(!told.contains("nothing here could be it"), "{told}");
    let output = compare(&["--explain"], &recorded, &other);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("nothing here could be it"), "{}", stdout(&output));
    assert!(!stdout(&compare(&[], &recorded, &other)).contains("explain"));
}

#[test]
fn a_directory_that_a_server_has_open_is_compared() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    sample::import_into(&data);
    let recorded = recorded(folder.path(), &data);
    let _server = Server::over(&data, &[]);
    let output = compare(&[], &recorded, &data);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(data.join("staging").read_dir().unwrap().count(), 0);
}

#[test]
fn lines_that_cannot_be_read_are_told_and_the_others_compared() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    sample::import_into(&data);
    let file = folder.path().join("some.ndjson");
    let report = r#"{"skillsMetrics":{},"metricsTotal":{}}"#;
    fs::write(
        &file,
        format!(
            "no JSON\n{{\"now\":1516265515679,\"query\":\"timeframe=0\",\"account\":\"account-1\",\"report\":{report}}}\n\
             {{\"now\":1516265515679,\"query\":\"timeframe=60\",\"report\":{report}}}\n"
        ),
    )
    .unwrap();
    let output = compare(&["--account", "account-1"], &file, &data);
    assert_eq!(output.status.code(), Some(1));
    let complaints = stderr(&output);
    for told in [":1: it is no record in JSON", ":2: timeframe=0", "2 lines have no recorded answer"] {
        assert!(complaints.contains(told), "{complaints}");
    }
    assert!(stdout(&output).starts_with("compared 1 recording: "), "{}", stdout(&output));
    let output = compare(&[], &file, &data);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("there is no recorded answer to compare with"), "{}", stderr(&output));
}

#[test]
fn wrong_usage_ends_with_2() {
    for arguments in [
        &["compare"][..],
        &["compare", "--recorded"],
        &["compare", "--recorded", "a.ndjson", "--account", "a/b"],
        &["compare", "--recorded", "a.ndjson", "--archive", "gs://bucket"],
        &["compare", "--recorded", "a.ndjson", "--limit", "-1"],
    ] {
        assert_eq!(run(arguments).status.code(), Some(2), "{arguments:?}");
    }
    let output = run(["compare", "--recorded", "/nowhere/at/all.ndjson"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("cannot read /nowhere/at/all.ndjson"), "{}", stderr(&output));
}

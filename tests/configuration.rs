use std::fs;

use tempfile::TempDir;

use crate::binary::{run, skillscope, stderr};

/// Rows that `generate` prints with these settings: `--rows` of the command line, the environment and the file.
fn rows(argument: Option<&str>, environment: Option<&str>, file: Option<&str>) -> usize {
    let directory = TempDir::new().unwrap();
    let mut command = skillscope(["generate", "segments", "--end", "1516265515679", "--out", "-"]);
    if let Some(rows) = argument {
        command.args(["--rows", rows]);
    }
    if let Some(rows) = environment {
        command.env("SKILLSCOPE_ROWS", rows);
    }
    if let Some(text) = file {
        let path = directory.path().join("skillscope.toml");
        fs::write(&path, text).unwrap();
        command.arg("--config").arg(path);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count()
}

#[test]
fn the_command_line_wins_over_the_environment_and_that_over_the_file() {
    assert_eq!(rows(Some("1"), Some("2"), Some("rows = 3")), 1);
    assert_eq!(rows(None, Some("2"), Some("rows = 3")), 2);
    assert_eq!(rows(None, None, Some("rows = 3")), 3);
}

#[test]
fn a_table_holds_the_options_of_a_command() {
    assert_eq!(rows(None, None, Some("rows = 3\nlog = 'warn'\n[generate.segments]\nrows = 4")), 4);
    assert_eq!(rows(None, None, Some("[generate]\nrows = 5\n[serve]\nlisten = '127.0.0.1:1'\ninsecure = true")), 5);
}

#[test]
fn a_required_option_may_stand_in_the_file_or_the_environment() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("skillscope.toml");
    fs::write(&path, "end = 2018-01-18T08:51:55Z\nout = '-'\nrows = 7").unwrap();
    let output = skillscope(["generate", "segments"]).env("SKILLSCOPE_CONFIG", &path).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(output.stdout.iter().filter(|byte| **byte == b'\n').count(), 7);
}

#[test]
fn a_switch_may_stand_in_the_file() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("skillscope.toml");
    let records = directory.path().join("bad.ndjson");
    fs::write(&records, "oops\n").unwrap();
    let data_dir = directory.path().join("data");
    for (text, code) in [("strict = true", 1), ("strict = false", 0)] {
        fs::write(&path, text).unwrap();
        let output = skillscope(["import", "segments"])
            .arg(&records)
            .args(["--config".as_ref(), path.as_os_str(), "--data-dir".as_ref(), data_dir.as_os_str()])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(code), "{text}: {}", stderr(&output));
    }
}

#[test]
fn a_switch_in_the_environment_may_be_1_or_true_or_off() {
    let directory = TempDir::new().unwrap();
    let records = directory.path().join("bad.ndjson");
    fs::write(&records, "oops\n").unwrap();
    for (value, code) in [("1", 1), ("true", 1), ("0", 0), ("off", 0), ("perhaps", 2)] {
        let mut import = skillscope(["import", "segments"]);
        import.arg(&records).arg("--data-dir").arg(directory.path().join("data")).env("SKILLSCOPE_STRICT", value);
        assert_eq!(import.output().unwrap().status.code(), Some(code), "{value}");
    }
}

#[test]
fn a_file_with_something_else_in_it_is_refused() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("skillscope.toml");
    for (text, part) in [
        ("colour = 'red'", "colour"),
        ("[serve]\nrows = 3", "rows"),
        ("[cook]\nrows = 3", "cook"),
        ("rows = 3 4", "TOML"),
        ("rows = 1.5", "rows"),
        ("rows = 'many'", "many"),
    ] {
        fs::write(&path, text).unwrap();
        let output =
            run(["generate", "segments", "--end", "1516265515679", "--out", "-", "--config", path.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(stderr(&output).contains(part), "{text}: {}", stderr(&output));
    }
    let output =
        run(["generate", "segments", "--end", "1516265515679", "--out", "-", "--config", "/no/such/file.toml"]);
    assert_eq!(output.status.code(), Some(2));
}

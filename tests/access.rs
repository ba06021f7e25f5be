//! Who may read what the binary writes, reading what nobody may write, and taking back what has expired.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::binary::{Server, run, serve, skipped, stderr, succeed};
use crate::process::until;
use crate::sample;

/// Everything at and below a folder.
fn all(root: &Path) -> Vec<PathBuf> {
    let mut all = vec![root.to_owned()];
    let mut next = 0;
    while let Some(path) = all.get(next).cloned() {
        next += 1;
        if path.is_dir() {
            all.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    all
}

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().permissions().mode() & 0o777
}

#[track_caller]
fn assert_is_of_owner_alone(root: &Path) {
    for path in all(root) {
        let (mode, expected) = (mode(&path), if path.is_dir() { 0o700 } else { 0o600 });
        assert_eq!(mode, expected, "{} has {mode:o}", path.display());
    }
}

fn parquet_files(root: &Path) -> Vec<PathBuf> {
    if !root.exists() {
        return Vec::new();
    }
    all(root).into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "parquet")).collect()
}

#[test]
fn what_commands_write_is_the_owners_alone() {
    let folder = TempDir::new().unwrap();
    let (data, copy) = (folder.path().join("data"), folder.path().join("copy"));
    // An umask that would let everybody read.
    let import = format!(
        "umask 0; exec {} import segments {} --data-dir {}",
        env!("CARGO_BIN_EXE_skillscope"),
        sample::path().display(),
        data.display()
    );
    assert!(Command::new("sh").args(["-c", &import]).stdout(Stdio::null()).status().unwrap().success());
    assert_is_of_owner_alone(&data);
    let server = Server::over(&data, &[]);
    until("the server has looked at its disk", || data.join("clock").exists());
    succeed(["backup", "--data-dir", data.to_str().unwrap(), "--to", copy.to_str().unwrap()]);
    drop(server);
    assert_is_of_owner_alone(&data);
    assert_is_of_owner_alone(&copy);
}

#[test]
fn a_sample_directory_and_what_statements_spill_are_the_owners_alone() {
    let temporary = TempDir::new().unwrap();
    let script = "umask 0; exec \"$0\" \"$@\"";
    let serve = serve();
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(serve.get_program()).args(serve.get_args());
    command.args(["--demo", "--sql-memory", "50000000"]).env("TMPDIR", temporary.path());
    let server = Server::spawn(&mut command);
    server.sql("select count(*) as n from (select *, row_number() over (order by conversation_id) from segments)");
    for path in all(temporary.path()).into_iter().filter(|path| path != temporary.path()) {
        assert_eq!(mode(&path) & 0o077, 0, "{}", path.display());
    }
}

#[test]
fn the_archive_can_be_opened_to_the_group_for_as_long_as_the_option_is_given() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let (source, to) = (sample::path(), data.to_str().unwrap());
    succeed(["import", "segments", source.to_str().unwrap(), "--data-dir", to, "--archive-group-readable"]);
    let assert_is_open = || {
        assert_eq!((mode(&data), mode(&data.join("journal.redb"))), (0o710, 0o600));
        for path in all(&data.join("archive")) {
            assert_eq!(mode(&path), if path.is_dir() { 0o750 } else { 0o640 }, "{}", path.display());
        }
    };
    assert_is_open();
    drop(Server::over(&data, &["--archive-group-readable"]));
    assert_is_open();
    // A backup of it changes nothing.
    let copy = folder.path().join("copy");
    succeed(["backup", "--data-dir", to, "--to", copy.to_str().unwrap()]);
    assert_is_open();
    drop(Server::over(&data, &[]));
    assert_is_of_owner_alone(&data);
}

/// A folder as it looks where nobody may write; unmounted with the value.
struct ReadOnly(PathBuf);

impl ReadOnly {
    fn of(folder: &Path, at: &Path) -> Option<Self> {
        fs::create_dir(at).unwrap();
        let mount = |options: &str| {
            let mut command = Command::new("mount");
            command.args(["-o", options]).arg(folder).arg(at).stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        };
        let mounted = mount("bind").then(|| Self(at.to_owned()))?;
        mount("remount,ro,bind").then_some(mounted)
    }
}

impl Drop for ReadOnly {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_directory_that_nobody_may_write_to_is_read_by_sql_check_and_replay() {
    let folder = TempDir::new().unwrap();
    let (data, mounted) = (folder.path().join("data"), folder.path().join("mounted"));
    sample::import_into(&data);
    let Some(_mount) = ReadOnly::of(&data, &mounted) else {
        return skipped("a_directory_that_nobody_may_write_to", "mount -o bind is not allowed");
    };
    let at = mounted.to_str().unwrap();
    for _ in 0..2 {
        let count =
            succeed(["sql", "--data-dir", at, "--format", "ndjson", "-c", "select count(*) as n from segments"]);
        assert_eq!(count.trim(), r#"{"n":200}"#);
        let count = ["sql", "--archive", at, "--format", "ndjson", "-c", "select count(*) as n from segments"];
        assert_eq!(succeed(count).trim(), r#"{"n":200}"#);
        assert!(succeed(["check", "--data-dir", at]).contains("nothing is wrong"));
        let out = folder.path().join("reports.ndjson");
        let span = ["--from", "2018-01-18T08:00:00Z", "--to", "2018-01-18T08:30:00Z", "--every", "10m"];
        let replay = ["replay", "--archive", at, "--timeframe", "60", "--out", out.to_str().unwrap()];
        succeed(replay.into_iter().chain(span));
        assert_eq!(fs::read_to_string(&out).unwrap().lines().count(), 4);
        fs::remove_file(out).unwrap();
        // Without a lock, too.
        let _ = fs::remove_file(data.join("lock"));
    }
    let output = run(["import", "segments", sample::path().to_str().unwrap(), "--data-dir", at]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    // A server that has the directory open is noticed by this way, too.
    let _server = Server::over(&data, &[]);
    let output = run(["check", "--data-dir", at]);
    assert!(stderr(&output).contains("in use"), "{}", stderr(&output));
}

#[test]
fn what_has_expired_stands_in_a_folder_from_which_it_is_taken_back() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    sample::import_into(&data);
    let server = Server::over(&data, &["--retain", "400d"]);
    let count = |server: &Server| server.sql("select count(*) as n from segments")[0]["n"].as_i64().unwrap();
    until("everything has expired", || parquet_files(&data.join("archive")).is_empty() && count(&server) == 0);
    drop(server);
    let expired = parquet_files(&data.join("expired"));
    assert!(!expired.is_empty());
    assert_is_of_owner_alone(&data.join("expired"));
    assert!(succeed(["check", "--data-dir", data.to_str().unwrap()]).contains("nothing is wrong"));

    // The server runs again, with a longer life of segments.
    let server = Server::over(&data, &[]);
    let files = expired.iter().map(|file| file.to_str().unwrap());
    let printed = succeed(["import", "segments", "--url", &server.url].into_iter().chain(files));
    assert_eq!(printed.trim(), "accepted 200, duplicates 0, rejected 0");
    assert_eq!(count(&server), 200);
    assert_eq!(parquet_files(&data.join("expired")), expired, "they stand there for a day");
}

//! Replays: reports of many instants, as a data engineer has them written.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::bank_calls;
use crate::binary::{Server, run, skillscope, skipped, stderr, succeed};
use crate::process::{PATIENCE, Running, free_port, listens};
use crate::python::Python;

/// Segments of two accounts over three days, as one file.
fn archive(folder: &Path, rows: u32) -> PathBuf {
    let archive = folder.join("archive");
    fs::create_dir_all(&archive).unwrap();
    let out = archive.join("segments.parquet");
    let rows = rows.to_string();
    let generate = ["generate", "segments", "--rows", &rows, "--accounts", "2", "--hours", "72", "--skills", "20"];
    let rest = ["--end", "2018-01-18T08:51:55.679Z", "--out", out.to_str().unwrap()];
    succeed(generate.into_iter().chain(rest));
    archive
}

/// The options of a replay whose instants and intervals are odd.
fn odd(archive: &Path, out: &Path) -> Vec<String> {
    let (archive, out) = (archive.to_str().unwrap(), out.to_str().unwrap());
    let options = format!(
        "replay --archive {archive} --account account-1 --from 2018-01-16T00:00:00.123Z --to 2018-01-18T09:00:00Z \
         --every 1234s --timeframe 60 --interval 20 --user-type human --out {out}"
    );
    options.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn hundreds_of_reports_over_real_calls_are_what_the_endpoint_answers_with_now() {
    const FROM: i64 = 917_827_200_123; // 1999-02-01
    const EVERY: i64 = 10_079_000;
    const INSTANTS: i64 = 240;
    let name = "hundreds_of_reports_over_real_calls_are_what_the_endpoint_answers_with_now";
    let Some(text) = bank_calls::segments(name) else { return };
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("calls.ndjson");
    fs::write(&file, text).unwrap();
    let directories = ["one", "two"].map(|name| folder.path().join(name));
    for directory in &directories {
        succeed(["import", "segments", file.to_str().unwrap(), "--data-dir", directory.to_str().unwrap()]);
    }
    let answers = |directory: &Path, places: std::ops::Range<i64>| {
        let answer = |place: i64| {
            let now = FROM + place * EVERY;
            let server = Server::over(directory, &["--now", &now.to_string()]);
            let (status, body) =
                server.get("/operations/api/account/bank/msgskillsegments?v=1&timeframe=240&interval=30");
            assert_eq!(status, 200, "{body}");
            format!("{{\"account\":\"bank\",\"now\":{now},\"report\":{body}}}\n")
        };
        places.map(answer).collect::<String>()
    };
    let expected = std::thread::scope(|scope| {
        let late = scope.spawn(|| answers(&directories[1], INSTANTS / 2..INSTANTS));
        answers(&directories[0], 0..INSTANTS / 2) + &late.join().unwrap()
    });
    assert!(expected.matches("\"totalSkillConversationSegments\":").count() > 5_000, "there is something to compare");

    let out = folder.path().join("reports.ndjson");
    let options = format!(
        "replay --archive {} --account bank --from {FROM} --to {} --every {EVERY}ms --timeframe 240 --interval 30 --out {}",
        directories[0].display(),
        FROM + (INSTANTS - 1) * EVERY,
        out.display(),
    );
    let printed = succeed(options.split_whitespace());
    assert_eq!(printed, format!("wrote {INSTANTS} reports to {}\n", out.display()));
    assert!(fs::read_to_string(&out).unwrap() == expected, "the replayed reports are not the endpoint's");
    // The folder of files alone is as good, since every hour is over.
    let files = directories[0].join("archive").display().to_string();
    let over_files = options.replace(&directories[0].display().to_string(), &files);
    succeed(over_files.split_whitespace());
    assert!(fs::read_to_string(&out).unwrap() == expected, "those over the files are not the endpoint's");
}

#[test]
fn a_replay_that_is_killed_goes_on_where_it_stopped() {
    let folder = TempDir::new().unwrap();
    let archive = archive(folder.path(), 20_000);
    let out = folder.path().join("reports.ndjson");
    let options = format!(
        "replay --archive {} --from 2018-01-16T00:00:00Z --to 2018-01-18T08:00:00Z --every 10m --timeframe 1440 \
         --interval 5 --out {}",
        archive.display(),
        out.display()
    );
    let options: Vec<&str> = options.split_whitespace().collect();
    let mut child = skillscope(&options).stdout(Stdio::null()).spawn().unwrap();
    let checkpoint = folder.path().join("reports.ndjson.partial.json");
    let started = Instant::now();
    while !checkpoint.exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before the first checkpoint");
        assert!(started.elapsed() < Duration::from_secs(120), "there is no checkpoint");
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!out.exists(), "an output is there when it is complete");
    let printed = succeed(&options);
    assert!(printed.contains(", going on after "), "{printed}");
    let resumed = fs::read(&out).unwrap();
    let printed = succeed(&options);
    assert!(!printed.contains("going on"), "{printed}");
    assert!(fs::read(&out).unwrap() == resumed, "an interrupted replay and a whole one differ");
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "nothing else is left: {names:?}");
}

#[test]
fn what_is_wrong_is_told_with_the_exit_code_for_it() {
    let folder = TempDir::new().unwrap();
    let archive = archive(folder.path(), 100);
    let out = folder.path().join("o.ndjson");
    let with = |name: &str, value: &str| {
        let mut options = odd(&archive, &out);
        let place = options.iter().position(|option| option == name).unwrap() + 1;
        value.clone_into(&mut options[place]);
        let output = run(&options);
        (output.status.code(), stderr(&output))
    };
    for (name, value, code, told) in [
        ("--timeframe", "61", 2, "interval=20: it divides the timeframe, which is 61"),
        ("--user-type", "robot", 2, "userType=robot: it is human, bot or all"),
        ("--every", "5", 2, "it is a whole number and a unit: ms, s, m, h or d"),
        ("--to", "2018-01-15T00:00:00Z", 2, "the last instant is before the first"),
        ("--archive", "gs://bucket/x", 2, "it is a folder, or s3://bucket/prefix"),
        ("--out", "reports.csv", 2, "it ends with .ndjson or .parquet"),
        ("--archive", "/nowhere/at/all", 1, "cannot read /nowhere/at/all: there is no such folder or bucket"),
        ("--out", "/nowhere/at/all.ndjson", 1, "cannot write /nowhere/at/all.ndjson"),
    ] {
        let (status, complaint) = with(name, value);
        assert!(status == Some(code) && complaint.contains(told), "{name} {value}: {status:?} {complaint}");
    }
    let mut options = odd(&archive, &out);
    options.extend(["--ballista".to_owned(), "http://127.0.0.1:1".to_owned()]);
    assert_eq!(run(&options).status.code(), Some(2));
    fs::write(archive.join("b.parquet"), "no Parquet").unwrap();
    let output = run(odd(&archive, &out));
    assert!(output.status.code() == Some(1) && stderr(&output).contains("b.parquet cannot be read as Parquet"));
    let mut options = odd(&archive, &out);
    options.push("--keep-going".to_owned());
    let output = run(&options);
    assert!(output.status.success() && stderr(&output).contains("left out ") && stderr(&output).contains("b.parquet"));
}

#[test]
fn segments_are_played_into_a_server_as_if_they_were_closing_now() {
    let folder = TempDir::new().unwrap();
    let archive = archive(folder.path(), 20_000);
    let server = Server::over(&folder.path().join("data"), &[]);
    let options = format!(
        "replay --archive {} --account account-2 --from 2018-01-17T09:00:00Z --to 2018-01-17T10:00:00Z --into {} --speed 3600",
        archive.display(),
        server.url
    );
    let question = "select count(*) as n from segments where account_id = 'account-2' \
                    and end_time >= '2018-01-17T09:00:00Z' and end_time < '2018-01-17T10:00:00Z'";
    let counted = succeed(["sql", "--archive", archive.to_str().unwrap(), "--format", "csv", "-c", question]);
    let count: u64 = counted.lines().nth(1).unwrap().parse().unwrap();
    assert!(count > 50, "{count}");
    for round in 1..=2 {
        let printed = succeed(options.split_whitespace());
        assert_eq!(printed, format!("sent {count} segments to {}, which refused 0\n", server.url));
        let (_, body) = server.get("/operations/api/account/account-2/msgskillsegments?v=1&timeframe=5");
        let report: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(report["metricsTotal"]["totalSkillConversationSegments"], count * round, "{body}");
    }
}

#[test]
fn statements_are_asked_of_an_archive() {
    let folder = TempDir::new().unwrap();
    let archive = archive(folder.path(), 3_000);
    let ask = |options: &[&str], text: &str| {
        let all = ["sql", "--archive", archive.to_str().unwrap(), "--format", "csv"];
        run(all.into_iter().chain(options.iter().copied()).chain(["-c", text]))
    };
    let output = ask(&[], "select count(*) as n, count(distinct account_id) as accounts from segments");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "n,accounts\n3000,2\n", "{}", stderr(&output));
    let output = ask(&["--account", "account-1"], "select distinct account_id from segments");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "account_id\naccount-1\n");
    let output = ask(&["--account", "nobody"], "select count(*) as n from segments");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "n\n0\n");
    for refused in ["drop table segments", "create table t as select 1", "set datafusion.execution.batch_size = 1"] {
        let output = ask(&[], refused);
        assert!(
            !output.status.success() && stderr(&output).contains("only statements that read"),
            "{}",
            stderr(&output)
        );
    }
}

/// An S3-compatible server on loopback; ended when it is dropped.
struct Moto {
    _process: Running,
    url: String,
    python: Python,
}

impl Moto {
    /// A server that asks nobody who they are for the first `open` actions; `None`, visibly, where there can be none.
    fn start(test: &str, open: Option<u32>) -> Option<Self> {
        let python = Python::with_libraries(test)?;
        let port = free_port();
        let script = "import sys; from moto.server import main; main(['-H', '127.0.0.1', '-p', sys.argv[1]])";
        let mut command = python.command(script);
        command.arg(&port).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some(open) = open {
            command.env("INITIAL_NO_AUTH_ACTION_COUNT", open.to_string());
        }
        let mut process = Running(command.spawn().unwrap());
        let started = Instant::now();
        while !listens(&port) {
            if process.0.try_wait().unwrap().is_some() || started.elapsed() > PATIENCE {
                skipped(test, "the S3-compatible server does not start");
                return None;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(Self { _process: process, url: format!("http://127.0.0.1:{port}"), python })
    }

    fn upload(&self, file: &Path, key: &str) {
        let script = "import sys, boto3
endpoint, path, key = sys.argv[1:]
s3 = boto3.client('s3', endpoint_url=endpoint, aws_access_key_id='k', aws_secret_access_key='s', region_name='us-east-1')
s3.create_bucket(Bucket='calls')
s3.upload_file(path, 'calls', key)";
        self.python.run(script, &[&self.url, file.to_str().unwrap(), key]);
    }
}

/// The binary with nothing in the environment that tells of S3, and a home of its own.
fn without_credentials(options: &[String], home: &Path) -> Command {
    let mut command = skillscope(options);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.env("HOME", home).env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

#[test]
fn a_bucket_is_an_archive_with_credentials_of_the_environment_or_a_profile() {
    let Some(moto) = Moto::start("a_bucket_is_an_archive", None) else { return };
    let folder = TempDir::new().unwrap();
    let archive = archive(folder.path(), 5_000);
    moto.upload(&archive.join("segments.parquet"), "year 1/account=all/a b.parquet");
    let (local, remote) = (folder.path().join("local.ndjson"), folder.path().join("remote.ndjson"));
    succeed(odd(&archive, &local));
    let options = odd(Path::new("s3://calls/year%201"), &remote);
    let options: Vec<String> = options.into_iter().map(|option| option.replace("%20", " ")).collect();

    let mut by_environment = without_credentials(&options, folder.path());
    let keys = [("AWS_ACCESS_KEY_ID", "k"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_REGION", "us-east-1")];
    let output = by_environment.envs(keys).env("AWS_ENDPOINT_URL", &moto.url).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(fs::read(&remote).unwrap(), fs::read(&local).unwrap());

    fs::remove_file(&remote).unwrap();
    fs::create_dir(folder.path().join(".aws")).unwrap();
    fs::write(
        folder.path().join(".aws/credentials"),
        "[default]\naws_access_key_id = no\n\n[wall]\naws_access_key_id = k\naws_secret_access_key = s\n",
    )
    .unwrap();
    let config = format!("[profile wall]\nregion = us-east-1\nendpoint_url = {}\n", moto.url);
    fs::write(folder.path().join(".aws/config"), config).unwrap();
    let output = without_credentials(&options, folder.path()).env("AWS_PROFILE", "wall").output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(fs::read(&remote).unwrap(), fs::read(&local).unwrap());

    let missing = odd(Path::new("s3://no-such-bucket/x"), &remote);
    let output = without_credentials(&missing, folder.path()).env("AWS_PROFILE", "wall").output().unwrap();
    let told = "cannot read s3://no-such-bucket/x: there is no such folder or bucket";
    assert!(output.status.code() == Some(1) && stderr(&output).contains(told), "{}", stderr(&output));
}

#[test]
fn a_bucket_without_permission_is_told() {
    // To make the bucket and to put the file.
    let Some(moto) = Moto::start("a_bucket_without_permission_is_told", Some(2)) else { return };
    let folder = TempDir::new().unwrap();
    let archive = archive(folder.path(), 100);
    moto.upload(&archive.join("segments.parquet"), "a.parquet");
    let options = odd(Path::new("s3://calls"), &folder.path().join("o.ndjson"));
    let keys = [("AWS_ACCESS_KEY_ID", "k"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_REGION", "us-east-1")];
    let mut command = without_credentials(&options, folder.path());
    let output = command.envs(keys).env("AWS_ENDPOINT_URL", &moto.url).output().unwrap();
    let told = "cannot read s3://calls: permission is denied; look at the credentials and at what they allow";
    assert!(output.status.code() == Some(1) && stderr(&output).contains(told), "{}", stderr(&output));
}

//! Commands on a data directory that a server has open.

use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};

use tempfile::TempDir;

use crate::binary::{Server, run, skillscope, stderr, succeed};
use crate::process::{Running, until};
use crate::sample;

/// The sample, in a directory that a server has open. Its rows are in files; two more are in none.
fn held(folder: &Path) -> Server {
    let data = folder.join("data");
    sample::import_into(&data);
    Server::over(&data, &[])
}

fn on(data: &Path, command: &str) -> Output {
    run(command.split_whitespace().chain(["--data-dir", data.to_str().unwrap()]))
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn staged(data: &Path) -> usize {
    data.join("staging").read_dir().unwrap().count()
}

#[test]
fn import_goes_through_the_server() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let server = Server::over(&data, &[]);
    let file = sample::path();
    let import = format!("import segments {} --log warn", file.display());
    assert_eq!(stdout(&on(&data, &import)), "accepted 200, duplicates 0, rejected 0\n");
    assert_eq!(stdout(&on(&data, &import)), "accepted 0, duplicates 200, rejected 0\n");
    assert_eq!(server.sql("select count(*) as n from segments")[0]["n"], 200);
    let events = file.with_file_name("events.ndjson");
    let output = on(&data, &format!("import events {}", events.display()));
    assert!(stdout(&output).contains("rejected 0"));
    assert!(stderr(&output).contains("is open in the server at http://127.0.0.1:"), "{}", stderr(&output));
}

#[test]
fn check_verifies_files_and_leaves_nothing_behind() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    // One file is merged with no other.
    let first = fs::read_to_string(sample::path()).unwrap().lines().next().unwrap().to_owned();
    let one = folder.path().join("one.ndjson");
    fs::write(&one, format!("{first}\n")).unwrap();
    succeed(["import", "segments", one.to_str().unwrap(), "--data-dir", data.to_str().unwrap()]);
    let _server = Server::over(&data, &[]);
    let checked = stdout(&on(&data, "check"));
    assert_eq!(checked, "1 files with 1 segments, 0 segments and 0 conversations in the journal: nothing is wrong\n");
    assert_eq!(staged(&data), 0);
    let file = first_file(&data.join("archive"));
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    let output = on(&data, "check");
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.starts_with(&format!("{} is corrupt", file.display())), "{told}");
    assert_eq!(staged(&data), 0);
}

fn first_file(folder: &Path) -> std::path::PathBuf {
    let mut entries: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    if entries[0].is_dir() { first_file(&entries[0]) } else { entries.remove(0) }
}

#[test]
fn a_replay_counts_what_is_in_files_and_what_is_in_none() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let server = held(folder.path());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let line = fs::read_to_string(sample::path()).unwrap().lines().next().unwrap().to_owned();
    let mut record: serde_json::Value = serde_json::from_str(&line).unwrap();
    for time in ["start_time", "end_time", "first_assigned_time", "first_agent_message_time"] {
        if record[time].is_string() || record[time].is_number() {
            record[time] = (now as u64).into();
        }
    }
    record["conversation_id"] = "of-now".into();
    record["time_to_first_agent_message_ms"] =
        if record["time_to_first_agent_message_ms"].is_null() { serde_json::Value::Null } else { 0.into() };
    let (status, answer) =
        server.post("/v1/accounts/account-1/segments", "application/x-ndjson", format!("{record}\n").as_bytes());
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains(r#""accepted":1"#), "{answer}");
    let out = folder.path().join("out.ndjson");
    let archive = data.display();
    let of_past = format!("--from 2018-01-18T08:51:55.679Z --timeframe 1440 --out {}", out.display());
    let replay = |options: &str| {
        let output = run(format!("replay --archive {archive} {options}").split_whitespace());
        assert!(output.status.success(), "{}", stderr(&output));
        fs::read(&out).unwrap()
    };
    let held = replay(&of_past);
    let of_now = format!("--from {} --timeframe 5 --out {}", now + 1, out.display());
    fs::remove_file(&out).unwrap();
    let held_now = replay(&of_now);
    assert!(String::from_utf8_lossy(&held_now).contains(r#""totalSkillConversationSegments":1"#));
    assert_eq!(staged(&data), 0);
    let count = ["sql", "--format", "csv", "-c", "select count(*) as n from segments", "--archive"];
    assert_eq!(succeed(count.into_iter().chain([data.to_str().unwrap()])), "n\n201\n");
    drop(server);
    fs::remove_file(&out).unwrap();
    assert!(replay(&of_past) == held, "the reports of a directory that nobody has open are others");
    fs::remove_file(&out).unwrap();
    assert!(replay(&of_now) == held_now);
}

#[test]
fn what_retention_would_remove_is_told_and_stays() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    sample::import_into(&data);
    let dry_run = "serve --retain 400d --retain acount-1=forever --retain-dry-run";
    let free = on(&data, dry_run);
    let told = stdout(&free);
    assert!(told.starts_with("account-1: ") && told.contains(" files, 200 segments, "), "{told}");
    assert!(told.ends_with("; nothing was removed\n"), "{told}");
    assert!(stderr(&free).contains("acount-1") && stderr(&free).contains("account-1"), "{}", stderr(&free));
    let _server = Server::over(&data, &[]);
    // It may have merged files since.
    let told = stdout(&on(&data, dry_run));
    assert!(told.contains(" files, 200 segments, ") && told.ends_with("; nothing was removed\n"), "{told}");
    let kept = stdout(&on(&data, "serve --retain 400d --retain account-1=forever --retain-dry-run"));
    assert_eq!(kept, "all that would go now: 0 files, 0 segments, 0 bytes; nothing was removed\n");
    assert_eq!(staged(&data), 0);
}

#[test]
fn a_second_server_is_told_the_url_of_the_first() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let server = Server::over(&data, &[]);
    let output = on(&data, "serve --listen 127.0.0.1:0");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains(&format!("--url {}", server.url)), "{}", stderr(&output));
}

#[test]
fn the_address_of_a_server_that_was_killed_leads_nowhere() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let mut server = Server::over(&data, &[]);
    server.signal("KILL");
    server.wait();
    // A console has the directory, and what the server left in it says where that listened.
    let start = || {
        let mut console = skillscope(["sql", "--data-dir", data.to_str().unwrap()]);
        Running(console.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    };
    let mut console = start();
    until("the console has the directory", || {
        if console.0.try_wait().unwrap().is_some() {
            // The check had it first.
            console = start();
        }
        stderr(&on(&data, "check")).contains("answers no requests")
    });
}

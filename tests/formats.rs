//! Data directories of older formats, and of today's, written by the programs of those days, say what they held.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binary::{Server, run, stderr, succeed};

const NOW: &str = "2018-01-18T09:00:00Z";

fn formats() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/formats")
}

/// A copy of the data directory of a version, since opening one changes it.
fn copy_of(version: &str) -> TempDir {
    let copy = TempDir::new().unwrap();
    copy_folder(&formats().join(version), copy.path());
    copy
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let (entry, target) = entry.map(|entry| (entry.path(), to.join(entry.file_name()))).unwrap();
        if entry.is_dir() {
            fs::create_dir(&target).unwrap();
            copy_folder(&entry, &target);
        } else {
            fs::copy(&entry, &target).unwrap();
        }
    }
}

fn input(name: &str) -> Vec<u8> {
    fs::read(formats().join(name)).unwrap()
}

/// What a directory of today has that gets the inputs of the old ones anew.
fn rows_of_the_inputs() -> Value {
    let directory = TempDir::new().unwrap();
    let server = Server::over(directory.path(), &["--now", NOW]);
    for name in ["segments.ndjson", "late.ndjson"] {
        for account in ["acme", "other"] {
            server.post(&format!("/v1/accounts/{account}/segments"), "application/x-ndjson", &input(name));
        }
    }
    server.segments()
}

/// The seven metrics in the order of the contract.
fn metrics(of: [i64; 7]) -> Value {
    let names = [
        "totalSkillConversationSegments",
        "skillSegmentsAbandonedByConsumers",
        "skillSegmentsAbandonedByConsumersInQueue",
        "skillSegmentsWithNonResponsiveConsumers",
        "skillSegmentsWithNonResponsiveAgents",
        "interactiveSkillSegments",
        "avgTimetoFirstAgentMessageFromAgentAssignment",
    ];
    names
        .into_iter()
        .zip(of)
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn report(server: &Server, account: &str) -> Value {
    let (status, body) = server.get(&format!("/operations/api/account/{account}/msgskillsegments?timeframe=1440&v=1"));
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

/// How many segments of an input are told as new and as repeated.
fn send_again(server: &Server, account: &str, name: &str) -> (i64, i64) {
    let path = format!("/v1/accounts/{account}/segments");
    let (status, answer) = server.post(&path, "application/x-ndjson", &input(name));
    assert_eq!(status, 200, "{answer}");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    (answer["accepted"].as_i64().unwrap(), answer["duplicates"].as_i64().unwrap())
}

#[test]
fn a_directory_without_a_journal_is_refused_and_its_files_can_be_imported() {
    let (old, new) = (copy_of("1"), TempDir::new().unwrap());
    let refused = run(["serve", "--listen", "127.0.0.1:0", "--data-dir", old.path().to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1));
    let told = stderr(&refused);
    assert!(told.contains("format version 1") && told.contains("import"), "{told}");

    let list = std::process::Command::new("find").arg(old.path().join("archive")).args(["-name", "*.parquet"]).output();
    let files = String::from_utf8(list.unwrap().stdout).unwrap();
    let import = ["import", "segments", "--data-dir", new.path().to_str().unwrap()];
    assert_eq!(succeed(import.into_iter().chain(files.lines())), "accepted 8, duplicates 0, rejected 0\n");
    let server = Server::over(new.path(), &["--now", NOW]);
    assert_eq!(server.segments(), rows_of_the_inputs());
}

#[test]
fn a_directory_with_the_first_journal_says_what_it_held() {
    let directory = copy_of("2");
    let server = Server::over(directory.path(), &["--now", NOW]);
    assert_eq!(server.segments(), rows_of_the_inputs());
    let acme = json!({
        "skillsMetrics": {
            "-1": metrics([1, 0, 0, 0, 1, 0, 0]),
            "7": metrics([4, 2, 1, 0, 0, 2, 1500]),
            "9": metrics([2, 0, 0, 1, 1, 0, 4000]),
        },
        "metricsTotal": metrics([7, 2, 1, 1, 2, 2, 2333]),
    });
    assert_eq!(report(&server, "acme"), acme);
    let other = json!({
        "skillsMetrics": { "7": metrics([1, 0, 0, 0, 0, 1, 500]) },
        "metricsTotal": metrics([1, 0, 0, 0, 0, 1, 500]),
    });
    assert_eq!(report(&server, "other"), other);
    assert_eq!(send_again(&server, "acme", "segments.ndjson"), (0, 5), "files know their keys");
    assert_eq!(send_again(&server, "acme", "late.ndjson"), (0, 2), "the journal knows its keys");
    drop(server);
    assert_eq!(fs::read_to_string(directory.path().join("format-version")).unwrap(), "4\n");
}

#[test]
fn a_directory_with_open_conversations_goes_on_with_them() {
    let directory = copy_of("3");
    let server = Server::over(directory.path(), &["--now", NOW]);
    let acme = json!({
        "skillsMetrics": {
            "-1": metrics([1, 0, 0, 0, 1, 0, 0]),
            "7": metrics([5, 2, 1, 1, 0, 2, 2000]),
            "9": metrics([2, 0, 0, 1, 1, 0, 4000]),
        },
        "metricsTotal": metrics([8, 2, 1, 2, 2, 2, 2500]),
    });
    assert_eq!(report(&server, "acme"), acme);
    assert_eq!(send_again(&server, "acme", "late.ndjson"), (0, 2));

    // The conversation waited in the queue of skill 9 when the program was killed.
    let close = json!({
        "conversation_id": "story", "sequence": 5, "time": "2018-01-18T08:50:00Z",
        "type": "conversation_closed", "by": "consumer",
    });
    let (status, answer) =
        server.post("/v1/accounts/acme/events", "application/x-ndjson", close.to_string().as_bytes());
    assert_eq!(status, 200, "{answer}");
    assert_eq!(report(&server, "acme")["skillsMetrics"]["9"], metrics([3, 1, 1, 1, 1, 0, 4000]));
    let story =
        "select segment_index, skill_id, outcome, source from segments where conversation_id = 'story' order by 1";
    assert_eq!(
        server.sql(story),
        json!([
            { "segment_index": 0, "skill_id": 7, "outcome": "non_responsive_consumer", "source": "APP" },
            { "segment_index": 1, "skill_id": 9, "outcome": "abandoned", "source": "APP" },
        ])
    );
    let letters: String = fs::read_dir(directory.path().join("dead-letters"))
        .unwrap()
        .map(|day| fs::read_to_string(day.unwrap().path()).unwrap())
        .collect();
    assert!(letters.contains(r#""conversation_id":"orphan""#), "{letters}");
}

#[test]
fn a_conversation_that_an_earlier_version_left_waiting_has_done_so_since_it_entered_its_skill() {
    let directory = copy_of("3");
    // The first start stores it anew, perhaps; the second one has it from there.
    for _ in 0..2 {
        let server = Server::over(directory.path(), &["--now", NOW]);
        let open = "select conversation_id, segment_index, skill_id, start_reason, start_time, waiting_since, agent_id, \
            user_type, assigned_time, source from open_conversations";
        let story = json!([{
            "conversation_id": "story", "segment_index": 1, "skill_id": 9, "start_reason": "skill_transfer",
            "start_time": "2018-01-18T08:05:00Z", "waiting_since": "2018-01-18T08:05:00Z", "agent_id": null,
            "user_type": null, "assigned_time": null, "source": "APP",
        }]);
        assert_eq!(server.sql(open), story);
        let (status, body) = server.get("/v1/accounts/acme/now?skillIds=9");
        assert_eq!(status, 200, "{body}");
        let now: Value = serde_json::from_str(&body).unwrap();
        let total = &now["metricsTotal"];
        assert_eq!((&total["waitingConversations"], &total["maxWaitTime"]), (&json!(1), &json!(55 * 60_000)), "{now}");
    }
}

//! Exports of message history, imported.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binary::{Server, run, skillscope, stderr, succeed};
use crate::events::{START, event, import, import_events, rows, rows_in, started, try_import};

/// A page of message history.
fn page(records: &[Value]) -> String {
    json!({ "conversationHistoryRecords": records }).to_string()
}

/// A conversation with a transfer, a survey after the close, and a resume after that.
fn resumed_record(conversation: &str, start: i64) -> Value {
    let message = |after: i64, sender: &str, participant: &str, seq: u64, dialog: &str| {
        let time = start + after;
        json!({ "timeL": time, "sentBy": sender, "participantId": participant, "seq": seq, "dialogId": dialog })
    };
    let dialog = |id: &str, kind: &str, from: i64, to: i64, reason: &str, skill: i64| {
        json!({
            "dialogId": id, "dialogType": kind, "startTimeL": start + from, "endTimeL": start + to,
            "closeReason": reason, "skillId": skill,
        })
    };
    json!({
        "info": {
            "conversationId": conversation, "brandId": "acme", "startTimeL": start, "endTimeL": start + 50_000,
            "closeReason": "CONSUMER", "status": "CLOSE", "latestSkillId": 8, "source": "APP", "mcs": 50,
        },
        "messageRecords": [
            message(500, "Consumer", "visitor", 0, "first"),
            message(2000, "Agent", "helper", 1, "first"),
            message(3000, "Consumer", "visitor", 2, "first"),
            message(12_000, "Agent", "ada", 3, "first"),
            message(20_000, "Agent", "survey-bot", 4, "survey"),
            message(25_000, "Consumer", "visitor", 5, "survey"),
            message(41_000, "Consumer", "visitor", 6, "second"),
        ],
        "agentParticipants": [
            { "agentId": "helper", "userTypeName": "Bot", "permission": "ASSIGNED_AGENT", "timeL": start + 1000 },
            { "agentId": "boss", "userTypeName": "Human", "permission": "READER", "timeL": start + 6000 },
            { "agentId": "ada", "userTypeName": "Human", "permission": "ASSIGNED_AGENT", "timeL": start + 9000 },
        ],
        "transfers": [{
            "timeL": start + 5000, "sourceSkillId": 7, "targetSkillId": 8, "assignedAgentId": "null",
            "reason": "Skill",
        }],
        "dialogs": [
            dialog("first", "MAIN", 0, 20_000, "AGENT", 7),
            dialog("survey", "POST_SURVEY", 20_000, 30_000, "CONSUMER", 8),
            dialog("second", "MAIN", 40_000, 50_000, "CONSUMER", 8),
        ],
    })
}

/// The rows that come of [`resumed_record`].
fn resumed_rows(conversation: &str, start: i64) -> [Value; 3] {
    let row = |index: usize, fields: Value| {
        let mut row = json!({
            "account_id": "acme", "conversation_id": conversation, "source": "APP", "segment_index": index,
            "abandoned_in_queue": false, "first_assigned_time": null, "first_agent_message_time": null,
            "time_to_first_agent_message_ms": null, "last_agent_id": null,
        });
        let Value::Object(fields) = fields else { panic!("fields are an object") };
        row.as_object_mut().unwrap().extend(fields);
        row
    };
    [
        row(
            0,
            json!({
                "skill_id": 7, "start_time": start, "end_time": start + 5000, "start_reason": "new_conversation",
                "end_reason": "skill_transfer", "user_type": "bot", "outcome": "interactive",
                "first_assigned_time": start + 1000, "first_agent_message_time": start + 2000,
                "time_to_first_agent_message_ms": 1000, "agent_messages": 1, "consumer_messages": 2,
                "last_agent_id": "helper",
            }),
        ),
        row(
            1,
            json!({
                "skill_id": 8, "start_time": start + 5000, "end_time": start + 20_000, "start_reason": "skill_transfer",
                "end_reason": "closed_by_agent", "user_type": "human", "outcome": "non_responsive_consumer",
                "first_assigned_time": start + 9000, "first_agent_message_time": start + 12_000,
                "time_to_first_agent_message_ms": 3000, "agent_messages": 1, "consumer_messages": 0,
                "last_agent_id": "ada",
            }),
        ),
        row(
            2,
            json!({
                "skill_id": 8, "start_time": start + 40_000, "end_time": start + 50_000, "start_reason": "resume",
                "end_reason": "closed_by_consumer", "user_type": "none", "outcome": "abandoned",
                "abandoned_in_queue": true, "agent_messages": 0, "consumer_messages": 1,
            }),
        ),
    ]
}

/// The same conversation before its first dialog was closed.
fn open_record(conversation: &str, start: i64) -> Value {
    let mut record = resumed_record(conversation, start);
    let info = &mut record["info"];
    (info["endTimeL"], info["status"], info["closeReason"]) = (json!(-1), json!("OPEN"), Value::Null);
    record["messageRecords"].as_array_mut().unwrap().truncate(4);
    let dialogs = record["dialogs"].as_array_mut().unwrap();
    dialogs.truncate(1);
    (dialogs[0]["endTimeL"], dialogs[0]["closeReason"]) = (json!(-1), Value::Null);
    record
}

#[test]
fn history_gives_the_segments_that_have_ended_from_every_place() {
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name);
    let text = page(&[resumed_record("h-1", START), open_record("h-2", START + 1000)]);
    let [first, second, third] = resumed_rows("h-1", START);
    let [ended, ..] = resumed_rows("h-2", START + 1000);
    let expected = json!([first, second, third, ended]);
    let printed = "accepted 4, duplicates 0, rejected 0\n1 open conversation is followed";

    let plain = path("page.json");
    fs::write(&plain, &text).unwrap();
    let packed = path("page.json.gz");
    let mut gzip = GzEncoder::new(fs::File::create(&packed).unwrap(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap();
    for (file, data_dir) in [(&plain, path("plain")), (&packed, path("packed"))] {
        assert_eq!(import("history", file, &data_dir, &[]), printed);
        assert_eq!(rows_in(&data_dir), expected);
        let again = "accepted 0, duplicates 4, rejected 0\n1 open conversation is followed";
        assert_eq!(import("history", file, &data_dir, &[]), again);
        assert_eq!(rows_in(&data_dir), expected);
    }

    let server = Server::over(&path("served"), &[]);
    let output = succeed(["import", "history", plain.to_str().unwrap(), "--url", &server.url]);
    assert_eq!(output.trim_end(), printed);
    assert_eq!(rows(&server), expected);

    let data_dir = path("piped");
    let arguments = ["import", "history", "-", "--data-dir", data_dir.to_str().unwrap()];
    let mut child = skillscope(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim_end(), printed);
    assert_eq!(rows_in(&data_dir), expected);
}

#[test]
fn a_conversation_that_goes_on_after_an_export_gets_its_later_segments_from_the_next() {
    let directory = TempDir::new().unwrap();
    let (file, data_dir) = (directory.path().join("page.json"), directory.path().join("data"));
    fs::write(&file, page(&[open_record("h-1", START)])).unwrap();
    let printed = "accepted 1, duplicates 0, rejected 0\n1 open conversation is followed";
    assert_eq!(import("history", &file, &data_dir, &[]), printed);
    fs::write(&file, page(&[resumed_record("h-1", START)])).unwrap();
    assert_eq!(import("history", &file, &data_dir, &[]), "accepted 2, duplicates 1, rejected 0");
    assert_eq!(rows_in(&data_dir), json!(resumed_rows("h-1", START)));
}

#[test]
fn a_record_of_history_that_cannot_be_read_is_told_and_the_others_of_all_files_count() {
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name);
    let data_dir = path("data");
    let mut whim = resumed_record("whim", START);
    whim["dialogs"][2]["closeReason"] = json!("WHIM");
    let mut timeless = resumed_record("timeless", START);
    timeless["messageRecords"][0]["timeL"] = json!("noon");
    let pages = page(&[resumed_record("h-1", START), whim]) + "\n" + &page(&[timeless, resumed_record("h-2", START)]);
    fs::write(path("first.json"), pages).unwrap();
    fs::write(path("second.json"), page(&[resumed_record("h-3", START), json!("oops")])).unwrap();

    let files = [path("first.json"), path("second.json")];
    let mut arguments = vec!["import", "history", "--data-dir", data_dir.to_str().unwrap()];
    arguments.extend(files.iter().map(|file| file.to_str().unwrap()));
    let output = run(&arguments);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "accepted 9, duplicates 0, rejected 3\n");
    let complaints = stderr(&output);
    let expected = [
        (r#"first.json:2: conversation "whim": "#, "closeReason"),
        (r#"first.json:3: conversation "timeless": "#, "noon"),
        ("second.json:2: ", "JSON object"),
    ];
    assert_eq!(complaints.lines().count(), expected.len(), "{complaints}");
    for (complaint, (place, reason)) in complaints.lines().zip(expected) {
        assert!(complaint.contains(place) && complaint.contains(reason), "{complaint}");
    }
    let rows = ["h-1", "h-2", "h-3"].map(|conversation| resumed_rows(conversation, START)).concat();
    assert_eq!(rows_in(&data_dir), json!(rows));

    arguments.push("--strict");
    let strict = run(&arguments);
    assert_eq!(strict.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&strict.stdout), "accepted 0, duplicates 9, rejected 3\n");
}

#[test]
fn history_of_no_brand_needs_an_account_and_that_of_another_is_rejected() {
    let directory = TempDir::new().unwrap();
    let (file, data_dir) = (directory.path().join("page.json"), directory.path().join("data"));
    let mut anonymous = resumed_record("h-1", START);
    anonymous["info"].as_object_mut().unwrap().remove("brandId");
    let mut others = resumed_record("h-2", START);
    others["info"]["brandId"] = json!("globex");
    fs::write(&file, page(&[anonymous, others])).unwrap();

    let output = try_import("history", &file, &data_dir, &["--account", "acme"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "accepted 3, duplicates 0, rejected 1\n");
    assert!(
        stderr(&output).contains(r#"page.json:2: conversation "h-2": account_id is "globex""#),
        "{}",
        stderr(&output)
    );
    assert_eq!(rows_in(&data_dir), json!(resumed_rows("h-1", START)));

    let output = try_import("history", &file, &data_dir, &[]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "accepted 3, duplicates 0, rejected 1\n");
    assert!(stderr(&output).contains(r#"page.json:1: conversation "h-1": "#), "{}", stderr(&output));
}

#[test]
fn a_file_that_is_no_history_fails_and_the_others_count() {
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::write(path("none.json"), "{}").unwrap();
    fs::write(path("page.json"), page(&[resumed_record("h-1", START)])).unwrap();
    let files = [path("none.json"), path("page.json")];
    let data_dir = path("data");
    let mut arguments = vec!["import", "history", "--data-dir", data_dir.to_str().unwrap()];
    arguments.extend(files.iter().map(|file| file.to_str().unwrap()));
    let output = run(&arguments);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("none.json"), "{}", stderr(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "accepted 3, duplicates 0, rejected 0\n");
}

#[test]
fn a_resume_long_after_the_close_takes_its_index_from_the_stored_segments() {
    let directory = TempDir::new().unwrap();
    let (file, data_dir) = (directory.path().join("page.json"), directory.path().join("data"));
    fs::write(&file, page(&[resumed_record("h-1", START)])).unwrap();
    import("history", &file, &data_dir, &[]);

    let (resume, close) = (START + 3_600_000, START + 3_660_000);
    let events = [
        event("h-1", 20, resume, "conversation_resumed", json!({ "skill_id": 9 })),
        event("h-1", 21, resume + 1000, "agent_assigned", json!({ "agent_id": "ada", "user_type": "human" })),
        event("h-1", 22, resume + 5000, "message", json!({ "sender": "agent" })),
        event("h-1", 23, close, "conversation_closed", json!({ "by": "agent" })),
        // What comes before the resume in its conversation is not waited for any longer then.
        started("h-2", resume + 120_000),
    ];
    assert_eq!(import_events(&events.concat(), &data_dir, &[]), "accepted 5, duplicates 0, rejected 0");
    let mut expected = resumed_rows("h-1", START).to_vec();
    expected.push(json!({
        "account_id": "acme", "conversation_id": "h-1", "segment_index": 3, "skill_id": 9, "source": "APP",
        "start_time": resume, "end_time": close, "start_reason": "resume", "end_reason": "closed_by_agent",
        "user_type": "human", "outcome": "non_responsive_consumer", "abandoned_in_queue": false,
        "first_assigned_time": resume + 1000, "first_agent_message_time": resume + 5000,
        "time_to_first_agent_message_ms": null, "agent_messages": 1, "consumer_messages": 0, "last_agent_id": "ada",
    }));
    assert_eq!(rows_in(&data_dir), json!(expected));
    assert_eq!(import_events(&events.concat(), &data_dir, &[]), "accepted 0, duplicates 5, rejected 0");
    assert_eq!(rows_in(&data_dir), json!(expected));
}

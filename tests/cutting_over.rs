//! The move from the vendor: a stream of events and an export of message history, in any order and with overlap, leave
//! what the events alone would.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bank_calls::{self, post, texts_of_rows};
use crate::binary::{Server, succeed};
use crate::events::{START, event, import, rows, started};

/// Tuesday, 16 February 1999, at noon: the export is made. Calls are under way.
const EXPORTED: i64 = 919_166_400_000;

/// The stream begins an hour before.
const BEGUN: i64 = EXPORTED - 3_600_000;

/// The bank's events up to the export, as the export tells them, and those of the stream.
struct Move {
    folder: TempDir,
    /// The rows that the events alone leave.
    expected: &'static [String],
    /// Conversations that are open in the export.
    open: usize,
    /// The stream's events as NDJSON.
    stream: String,
}

impl Move {
    /// `None`, visibly, where the records of the calls are not here.
    fn of_february(test: &str) -> Option<Self> {
        let events = events(test)?;
        let expected = expected(events);
        let mut calls: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        let mut stream = String::new();
        for event in events {
            let time = time_of(event);
            if time >= BEGUN {
                stream += &event.to_string();
                stream.push('\n');
            }
            if time <= EXPORTED {
                calls.entry(event["conversation_id"].as_str().unwrap()).or_default().push(event.clone());
            }
        }
        let records: Vec<Value> = calls.iter().map(|(call, events)| record(call, events)).collect();
        let open = records.iter().filter(|record| record["info"]["status"] == "OPEN").count();
        assert!(open > 0, "nobody is on the line");
        let folder = TempDir::new().unwrap();
        let pages = records.chunks(100).map(|page| json!({ "conversationHistoryRecords": page }).to_string());
        fs::write(folder.path().join("export.json"), pages.collect::<Vec<_>>().join("\n")).unwrap();
        Some(Self { folder, expected, open, stream })
    }

    fn export(&self) -> PathBuf {
        self.folder.path().join("export.json")
    }

    fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    #[track_caller]
    fn check_rows(&self, server: &Server) {
        let found = texts_of_rows(server);
        for (found, expected) in found.iter().zip(self.expected) {
            assert_eq!(found, expected);
        }
        assert_eq!(found.len(), self.expected.len());
    }

    fn serve(&self) -> Server {
        Server::over(&self.data_dir(), &[])
    }

    /// What an import prints that adds segments, or finds them.
    #[track_caller]
    fn check_printed(&self, printed: &str) {
        let last = printed.trim_end().lines().last().unwrap();
        assert_eq!(last, format!("{} open conversations are followed", self.open));
        assert!(printed.contains("rejected 0"), "{printed}");
    }

    /// The server is killed, and another one takes up what it left.
    fn crash(&self, mut server: Server) -> Server {
        server.signal("KILL");
        server.wait();
        self.serve()
    }
}

fn time_of(event: &Value) -> i64 {
    event["time"].as_i64().unwrap()
}

/// The events of February, in order of time. In an export, an agent who joins in the millisecond of a transfer joins
/// before it: here, nothing else happens in the millisecond of a transfer after it.
fn events(test: &str) -> Option<&'static [Value]> {
    static EVENTS: OnceLock<Vec<Value>> = OnceLock::new();
    let text = bank_calls::events(test)?;
    let events = || {
        let mut earliest: HashMap<String, i64> = HashMap::new();
        let mut events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for event in &mut events {
            let call = event["conversation_id"].as_str().unwrap().to_owned();
            let time = time_of(event).max(earliest.get(&call).copied().unwrap_or_default());
            event["time"] = json!(time);
            if event["type"] == "transferred" {
                earliest.insert(call, time + 1);
            }
        }
        events.sort_by_key(time_of);
        events
    };
    Some(EVENTS.get_or_init(events))
}

/// The rows that the events leave that are imported by themselves.
fn expected(events: &[Value]) -> &'static [String] {
    static ROWS: OnceLock<Vec<String>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let folder = TempDir::new().unwrap();
        let (file, data_dir) = (folder.path().join("events.ndjson"), folder.path().join("data"));
        let lines: Vec<String> = events.iter().map(Value::to_string).collect();
        fs::write(&file, lines.join("\n")).unwrap();
        import("events", &file, &data_dir, &[]);
        texts_of_rows(&Server::over(&data_dir, &[]))
    })
}

/// A call as an export tells it.
fn record(call: &str, events: &[Value]) -> Value {
    let (mut messages, mut agents, mut transfers) = (Vec::new(), Vec::new(), Vec::new());
    let (first, mut skill, mut end) = (&events[0], json!(null), json!(-1));
    for event in events {
        let time = &event["time"];
        match event["type"].as_str().unwrap() {
            "conversation_started" => skill = event["skill_id"].clone(),
            "agent_assigned" => {
                let kind = if event["user_type"] == "bot" { "Bot" } else { "Human" };
                let agent = &event["agent_id"];
                agents.push(
                    json!({ "agentId": agent, "userTypeName": kind, "permission": "ASSIGNED_AGENT", "timeL": time }),
                );
            }
            "message" => {
                let sender = if event["sender"] == "consumer" { "Consumer" } else { "Agent" };
                let (agent, seq) = (&event["agent_id"], &event["sequence"]);
                messages.push(json!({ "timeL": time, "sentBy": sender, "participantId": agent, "seq": seq }));
            }
            "transferred" => {
                let target = event["skill_id"].clone();
                transfers.push(json!({
                    "timeL": time, "sourceSkillId": skill, "targetSkillId": target, "assignedAgentId": "null",
                    "reason": "Skill",
                }));
                skill = target;
            }
            "conversation_closed" => end = time.clone(),
            other => panic!("{other}"),
        }
    }
    let (start, status) = (&first["time"], if end == -1 { "OPEN" } else { "CLOSE" });
    json!({
        "info": {
            "conversationId": call, "brandId": "bank", "startTimeL": start, "endTimeL": end, "status": status,
            "closeReason": "CONSUMER", "latestSkillId": skill, "source": first["source"],
        },
        "messageRecords": messages, "agentParticipants": agents, "transfers": transfers,
        "dialogs": [{
            "dialogType": "MAIN", "startTimeL": start, "endTimeL": end, "closeReason": "CONSUMER", "skillId": skill,
        }],
    })
}

fn dead_letters(data_dir: &Path) -> bool {
    data_dir.join("dead-letters").exists()
}

#[test]
fn calls_that_were_exported_first_go_on_in_the_stream() {
    let test = "calls_that_were_exported_first_go_on_in_the_stream";
    let Some(february) = Move::of_february(test) else { return };
    let (export, data_dir) = (february.export(), february.data_dir());
    february.check_printed(&import("history", &export, &data_dir, &[]));
    let stream = february.folder.path().join("stream.ndjson");
    fs::write(&stream, &february.stream).unwrap();
    import("events", &stream, &data_dir, &[]);
    february.check_rows(&february.serve());
    // Once more changes nothing.
    assert!(import("history", &export, &data_dir, &[]).starts_with("accepted 0, "));
    import("events", &stream, &data_dir, &[]);
    let server = february.serve();
    february.check_rows(&server);
    assert!(!dead_letters(&data_dir), "every event had its effect");
}

#[test]
fn calls_of_the_stream_are_completed_by_an_export_that_is_read_amid_it_between_crashes() {
    let test = "calls_of_the_stream_are_completed_by_an_export_that_is_read_amid_it_between_crashes";
    for read_after in [900_000, 8 * 3_600_000] {
        let Some(february) = Move::of_february(test) else { return };
        let is_before = |line: &&str| time_of(&serde_json::from_str(line).unwrap()) < EXPORTED + read_after;
        let before = february.stream.split_inclusive('\n').take_while(is_before).map(str::len).sum();
        let (before, after) = february.stream.split_at(before);
        let server = february.serve();
        post(&server, before);
        let server = february.crash(server);
        let url = format!("http://{}", server.address());
        let printed = succeed(["import", "history", february.export().to_str().unwrap(), "--url", &url]);
        assert!(printed.contains("rejected 0"), "{printed}");
        let server = february.crash(server);
        post(&server, after);
        february.check_rows(&server);
        assert!(!dead_letters(&february.data_dir()), "every event had its effect");
    }
}

/// A conversation that has been open since [`START`], as an export tells it.
fn open_record(conversation: &str) -> Value {
    let event = |sequence: u64, after: i64, kind: &str, fields: Value| {
        serde_json::from_str::<Value>(&event(conversation, sequence, START + after, kind, fields)).unwrap()
    };
    let started: Value = serde_json::from_str(&started(conversation, START)).unwrap();
    let message = event(1, 1000, "message", json!({ "sender": "consumer" }));
    let mut record = record(conversation, &[started, message]);
    record["info"]["brandId"] = json!("acme");
    record
}

#[test]
fn an_import_tells_how_many_open_conversations_are_followed() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("export.json");
    let data_dir = folder.path().join("data");
    fs::write(&file, open_record("c-1").to_string()).unwrap();
    let one = "accepted 0, duplicates 0, rejected 0\n1 open conversation is followed";
    assert_eq!(import("history", &file, &data_dir, &[]), one);
    let server = Server::over(&data_dir, &[]);
    fs::write(&file, format!("{}\n{}", open_record("c-1"), open_record("c-2"))).unwrap();
    let url = format!("http://{}", server.address());
    let printed = succeed(["import", "history", file.to_str().unwrap(), "--url", &url]);
    assert_eq!(printed, "accepted 0, duplicates 0, rejected 0\n2 open conversations are followed\n");
    let close = |conversation: &str| {
        let said = event(conversation, 1, START + 1000, "message", json!({ "sender": "consumer" }));
        said + &event(conversation, 2, START + 2000, "conversation_closed", json!({ "by": "consumer" }))
    };
    let events = close("c-1") + &close("c-2");
    let (status, answer) = server.post("/v1/accounts/acme/events", "application/x-ndjson", events.as_bytes());
    assert_eq!(status, 200, "{answer}");
    let closed = rows(&server);
    assert_eq!(closed.as_array().unwrap().len(), 2, "{closed}");
    for row in closed.as_array().unwrap() {
        assert_eq!((&row["consumer_messages"], &row["source"]), (&json!(1), &json!("WEB")), "{row}");
        assert_eq!((&row["start_time"], &row["end_time"]), (&json!(START), &json!(START + 2000)), "{row}");
    }
    let printed = succeed(["import", "history", file.to_str().unwrap(), "--url", &url]);
    assert_eq!(printed, "accepted 0, duplicates 0, rejected 0\n");
}

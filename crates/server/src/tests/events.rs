//! Conversation events over HTTP, and the report that counts their segments.

use serde_json::{Value, json};

use super::door::{Door, NOW, report_of};

pub(super) const EVENTS: &str = "/v1/accounts/acme/events";

const NDJSON: &str = "application/x-ndjson";

/// An event `age` milliseconds ago, as a line of NDJSON.
pub(super) fn event(conversation: &str, sequence: u64, age: i64, fields: Value) -> String {
    let mut record = json!({ "conversation_id": conversation, "sequence": sequence, "time": NOW - age });
    record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    format!("{record}\n")
}

/// A conversation in which a human answers a minute and a half after being assigned.
fn conversation(id: &str) -> Vec<String> {
    vec![
        event(id, 0, 600_000, json!({ "type": "conversation_started", "skill_id": 7, "source": "APP" })),
        event(id, 1, 590_000, json!({ "type": "agent_assigned", "agent_id": "ann", "user_type": "human" })),
        event(id, 2, 500_000, json!({ "type": "message", "sender": "agent", "agent_id": "ann" })),
        event(id, 3, 490_000, json!({ "type": "message", "sender": "consumer" })),
        event(id, 4, 480_000, json!({ "type": "conversation_closed", "by": "agent" })),
    ]
}

#[tokio::test]
async fn the_report_counts_a_segment_as_soon_as_its_conversation_closes() {
    let door = Door::new();
    let lines = conversation("c-1");
    let answer = door.post(EVENTS, NDJSON, lines[..4].concat()).await;
    assert_eq!(answer.json(), json!({"accepted": 4, "duplicates": 0, "rejected_count": 0, "rejected": []}));
    let total = |report: &Value| report["metricsTotal"]["totalSkillConversationSegments"].clone();
    assert_eq!(total(&door.get(&report_of("acme")).await.json()), 0);
    door.post(EVENTS, NDJSON, lines[4].clone()).await;
    let report = door.get(&report_of("acme")).await.json();
    assert_eq!(total(&report), 1);
    let metrics = &report["skillsMetrics"]["7"];
    assert_eq!(metrics["interactiveSkillSegments"], 1);
    assert_eq!(metrics["avgTimetoFirstAgentMessageFromAgentAssignment"], 90_000);
}

#[tokio::test]
async fn repeats_are_counted_and_change_nothing() {
    let door = Door::new();
    let text = conversation("c-1").concat();
    door.post(EVENTS, NDJSON, text.clone()).await;
    let again = door.post(EVENTS, NDJSON, text).await.json();
    assert_eq!(again, json!({"accepted": 0, "duplicates": 5, "rejected_count": 0, "rejected": []}));
    assert_eq!(door.sql("select count(*) as n from segments").await.json()[0]["n"], 1);
}

#[tokio::test]
async fn a_bad_line_is_told_with_its_number_and_reason_and_the_others_count() {
    let bad = [
        ("oops", "JSON object"),
        (r#"{"conversation_id":"c","sequence":1,"time":1,"type":"message"}"#, "sender"),
        (r#"{"conversation_id":"c","sequence":1,"time":1,"type":"agent_assigned","agent_id":"a"}"#, "user_type"),
        (r#"{"conversation_id":"c","sequence":1,"time":1,"type":"transferred","skill_id":3}"#, "reason"),
        (r#"{"conversation_id":"c","sequence":1,"time":1,"type":"transferred","reason":"skill"}"#, "skill_id"),
        (r#"{"conversation_id":"c","sequence":1,"time":1,"type":"conversation_closed"}"#, "by"),
        (r#"{"conversation_id":"c","sequence":1,"time":1,"type":"waved"}"#, "conversation_started"),
        (r#"{"conversation_id":"c","sequence":-1,"time":1,"type":"returned_to_queue"}"#, "sequence"),
        (r#"{"conversation_id":"c","sequence":1,"time":-1,"type":"returned_to_queue"}"#, "1970"),
        (r#"{"conversation_id":"c","time":1,"type":"returned_to_queue"}"#, "sequence"),
        (r#"{"sequence":1,"time":1,"type":"returned_to_queue"}"#, "conversation_id"),
        (r#"{"conversation_id":"","sequence":1,"time":1,"type":"returned_to_queue"}"#, "conversation_id is empty"),
        (r#"{"account_id":"bolt","conversation_id":"c","sequence":1,"time":1,"type":"returned_to_queue"}"#, "bolt"),
        (
            r#"{"conversation_id":"c","sequence":1,"time":1,"type":"transferred","skill_id":3,"reason":"other"}"#,
            "agent",
        ),
        (r#"{"conversation_id":"c","sequence":1,"time":1,"type":"message","sender":"bot"}"#, "consumer"),
    ];
    let door = Door::new();
    let lines = bad.iter().map(|(line, _)| format!("{line}\n"));
    let text = lines.chain(conversation("c-1")).collect::<String>();
    let answer = door.post(EVENTS, NDJSON, text).await.json();
    assert_eq!((&answer["accepted"], &answer["rejected_count"]), (&5.into(), &bad.len().into()), "{answer}");
    for (place, (line, word)) in bad.iter().enumerate() {
        let rejected = &answer["rejected"][place];
        assert_eq!(rejected["line"], place + 1);
        assert!(rejected["error"].as_str().unwrap().contains(word), "{line}: {rejected}");
    }
    assert_eq!(door.sql("select count(*) as n from segments").await.json()[0]["n"], 1);
}

#[tokio::test]
async fn events_are_ndjson_alone() {
    let door = Door::new();
    let problem = door.post(EVENTS, "application/json", "[]").await.problem(415);
    assert!(problem["detail"].as_str().unwrap().contains(NDJSON), "{problem}");
    assert_eq!(door.post("/v1/accounts/a%2Fb/events", NDJSON, "").await.problem(400)["parameter"], "account");
}

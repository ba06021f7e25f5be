//! Message history over HTTP, and events that go on from it.

use serde_json::{Value, json};

use super::door::{Door, NOW};
use super::events::{EVENTS, event};

pub(super) const HISTORY: &str = "/v1/accounts/acme/history";

const NDJSON: &str = "application/x-ndjson";

/// A page with a conversation that is open in skill 7 since ten minutes ago; its consumer wrote `age` milliseconds ago.
pub(super) fn open_conversation(id: &str, age: i64) -> String {
    let record = json!({
        "info": {
            "conversationId": id, "brandId": "acme", "startTimeL": NOW - 600_000, "endTimeL": -1, "status": "OPEN",
            "latestSkillId": 7, "source": "APP",
        },
        "messageRecords": [{ "timeL": NOW - age, "sentBy": "Consumer", "seq": 0 }],
        "agentParticipants": [], "transfers": [],
        "dialogs": [{ "dialogType": "MAIN", "startTimeL": NOW - 600_000, "endTimeL": -1, "skillId": 7 }],
    });
    json!({ "conversationHistoryRecords": [record] }).to_string()
}

fn answered(accepted: u64, duplicates: u64, followed: u64) -> Value {
    json!({
        "accepted": accepted, "duplicates": duplicates, "rejected_count": 0, "followed": followed, "rejected": [],
    })
}

async fn segments(door: &Door) -> Value {
    door.sql("select conversation_id, skill_id, consumer_messages, source from segments").await.json()
}

#[tokio::test]
async fn events_go_on_from_where_the_export_leaves_a_conversation() {
    let door = Door::new();
    let answer = door.post(HISTORY, "application/json", open_conversation("c-1", 60_000)).await;
    assert_eq!(answer.json(), answered(0, 0, 1));
    // The stream began in the middle: its first event is the message that the export has told.
    let told = event("c-1", 4, 60_000, json!({ "type": "message", "sender": "consumer" }));
    let close = event("c-1", 5, 30_000, json!({ "type": "conversation_closed", "by": "consumer" }));
    let answer = door.post(EVENTS, NDJSON, told + &close).await;
    assert_eq!(answer.json(), json!({"accepted": 1, "duplicates": 1, "rejected_count": 0, "rejected": []}));
    let expected = json!([{ "conversation_id": "c-1", "skill_id": 7, "consumer_messages": 1, "source": "APP" }]);
    assert_eq!(segments(&door).await, expected);
    let again = door.post(HISTORY, "application/json", open_conversation("c-1", 60_000)).await;
    assert_eq!(again.json(), answered(0, 0, 0), "an export that is older opens nothing again");
    assert_eq!(segments(&door).await, expected);
}

#[tokio::test]
async fn records_come_one_a_line_and_what_is_wrong_with_one_is_told() {
    let door = Door::new();
    let lines = format!("{}\n{}\n", open_conversation("c-1", 60_000), r#"{"info":{"conversationId":"c-2"}}"#);
    let answer = door.post(HISTORY, NDJSON, lines).await.json();
    assert_eq!((&answer["followed"], &answer["rejected_count"]), (&json!(1), &json!(1)));
    assert_eq!(answer["rejected"][0]["line"], 2);
    assert!(answer["rejected"][0]["error"].as_str().unwrap().contains("messageRecords"), "{answer}");
    door.post(HISTORY, "application/json", "oops").await.problem(400);
    door.post(HISTORY, "text/csv", "").await.problem(415);
}

#[tokio::test]
async fn a_record_that_unfolds_to_far_more_than_its_bytes_is_left_out() {
    let door = Door::new();
    let most = super::door::MAX_BODY_BYTES;
    let record =
        format!(r#"{{"info":{{"conversationId":"c-1"}},"messageRecords":[{}{{}}]}}"#, "{},".repeat(most / 3 - 100));
    let answer = door.post(HISTORY, "application/json", record).await.json();
    assert_eq!(answer["rejected_count"], 1, "{answer}");
}

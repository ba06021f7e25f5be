//! What is open at this instant, by both routes that tell it.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::door::{Door, NOW};
use super::events::{EVENTS, event};

const NOW_OF_ACME: &str = "/v1/accounts/acme/now";

pub(super) const QUEUE_HEALTH: &str = "/operations/api/account/acme/msgqueuehealth/current?v=1";

const NDJSON: &str = "application/x-ndjson";

fn started(conversation: &str, age: i64, skill: i64) -> String {
    event(conversation, 0, age, json!({ "type": "conversation_started", "skill_id": skill }))
}

fn assigned(conversation: &str, age: i64, agent: &str, kind: &str) -> String {
    event(conversation, 1, age, json!({ "type": "agent_assigned", "agent_id": agent, "user_type": kind }))
}

/// Events of acme. At the instant of the tests, in skill 7
/// - `new` waits for 60 s, from its start on;
/// - `returned` waits for 20 s, since it was returned to the queue, and is as new as it was before;
/// - `asks` has a human, and its consumer wrote last;
/// - `silent` has a bot, who has not written;
///
/// and in skill 8 `transferred` waits for 10 s, since its transfer. `closed` is open no more.
pub(super) fn open_conversations() -> String {
    let consumer = json!({ "type": "message", "sender": "consumer" });
    let agent = json!({ "type": "message", "sender": "agent" });
    [
        started("new", 60_000, 7),
        started("returned", 30_000, 7),
        assigned("returned", 25_000, "ann", "human"),
        event("returned", 2, 20_000, json!({ "type": "returned_to_queue" })),
        started("asks", 100_000, 7),
        assigned("asks", 90_000, "ann", "human"),
        event("asks", 2, 80_000, agent),
        event("asks", 3, 70_000, consumer),
        started("silent", 50_000, 7),
        assigned("silent", 40_000, "robo", "bot"),
        started("transferred", 40_000, 7),
        event("transferred", 1, 10_000, json!({ "type": "transferred", "skill_id": 8, "reason": "skill" })),
        started("closed", 99_000, 8),
        event("closed", 1, 98_000, json!({ "type": "conversation_closed", "by": "consumer" })),
    ]
    .concat()
}

async fn open() -> Door {
    let door = Door::new();
    let answer = door.post(EVENTS, NDJSON, open_conversations()).await.json();
    assert_eq!(answer["accepted"], 14, "{answer}");
    door
}

/// The members of `now`: six counts, then the average, the longest, the median and the 90th percentile of the
/// waits.
fn now_of(counts: [i64; 6], waits: [i64; 4]) -> Value {
    let [open, waiting, human, bot, first, reply] = counts;
    let [average, longest, median, ninth] = waits;
    json!({
        "openConversations": open, "waitingConversations": waiting, "assignedToHuman": human, "assignedToBot": bot,
        "waitingForFirstAgentMessage": first, "waitingForAgentReply": reply, "avgWaitTime": average,
        "maxWaitTime": longest, "waitTime50thPercentile": median, "waitTime90thPercentile": ninth,
    })
}

/// The members of the queue's health, where what events do not say is -1.
fn health_of(unassigned: i64, new: i64, transferred: i64, [longest, median, ninth]: [i64; 3]) -> Value {
    json!({
        "unassignedConversations": unassigned, "actionableConversations": -1, "notActionableConversations": -1,
        "actionableAndManualSla": -1, "actionableAndDuringTransfer": -1, "actionableAndConsumerLastMessage": -1,
        "notActionableDuringTransfer": -1, "notActionableAndManualSla": -1,
        "unassignedConversationsAndFirstTimeConsumer": -1, "avgWaitTimeForAgentAssignment_NewConversation": new,
        "avgWaitTimeForAgentAssignment_AfterTransfer": transferred, "maxWaitTimeForAgentAssignment": longest,
        "waitTimeForAgentAssignment_50thPercentile": median, "waitTimeForAgentAssignment_90thPercentile": ninth,
    })
}

/// The same for a skill.
fn health_of_skill(unassigned: i64, new: i64, transferred: i64, waits: [i64; 3]) -> Value {
    let mut health = health_of(unassigned, new, transferred, waits);
    health["time"] = NOW.into();
    health
}

/// Skill 7 has waits of 20 and 60 s, whose 90th percentile is 20 + 0.9 · 40 s. All together are 10, 20 and 60 s: it lies
/// at 0.9 · 2 = 1.8 steps from the first, which is 20 + 0.8 · 40 s.
#[tokio::test]
async fn what_is_open_is_counted_by_skill_and_in_total() {
    let door = open().await;
    let answer = door.get(NOW_OF_ACME).await;
    let expected = json!({
        "time": NOW,
        "skillsMetrics": {
            "7": now_of([4, 2, 1, 1, 1, 1], [40_000, 60_000, 40_000, 56_000]),
            "8": now_of([1, 1, 0, 0, 0, 0], [10_000; 4]),
        },
        "metricsTotal": now_of([5, 3, 1, 1, 1, 1], [30_000, 60_000, 20_000, 52_000]),
    });
    assert_eq!(answer.json(), expected);
    let only = door.get(&format!("{NOW_OF_ACME}?skillIds=8,9")).await.json();
    let skill = now_of([1, 1, 0, 0, 0, 0], [10_000; 4]);
    assert_eq!(only, json!({ "time": NOW, "skillsMetrics": { "8": skill }, "metricsTotal": skill }));
}

#[tokio::test]
async fn the_queues_health_tells_waits_by_how_they_began_and_nothing_that_events_do_not_say() {
    let door = open().await;
    let expected = json!({
        "skillsMetrics": {
            "7": health_of_skill(2, 40_000, -1, [60_000, 40_000, 56_000]),
            "8": health_of_skill(1, -1, 10_000, [10_000; 3]),
        },
        "metricsTotal": health_of(3, 40_000, 10_000, [60_000, 20_000, 52_000]),
    });
    assert_eq!(door.get(QUEUE_HEALTH).await.json(), expected);
    let with_slash = QUEUE_HEALTH.replace('?', "/?");
    assert_eq!(door.get(&with_slash).await.json(), expected);
    let only = door.get(&format!("{QUEUE_HEALTH}&skillIds=8")).await.json();
    let skill = health_of_skill(1, -1, 10_000, [10_000; 3]);
    let total = health_of(1, -1, 10_000, [10_000; 3]);
    assert_eq!(only, json!({ "skillsMetrics": { "8": skill }, "metricsTotal": total }));
}

#[tokio::test]
async fn where_nothing_is_open_counts_are_0() {
    let door = open().await;
    let none = now_of([0; 6], [0; 4]);
    let answer = door.get("/v1/accounts/bolt/now").await;
    assert_eq!(answer.json(), json!({ "time": NOW, "skillsMetrics": {}, "metricsTotal": none }));
    assert_eq!(answer.header("data-until"), None, "of another account nothing is told");
    let none = health_of(0, -1, -1, [-1; 3]);
    let answer = door.get(&QUEUE_HEALTH.replace("acme", "bolt")).await;
    assert_eq!(answer.json(), json!({ "skillsMetrics": {}, "metricsTotal": none }));
}

#[tokio::test]
async fn a_conversation_is_open_until_it_closes() {
    let door = open().await;
    let close = event("new", 1, 5_000, json!({ "type": "conversation_closed", "by": "consumer" }));
    door.post(EVENTS, NDJSON, close).await;
    let now = door.get(&format!("{NOW_OF_ACME}?skillIds=7")).await.json();
    assert_eq!(now["metricsTotal"], now_of([3, 1, 1, 1, 1, 1], [20_000; 4]));
    let health = door.get(&format!("{QUEUE_HEALTH}&skillIds=7")).await.json();
    assert_eq!(health["metricsTotal"], health_of(1, 20_000, -1, [20_000; 3]));
}

/// The latest event is of ten seconds before 08:51:55.
#[tokio::test]
async fn both_have_the_headers_of_the_report() {
    let door = open().await;
    for uri in [NOW_OF_ACME, QUEUE_HEALTH] {
        for encoding in ["identity", "gzip"] {
            let request = Request::get(uri).header("accept-encoding", encoding).body(Body::empty()).unwrap();
            let answer = door.send(request).await;
            assert_eq!(answer.header("content-type"), Some("application/json"), "{uri}");
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{uri}");
            assert_eq!(answer.header("data-until"), Some("Thu, 18 Jan 2018 08:51:45 GMT"), "{uri}");
            assert!(answer.header("last-arrival").is_some(), "{uri}");
            assert_eq!(answer.header("content-encoding").is_some(), encoding == "gzip", "{uri}");
        }
    }
}

#[tokio::test]
async fn a_refused_parameter_is_named() {
    let door = Door::new();
    let queue_health = QUEUE_HEALTH.strip_suffix("?v=1").unwrap();
    let cases = [
        (format!("{NOW_OF_ACME}?skillIds=seven"), "skillIds", Some("seven")),
        (format!("{NOW_OF_ACME}?skillids=7"), "skillIds", Some("7")),
        (format!("{NOW_OF_ACME}?skillIds=7&skillIds=8"), "skillIds", Some("8")),
        (format!("{QUEUE_HEALTH}&skillIds="), "skillIds", Some("")),
        (queue_health.to_owned(), "v", None),
        (format!("{queue_health}?v=2"), "v", Some("2")),
        ("/v1/accounts/a%2Fb/now".to_owned(), "account", Some("a/b")),
        (QUEUE_HEALTH.replace("acme", "%20"), "account", Some(" ")),
    ];
    for (uri, parameter, value) in cases {
        let answer = door.get(&uri).await;
        let problem = answer.problem(400);
        assert_eq!(problem["parameter"], parameter, "{uri}");
        assert_eq!(problem.get("value").and_then(Value::as_str), value, "{uri}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{uri}");
    }
    door.get("/v1/accounts/acme/now/").await.problem(404);
}

/// What is told of many skills is computed elsewhere.
#[tokio::test]
async fn of_many_skills_the_same_is_told() {
    const SKILLS: i64 = 1_000;
    let door = Door::new();
    let events: String = (1..=SKILLS).map(|skill| started(&format!("c-{skill}"), skill * 1_000, skill)).collect();
    for some in events.lines().collect::<Vec<_>>().chunks(200) {
        door.post(EVENTS, NDJSON, some.join("\n")).await;
    }
    let now = door.get(NOW_OF_ACME).await;
    assert!(now.header("data-until").is_some());
    let now = now.json();
    assert_eq!(now["skillsMetrics"].as_object().unwrap().len() as i64, SKILLS);
    assert_eq!(now["skillsMetrics"]["9"], now_of([1, 1, 0, 0, 0, 0], [9_000; 4]));
    // Of the waits 1, 2 … 1,000 s: the median lies between the two in the middle, the 90th percentile at 0.9 · 999 steps.
    assert_eq!(now["metricsTotal"], now_of([SKILLS, SKILLS, 0, 0, 0, 0], [500_500, 1_000_000, 500_500, 900_100]));
    let health = door.get(QUEUE_HEALTH).await.json();
    assert_eq!(health["metricsTotal"], health_of(SKILLS, 500_500, -1, [1_000_000, 500_500, 900_100]));
}

/// Statements keep all threads for SQL, until they are let go.
#[tokio::test]
async fn neither_waits_for_statements() {
    let door = open().await;
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Arc::new(parking_lot::Mutex::new(held));
    let threads = std::thread::available_parallelism().map_or(2, usize::from).max(2);
    let statements: Vec<_> = (0..2 * threads)
        .map(|_| {
            let held = std::sync::Arc::clone(&held);
            door.app.engine().spawn(async move { held.lock().recv().is_err() })
        })
        .collect();
    for uri in [NOW_OF_ACME, QUEUE_HEALTH] {
        for encoding in ["identity", "gzip"] {
            let request = Request::get(uri).header("accept-encoding", encoding).body(Body::empty()).unwrap();
            let answer = door.send(request).await;
            assert_eq!(answer.status, 200, "{uri} {encoding}");
        }
    }
    drop(hold);
    futures::future::join_all(statements).await;
}

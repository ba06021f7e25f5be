//! What is open now, and the health of queues.

use std::borrow::Cow;

use skillscope_segment::{AgentKind, Event, EventBatch, EventKind, Sender, TransferReason};

use super::world::World;
use crate::{Error, NowRequest, QueueHealthRequest};

const NOW: i64 = 1_516_276_800_000;

/// Ten conversations of skills 4 and −1: three wait in 4 for 10, 20 and 40 s, and one since a transfer 15 s ago; one is
/// with a bot, one with a human who has not written, one with a human whom the consumer has answered; one waits in −1 from
/// the future; one was resumed in −1 30 s ago; one has ended.
fn world() -> World {
    let world = World::new(NOW, &[]);
    let mut batch = EventBatch::new();
    let mut say = |conversation: &str, steps: &[(i64, EventKind<&str>)]| {
        for (sequence, (seconds_ago, kind)) in (0..).zip(steps) {
            let (account_id, time) = ("acme", NOW - seconds_ago * 1000);
            batch.push(&Event { account_id, conversation_id: conversation, sequence, time, kind: kind.clone() });
        }
    };
    let started = |skill_id| EventKind::Started { skill_id, source: None };
    let assigned = |agent_kind| EventKind::Assigned { agent_id: "a", agent_kind, takeover: false };
    let wrote = |sender| EventKind::Message { sender, agent_id: None };
    let moved = EventKind::Transferred { skill_id: 4, reason: TransferReason::Skill };
    let closed = EventKind::Closed { by: skillscope_segment::ClosedBy::Consumer };
    say("10", &[(10, started(4))]);
    say("20", &[(20, started(4)), (19, wrote(Sender::Consumer))]);
    say("40", &[(90, started(4)), (80, assigned(AgentKind::Human)), (40, EventKind::Returned)]);
    say("15", &[(60, started(7)), (15, moved)]);
    say("bot", &[(50, started(4)), (50, assigned(AgentKind::Bot)), (50, wrote(Sender::Agent))]);
    say("silent", &[(50, started(4)), (45, assigned(AgentKind::Human))]);
    say(
        "answered",
        &[
            (50, started(4)),
            (45, assigned(AgentKind::Human)),
            (44, wrote(Sender::Agent)),
            (40, wrote(Sender::Consumer)),
        ],
    );
    say("ahead", &[(-60, started(-1))]);
    say("resumed", &[(70, started(-1)), (50, closed.clone()), (30, EventKind::Resumed { skill_id: -1 })]);
    say("ended", &[(70, started(4)), (50, closed)]);
    world.store.append_events(batch, true).unwrap();
    world
}

const NONE: &[(Cow<'_, str>, Cow<'_, str>)] = &[];

#[test]
fn what_is_open_is_counted_by_skill_and_in_total() {
    let world = world();
    let now = |parameters: &[(&str, &str)]| world.engine.now(&NowRequest::new("acme", parameters).unwrap());
    // The waits of −1 are 0 and 30 s, those of 4 are 10, 15, 20 and 40 s: half of them wait up to 17.5 s, and nine of ten
    // up to 20 s + 0.7 × 20 s.
    let unassigned = r#"{"openConversations":2,"waitingConversations":2,"assignedToHuman":0,"assignedToBot":0,"#
        .to_owned()
        + r#""waitingForFirstAgentMessage":0,"waitingForAgentReply":0,"avgWaitTime":15000,"maxWaitTime":30000,"#
        + r#""waitTime50thPercentile":15000,"waitTime90thPercentile":27000}"#;
    let four = r#"{"openConversations":7,"waitingConversations":4,"assignedToHuman":2,"assignedToBot":1,"#.to_owned()
        + r#""waitingForFirstAgentMessage":1,"waitingForAgentReply":1,"avgWaitTime":21250,"maxWaitTime":40000,"#
        + r#""waitTime50thPercentile":17500,"waitTime90thPercentile":34000}"#;
    // Together 0, 10, 15, 20, 30 and 40 s: 115 s for six, which is 19166.67 ms; 30 s + 0.5 × 10 s.
    let total = r#"{"openConversations":9,"waitingConversations":6,"assignedToHuman":2,"assignedToBot":1,"#.to_owned()
        + r#""waitingForFirstAgentMessage":1,"waitingForAgentReply":1,"avgWaitTime":19167,"maxWaitTime":40000,"#
        + r#""waitTime50thPercentile":17500,"waitTime90thPercentile":35000}"#;
    assert_eq!(
        now(&[("skillIds", "all")]),
        format!(r#"{{"time":{NOW},"skillsMetrics":{{"-1":{unassigned},"4":{four}}},"metricsTotal":{total}}}"#)
    );
    let only = format!(r#"{{"time":{NOW},"skillsMetrics":{{"4":{four}}},"metricsTotal":{four}}}"#);
    assert_eq!(now(&[("skillIds", "4,7,4")]), only);
}

#[test]
fn the_health_of_queues_tells_what_events_tell_and_minus_1_for_the_rest() {
    let world = world();
    let request = QueueHealthRequest::new("acme", &[("v", "1"), ("skillIds", "4")]).unwrap();
    let health: serde_json::Value = serde_json::from_str(&world.engine.queue_health(&request)).unwrap();
    // Without a transfer: 10, 20 and 40 s, which are 23333.33 ms each.
    let total = serde_json::json!({
        "unassignedConversations": 4,
        "actionableConversations": -1,
        "notActionableConversations": -1,
        "actionableAndManualSla": -1,
        "actionableAndDuringTransfer": -1,
        "actionableAndConsumerLastMessage": -1,
        "notActionableDuringTransfer": -1,
        "notActionableAndManualSla": -1,
        "unassignedConversationsAndFirstTimeConsumer": -1,
        "avgWaitTimeForAgentAssignment_NewConversation": 23_333,
        "avgWaitTimeForAgentAssignment_AfterTransfer": 15_000,
        "maxWaitTimeForAgentAssignment": 40_000,
        "waitTimeForAgentAssignment_50thPercentile": 17_500,
        "waitTimeForAgentAssignment_90thPercentile": 34_000,
    });
    assert_eq!(health["metricsTotal"], total);
    let mut of_skill = total;
    of_skill["time"] = NOW.into();
    assert_eq!(health["skillsMetrics"], serde_json::json!({ "4": of_skill }));
}

#[test]
fn where_nobody_waits_a_wait_is_0_and_the_health_of_queues_has_no_data() {
    let world = world();
    for parameters in [[("skillIds", "99")].as_slice(), &[]] {
        let account = if parameters.is_empty() { "nobody" } else { "acme" };
        let body = world.engine.now(&NowRequest::new(account, parameters).unwrap());
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["skillsMetrics"], serde_json::json!({}));
        assert!(body["metricsTotal"].as_object().unwrap().values().all(|value| value == 0), "{body}");
        let parameters = [&[("v", "1")], parameters].concat();
        let health = world.engine.queue_health(&QueueHealthRequest::new(account, &parameters).unwrap());
        let health: serde_json::Value = serde_json::from_str(&health).unwrap();
        let total = &health["metricsTotal"];
        assert_eq!(total["unassignedConversations"], 0);
        assert_eq!(total["avgWaitTimeForAgentAssignment_NewConversation"], -1);
        assert_eq!(total["maxWaitTimeForAgentAssignment"], -1);
        assert_eq!(total["waitTimeForAgentAssignment_90thPercentile"], -1);
    }
}

#[test]
fn parameters_are_those_of_the_report() {
    let refused = |error: Error| match error {
        Error::Parameter { parameter, .. } => parameter,
        other => panic!("{other}"),
    };
    assert!(NowRequest::new("acme", NONE).is_ok());
    assert!(NowRequest::new("acme", &[("timeframe", "x")]).is_ok(), "unknown here");
    for wrong in [[("skillIds", "")].as_slice(), &[("skillIds", "a")], &[("skillIds", "1"), ("skillIds", "2")]] {
        assert_eq!(refused(NowRequest::new("acme", wrong).unwrap_err()), "skillIds");
    }
    assert_eq!(refused(NowRequest::new("acme", &[("skillids", "1")]).unwrap_err()), "skillIds");
    assert_eq!(refused(QueueHealthRequest::new("acme", NONE).unwrap_err()), "v");
    assert_eq!(refused(QueueHealthRequest::new("acme", &[("v", "2")]).unwrap_err()), "v");
}

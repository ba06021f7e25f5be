//! What is open at an instant, from the events that were delivered until then.
//!
//! It is written from what the events mean, and shares nothing with the code under test: it keeps all that was
//! delivered, and counts by looping over the conversations.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// An event that does not come holds up the ones after it until an event of the account is so much later, in
/// milliseconds.
const BOUND: i64 = 60_000;

/// What the sister method tells of what no event says.
const NO_DATA: i64 = -1;

/// The conversations of one account.
#[derive(Default)]
pub(super) struct Model {
    conversations: BTreeMap<String, Conversation>,
    /// The highest time of an event.
    watermark: i64,
}

impl Model {
    /// Takes in a request: events as NDJSON.
    pub(super) fn deliver(&mut self, request: &str) {
        for line in request.lines() {
            let event: Value = serde_json::from_str(line).unwrap();
            self.watermark = self.watermark.max(number(&event, "time"));
            let name = event["conversation_id"].as_str().unwrap();
            if !self.conversations.contains_key(name) {
                self.conversations.insert(name.to_owned(), Conversation::default());
            }
            self.conversations.get_mut(name).unwrap().deliver(event);
        }
        for conversation in self.conversations.values_mut() {
            conversation.give_up_gaps(self.watermark);
        }
    }

    /// The highest time of an event that was delivered.
    pub(super) fn watermark(&self) -> i64 {
        self.watermark
    }

    /// The rows of `open_conversations` in the order of their conversations, times in milliseconds.
    pub(super) fn rows(&self) -> Vec<Value> {
        self.open().map(|(name, conversation, stay)| stay.row(name, conversation)).collect()
    }

    /// Skills in which a conversation is open.
    pub(super) fn skills(&self) -> BTreeSet<i64> {
        self.open().map(|(_, _, stay)| stay.skill).collect()
    }

    /// How many segments there are, closed or open.
    pub(super) fn segments(&self) -> i64 {
        self.conversations.values().map(|conversation| conversation.segments).sum()
    }

    /// The answer of `now`.
    pub(super) fn now(&self, instant: i64, skills: &BTreeSet<i64>) -> Value {
        let mut answer = self.by_skill(skills, |stays| now_metrics(stays, instant));
        answer["time"] = json!(instant);
        answer
    }

    /// The answer of `msgqueuehealth/current`.
    pub(super) fn queue_health(&self, instant: i64, skills: &BTreeSet<i64>) -> Value {
        let mut answer = self.by_skill(skills, |stays| queue_health_metrics(stays, instant));
        for metrics in answer["skillsMetrics"].as_object_mut().unwrap().values_mut() {
            metrics["time"] = json!(instant);
        }
        answer
    }

    fn by_skill(&self, skills: &BTreeSet<i64>, metrics: impl Fn(&[&Stay]) -> Value) -> Value {
        let mut by_skill: BTreeMap<i64, Vec<&Stay>> = BTreeMap::new();
        for (_, _, stay) in self.open().filter(|(_, _, stay)| skills.contains(&stay.skill)) {
            by_skill.entry(stay.skill).or_default().push(stay);
        }
        let all: Vec<&Stay> = by_skill.values().flatten().copied().collect();
        let of_skills: Map<_, _> =
            by_skill.into_iter().map(|(skill, stays)| (skill.to_string(), metrics(&stays))).collect();
        json!({ "skillsMetrics": of_skills, "metricsTotal": metrics(&all) })
    }

    fn open(&self) -> impl Iterator<Item = (&str, &Conversation, &Stay)> {
        let stay = |(name, conversation)| Some((String::as_str(name), conversation, Conversation::stay(conversation)?));
        self.conversations.iter().filter_map(stay)
    }
}

#[derive(Default)]
struct Conversation {
    /// The sequence of the event that is next to take effect.
    next: u64,
    /// Events ahead of it.
    ahead: BTreeMap<u64, Value>,
    /// How many segments have begun.
    segments: i64,
    source: Value,
    is_resumed: bool,
    stay: Option<Stay>,
}

impl Conversation {
    fn deliver(&mut self, event: Value) {
        let sequence = event["sequence"].as_u64().unwrap();
        if sequence >= self.next {
            self.ahead.entry(sequence).or_insert(event);
            self.go_on();
        }
    }

    fn give_up_gaps(&mut self, watermark: i64) {
        // One whose start has not come is waited for longer.
        while self.next > 0
            && let Some((sequence, event)) = self.ahead.first_key_value()
            && number(event, "time") + BOUND <= watermark
        {
            self.next = *sequence;
            self.go_on();
        }
    }

    fn go_on(&mut self) {
        while let Some(event) = self.ahead.remove(&self.next) {
            self.next += 1;
            self.happen(&event);
        }
    }

    fn stay(&self) -> Option<&Stay> {
        self.stay.as_ref()
    }

    fn happen(&mut self, event: &Value) {
        match (event["type"].as_str().unwrap(), &mut self.stay) {
            ("conversation_started", None) if self.segments == 0 => {
                self.source = event["source"].clone();
                self.enter(event, "new_conversation", WaitKind::NewConversation);
            }
            ("conversation_resumed", None) if self.segments > 0 => {
                self.is_resumed = true;
                self.enter(event, "resume", WaitKind::NewConversation);
            }
            ("transferred", Some(stay)) if stay.skill == number(event, "skill_id") => {
                stay.lose_agent(event, Some(WaitKind::Transfer));
            }
            ("transferred", Some(_)) => {
                let reason = if event["reason"] == "agent" { "agent_transfer" } else { "skill_transfer" };
                self.enter(event, reason, WaitKind::Transfer);
            }
            ("returned_to_queue", Some(stay)) => stay.lose_agent(event, None),
            ("agent_assigned", Some(stay)) => stay.agent = Some(event.clone()),
            ("message", Some(stay)) => stay.hear(event),
            ("conversation_closed", Some(_)) => self.stay = None,
            (what, _) => panic!("the model has no conversation with {what} at this place"),
        }
    }

    fn enter(&mut self, event: &Value, reason: &'static str, kind: WaitKind) {
        let start = number(event, "time");
        self.stay = Some(Stay {
            index: self.segments,
            skill: number(event, "skill_id"),
            start,
            reason,
            waits_since: start,
            kind,
            agent: None,
            first_agent_message: None,
            agent_messages: 0,
            consumer_messages: 0,
            last_message: None,
        });
        self.segments += 1;
    }
}

#[derive(Clone, Copy, PartialEq)]
enum WaitKind {
    NewConversation,
    Transfer,
}

/// A conversation in the skill in which it is.
struct Stay {
    index: i64,
    skill: i64,
    start: i64,
    reason: &'static str,
    /// When its last wait began.
    waits_since: i64,
    kind: WaitKind,
    /// The event that assigned the agent who has it; it waits without one.
    agent: Option<Value>,
    first_agent_message: Option<i64>,
    agent_messages: u64,
    consumer_messages: u64,
    /// The last message that counts.
    last_message: Option<(i64, &'static str)>,
}

impl Stay {
    /// The agent is taken from it, and it waits again: for the reason it waited for before, unless there is another.
    fn lose_agent(&mut self, event: &Value, kind: Option<WaitKind>) {
        if self.agent.take().is_some() {
            self.waits_since = number(event, "time");
            self.kind = kind.unwrap_or(self.kind);
        }
    }

    fn hear(&mut self, event: &Value) {
        let time = number(event, "time");
        let is_by_the_agent = || {
            self.agent.as_ref().is_some_and(|agent| [&Value::Null, &agent["agent_id"]].contains(&&event["agent_id"]))
        };
        if event["sender"] == "consumer" {
            self.consumer_messages += 1;
            self.last_message = Some((time, "consumer"));
        } else if event["sender"] == "agent" && is_by_the_agent() {
            self.agent_messages += 1;
            self.first_agent_message.get_or_insert(time);
            self.last_message = Some((time, "agent"));
        }
    }

    fn row(&self, name: &str, conversation: &Conversation) -> Value {
        let agent = |field: &str| self.agent.as_ref().map(|agent| agent[field].clone());
        json!({
            "conversation_id": name, "segment_index": self.index, "skill_id": self.skill, "start_time": self.start,
            "start_reason": self.reason,
            "waiting_since": if self.agent.is_none() { Some(self.waits_since) } else { None },
            "agent_id": agent("agent_id"), "user_type": agent("user_type"), "assigned_time": agent("time"),
            "first_agent_message_time": self.first_agent_message, "agent_messages": self.agent_messages,
            "consumer_messages": self.consumer_messages,
            "last_message_time": self.last_message.map(|(time, _)| time),
            "last_message_by": self.last_message.map(|(_, by)| by),
            "is_resumed": conversation.is_resumed, "source": conversation.source,
        })
    }

    fn is_with(&self, user_type: &str) -> bool {
        self.agent.as_ref().is_some_and(|agent| agent["user_type"] == user_type)
    }
}

fn now_metrics(stays: &[&Stay], instant: i64) -> Value {
    let count = |wanted: &dyn Fn(&Stay) -> bool| stays.iter().filter(|stay| wanted(stay)).count();
    let waits = waits(stays, instant, |_| true);
    let consumer_spoke_last = |stay: &Stay| stay.last_message.is_some_and(|(_, by)| by == "consumer");
    json!({
        "openConversations": stays.len(),
        "waitingConversations": waits.len(),
        "assignedToHuman": count(&|stay| stay.is_with("human")),
        "assignedToBot": count(&|stay| stay.is_with("bot")),
        "waitingForFirstAgentMessage": count(&|stay| stay.agent.is_some() && stay.first_agent_message.is_none()),
        "waitingForAgentReply": count(&|stay| stay.agent.is_some() && consumer_spoke_last(stay)),
        "avgWaitTime": average(&waits).unwrap_or(0),
        "maxWaitTime": waits.last().unwrap_or(&0),
        "waitTime50thPercentile": percentile(&waits, 50).unwrap_or(0),
        "waitTime90thPercentile": percentile(&waits, 90).unwrap_or(0),
    })
}

fn queue_health_metrics(stays: &[&Stay], instant: i64) -> Value {
    let all = waits(stays, instant, |_| true);
    let average_of = |kind| average(&waits(stays, instant, |stay| stay.kind == kind)).unwrap_or(NO_DATA);
    json!({
        "unassignedConversations": all.len(),
        "actionableConversations": NO_DATA,
        "notActionableConversations": NO_DATA,
        "actionableAndManualSla": NO_DATA,
        "actionableAndDuringTransfer": NO_DATA,
        "actionableAndConsumerLastMessage": NO_DATA,
        "notActionableDuringTransfer": NO_DATA,
        "notActionableAndManualSla": NO_DATA,
        "unassignedConversationsAndFirstTimeConsumer": NO_DATA,
        "avgWaitTimeForAgentAssignment_NewConversation": average_of(WaitKind::NewConversation),
        "avgWaitTimeForAgentAssignment_AfterTransfer": average_of(WaitKind::Transfer),
        "maxWaitTimeForAgentAssignment": all.last().unwrap_or(&NO_DATA),
        "waitTimeForAgentAssignment_50thPercentile": percentile(&all, 50).unwrap_or(NO_DATA),
        "waitTimeForAgentAssignment_90thPercentile": percentile(&all, 90).unwrap_or(NO_DATA),
    })
}

/// How long conversations have waited that wait, in order.
fn waits(stays: &[&Stay], instant: i64, wanted: impl Fn(&Stay) -> bool) -> Vec<i64> {
    let waiting = stays.iter().filter(|stay| stay.agent.is_none() && wanted(stay));
    let mut waits: Vec<i64> = waiting.map(|stay| (instant - stay.waits_since).max(0)).collect();
    waits.sort_unstable();
    waits
}

/// To the nearest millisecond, a half up.
fn average(waits: &[i64]) -> Option<i64> {
    let count = i64::try_from(waits.len()).unwrap();
    (count > 0).then(|| (2 * waits.iter().sum::<i64>() + count) / (2 * count))
}

/// Between the two waits that are next to the place of the percentile, in hundredths until it is rounded.
fn percentile(waits: &[i64], percent: usize) -> Option<i64> {
    let place = percent * waits.len().checked_sub(1)?;
    let (below, beyond) = (waits[place / 100], i64::try_from(place % 100).unwrap());
    let above = waits.get(place / 100 + 1).unwrap_or(&below);
    Some((100 * below + (above - below) * beyond + 50) / 100)
}

fn number(event: &Value, field: &str) -> i64 {
    event[field].as_i64().unwrap()
}

#[test]
fn percentiles_lie_between_two_waits_and_are_rounded_half_up() {
    assert_eq!(percentile(&[], 50), None);
    assert_eq!(percentile(&[7], 90), Some(7));
    assert_eq!(percentile(&[1, 2], 50), Some(2));
    assert_eq!(percentile(&[10, 20, 31], 90), Some(29));
    assert_eq!(average(&[1, 2]), Some(2));
    assert_eq!(average(&[1, 1, 2]), Some(1));
}

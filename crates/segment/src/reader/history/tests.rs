//! Exports of message history, read.

use ::bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::read_history;
use crate::reader::{Input, ReadOptions, ToldRecord};
use crate::testing::segments_of;
use crate::{AccountId, EndReason, Error, Outcome, Segment, StartReason, UserType};

/// Noon, so that times in a record can be seconds after it.
const NOON: i64 = 1_516_276_800_000;

/// A second of a conversation in milliseconds since the epoch.
fn at(second: i64) -> i64 {
    NOON + second * 1000
}

/// What the reader made of an input.
#[derive(Debug, Default)]
struct Taken {
    segments: Vec<Segment<'static>>,
    /// Of each segment the number of its record.
    numbers: Vec<u64>,
    rejected: Vec<(u64, String)>,
    told: Vec<ToldRecord>,
}

fn read_for(account: Option<&str>, input: impl Into<Bytes>) -> crate::Result<Taken> {
    let account = account.map(|account| AccountId::parse(account).unwrap());
    let options = ReadOptions { account, chunk_rows: 3, keeps_records: true, ..Default::default() };
    let mut taken = Taken::default();
    read_history::<Error>(Input::Bytes(input.into()), &options, |chunk| {
        assert_eq!(chunk.batch.num_rows(), chunk.lines.len());
        taken.segments.extend(segments_of(&chunk.batch));
        taken.numbers.extend(chunk.lines);
        taken.told.extend(chunk.told);
        taken.rejected.extend(chunk.rejected.first.into_iter().map(|r| (r.line, r.error.to_string())));
        Ok(())
    })?;
    Ok(taken)
}

fn read(input: impl Into<Bytes>) -> Taken {
    read_for(None, input).unwrap()
}

fn page(records: impl IntoIterator<Item = Record>) -> String {
    let records: Vec<Value> = records.into_iter().map(|record| record.0).collect();
    json!({ "conversationHistoryRecords": records }).to_string()
}

/// A dialog, named after its type and start; open where it has no end.
fn dialog(kind: &str, start: i64, end: Option<i64>, by: &str) -> Value {
    json!({
        "dialogId": format!("{kind}-{start}"),
        "dialogType": kind,
        "startTimeL": at(start),
        "endTimeL": end.map_or(-1, at),
        "closeReason": end.map(|_| by),
        "skillId": 12,
    })
}

/// Replaces a part of a value, or removes it.
fn change(value: &mut Value, pointer: &str, to: Option<Value>) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match (value.pointer_mut(parent).unwrap(), to) {
        (Value::Object(fields), Some(to)) => drop(fields.insert(key.to_owned(), to)),
        (Value::Object(fields), None) => drop(fields.remove(key)),
        (Value::Array(list), Some(to)) => list[key.parse::<usize>().unwrap()] = to,
        (Value::Array(list), None) => drop(list.remove(key.parse::<usize>().unwrap())),
        (other, _) => panic!("{other} has no parts"),
    }
}

/// Where the parts of a value are, and theirs.
fn pointers(value: &Value, path: &str) -> Vec<String> {
    let parts: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(key, part)| (format!("{path}/{key}"), part)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(place, part)| (format!("{path}/{place}"), part)).collect(),
        _ => Vec::new(),
    };
    let with_theirs = parts.into_iter().flat_map(|(pointer, part)| {
        let theirs = pointers(part, &pointer);
        std::iter::once(pointer).chain(theirs)
    });
    with_theirs.collect()
}

/// A record of the export: conversation `c-1` of account `acme`, begun in skill 12 at second 0.
#[derive(Debug, Clone)]
struct Record(Value);

impl Record {
    fn closed(by: &str, end: i64) -> Self {
        Self::of("CLOSE", Some(end), by)
    }

    fn open() -> Self {
        Self::of("OPEN", None, "")
    }

    fn of(status: &str, end: Option<i64>, by: &str) -> Self {
        Self(json!({
            "info": {
                "conversationId": "c-1",
                "brandId": "acme",
                "startTimeL": at(0),
                "endTimeL": end.map_or(-1, at),
                "closeReason": end.map(|_| by),
                "status": status,
                "latestSkillId": 12,
                "source": "WEB",
            },
            "messageRecords": [],
            "agentParticipants": [],
            "transfers": [],
            "dialogs": [dialog("MAIN", 0, end, by)],
        }))
    }

    fn with(self, pointer: &str, value: impl Into<Value>) -> Self {
        self.changed(pointer, Some(value.into()))
    }

    fn without(self, pointer: &str) -> Self {
        self.changed(pointer, None)
    }

    fn changed(mut self, pointer: &str, to: Option<Value>) -> Self {
        change(&mut self.0, pointer, to);
        self
    }

    fn named(self, conversation: &str) -> Self {
        self.with("/info/conversationId", conversation)
    }

    /// When and by whom the conversation as a whole was closed.
    fn ended(self, by: &str, second: i64) -> Self {
        self.with("/info/endTimeL", at(second)).with("/info/closeReason", by)
    }

    fn push(mut self, list: &str, part: Value) -> Self {
        self.0[list].as_array_mut().unwrap().push(part);
        self
    }

    fn dialog(self, kind: &str, start: i64, end: Option<i64>, by: &str) -> Self {
        self.push("dialogs", dialog(kind, start, end, by))
    }

    fn participant(self, agent: &str, kind: &str, permission: &str, second: i64) -> Self {
        let part = json!({ "agentId": agent, "userTypeName": kind, "permission": permission, "timeL": at(second) });
        self.push("agentParticipants", part)
    }

    fn human(self, agent: &str, second: i64) -> Self {
        self.participant(agent, "Human", "ASSIGNED_AGENT", second)
    }

    fn bot(self, agent: &str, second: i64) -> Self {
        self.participant(agent, "Bot", "ASSIGNED_AGENT", second)
    }

    fn says_in(self, dialog: &str, sender: &str, participant: &str, second: i64) -> Self {
        let seq = self.0["messageRecords"].as_array().unwrap().len();
        let part = json!({
            "timeL": at(second), "sentBy": sender, "participantId": participant, "seq": seq, "dialogId": dialog,
        });
        self.push("messageRecords", part)
    }

    fn agent_says(self, agent: &str, second: i64) -> Self {
        self.says_in("MAIN-0", "Agent", agent, second)
    }

    fn consumer_says(self, second: i64) -> Self {
        self.says_in("MAIN-0", "Consumer", "consumer-1", second)
    }

    fn transferred(self, reason: &str, (from, to): (i64, i64), agent: &str, second: i64) -> Self {
        let part = json!({
            "timeL": at(second),
            "sourceSkillId": from,
            "targetSkillId": to,
            "assignedAgentId": agent,
            "reason": reason,
        });
        self.push("transfers", part).with("/info/latestSkillId", to)
    }

    fn moved(self, from: i64, to: i64, second: i64) -> Self {
        self.transferred("Skill", (from, to), "null", second)
    }

    fn taken(self) -> Taken {
        read(page([self]))
    }

    /// The segments of a record that must be taken.
    fn segments(self) -> Vec<Segment<'static>> {
        let taken = self.taken();
        assert_eq!(taken.rejected, []);
        taken.segments
    }

    /// The segment of a record that must have exactly one.
    fn segment(self) -> Segment<'static> {
        let mut segments = self.segments();
        assert_eq!(segments.len(), 1, "{segments:?}");
        segments.remove(0)
    }

    /// Why a record was rejected, which must be rejected whole.
    fn rejection(self) -> String {
        let mut taken = self.taken();
        assert_eq!(taken.segments, []);
        assert_eq!(taken.rejected.len(), 1, "{:?}", taken.rejected);
        let (number, reason) = taken.rejected.remove(0);
        assert_eq!(number, 1);
        reason
    }
}

/// The ways in which an export says that there is no agent.
fn nobody() -> [Option<Value>; 3] {
    [Some(json!("null")), Some(Value::Null), None]
}

/// What a part of a record is replaced with; `None` removes it.
fn damages() -> Vec<Option<Value>> {
    vec![None, Some(Value::Null), Some(json!(-1)), Some(json!("null")), Some(json!("text"))]
}

/// A conversation in which everything that an export tells of happens; it has four segments.
fn eventful() -> Record {
    Record::closed("AGENT", 60)
        .bot("bo", 1)
        .human("ann", 5)
        .participant("mia", "Human", "READER", 6)
        .consumer_says(7)
        .agent_says("ann", 8)
        .transferred("back2Q", (12, 12), "null", 10)
        .human("bob", 12)
        .transferred("TakeOver", (12, 12), "mia", 15)
        .agent_says("mia", 16)
        .transferred("Agent", (12, 13), "cleo", 20)
        .human("cleo", 20)
        .agent_says("cleo", 21)
        .consumer_says(22)
        .moved(13, 14, 30)
        .dialog("POST_SURVEY", 60, Some(70), "CONSUMER")
        .says_in("POST_SURVEY-60", "Consumer", "consumer-1", 65)
        .dialog("MAIN", 100, Some(160), "CONSUMER")
        .human("dan", 105)
        .says_in("MAIN-100", "Agent", "dan", 110)
        .says_in("MAIN-100", "Consumer", "consumer-1", 111)
        .with("/info/latestSkillId", 12)
        .ended("CONSUMER", 160)
}

#[test]
fn a_conversation_in_one_skill_is_one_segment() {
    let record = Record::closed("AGENT", 60).consumer_says(1).human("ann", 5).agent_says("ann", 8);
    let segment = record.consumer_says(10).agent_says("ann", 20).segment();
    let expected = Segment {
        account_id: "acme".into(),
        conversation_id: "c-1".into(),
        segment_index: 0,
        skill_id: 12,
        start_time: at(0),
        end_time: at(60),
        start_reason: StartReason::NewConversation,
        end_reason: EndReason::ClosedByAgent,
        user_type: UserType::Human,
        outcome: Outcome::Interactive,
        abandoned_in_queue: false,
        first_assigned_time: Some(at(5)),
        first_agent_message_time: Some(at(8)),
        time_to_first_agent_message_ms: Some(3_000),
        agent_messages: 2,
        consumer_messages: 2,
        last_agent_id: Some("ann".into()),
        source: Some("WEB".into()),
    };
    assert_eq!(segment, expected);
}

#[test]
fn the_consumer_who_closes_while_nobody_is_assigned_abandoned_in_the_queue() {
    let segment = Record::closed("CONSUMER", 60).consumer_says(1).segment();
    assert_eq!((segment.outcome, segment.abandoned_in_queue), (Outcome::Abandoned, true));
    assert_eq!((segment.user_type, segment.last_agent_id), (UserType::None, None));
}

#[test]
fn a_bot_and_a_human_in_one_segment_are_mixed() {
    let bot = Record::closed("AGENT", 60).bot("bo", 5);
    assert_eq!(bot.clone().segment().user_type, UserType::Bot);
    assert_eq!(bot.human("ann", 10).segment().user_type, UserType::Mixed);
}

#[test]
fn a_transfer_to_another_skill_ends_a_segment_and_starts_the_next() {
    let record = Record::closed("AGENT", 60).human("ann", 5).agent_says("ann", 8).moved(12, 13, 20);
    let segments = record.human("bob", 25).consumer_says(27).agent_says("bob", 28).segments();
    let [first, second] = segments.as_slice() else { panic!("{segments:?}") };
    assert_eq!((first.segment_index, first.skill_id), (0, 12));
    assert_eq!((first.start_time, first.end_time), (at(0), at(20)));
    assert_eq!((first.start_reason, first.end_reason), (StartReason::NewConversation, EndReason::SkillTransfer));
    assert_eq!((first.outcome, first.consumer_messages), (Outcome::NonResponsiveConsumer, 0));
    assert_eq!((second.segment_index, second.skill_id), (1, 13));
    assert_eq!((second.start_time, second.end_time), (at(20), at(60)));
    assert_eq!((second.start_reason, second.end_reason), (StartReason::SkillTransfer, EndReason::ClosedByAgent));
    assert_eq!((second.outcome, second.consumer_messages), (Outcome::NonResponsiveConsumer, 1));
    assert_eq!((second.first_assigned_time, second.time_to_first_agent_message_ms), (Some(at(25)), Some(3_000)));
    assert_eq!(second.source.as_deref(), Some("WEB"));
}

#[test]
fn a_transfer_to_an_agent_of_another_skill_is_told_apart() {
    let record = Record::closed("AGENT", 60).human("ann", 5).transferred("Agent", (12, 13), "bob", 20);
    let segments = record.human("bob", 22).agent_says("bob", 24).segments();
    let [first, second] = segments.as_slice() else { panic!("{segments:?}") };
    assert_eq!((first.end_reason, second.start_reason), (EndReason::AgentTransfer, StartReason::AgentTransfer));
    assert_eq!(first.outcome, Outcome::NonResponsiveAgent);
    assert_eq!((second.first_assigned_time, second.time_to_first_agent_message_ms), (Some(at(22)), Some(2_000)));
}

#[test]
fn the_agent_to_whom_it_was_transferred_may_join_in_the_same_millisecond() {
    let record = Record::closed("AGENT", 60).human("ann", 5).transferred("Agent", (12, 13), "bob", 20);
    let second = record.human("bob", 20).agent_says("bob", 24).segments().remove(1);
    assert_eq!((second.first_assigned_time, second.user_type), (Some(at(20)), UserType::Human));
    assert_eq!((second.agent_messages, second.time_to_first_agent_message_ms), (1, Some(4_000)));
}

#[test]
fn a_transfer_whose_reason_is_not_known_starts_a_segment_with_other() {
    let segments = Record::closed("AGENT", 60).transferred("Rebalanced", (12, 13), "null", 20).segments();
    let [first, second] = segments.as_slice() else { panic!("{segments:?}") };
    assert_eq!((first.end_time, second.start_time), (at(20), at(20)));
    assert_eq!((second.skill_id, second.start_reason), (13, StartReason::Other));
}

#[test]
fn a_transfer_ends_the_agents_assignment() {
    let record = Record::closed("CONSUMER", 60).human("ann", 5).moved(12, 13, 20).agent_says("ann", 25);
    let second = record.segments().remove(1);
    assert_eq!((second.agent_messages, second.user_type), (0, UserType::None));
    assert_eq!((second.outcome, second.abandoned_in_queue), (Outcome::Abandoned, true));
}

#[test]
fn transfers_are_taken_in_the_order_of_their_times() {
    let record = Record::closed("AGENT", 60).moved(13, 12, 30).moved(12, 13, 20);
    let skills: Vec<_> = record.segments().iter().map(|segment| (segment.segment_index, segment.skill_id)).collect();
    assert_eq!(skills, [(0, 12), (1, 13), (2, 12)]);
}

#[test]
fn going_back_to_the_queue_ends_nothing_but_the_assignment() {
    let record = Record::closed("CONSUMER", 60).human("ann", 5).transferred("back2Q", (12, 12), "null", 20);
    let segment = record.clone().agent_says("ann", 30).segment();
    assert_eq!((segment.end_time, segment.agent_messages), (at(60), 0));
    assert_eq!((segment.outcome, segment.abandoned_in_queue), (Outcome::Abandoned, true));
    let segment = record.human("bob", 30).agent_says("bob", 33).segment();
    assert_eq!((segment.first_assigned_time, segment.time_to_first_agent_message_ms), (Some(at(5)), Some(3_000)));
}

#[test]
fn a_transfer_to_the_skill_that_it_is_in_counts_as_back_to_queue() {
    for reason in ["Skill", "Agent", "Rebalanced"] {
        let record = Record::closed("CONSUMER", 60).human("ann", 5).transferred(reason, (12, 12), "null", 20);
        let segment = record.segment();
        assert_eq!((segment.end_time, segment.abandoned_in_queue), (at(60), true), "{reason}");
    }
}

/// A manager joins in the same millisecond, or was there before and is named in the transfer alone.
#[test]
fn a_takeover_ends_nothing_and_the_first_message_after_it_is_no_sample() {
    let taken_over =
        Record::closed("AGENT", 60).human("ann", 5).transferred("TakeOver", (12, 12), "mia", 20).agent_says("mia", 25);
    for record in
        [taken_over.clone().human("mia", 20), taken_over.clone().participant("mia", "Human", "READER", 10), taken_over]
    {
        let segment = record.consumer_says(26).segment();
        assert_eq!((segment.end_time, segment.outcome), (at(60), Outcome::Interactive));
        assert_eq!((segment.agent_messages, segment.first_agent_message_time), (1, Some(at(25))));
        assert_eq!(segment.time_to_first_agent_message_ms, None);
        assert_eq!((segment.user_type, segment.last_agent_id.as_deref()), (UserType::Human, Some("mia")));
    }
}

#[test]
fn a_takeover_ends_the_assignment_of_the_agent_before() {
    let record = Record::closed("AGENT", 60).human("ann", 5).transferred("TakeOver", (12, 12), "mia", 20);
    assert_eq!(record.human("mia", 20).agent_says("ann", 25).segment().agent_messages, 0);
}

#[test]
fn a_message_that_names_nobody_is_the_assigned_agents() {
    for id in nobody() {
        let record = Record::closed("AGENT", 60).human("ann", 5).agent_says("", 8);
        let segment = record.changed("/messageRecords/0/participantId", id.clone()).segment();
        assert_eq!((segment.agent_messages, segment.time_to_first_agent_message_ms), (1, Some(3_000)), "{id:?}");
    }
}

#[test]
fn a_participant_who_is_nobody_is_not_assigned() {
    for id in nobody() {
        let record = Record::closed("CONSUMER", 60).human("", 5).changed("/agentParticipants/0/agentId", id.clone());
        let segment = record.segment();
        assert_eq!((segment.user_type, segment.first_assigned_time), (UserType::None, None), "{id:?}");
        assert!(segment.abandoned_in_queue, "{id:?}");
    }
}

#[test]
fn a_transfer_to_nobody_assigns_nobody() {
    for id in nobody() {
        let record = Record::closed("CONSUMER", 60).human("ann", 5).transferred("Agent", (12, 13), "", 20);
        let second = record.changed("/transfers/0/assignedAgentId", id.clone()).segments().remove(1);
        assert_eq!((second.user_type, second.last_agent_id.as_deref()), (UserType::None, None), "{id:?}");
        assert!(second.abandoned_in_queue, "{id:?}");
    }
}

#[test]
fn skill_minus_one_is_a_skill() {
    let unassigned = Record::closed("AGENT", 60).with("/info/latestSkillId", -1).with("/dialogs/0/skillId", -1);
    assert_eq!(unassigned.clone().segment().skill_id, -1);
    assert_eq!(unassigned.clone().with("/dialogs", json!([])).segment().skill_id, -1);
    let segments = unassigned.moved(-1, 12, 20).moved(12, -1, 30).segments();
    assert_eq!(segments.iter().map(|segment| segment.skill_id).collect::<Vec<_>>(), [-1, 12, -1]);
}

#[test]
fn a_time_of_minus_one_is_as_good_as_none() {
    let whole = Record::closed("AGENT", 60).human("ann", 5).agent_says("ann", 8);
    let expected = whole.clone().segment();
    for pointer in ["/dialogs/0/startTimeL", "/dialogs/0/endTimeL", "/info/startTimeL", "/info/endTimeL"] {
        assert_eq!(whole.clone().with(pointer, -1).segment(), expected, "told elsewhere, {pointer}");
        assert_eq!(whole.clone().without(pointer).segment(), expected, "told elsewhere, {pointer}");
    }
    for pointer in ["/messageRecords/0/timeL", "/agentParticipants/0/timeL"] {
        let reason = whole.clone().with(pointer, -1).rejection();
        assert!(reason.contains("c-1"), "{pointer}: {reason}");
    }
    let reason = whole.moved(12, 13, 20).with("/transfers/0/timeL", -1).rejection();
    assert!(reason.contains("c-1"), "{reason}");
}

#[test]
fn messages_by_readers_do_not_count() {
    let record = Record::closed("AGENT", 60).human("ann", 5).participant("mia", "Human", "READER", 6);
    let segment = record.agent_says("mia", 7).consumer_says(8).segment();
    assert_eq!((segment.agent_messages, segment.outcome), (0, Outcome::NonResponsiveAgent));
    assert_eq!(segment.last_agent_id.as_deref(), Some("ann"));
}

#[test]
fn a_reader_is_not_assigned() {
    let segment = Record::closed("CONSUMER", 60).participant("mia", "Human", "READER", 6).segment();
    assert_eq!((segment.user_type, segment.first_assigned_time), (UserType::None, None));
    assert!(segment.abandoned_in_queue);
}

#[test]
fn system_participants_do_not_count() {
    let record = Record::closed("CONSUMER", 60).participant("sys", "System", "ASSIGNED_AGENT", 5);
    let segment = record.agent_says("sys", 6).segment();
    assert_eq!((segment.user_type, segment.first_assigned_time), (UserType::None, None));
    assert_eq!((segment.agent_messages, segment.abandoned_in_queue), (0, true));
}

#[test]
fn system_messages_do_not_count() {
    let record = Record::closed("AGENT", 60).human("ann", 5).says_in("MAIN-0", "System", "ann", 6);
    let segment = record.consumer_says(7).segment();
    assert_eq!((segment.agent_messages, segment.consumer_messages), (0, 1));
    assert_eq!(segment.outcome, Outcome::NonResponsiveAgent);
}

#[test]
fn a_survey_is_not_part_of_the_segment() {
    let record = Record::closed("AGENT", 60).human("ann", 5).agent_says("ann", 8);
    let record = record.dialog("POST_SURVEY", 60, Some(100), "CONSUMER").ended("CONSUMER", 100);
    let record = record.bot("survey-bot", 61).says_in("POST_SURVEY-60", "Agent", "survey-bot", 62);
    let segment = record.says_in("POST_SURVEY-60", "Consumer", "consumer-1", 70).segment();
    assert_eq!((segment.end_time, segment.end_reason), (at(60), EndReason::ClosedByAgent));
    assert_eq!((segment.agent_messages, segment.consumer_messages), (1, 0));
    assert_eq!((segment.user_type, segment.outcome), (UserType::Human, Outcome::NonResponsiveConsumer));
}

#[test]
fn messages_of_a_survey_do_not_count_whenever_they_came() {
    let record = Record::closed("AGENT", 60).human("ann", 5).agent_says("ann", 8);
    let record = record.dialog("POST_SURVEY", 60, Some(100), "CONSUMER").ended("CONSUMER", 100);
    for second in [50, 60, 70] {
        let record = record.clone().says_in("POST_SURVEY-60", "Consumer", "consumer-1", second);
        assert_eq!(record.segment().consumer_messages, 0, "at {second}");
    }
}

#[test]
fn messages_after_the_close_do_not_count() {
    let record = Record::closed("AGENT", 60).human("ann", 5).agent_says("ann", 8);
    let record = record.dialog("POST_SURVEY", 60, Some(100), "CONSUMER").ended("CONSUMER", 100);
    let segment = record.consumer_says(70).without("/messageRecords/1/dialogId").segment();
    assert_eq!((segment.consumer_messages, segment.outcome), (0, Outcome::NonResponsiveConsumer));
}

#[test]
fn a_further_dialog_is_a_resume() {
    let record = Record::closed("AGENT", 60).human("ann", 5).agent_says("ann", 8).consumer_says(80);
    let record = record.dialog("MAIN", 100, Some(160), "CONSUMER").ended("CONSUMER", 160).human("bob", 105);
    let record = record.says_in("MAIN-100", "Agent", "bob", 110).says_in("MAIN-100", "Consumer", "consumer-1", 112);
    let segments = record.segments();
    let [first, second] = segments.as_slice() else { panic!("{segments:?}") };
    assert_eq!((first.end_time, first.end_reason), (at(60), EndReason::ClosedByAgent));
    assert_eq!((first.outcome, first.consumer_messages), (Outcome::NonResponsiveConsumer, 0));
    assert_eq!(first.time_to_first_agent_message_ms, Some(3_000));
    assert_eq!((second.start_reason, second.segment_index, second.skill_id), (StartReason::Resume, 1, 12));
    assert_eq!((second.start_time, second.end_time), (at(100), at(160)));
    assert_eq!((second.end_reason, second.outcome), (EndReason::ClosedByConsumer, Outcome::Interactive));
    assert_eq!((second.agent_messages, second.consumer_messages), (1, 1));
    assert_eq!((second.first_assigned_time, second.first_agent_message_time), (Some(at(105)), Some(at(110))));
    assert_eq!(second.time_to_first_agent_message_ms, None, "the first message since the resume is no sample");
}

#[test]
fn the_agent_of_before_is_not_assigned_after_a_resume() {
    let record = Record::closed("AGENT", 60).human("ann", 5);
    let record = record.dialog("MAIN", 100, Some(160), "CONSUMER").ended("CONSUMER", 160);
    let second = record.says_in("MAIN-100", "Agent", "ann", 110).segments().remove(1);
    assert_eq!((second.agent_messages, second.user_type), (0, UserType::None));
    assert!(second.abandoned_in_queue);
}

#[test]
fn dialogs_may_stand_in_any_order() {
    let first = dialog("MAIN", 0, Some(60), "AGENT");
    let second = dialog("MAIN", 100, Some(160), "CONSUMER");
    let record = Record::closed("CONSUMER", 160).with("/dialogs", json!([second, first]));
    let ends: Vec<_> = record.segments().iter().map(|segment| (segment.start_time, segment.end_reason)).collect();
    assert_eq!(ends, [(at(0), EndReason::ClosedByAgent), (at(100), EndReason::ClosedByConsumer)]);
}

#[test]
fn an_open_conversation_gives_the_segments_that_have_ended() {
    let record = Record::open().human("ann", 5).agent_says("ann", 8).consumer_says(9);
    assert_eq!(record.clone().segments(), []);
    let segment = record.moved(12, 13, 20).human("bob", 25).segment();
    assert_eq!((segment.skill_id, segment.end_time), (12, at(20)));
    assert_eq!((segment.end_reason, segment.outcome), (EndReason::SkillTransfer, Outcome::Interactive));
}

/// What a record tells of its conversation.
fn told(record: Record) -> crate::ToldConversation {
    let mut taken = record.taken();
    assert_eq!((taken.rejected.len(), taken.told.len()), (0, 1), "{:?}", taken.rejected);
    taken.told.remove(0).told
}

#[test]
fn a_record_tells_its_conversation_up_to_the_last_thing_in_it() {
    let open = told(Record::open().human("ann", 5).moved(12, 13, 20).consumer_says(30));
    assert_eq!((open.account.as_str(), &*open.conversation), ("acme", "c-1"));
    assert_eq!((open.is_open(), open.segment_index(), open.until), (true, 1, at(30)));
    // Whoever watches, and a survey, are told as well.
    let watched = told(Record::open().consumer_says(30).participant("boss", "Human", "READER", 40));
    assert_eq!(watched.until, at(40));
    let surveyed = Record::closed("AGENT", 60).dialog("POST_SURVEY", 60, None, "");
    let closed = told(surveyed.says_in("POST_SURVEY-60", "System", "s", 70));
    assert_eq!((closed.is_open(), closed.segment_index(), closed.until), (false, 1, at(70)));
}

#[test]
fn an_agent_who_may_still_join_has_not_joined_an_open_conversation() {
    let record = Record::open().participant("ann", "Human", "READER", 1).transferred("Agent", (12, 13), "ann", 20);
    let waiting = told(record.clone().consumer_says(30)).state;
    let nobody = Record::open().transferred("Agent", (12, 13), "null", 20).consumer_says(30);
    assert!(waiting.is_like(&told(nobody).state));
    let with_message = told(record.clone().agent_says("ann", 45)).state;
    let with_join = told(record.human("ann", 20).agent_says("ann", 45)).state;
    assert!(with_message.is_like(&with_join), "who writes has the conversation");
}

#[test]
fn a_word_that_nobody_knows_rejects_an_open_conversation_in_which_it_could_come_to_count() {
    let record = Record::open().named("c-77").human("ann", 5);
    assert!(record.clone().says_in("MAIN-0", "Oracle", "x", 8).rejection().contains("Oracle"));
    assert!(record.participant("bob", "Human", "GUEST", 9).rejection().contains("GUEST"));
}

#[test]
fn an_open_segment_keeps_the_rules_as_far_as_it_has_come() {
    let told = Record::open().human(&"a".repeat(2000), 5).named("c-77").rejection();
    assert!(told.contains("c-77") && told.contains("agent"), "{told}");
}

#[test]
fn a_record_that_is_sent_on_tells_the_same() {
    for record in [
        Record::open().human("ann", 5).agent_says("ann", 8).moved(12, 13, 20).human("bob", 25).consumer_says(26),
        Record::closed("AGENT", 60).bot("bot", 3).dialog("POST_SURVEY", 60, Some(70), "SYSTEM"),
        Record::closed("AGENT", 60).without("/agentParticipants").without("/dialogs"),
        Record::open().transferred("Agent", (12, 13), "ann", 20).human("ann", 20),
    ] {
        let taken = record.taken();
        let again = read(taken.told[0].json.clone().unwrap());
        assert_eq!(again.segments, taken.segments);
        let (told, again) = (&taken.told[0].told, &again.told[0].told);
        assert_eq!((again.until, &again.state), (told.until, &told.state));
    }
}

#[test]
fn a_resumed_conversation_that_is_open_gives_what_it_was_before() {
    let record = Record::closed("AGENT", 60).dialog("MAIN", 100, None, "").with("/info/status", "OPEN");
    let record = record.with("/info/endTimeL", -1).with("/info/closeReason", Value::Null).human("ann", 105);
    let segment = record.segment();
    assert_eq!((segment.end_time, segment.end_reason), (at(60), EndReason::ClosedByAgent));
}

#[test]
fn a_closed_dialog_counts_while_its_survey_is_open() {
    let record = Record::closed("CONSUMER", 60).dialog("POST_SURVEY", 60, None, "").with("/info/status", "OPEN");
    let record = record.with("/info/endTimeL", -1).with("/info/closeReason", Value::Null).human("ann", 5);
    let segment = record.segment();
    assert_eq!((segment.end_time, segment.end_reason), (at(60), EndReason::ClosedByConsumer));
    assert_eq!((segment.outcome, segment.abandoned_in_queue), (Outcome::Abandoned, false));
}

#[test]
fn each_close_reason_has_its_end_reason() {
    let cases = [
        ("AGENT", EndReason::ClosedByAgent),
        ("CONSUMER", EndReason::ClosedByConsumer),
        ("SYSTEM", EndReason::ClosedBySystem),
        ("TIMEOUT", EndReason::ClosedBySystem),
    ];
    for (reason, expected) in cases {
        assert_eq!(Record::closed(reason, 60).segment().end_reason, expected, "{reason}");
    }
}

#[test]
fn any_other_close_reason_rejects_the_record() {
    for reason in ["ROBOT", "MANAGER", "AGENTS"] {
        let told = Record::closed(reason, 60).named("c-77").rejection();
        assert!(told.contains("c-77") && told.contains(reason), "{told}");
    }
    let told = Record::closed("", 60).named("c-77").rejection();
    assert!(told.contains("c-77"), "{told}");
}

#[test]
fn a_close_without_a_reason_rejects_the_record() {
    let record = Record::closed("AGENT", 60).named("c-77");
    let told = record.without("/info/closeReason").without("/dialogs/0/closeReason").rejection();
    assert!(told.contains("c-77"), "{told}");
}

#[test]
fn a_close_without_a_time_rejects_the_record() {
    let record = Record::closed("AGENT", 60).named("c-77");
    let told = record.with("/info/endTimeL", -1).with("/dialogs/0/endTimeL", -1).rejection();
    assert!(told.contains("c-77"), "{told}");
}

#[test]
fn messages_of_the_same_millisecond_follow_by_their_numbers() {
    let record = Record::closed("AGENT", 60).human("ann", 5).consumer_says(10).agent_says("ann", 10);
    for (consumer, agent, expected) in [(1, 2, Outcome::NonResponsiveConsumer), (2, 1, Outcome::Interactive)] {
        let record = record.clone().with("/messageRecords/0/seq", consumer).with("/messageRecords/1/seq", agent);
        assert_eq!(record.segment().outcome, expected, "consumer {consumer}, agent {agent}");
    }
}

#[test]
fn messages_are_taken_in_the_order_of_their_times_before_that_of_their_numbers() {
    let segment = Record::closed("AGENT", 60).human("ann", 5).consumer_says(12).agent_says("ann", 10).segment();
    assert_eq!(segment.outcome, Outcome::Interactive);
}

#[test]
fn a_message_in_the_millisecond_of_the_join_counts() {
    let segment = Record::closed("AGENT", 60).agent_says("ann", 5).human("ann", 5).segment();
    assert_eq!((segment.agent_messages, segment.time_to_first_agent_message_ms), (1, Some(0)));
}

#[test]
fn what_happens_in_the_millisecond_of_a_transfer_belongs_to_the_segment_before() {
    let record = Record::closed("AGENT", 60).moved(12, 13, 20).human("ann", 20).agent_says("ann", 20);
    let segments = record.consumer_says(20).segments();
    let [first, second] = segments.as_slice() else { panic!("{segments:?}") };
    assert_eq!((first.agent_messages, first.consumer_messages), (1, 1));
    assert_eq!((first.outcome, first.last_agent_id.as_deref()), (Outcome::Interactive, Some("ann")));
    assert_eq!((second.agent_messages, second.consumer_messages), (0, 0));
    assert_eq!(second.user_type, UserType::None);
}

/// Transfers come after messages, and nothing but the transfer tells of this takeover.
#[test]
fn a_message_in_the_millisecond_of_a_takeover_that_the_transfer_alone_tells_comes_before_it() {
    let record = Record::closed("AGENT", 60).human("ann", 5).transferred("TakeOver", (12, 12), "mia", 20);
    let segment = record.agent_says("ann", 20).agent_says("mia", 25).segment();
    assert_eq!((segment.agent_messages, segment.first_agent_message_time), (2, Some(at(20))));
    assert_eq!(segment.time_to_first_agent_message_ms, Some(15_000));
    assert_eq!(segment.last_agent_id.as_deref(), Some("mia"));
}

#[test]
fn what_happens_in_the_millisecond_of_the_close_comes_before_it() {
    let record = Record::closed("AGENT", 60).human("ann", 5).agent_says("ann", 8).consumer_says(60);
    assert_eq!(record.clone().segment().outcome, Outcome::Interactive);
    let segments = record.moved(12, 13, 60).segments();
    let [first, second] = segments.as_slice() else { panic!("{segments:?}") };
    assert_eq!((first.end_reason, first.consumer_messages), (EndReason::SkillTransfer, 1));
    assert_eq!((second.start_time, second.end_time, second.skill_id), (at(60), at(60), 13));
}

#[test]
fn without_dialogs_the_conversation_itself_tells_its_start_and_end() {
    let whole = Record::closed("TIMEOUT", 60).human("ann", 5).agent_says("ann", 8).consumer_says(9);
    let expected = whole.clone().segment();
    for dialogs in [None, Some(Value::Null), Some(json!([]))] {
        assert_eq!(whole.clone().changed("/dialogs", dialogs.clone()).segment(), expected, "{dialogs:?}");
    }
}

#[test]
fn a_list_that_is_missing_is_empty() {
    let expected = Record::closed("CONSUMER", 60).segment();
    for list in ["/transfers", "/agentParticipants"] {
        assert_eq!(Record::closed("CONSUMER", 60).without(list).segment(), expected, "{list}");
        assert_eq!(Record::closed("CONSUMER", 60).with(list, Value::Null).segment(), expected, "{list}");
    }
}

#[test]
fn unknown_fields_are_ignored() {
    let whole = Record::closed("AGENT", 60).human("ann", 5).agent_says("ann", 8).moved(12, 13, 20);
    let expected = whole.clone().segments();
    for parent in ["", "/info", "/messageRecords/0", "/agentParticipants/0", "/transfers/0", "/dialogs/0"] {
        let record = whole.clone().with(&format!("{parent}/mcs"), json!({ "score": [1, "two", null] }));
        assert_eq!(record.segments(), expected, "{parent}");
    }
}

#[test]
fn what_never_counts_may_lack_anything() {
    let whole = Record::closed("AGENT", 60).human("ann", 5).participant("mia", "Human", "READER", 6);
    let whole = whole.says_in("MAIN-0", "System", "sys", 7);
    let expected = whole.clone().segment();
    for pointer in ["/agentParticipants/1/timeL", "/agentParticipants/1/agentId", "/messageRecords/0/timeL"] {
        assert_eq!(whole.clone().without(pointer).segment(), expected, "{pointer}");
    }
}

#[test]
fn a_conversation_without_a_source_has_none() {
    assert_eq!(Record::closed("AGENT", 60).without("/info/source").segment().source, None);
}

#[test]
fn a_dialog_that_names_no_skill_was_in_the_one_that_the_rest_tells() {
    let record = Record::closed("AGENT", 60).without("/dialogs/0/skillId").with("/info/latestSkillId", 14);
    assert_eq!(record.clone().segment().skill_id, 14);
    let segments = record.moved(12, 14, 20).segments();
    let skills: Vec<_> = segments.iter().map(|segment| segment.skill_id).collect();
    assert_eq!(skills, [12, 14], "where the first transfer came from");
}

#[test]
fn a_conversation_whose_skill_is_not_told_is_rejected() {
    let record = Record::closed("AGENT", 60).named("c-77");
    let told = record.without("/dialogs/0/skillId").without("/info/latestSkillId").rejection();
    assert!(told.contains("c-77"), "{told}");
}

#[test]
fn a_record_that_names_no_conversation_costs_itself_alone() {
    let nameless = Record::closed("AGENT", 60);
    for bad in [
        nameless.clone().without("/info/conversationId"),
        nameless.clone().with("/info/conversationId", Value::Null),
        nameless.clone().with("/info/conversationId", ""),
        nameless.without("/info"),
        Record(json!([1, 2])),
        Record(Value::Null),
    ] {
        let taken = read(page([Record::closed("AGENT", 60), bad.clone(), Record::closed("AGENT", 60).named("c-3")]));
        assert_eq!(taken.numbers, [1, 3], "{bad:?}");
        assert_eq!(taken.rejected.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [2], "{bad:?}");
        assert_eq!(taken.segments[1].conversation_id, "c-3");
    }
}

#[test]
fn an_assigned_agent_without_a_time_costs_the_record_alone() {
    let bad = Record::closed("AGENT", 60).named("c-77").human("ann", 5).without("/agentParticipants/0/timeL");
    let taken = read(page([bad, Record::closed("AGENT", 60)]));
    assert_eq!(taken.numbers, [2]);
    let [(1, told)] = taken.rejected.as_slice() else { panic!("{:?}", taken.rejected) };
    assert!(told.contains("c-77"), "{told}");
}

#[test]
fn a_value_of_the_wrong_type_is_told_with_the_conversation() {
    let record = Record::closed("AGENT", 60).named("c-77").human("ann", 5);
    let told = record.with("/agentParticipants/0/timeL", "noon").rejection();
    assert!(told.contains("c-77"), "{told}");
}

#[test]
fn a_record_is_taken_whole_or_rejected_whole() {
    assert_eq!(eventful().segments().len(), 4);
    let told = eventful().with("/dialogs/2/closeReason", "ROBOT").rejection();
    assert!(told.contains("c-1"), "{told}");
}

#[test]
fn a_time_that_no_segment_can_have_rejects_the_record() {
    let record = Record::closed("AGENT", 60).named("c-77").with("/info/endTimeL", i64::MAX);
    let told = record.with("/dialogs/0/endTimeL", i64::MAX).rejection();
    assert!(told.contains("c-77"), "{told}");
}

#[test]
fn the_account_is_the_brand_of_the_record() {
    assert_eq!(Record::closed("AGENT", 60).with("/info/brandId", "le12345").segment().account_id, "le12345");
}

#[test]
fn a_record_that_names_no_brand_is_of_the_account_that_was_asked_for() {
    for brand in [None, Some(Value::Null)] {
        let nameless = Record::closed("AGENT", 60).changed("/info/brandId", brand);
        let taken = read_for(Some("beta"), page([nameless.clone()])).unwrap();
        assert_eq!(taken.rejected, []);
        assert_eq!(taken.segments[0].account_id, "beta");
        let told = nameless.rejection();
        assert!(told.contains("c-1"), "there is none: {told}");
    }
}

#[test]
fn a_record_of_another_account_than_the_one_asked_for_is_rejected() {
    let other = Record::closed("AGENT", 60).named("c-77");
    let own = Record::closed("AGENT", 60).with("/info/brandId", "beta");
    let taken = read_for(Some("beta"), page([other, own])).unwrap();
    assert_eq!(taken.numbers, [2]);
    let [(1, told)] = taken.rejected.as_slice() else { panic!("{:?}", taken.rejected) };
    for part in ["c-77", "acme", "beta"] {
        assert!(told.contains(part), "{told}");
    }
}

fn conversations(taken: &Taken) -> Vec<&str> {
    taken.segments.iter().map(|segment| segment.conversation_id.as_ref()).collect()
}

#[test]
fn pages_may_follow_one_another_or_stand_in_an_array() {
    let record = |id: &str| Record::closed("AGENT", 60).named(id);
    let first = page([record("c-1"), record("c-2")]);
    let (empty, last) = (page([]), page([record("c-3")]));
    for input in [
        format!("{first}{empty}{last}"),
        format!("{first}\n{empty}\r\n{last}\n"),
        format!("[{first},{empty},{last}]"),
        format!("[{first}]\n[{empty},{last}]"),
        format!("{first} [{empty}] {last}"),
    ] {
        let taken = read(input.clone());
        assert_eq!(taken.rejected, [], "{input}");
        assert_eq!(conversations(&taken), ["c-1", "c-2", "c-3"], "{input}");
        assert_eq!(taken.numbers, [1, 2, 3], "{input}");
    }
}

#[test]
fn an_empty_page_gives_nothing() {
    for input in [page([]), "[]".to_owned(), format!("[{}]", page([]))] {
        let taken = read(input);
        assert_eq!((taken.segments, taken.rejected), (vec![], vec![]));
    }
}

#[test]
fn whatever_else_a_page_has_is_passed_over() {
    let list = json!([Record::closed("AGENT", 60).0]);
    for input in [
        format!(r#"{{"_metadata":{{"count":1}},"conversationHistoryRecords":{list}}}"#),
        format!(r#"{{"conversationHistoryRecords":{list},"_metadata":{{"count":1}}}}"#),
    ] {
        assert_eq!(read(input).segments.len(), 1);
    }
}

#[test]
fn a_page_without_records_is_none() {
    assert!(read_for(None, r#"{"_metadata":{"count":0}}"#).is_err());
    assert!(read_for(None, "{}").is_err());
    let taken = read(format!("{}{{}}", page([Record::closed("AGENT", 60)])));
    assert_eq!(taken.numbers, [1], "what came before it is kept");
    assert_eq!(taken.rejected.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [2]);
}

#[test]
fn an_input_that_is_cut_off_keeps_what_came_before() {
    let one = page([Record::closed("AGENT", 60)]);
    let two = page([Record::closed("AGENT", 60), Record::closed("AGENT", 60).named("c-2")]);
    for input in [&one[..one.len() - 1], &one[..one.len() - 2], &two[..two.len() - 10]] {
        let taken = read(input.to_owned());
        assert_eq!(conversations(&taken), ["c-1"], "{input}");
        let [(2, told)] = taken.rejected.as_slice() else { panic!("{:?}", taken.rejected) };
        assert!(told.contains("breaks off"), "{told}");
    }
}

#[test]
fn an_input_that_is_something_else_is_an_error() {
    for input in ["no JSON at all", "7", "null", "\"text\"", "[7]", r#"{"conversationHistoryRecords":7}"#, "{", "PAR1"]
    {
        assert!(read_for(None, input).is_err(), "{input} was taken");
    }
}

#[test]
fn an_empty_input_gives_nothing() {
    for input in ["", " \r\n\t"] {
        let taken = read(input);
        assert_eq!((taken.segments, taken.rejected), (vec![], vec![]));
    }
}

#[test]
fn records_are_numbered_through_all_pages() {
    let good = Record::closed("AGENT", 60);
    let bad = Record::closed("ROBOT", 60);
    let taken = read(page([good.clone(), bad.clone()]) + &page([]) + &page([bad.clone(), good, bad]));
    assert_eq!(taken.numbers, [1, 4]);
    assert_eq!(taken.rejected.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [2, 3, 5]);
}

#[test]
fn every_segment_of_a_record_has_its_number() {
    let first = Record::closed("AGENT", 60);
    let second = first.clone().named("c-2").moved(12, 13, 20);
    assert_eq!(read(page([first, second])).numbers, [1, 2, 2]);
}

#[test]
fn a_sink_that_wants_no_more_ends_the_reading() {
    let options = ReadOptions { account: None, chunk_rows: 1, ..Default::default() };
    let mut chunks = 0;
    let input = page([Record::closed("AGENT", 60), Record::closed("AGENT", 60).named("c-2")]);
    let error = read_history::<Error>(Input::Bytes(input.into()), &options, |_| {
        chunks += 1;
        Err(Error::Record { reason: "enough".to_owned() })
    });
    assert!(error.unwrap_err().to_string().contains("enough"));
    assert_eq!(chunks, 1);
}

proptest! {
    #[test]
    fn no_bytes_from_anywhere_make_it_panic(bytes in vec(any::<u8>(), 0..300)) {
        let _ = read_for(None, bytes.clone());
        let mut in_page = br#"{"conversationHistoryRecords":["#.to_vec();
        in_page.extend(bytes);
        let _ = read_for(None, in_page);
    }

    #[test]
    fn a_damaged_record_is_rejected_or_gives_valid_segments(
        damages in vec((any::<Index>(), select(damages())), 1..4),
    ) {
        let mut record = eventful();
        for (place, to) in damages {
            let pointers = pointers(&record.0, "");
            record = record.changed(&pointers[place.index(pointers.len())], to);
        }
        let taken = read(page([record, Record::closed("AGENT", 60).named("c-2")]));
        for segment in &taken.segments {
            prop_assert!(segment.validate().is_ok(), "{:?}", segment.validate());
        }
        prop_assert_eq!(taken.numbers.last(), Some(&2), "the next record counts");
        prop_assert!(taken.rejected.is_empty() || (taken.rejected.len() == 1 && taken.numbers == [2]), "{:?}", taken);
    }
}

#[test]
fn a_list_that_no_conversation_has_rejects_the_record() {
    let mut record = Record::closed("AGENT", 60).named("long");
    for _ in 0..5000 {
        record = record.transferred("Skill", (12, 13), "null", 20);
    }
    let rejection = record.rejection();
    assert!(rejection.contains("\"long\"") && rejection.contains("4096"), "{rejection}");
}

#[test]
fn a_manager_who_joins_shortly_after_taking_over_has_still_taken_over() {
    let record = Record::closed("AGENT", 60).human("ann", 5).transferred("TakeOver", (12, 12), "mia", 20);
    let segment = record.clone().human("mia", 21).agent_says("mia", 25).segment();
    assert_eq!((segment.agent_messages, segment.time_to_first_agent_message_ms), (1, None));
    let back_again = record.human("ann", 22).human("mia", 24).agent_says("mia", 25).segment();
    assert_eq!(back_again.time_to_first_agent_message_ms, Some(1000), "assigned anew after somebody else");
}

#[test]
fn who_joins_for_the_survey_is_no_agent_of_the_segment() {
    let record = Record::closed("AGENT", 60).human("ann", 5).dialog("POST_SURVEY", 60, Some(90), "CONSUMER");
    assert_eq!(record.bot("survey-bot", 60).segment().user_type, UserType::Human);
}

#[test]
fn messages_by_agents_without_any_agent_told_reject_the_record() {
    let record = Record::closed("AGENT", 60).agent_says("ann", 20).without("/agentParticipants");
    assert!(record.rejection().contains("agentParticipants is missing"));
    let by_consumer = Record::closed("AGENT", 60).consumer_says(20).without("/agentParticipants");
    assert_eq!(by_consumer.segment().outcome, Outcome::NonResponsiveAgent);
}

#[test]
fn a_record_whose_messages_were_not_exported_is_rejected() {
    let whole = Record::closed("CONSUMER", 60).human("ann", 5).named("c-77");
    for messages in [None, Some(Value::Null)] {
        let told = whole.clone().changed("/messageRecords", messages).rejection();
        assert!(told.contains("c-77") && told.contains("messageRecords is missing"), "{told}");
    }
    for partial in [json!(true), json!(1)] {
        let told = whole.clone().consumer_says(1).with("/info/isPartial", partial).rejection();
        assert!(told.contains("c-77") && told.contains("isPartial"), "{told}");
    }
    for whole_told in [json!(false), Value::Null] {
        assert_eq!(whole.clone().with("/info/isPartial", whole_told).segment().outcome, Outcome::Abandoned);
    }
}

#[test]
fn a_record_whose_agents_were_not_exported_is_rejected_where_there_was_one() {
    let without = Record::closed("CONSUMER", 60).consumer_says(1).without("/agentParticipants");
    for (pointer, value) in
        [("/info/latestAgentId", json!("ann")), ("/interactions", json!([{ "assignedAgentId": "ann" }]))]
    {
        assert!(without.clone().with(pointer, value).rejection().contains("agentParticipants is missing"), "{pointer}");
    }
    for nobody in [json!("null"), json!("-1"), Value::Null] {
        let segment = without.clone().with("/info/latestAgentId", nobody).segment();
        assert!(segment.abandoned_in_queue);
    }
}

#[test]
fn a_permission_is_known_in_both_forms_and_any_case() {
    let by = |permission: &str| {
        Record::closed("AGENT", 60).participant("ann", "Human", permission, 5).agent_says("ann", 8).consumer_says(9)
    };
    for assigned in ["ASSIGNED_AGENT", "assigned_agent", "Assigned", "assigned", "ASSIGNED"] {
        assert_eq!(by(assigned).segment().outcome, Outcome::Interactive, "{assigned}");
    }
    for watching in ["READER", "reader", "Manager", "MANAGER", "controller", "AGENT_MANAGER"] {
        let segment = by(watching).segment();
        assert_eq!((segment.user_type, segment.agent_messages), (UserType::None, 0), "{watching}");
    }
}

#[test]
fn a_permission_that_nobody_knows_rejects_the_record_where_it_could_change_a_number() {
    let record = Record::closed("AGENT", 60).named("c-77").human("ann", 5).agent_says("ann", 8);
    let told = record.clone().participant("mia", "Human", "overlord", 20).rejection();
    assert!(told.contains("c-77") && told.contains("permission") && told.contains("overlord"), "{told}");
    let expected = record.clone().segments();
    // After the close, and of the system.
    assert_eq!(record.clone().participant("mia", "Human", "overlord", 90).segments(), expected);
    assert_eq!(record.clone().participant("sys", "System", "overlord", 20).segments(), expected);
    // One of two that matters only with the other.
    let two = record.participant("mia", "Human", "overlord", 20).participant("mia", "Human", "overlord", 21);
    assert!(two.rejection().contains("overlord"));
}

#[test]
fn a_sender_who_is_not_known_rejects_the_record_where_it_could_change_a_number() {
    let record = Record::closed("AGENT", 60).human("ann", 5).agent_says("ann", 8);
    let told = record.clone().says_in("MAIN-0", "Visitor", "v-1", 20).rejection();
    assert!(told.contains("sentBy") && told.contains("Visitor"), "{told}");
    let expected = record.clone().segments();
    for known in ["System", "Controller"] {
        assert_eq!(record.clone().says_in("MAIN-0", known, "v-1", 20).segments(), expected);
    }
    assert_eq!(record.clone().says_in("MAIN-0", "Visitor", "v-1", 90).segments(), expected, "after the close");
    let surveyed = record.dialog("POST_SURVEY", 60, Some(70), "CONSUMER");
    assert_eq!(surveyed.says_in("POST_SURVEY-60", "Visitor", "v-1", 65).segments(), expected);
}

#[test]
fn a_suggested_agent_who_does_not_take_it_leaves_it_in_the_queue() {
    let record = Record::closed("CONSUMER", 60).consumer_says(1);
    let expected = record.clone().segment();
    for to in [-1, -4] {
        let suggested = record.clone().transferred("SuggestedAgentTimeout", (12, to), "null", 20);
        assert_eq!(suggested.with("/info/latestSkillId", 12).segment(), expected);
    }
    let without = record.clone().transferred("SUGGESTED_AGENT_TIMEOUT", (12, -1), "null", 20);
    assert_eq!(without.without("/transfers/0/targetSkillId").with("/info/latestSkillId", 12).segment(), expected);
    // To a skill it is a transfer whose reason is not known.
    let segments = record.transferred("SuggestedAgentTimeout", (12, 13), "null", 20).segments();
    assert_eq!((segments[1].skill_id, segments[1].start_reason), (13, StartReason::Other));
}

#[test]
fn numbers_may_be_text_and_identifiers_numbers() {
    let whole = eventful();
    let expected = whole.clone().segments();
    let mut text = whole.0.clone();
    for pointer in pointers(&whole.0, "") {
        if let Some(number) = whole.0.pointer(&pointer).and_then(Value::as_i64) {
            change(&mut text, &pointer, Some(json!(number.to_string())));
        }
    }
    assert_eq!(Record(text).segments(), expected);
    let floats = whole.with("/dialogs/0/skillId", 12.0).with("/info/startTimeL", at(0) as f64);
    assert_eq!(floats.clone().segments(), expected);
    assert!(floats.clone().with("/dialogs/0/skillId", 12.5).rejection().contains("12.5"));
    assert!(floats.with("/dialogs/0/skillId", "twelve").rejection().contains("twelve"));
    let record = Record::closed("AGENT", 60).with("/info/brandId", 12345).with("/info/conversationId", 77);
    let segment = record.segment();
    assert_eq!((segment.account_id.as_ref(), segment.conversation_id.as_ref()), ("12345", "77"));
}

#[test]
fn records_may_stand_without_a_page() {
    let record = |id: &str| Record::closed("AGENT", 60).named(id).0.to_string();
    let (one, two) = (record("c-1"), record("c-2"));
    for input in [
        format!("[{one},{two}]"),
        format!("{one}\n{two}\n"),
        format!("{one}{two}"),
        format!("[{one}]\n[{two}]"),
        format!("{{\"_metadata\":{{}},\"conversationHistoryRecords\":[{one}]}}\n{two}"),
    ] {
        let taken = read(input.clone());
        assert_eq!(taken.rejected, [], "{input}");
        assert_eq!(conversations(&taken), ["c-1", "c-2"], "{input}");
        assert_eq!(taken.numbers, [1, 2], "{input}");
    }
    let pretty = serde_json::to_string_pretty(&[Record::closed("AGENT", 60).0]).unwrap();
    assert_eq!(read(pretty).segments.len(), 1);
    let bad = Record::closed("ROBOT", 60).0.to_string();
    for bad in [bad.as_str(), "{}", r#"{"dialogs":[]}"#] {
        let taken = read(format!("[{one},{bad},{two}]"));
        assert_eq!(taken.numbers, [1, 3], "{bad}");
        assert_eq!(taken.rejected.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [2], "{bad}");
    }
}

#[test]
fn text_may_begin_with_a_mark_or_be_in_utf_16() {
    let text = page([Record::closed("AGENT", 60).with("/info/source", "Größe 🦀")]);
    let expected = read(text.clone()).segments;
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [
        format!("\u{feff}{text}").into_bytes(),
        [&[0xFF, 0xFE][..], &little].concat(),
        [&[0xFE, 0xFF][..], &big].concat(),
        little,
        big,
    ] {
        assert_eq!(read(bytes).segments, expected);
    }
}

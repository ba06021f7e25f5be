//! Segments for tests.

use std::borrow::Cow;

use arrow::array::RecordBatch;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::{EndReason, Outcome, Segment, SegmentBatchBuilder, SegmentRows, StartReason, UserType};

pub(crate) fn batch_of<'a>(segments: impl IntoIterator<Item = &'a Segment<'a>>) -> RecordBatch {
    let mut builder = SegmentBatchBuilder::with_capacity(0);
    segments.into_iter().for_each(|segment| builder.append(segment));
    builder.finish().unwrap()
}

/// The segments of a batch, which must all be readable.
pub(crate) fn segments_of(batch: &RecordBatch) -> Vec<Segment<'static>> {
    let rows = SegmentRows::new(batch).unwrap();
    (0..rows.len()).map(|row| rows.segment(row).unwrap().into_owned()).collect()
}

/// Any segment that keeps every rule, and whose times cannot be taken for seconds.
pub(crate) fn any_segment() -> impl Strategy<Value = Segment<'static>> {
    let texts =
        ("[A-Za-z0-9._-]{3,10}", "[ -~à-ÿα-ω一-三🦀]{0,11}[!-~]", option::of(".{1,8}"), option::of("[A-Z]{1,8}"));
    let numbers = (any::<u32>(), any::<i64>(), 3_000_000_000..7_258_118_000_000_i64, 0..400_000_i64);
    let words = (select(StartReason::ALL), select(EndReason::ALL), select(UserType::ALL));
    let messages = (0..3_u32, 0..3_u32, any::<bool>(), any::<bool>(), any::<bool>());
    (texts, numbers, words, messages).prop_map(|(texts, numbers, words, messages)| {
        let (account, conversation, agent, source) = texts;
        let (segment_index, skill_id, start_time, length) = numbers;
        let (start_reason, end_reason, user_type) = words;
        let (agent_messages, consumer_messages, answered, flag, sampled) = messages;
        let agent_messages = if user_type == UserType::None { 0 } else { agent_messages };
        let spoke = agent_messages > 0;
        let outcome = match (spoke, answered && consumer_messages > 0, end_reason) {
            (true, true, _) => Outcome::Interactive,
            (true, false, _) => Outcome::NonResponsiveConsumer,
            (false, _, EndReason::ClosedByConsumer) => Outcome::Abandoned,
            (false, _, _) => Outcome::NonResponsiveAgent,
        };
        let first_assigned_time = (user_type != UserType::None).then_some(start_time + length / 4);
        let first_agent_message_time = spoke.then_some(start_time + length / 2);
        Segment {
            account_id: account.into(),
            conversation_id: conversation.into(),
            segment_index,
            skill_id,
            start_time,
            end_time: start_time + length,
            start_reason,
            end_reason,
            user_type,
            outcome,
            abandoned_in_queue: outcome == Outcome::Abandoned && flag,
            first_assigned_time,
            first_agent_message_time,
            time_to_first_agent_message_ms: (spoke && sampled).then_some(length / 2 - length / 4),
            agent_messages,
            consumer_messages,
            last_agent_id: if user_type == UserType::None { None } else { agent.map(Cow::from) },
            source: source.map(Cow::from),
        }
    })
}

/// A segment that keeps every rule: a human answered after one second, and so did the consumer.
pub(crate) fn interactive() -> Segment<'static> {
    Segment {
        account_id: Cow::Borrowed("acme"),
        conversation_id: Cow::Borrowed("c-1"),
        segment_index: 0,
        skill_id: 12,
        start_time: 1_000_000,
        end_time: 1_060_000,
        start_reason: StartReason::NewConversation,
        end_reason: EndReason::ClosedByAgent,
        user_type: UserType::Human,
        outcome: Outcome::Interactive,
        abandoned_in_queue: false,
        first_assigned_time: Some(1_010_000),
        first_agent_message_time: Some(1_011_000),
        time_to_first_agent_message_ms: Some(1_000),
        agent_messages: 1,
        consumer_messages: 1,
        last_agent_id: Some(Cow::Borrowed("agent-1")),
        source: Some(Cow::Borrowed("WEB")),
    }
}

/// A segment that keeps every rule: the consumer gave up in the queue.
pub(crate) fn abandoned_in_queue() -> Segment<'static> {
    Segment {
        end_reason: EndReason::ClosedByConsumer,
        user_type: UserType::None,
        outcome: Outcome::Abandoned,
        abandoned_in_queue: true,
        first_assigned_time: None,
        first_agent_message_time: None,
        time_to_first_agent_message_ms: None,
        agent_messages: 0,
        last_agent_id: None,
        ..interactive()
    }
}

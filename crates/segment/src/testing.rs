//! Segments for tests.

use std::borrow::Cow;

use crate::{EndReason, Outcome, Segment, StartReason, UserType};

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

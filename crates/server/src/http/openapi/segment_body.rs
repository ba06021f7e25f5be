//! A closed segment, as the document describes it.

use serde::Serialize;
use utoipa::ToSchema;

use super::values::{TimeBody, end_reasons, outcomes, start_reasons, user_types};

/// A closed skill segment. A record that contradicts itself is rejected.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct SegmentBody {
    /// The brand's account; the one in the path where it is left out.
    #[schema(pattern = "^[A-Za-z0-9._-]{1,64}$")]
    account_id: Option<String>,
    /// With account and index it is the segment's key.
    #[schema(max_length = 1024)]
    conversation_id: String,
    /// 0-based position in the conversation.
    segment_index: u32,
    skill_id: i64,
    /// When the conversation entered the skill's queue.
    start_time: TimeBody,
    /// When it was transferred away or closed; every metric counts at this time.
    end_time: TimeBody,
    #[schema(schema_with = start_reasons)]
    start_reason: String,
    #[schema(schema_with = end_reasons)]
    end_reason: String,
    #[schema(schema_with = user_types)]
    user_type: String,
    #[schema(schema_with = outcomes)]
    outcome: String,
    /// The consumer closed an unanswered conversation while no agent was assigned.
    abandoned_in_queue: bool,
    /// The first assignment of an agent in the segment.
    first_assigned_time: Option<TimeBody>,
    /// The first message by an assigned agent in the segment.
    first_agent_message_time: Option<TimeBody>,
    /// Milliseconds from the assignment of the agent who spoke first to that message, where it is measured.
    #[schema(minimum = 0)]
    time_to_first_agent_message_ms: Option<i64>,
    /// Messages by assigned agents.
    agent_messages: u32,
    /// Messages by the consumer.
    consumer_messages: u32,
    /// The agent assigned last.
    #[schema(max_length = 1024)]
    last_agent_id: Option<String>,
    /// Where the conversation came from.
    #[schema(max_length = 1024, example = "WEB")]
    source: Option<String>,
}

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
    #[schema(max_length = 1024)]
    conversation_id: String,
    segment_index: u32,
    skill_id: i64,
    start_time: TimeBody,
    end_time: TimeBody,
    #[schema(schema_with = start_reasons)]
    start_reason: String,
    #[schema(schema_with = end_reasons)]
    end_reason: String,
    #[schema(schema_with = user_types)]
    user_type: String,
    #[schema(schema_with = outcomes)]
    outcome: String,
    abandoned_in_queue: bool,
    first_assigned_time: Option<TimeBody>,
    first_agent_message_time: Option<TimeBody>,
    #[schema(minimum = 0)]
    time_to_first_agent_message_ms: Option<i64>,
    agent_messages: u32,
    consumer_messages: u32,
    #[schema(max_length = 1024)]
    last_agent_id: Option<String>,
    #[schema(max_length = 1024, example = "WEB")]
    source: Option<String>,
}

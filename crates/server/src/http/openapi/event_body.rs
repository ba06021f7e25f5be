//! A conversation event, as the document describes it.

use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use super::values::{TimeBody, agent_kinds, closers, one_of, senders};

/// Something that happened in a conversation. Each type has fields of its own.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct EventBody {
    /// The brand's account; the one in the path where it is left out.
    #[schema(pattern = "^[A-Za-z0-9._-]{1,64}$")]
    account_id: Option<String>,
    #[schema(max_length = 1024)]
    conversation_id: String,
    /// 0, 1, 2 … within the conversation.
    sequence: u64,
    time: TimeBody,
    #[serde(rename = "type")]
    #[schema(schema_with = event_types)]
    kind: String,
    /// The skill whose queue is entered: of `conversation_started`, `transferred` and `conversation_resumed`.
    skill_id: Option<i64>,
    /// Where the conversation came from: of `conversation_started`.
    #[schema(max_length = 1024, example = "WEB")]
    source: Option<String>,
    /// The agent: of `agent_assigned`, and of a `message` by an agent, which is the assigned one's where it is left
    /// out.
    #[schema(max_length = 1024)]
    agent_id: Option<String>,
    /// Of `agent_assigned`.
    #[schema(schema_with = agent_kinds)]
    user_type: Option<String>,
    /// Whether a manager took the conversation over: of `agent_assigned`.
    takeover: Option<bool>,
    /// Of `message`.
    #[schema(schema_with = senders)]
    sender: Option<String>,
    /// Whether a skill or an agent was named: of `transferred`.
    #[schema(schema_with = transfer_reasons)]
    reason: Option<String>,
    /// Of `conversation_closed`.
    #[schema(schema_with = closers)]
    by: Option<String>,
}

fn event_types() -> Object {
    one_of([
        "conversation_started",
        "agent_assigned",
        "returned_to_queue",
        "message",
        "transferred",
        "conversation_closed",
        "conversation_resumed",
    ])
}

fn transfer_reasons() -> Object {
    one_of(["skill", "agent"])
}

//! The record of one closed segment, its vocabulary and its rules.

pub mod column_names;
mod identifier;
mod record;
mod rules;
mod vocabulary;

use std::borrow::Cow;

use serde::Serialize;

pub(crate) use identifier::check_identifier;
pub(crate) use record::SegmentRecord;
pub(crate) use rules::{MAX_TEXT_BYTES, in_range};
pub(crate) use vocabulary::words;
pub use vocabulary::{EndReason, Outcome, StartReason, UserType};

/// One closed skill segment: a conversation's stay in a skill, from entering its queue to leaving the skill.
///
/// Times are milliseconds since the epoch, UTC. Text is borrowed from the input where possible. Account, conversation
/// and segment index together are the key of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Segment<'a> {
    /// The brand's account.
    pub account_id: Cow<'a, str>,
    /// The conversation that the segment belongs to.
    pub conversation_id: Cow<'a, str>,
    /// 0-based position in the conversation.
    pub segment_index: u32,
    /// The skill; -1 stands for conversations without a skill.
    pub skill_id: i64,
    /// When the conversation entered the skill's queue.
    pub start_time: i64,
    /// When the conversation was transferred away or closed. Every metric counts the segment at this time.
    pub end_time: i64,
    /// Why the segment began.
    pub start_reason: StartReason,
    /// Why the segment ended.
    pub end_reason: EndReason,
    /// The kinds of agents that were assigned.
    pub user_type: UserType,
    /// How the segment ended.
    pub outcome: Outcome,
    /// Whether the consumer closed an unanswered conversation while no agent was assigned.
    pub abandoned_in_queue: bool,
    /// The first assignment of an agent in the segment.
    pub first_assigned_time: Option<i64>,
    /// The first message by an assigned agent in the segment.
    pub first_agent_message_time: Option<i64>,
    /// Milliseconds from the assignment of the agent who spoke first to that message; `None` if it was not measured.
    pub time_to_first_agent_message_ms: Option<i64>,
    /// Messages by assigned agents.
    pub agent_messages: u32,
    /// Messages by the consumer.
    pub consumer_messages: u32,
    /// The agent who was assigned last.
    pub last_agent_id: Option<Cow<'a, str>>,
    /// Where the conversation came from: `APP`, `WEB`, `SMS` …
    pub source: Option<Cow<'a, str>>,
}

impl Segment<'_> {
    /// The same record with owned text.
    pub fn into_owned(self) -> Segment<'static> {
        Segment {
            account_id: Cow::Owned(self.account_id.into_owned()),
            conversation_id: Cow::Owned(self.conversation_id.into_owned()),
            last_agent_id: self.last_agent_id.map(|id| Cow::Owned(id.into_owned())),
            source: self.source.map(|source| Cow::Owned(source.into_owned())),
            ..self
        }
    }
}

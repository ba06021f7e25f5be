//! A segment that is open, as it is now.

use crate::{AgentKind, Sender, StartReason};

/// A segment that is open, as it is now. Times are in milliseconds since the epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenSegment<'c> {
    /// The 0-based position in the conversation.
    pub segment_index: u32,
    /// The skill.
    pub skill_id: i64,
    /// When the conversation entered the skill's queue.
    pub start_time: i64,
    /// Why the segment started.
    pub start_reason: StartReason,
    /// The wait for an agent; `None` while one is assigned.
    pub wait: Option<Wait>,
    /// The agent who is assigned; `None` while the customer waits for one.
    pub agent: Option<AssignedAgent<'c>>,
    /// The first agent message of the segment.
    pub first_agent_message_time: Option<i64>,
    /// Messages by assigned agents in the segment.
    pub agent_messages: u32,
    /// Messages by the consumer in the segment.
    pub consumer_messages: u32,
    /// The last message of the segment that counts.
    pub last_message: Option<LastMessage>,
    /// Whether the conversation was resumed at any time. In a conversation stored before this was noted, whether the
    /// segment started so.
    pub is_resumed: bool,
    /// Where the conversation came from.
    pub source: Option<&'c str>,
}

/// A wait for an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// Its start.
    pub since: i64,
    /// How it began.
    pub kind: WaitKind,
}

/// How a wait for an agent began. A return to the queue keeps the kind that the wait before it had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitKind {
    /// With a new conversation, or with one that was resumed.
    NewConversation,
    /// With a transfer.
    Transfer,
}

/// The agent who is assigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AssignedAgent<'c> {
    /// The agent.
    pub agent_id: &'c str,
    /// Human or bot. `None` in a conversation stored before this was noted, where agents of both kinds were assigned.
    pub kind: Option<AgentKind>,
    /// When the agent was assigned.
    pub since: i64,
}

/// The last message of a segment that counts: one by the consumer, or by the agent who was assigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastMessage {
    /// When it was written.
    pub time: i64,
    /// Who wrote it.
    pub by: Sender,
}

//! What is counted of the open conversations of a skill.

use skillscope_segment::{AgentKind, OpenSegment, Sender};

/// Numbers of open conversations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenCounts {
    /// All of them.
    pub open: u64,
    /// Those to which a human agent is assigned.
    pub assigned_to_human: u64,
    /// Those to which a bot is assigned.
    pub assigned_to_bot: u64,
    /// Those to which an agent is assigned, and whose segment has no agent message yet.
    pub without_agent_message: u64,
    /// Those to which an agent is assigned, and of whose segment the last message is the consumer's.
    pub without_reply: u64,
}

impl OpenCounts {
    /// What one conversation adds.
    pub(super) fn of(segment: &OpenSegment<'_>) -> Self {
        let Some(agent) = segment.agent else { return Self { open: 1, ..Self::default() } };
        let is_without_reply = segment.last_message.is_some_and(|message| message.by == Sender::Consumer);
        Self {
            open: 1,
            assigned_to_human: u64::from(agent.kind == Some(AgentKind::Human)),
            assigned_to_bot: u64::from(agent.kind == Some(AgentKind::Bot)),
            without_agent_message: u64::from(segment.first_agent_message_time.is_none()),
            without_reply: u64::from(is_without_reply),
        }
    }

    /// Adds those of others.
    pub fn add(&mut self, other: &Self) {
        self.combine(other, u64::saturating_add);
    }

    /// Takes away what one conversation added.
    pub(super) fn subtract(&mut self, other: &Self) {
        self.combine(other, u64::saturating_sub);
    }

    fn combine(&mut self, other: &Self, with: impl Fn(u64, u64) -> u64) {
        let Self { open, assigned_to_human, assigned_to_bot, without_agent_message, without_reply } = self;
        let pairs = [
            (open, other.open),
            (assigned_to_human, other.assigned_to_human),
            (assigned_to_bot, other.assigned_to_bot),
            (without_agent_message, other.without_agent_message),
            (without_reply, other.without_reply),
        ];
        pairs.into_iter().for_each(|(mine, other)| *mine = with(*mine, other));
    }
}

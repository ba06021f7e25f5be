//! The events of conversations, one by one, as a batch and as JSON.

mod batch;
mod record;

use crate::segment::{MAX_TEXT_BYTES, check_identifier, in_range, words};
use crate::{AccountId, Error, Result};
pub use batch::EventBatch;
pub(crate) use record::EventRecord;

/// An event of a conversation. Text is of type `T`: borrowed while an input is read, owned while an event waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<T> {
    /// The brand's account.
    pub account_id: T,
    /// The conversation.
    pub conversation_id: T,
    /// The event's 0-based place in the conversation.
    pub sequence: u64,
    /// The time of the event, in milliseconds since the epoch.
    pub time: i64,
    /// What happened, and its details.
    pub kind: EventKind<T>,
}

/// The kinds of events, with their details.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum EventKind<T> {
    /// A consumer began the conversation, which entered the queue of a skill.
    Started {
        /// The skill.
        skill_id: i64,
        /// Where the conversation came from: `APP`, `WEB`, `SMS` …
        source: Option<T>,
    },
    /// An agent was assigned.
    Assigned {
        /// The agent.
        agent_id: T,
        /// Human or bot.
        agent_kind: AgentKind,
        /// Whether a manager took the conversation over.
        takeover: bool,
    },
    /// The conversation went back to the queue of its skill.
    Returned,
    /// A message was written.
    Message {
        /// Who wrote it.
        sender: Sender,
        /// The agent who wrote it, if the event names one.
        agent_id: Option<T>,
    },
    /// The conversation was transferred.
    Transferred {
        /// The skill that it was transferred to.
        skill_id: i64,
        /// How the target was chosen.
        reason: TransferReason,
    },
    /// The conversation was closed.
    Closed {
        /// Who closed it.
        by: ClosedBy,
    },
    /// A closed conversation was resumed.
    Resumed {
        /// The skill whose queue the conversation entered.
        skill_id: i64,
    },
}

words! {
    /// Human or bot.
    AgentKind {
        /// A person.
        Human = "human",
        /// A program.
        Bot = "bot",
    }
}

words! {
    /// Who wrote a message.
    Sender {
        /// The consumer.
        Consumer = "consumer",
        /// An agent of the brand.
        Agent = "agent",
        /// The system.
        System = "system",
    }
}

words! {
    /// How the target of a transfer was chosen.
    TransferReason {
        /// A skill was named.
        Skill = "skill",
        /// An agent was named.
        Agent = "agent",
        /// Unknown.
        Other = "other",
    }
}

words! {
    /// Who closed a conversation.
    ClosedBy {
        /// The consumer.
        Consumer = "consumer",
        /// The agent.
        Agent = "agent",
        /// The system.
        System = "system",
    }
}

impl<T> Event<T> {
    /// The same event with text of another type.
    pub(crate) fn map<'e, U>(&'e self, mut text: impl FnMut(&'e T) -> U) -> Event<U> {
        Event {
            account_id: text(&self.account_id),
            conversation_id: text(&self.conversation_id),
            sequence: self.sequence,
            time: self.time,
            kind: self.kind.map(text),
        }
    }
}

impl<T> EventKind<T> {
    /// The same kind with text of another type.
    pub(crate) fn map<'e, U>(&'e self, mut text: impl FnMut(&'e T) -> U) -> EventKind<U> {
        match self {
            Self::Started { skill_id, source } => {
                EventKind::Started { skill_id: *skill_id, source: source.as_ref().map(text) }
            }
            Self::Assigned { agent_id, agent_kind, takeover } => {
                EventKind::Assigned { agent_id: text(agent_id), agent_kind: *agent_kind, takeover: *takeover }
            }
            Self::Returned => EventKind::Returned,
            Self::Message { sender, agent_id } => {
                EventKind::Message { sender: *sender, agent_id: agent_id.as_ref().map(text) }
            }
            Self::Transferred { skill_id, reason } => EventKind::Transferred { skill_id: *skill_id, reason: *reason },
            Self::Closed { by } => EventKind::Closed { by: *by },
            Self::Resumed { skill_id } => EventKind::Resumed { skill_id: *skill_id },
        }
    }
}

impl Event<&str> {
    /// Checks the fields of the event, without the events around it.
    ///
    /// # Errors
    /// Where an identifier is invalid or too long, or the time lies outside the years 1970 to 2199.
    pub(crate) fn validate(&self) -> Result<()> {
        AccountId::check_new(self.account_id)?;
        let agent_id = match &self.kind {
            EventKind::Assigned { agent_id, .. } => Some(*agent_id),
            EventKind::Message { agent_id, .. } => *agent_id,
            _ => None,
        };
        let source = match &self.kind {
            EventKind::Started { source, .. } => *source,
            _ => None,
        };
        for (field, text) in
            [("conversation_id", Some(self.conversation_id)), ("agent_id", agent_id), ("source", source)]
        {
            if text.is_some_and(|text| text.len() > MAX_TEXT_BYTES) {
                return Err(Error::TextTooLong { column: field, limit: MAX_TEXT_BYTES });
            }
        }
        check_identifier("conversation_id", self.conversation_id)?;
        if self.sequence == u64::MAX {
            return Err(Error::Value { column: "sequence", problem: "too large" });
        }
        in_range("time", self.time)
    }
}

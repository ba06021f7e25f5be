//! The events of conversations, and their form as batches and as JSON.

mod batch;
mod record;

use crate::segment::{MAX_TEXT_BYTES, in_range, words};
use crate::{AccountId, Error, Result};
pub use batch::EventBatch;
pub(crate) use record::EventRecord;

/// Something that happened in a conversation. Text is of type `T`: borrowed while it is read, owned while it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<T> {
    /// The brand's account.
    pub account_id: T,
    /// The conversation that it happened in.
    pub conversation_id: T,
    /// Its 0-based place in the conversation.
    pub sequence: u64,
    /// When it happened, in milliseconds since the epoch.
    pub time: i64,
    /// What happened.
    pub kind: EventKind<T>,
}

/// What happened in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum EventKind<T> {
    /// A consumer began it, and it entered the queue of a skill.
    Started {
        /// The skill.
        skill_id: i64,
        /// Where it came from: `APP`, `WEB`, `SMS` …
        source: Option<T>,
    },
    /// An agent was assigned.
    Assigned {
        /// The agent.
        agent_id: T,
        /// Human or bot.
        agent_kind: AgentKind,
        /// A manager took the conversation over.
        takeover: bool,
    },
    /// It went back to the queue of its skill.
    Returned,
    /// Somebody wrote a message.
    Message {
        /// Who.
        sender: Sender,
        /// The agent, where it was one and is named.
        agent_id: Option<T>,
    },
    /// It was sent on.
    Transferred {
        /// The skill that it was sent to.
        skill_id: i64,
        /// What the target was named by.
        reason: TransferReason,
    },
    /// It was closed.
    Closed {
        /// By whom.
        by: ClosedBy,
    },
    /// It was taken up again after a close.
    Resumed {
        /// The skill whose queue it entered.
        skill_id: i64,
    },
}

words! {
    /// What an agent is.
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
        /// Somebody on the brand's side.
        Agent = "agent",
        /// The system.
        System = "system",
    }
}

words! {
    /// What the target of a transfer was named by.
    TransferReason {
        /// A skill was named.
        Skill = "skill",
        /// An agent was named.
        Agent = "agent",
        /// That is not known.
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
    /// The same event with its text in another form.
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
    /// The same with its text in another form.
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
    /// Checks what can be told from the event alone.
    ///
    /// # Errors
    /// Where an identifier is none or too long, or the time lies outside the years that are counted.
    pub(crate) fn validate(&self) -> Result<()> {
        AccountId::check(self.account_id)?;
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
        if self.conversation_id.is_empty() {
            return Err(Error::Value { column: "conversation_id", problem: "empty" });
        }
        if self.sequence == u64::MAX {
            return Err(Error::Value { column: "sequence", problem: "too large" });
        }
        in_range("time", self.time)
    }
}

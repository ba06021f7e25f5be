//! Events as JSON objects.

use std::borrow::Cow;
use std::io::Write;

use serde::{Deserialize, Serialize};

use crate::instant::{self, Told};
use crate::json_value::{
    identifier, identifier_or_empty, optional_flag, optional_identifier, optional_whole, sequence,
};
use crate::{AgentKind, ClosedBy, Error, Event, EventKind, Result, Sender, TimeZone, TransferReason};

/// An event as a JSON object. It has the fields of all types of events; each type uses some of them.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct EventRecord<'a> {
    /// A record may omit it if the request or command names the account.
    #[serde(borrow, default, deserialize_with = "identifier_or_empty")]
    pub(crate) account_id: Cow<'a, str>,
    #[serde(borrow, deserialize_with = "identifier")]
    conversation_id: Cow<'a, str>,
    #[serde(deserialize_with = "sequence")]
    sequence: u64,
    #[serde(deserialize_with = "instant::required", serialize_with = "instant::serialize")]
    time: Told,
    #[serde(rename = "type")]
    kind: EventType,
    #[serde(default, deserialize_with = "optional_whole", skip_serializing_if = "Option::is_none")]
    skill_id: Option<i64>,
    #[serde(borrow, default, deserialize_with = "optional_identifier", skip_serializing_if = "Option::is_none")]
    source: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "optional_identifier", skip_serializing_if = "Option::is_none")]
    agent_id: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_type: Option<AgentKind>,
    #[serde(default, deserialize_with = "optional_flag", skip_serializing_if = "Option::is_none")]
    takeover: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sender: Option<Sender>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<TransferTarget>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<ClosedBy>,
    /// Why the event is a dead letter, in words for people.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    dead_letter_reason: Option<&'a str>,
}

#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum EventType {
    ConversationStarted,
    AgentAssigned,
    ReturnedToQueue,
    Message,
    Transferred,
    ConversationClosed,
    ConversationResumed,
}

/// The reasons of transfers that an event can have.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum TransferTarget {
    Skill,
    Agent,
}

impl EventRecord<'_> {
    /// The event of the record, as one of `account`, by the `zone` of times that name none.
    ///
    /// # Errors
    /// Where the record lacks a field that its type needs, or a field has an invalid value.
    pub(crate) fn event<'r>(&'r self, account: &'r str, zone: Option<&TimeZone>) -> Result<Event<&'r str>> {
        let event = Event {
            account_id: account,
            conversation_id: &self.conversation_id,
            sequence: self.sequence,
            time: self.time.instant("time", zone)?,
            kind: self.event_kind()?,
        };
        event.validate()?;
        Ok(event)
    }

    fn event_kind(&self) -> Result<EventKind<&str>> {
        Ok(match self.kind {
            EventType::ConversationStarted => {
                EventKind::Started { skill_id: self.skill_id("conversation_started")?, source: self.source.as_deref() }
            }
            EventType::AgentAssigned => EventKind::Assigned {
                agent_id: self.agent_id.as_deref().ok_or_else(|| missing("agent_id", "agent_assigned"))?,
                agent_kind: self.user_type.ok_or_else(|| missing("user_type", "agent_assigned"))?,
                takeover: self.takeover.unwrap_or(false),
            },
            EventType::ReturnedToQueue => EventKind::Returned,
            EventType::Message => EventKind::Message {
                sender: self.sender.ok_or_else(|| missing("sender", "message"))?,
                agent_id: self.agent_id.as_deref(),
            },
            EventType::Transferred => EventKind::Transferred {
                skill_id: self.skill_id("transferred")?,
                reason: match self.reason.ok_or_else(|| missing("reason", "transferred"))? {
                    TransferTarget::Skill => TransferReason::Skill,
                    TransferTarget::Agent => TransferReason::Agent,
                },
            },
            EventType::ConversationClosed => {
                EventKind::Closed { by: self.by.ok_or_else(|| missing("by", "conversation_closed"))? }
            }
            EventType::ConversationResumed => EventKind::Resumed { skill_id: self.skill_id("conversation_resumed")? },
        })
    }

    fn skill_id(&self, kind: &'static str) -> Result<i64> {
        self.skill_id.ok_or_else(|| missing("skill_id", kind))
    }
}

fn missing(field: &'static str, kind: &'static str) -> Error {
    Error::EventField { field, kind }
}

impl Event<&str> {
    /// Writes the event as a line of NDJSON.
    ///
    /// # Errors
    /// What `out` returns.
    pub fn write_line(&self, out: &mut impl Write) -> std::io::Result<()> {
        self.write(None, out)
    }

    /// As [`write_line`](Self::write_line), with the reason why the event is a dead letter in a field of its own.
    pub(crate) fn write_dead_letter(&self, reason: &str, out: &mut impl Write) -> std::io::Result<()> {
        self.write(Some(reason), out)
    }

    fn write(&self, dead_letter_reason: Option<&str>, out: &mut impl Write) -> std::io::Result<()> {
        let mut record = EventRecord {
            account_id: self.account_id.into(),
            conversation_id: self.conversation_id.into(),
            sequence: self.sequence,
            time: Told::Instant(self.time),
            kind: EventType::ReturnedToQueue,
            skill_id: None,
            source: None,
            agent_id: None,
            user_type: None,
            takeover: None,
            sender: None,
            reason: None,
            by: None,
            dead_letter_reason,
        };
        record.set_kind(&self.kind);
        serde_json::to_writer(&mut *out, &record)?;
        out.write_all(b"\n")
    }
}

impl<'a> EventRecord<'a> {
    fn set_kind(&mut self, kind: &EventKind<&'a str>) {
        match kind {
            EventKind::Started { skill_id, source } => {
                self.kind = EventType::ConversationStarted;
                (self.skill_id, self.source) = (Some(*skill_id), source.map(Cow::Borrowed));
            }
            EventKind::Assigned { agent_id, agent_kind, takeover } => {
                self.kind = EventType::AgentAssigned;
                (self.agent_id, self.user_type) = (Some(Cow::Borrowed(*agent_id)), Some(*agent_kind));
                self.takeover = takeover.then_some(true);
            }
            EventKind::Returned => self.kind = EventType::ReturnedToQueue,
            EventKind::Message { sender, agent_id } => {
                self.kind = EventType::Message;
                (self.sender, self.agent_id) = (Some(*sender), agent_id.map(Cow::Borrowed));
            }
            EventKind::Transferred { skill_id, reason } => {
                self.kind = EventType::Transferred;
                self.skill_id = Some(*skill_id);
                self.reason = Some(match reason {
                    TransferReason::Agent => TransferTarget::Agent,
                    TransferReason::Skill | TransferReason::Other => TransferTarget::Skill,
                });
            }
            EventKind::Closed { by } => (self.kind, self.by) = (EventType::ConversationClosed, Some(*by)),
            EventKind::Resumed { skill_id } => {
                (self.kind, self.skill_id) = (EventType::ConversationResumed, Some(*skill_id));
            }
        }
    }
}

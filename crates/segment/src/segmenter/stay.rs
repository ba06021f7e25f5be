//! An open stay in a skill, and the segment that it becomes.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::attention::Attention;
use super::maybe_time::MaybeTime;
use super::open_segment::{AssignedAgent, OpenSegment};
use crate::{AgentKind, EndReason, Outcome, Segment, Sender, StartReason, UserType};

/// An open stay in a skill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stay {
    pub(super) skill_id: i64,
    pub(super) start_time: i64,
    pub(super) start_reason: StartReason,
    first_assigned_time: MaybeTime,
    /// The agent who was assigned last, even if the assignment has ended.
    last_agent_id: Option<SmolStr>,
    /// When that agent was assigned; none if nobody is assigned now.
    assigned_since: MaybeTime,
    /// Whether the last assignment was a takeover.
    is_takeover: bool,
    had_human: bool,
    had_bot: bool,
    first_agent_message_time: MaybeTime,
    time_to_first_agent_message_ms: MaybeTime,
    agent_messages: u32,
    consumer_messages: u32,
    /// Whether the consumer wrote after an agent.
    is_answered: bool,
    /// Stored at the end of the conversation's state, and put back from there.
    #[serde(skip)]
    attention: Attention,
}

/// A closed stay.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ClosedStay {
    stay: Box<Stay>,
    segment_index: u32,
    end_time: i64,
    end_reason: EndReason,
}

impl Stay {
    pub(super) fn new(skill_id: i64, start_time: i64, start_reason: StartReason, is_resumed: bool) -> Self {
        Self {
            skill_id,
            start_time,
            start_reason,
            first_assigned_time: MaybeTime::NONE,
            last_agent_id: None,
            assigned_since: MaybeTime::NONE,
            is_takeover: false,
            had_human: false,
            had_bot: false,
            first_agent_message_time: MaybeTime::NONE,
            time_to_first_agent_message_ms: MaybeTime::NONE,
            agent_messages: 0,
            consumer_messages: 0,
            is_answered: false,
            attention: Attention::at_start(start_reason, is_resumed),
        }
    }

    pub(super) fn assign(&mut self, time: i64, agent_id: &str, kind: AgentKind, is_takeover: bool) {
        self.first_assigned_time.set_first(time);
        if self.last_agent_id.as_deref() != Some(agent_id) {
            self.last_agent_id = Some(agent_id.into());
        }
        self.assigned_since = time.into();
        self.is_takeover = is_takeover;
        match kind {
            AgentKind::Human => self.had_human = true,
            AgentKind::Bot => self.had_bot = true,
        }
        self.attention.agent_kind = Some(kind);
    }

    /// Ends the assignment. Where nobody is assigned, the wait goes on.
    pub(super) fn return_to_queue(&mut self, time: i64) {
        if self.assigned_since.take().is_some() {
            self.attention.wait_again(time.saturating_sub(self.start_time));
        }
    }

    /// Ends the assignment by a transfer to this skill. Where nobody is assigned, the wait goes on.
    pub(super) fn transfer_to_itself(&mut self, time: i64) {
        if self.assigned_since.take().is_some() {
            self.attention.wait_after_transfer(time.saturating_sub(self.start_time));
        }
    }

    pub(super) fn consumer_message(&mut self, time: i64) {
        self.attention.note_message(time.saturating_sub(self.start_time), Sender::Consumer);
        self.consumer_messages = self.consumer_messages.saturating_add(1);
        self.is_answered |= self.agent_messages > 0;
    }

    /// Takes a message by an agent, and returns whether it counts. It counts if the agent is the one who is assigned.
    /// The first message after a resume is no sample for the time to the first agent message.
    pub(super) fn agent_message(&mut self, time: i64, agent_id: Option<&str>, is_first_since_resume: bool) -> bool {
        let Some(assigned_since) = self.assigned_since.get() else { return false };
        if agent_id.is_some_and(|agent_id| self.last_agent_id.as_deref() != Some(agent_id)) {
            return false;
        }
        self.attention.note_message(time.saturating_sub(self.start_time), Sender::Agent);
        self.agent_messages = self.agent_messages.saturating_add(1);
        if self.first_agent_message_time.is_none() {
            self.first_agent_message_time = time.into();
            if !self.is_takeover && !is_first_since_resume {
                self.time_to_first_agent_message_ms = time.saturating_sub(assigned_since).into();
            }
        }
        true
    }

    pub(super) fn close(self: Box<Self>, segment_index: u32, end_time: i64, end_reason: EndReason) -> ClosedStay {
        ClosedStay { stay: self, segment_index, end_time, end_reason }
    }

    pub(super) fn attention(&self) -> &Attention {
        &self.attention
    }

    /// Puts back what stands apart in a stored state. A state of an earlier version does not have it: the customer waits
    /// since the segment began then, and the agent is of the only kind that was assigned.
    pub(super) fn restore_attention(&mut self, stored: Option<Attention>) {
        self.attention = stored.unwrap_or_else(|| {
            let mut attention = Attention::at_start(self.start_reason, false);
            attention.agent_kind = match self.user_type() {
                UserType::Human => Some(AgentKind::Human),
                UserType::Bot => Some(AgentKind::Bot),
                UserType::Mixed | UserType::None => None,
            };
            attention
        });
    }

    /// The segment as it is now.
    pub(super) fn as_open<'s>(&'s self, segment_index: u32, source: Option<&'s str>) -> OpenSegment<'s> {
        let assigned = self.assigned_since.get().zip(self.last_agent_id.as_deref());
        let kind = self.attention.agent_kind;
        OpenSegment {
            segment_index,
            skill_id: self.skill_id,
            start_time: self.start_time,
            start_reason: self.start_reason,
            wait: self.assigned_since.is_none().then(|| self.attention.last_wait(self.start_time)),
            agent: assigned.map(|(since, agent_id)| AssignedAgent { agent_id, kind, since }),
            first_agent_message_time: self.first_agent_message_time.get(),
            agent_messages: self.agent_messages,
            consumer_messages: self.consumer_messages,
            last_message: self.attention.last_message(self.start_time),
            is_resumed: self.attention.is_resumed,
            source,
        }
    }

    fn user_type(&self) -> UserType {
        match (self.had_human, self.had_bot) {
            (true, true) => UserType::Mixed,
            (true, false) => UserType::Human,
            (false, true) => UserType::Bot,
            (false, false) => UserType::None,
        }
    }
}

impl ClosedStay {
    /// The segment of the stay.
    pub(crate) fn segment<'s>(
        &'s self,
        account: &'s str,
        conversation: &'s str,
        source: Option<&'s str>,
    ) -> Segment<'s> {
        let stay = &self.stay;
        let outcome = self.outcome();
        Segment {
            account_id: Cow::Borrowed(account),
            conversation_id: Cow::Borrowed(conversation),
            segment_index: self.segment_index,
            skill_id: stay.skill_id,
            start_time: stay.start_time,
            end_time: self.end_time,
            start_reason: stay.start_reason,
            end_reason: self.end_reason,
            user_type: stay.user_type(),
            outcome,
            abandoned_in_queue: outcome == Outcome::Abandoned && stay.assigned_since.is_none(),
            first_assigned_time: stay.first_assigned_time.get(),
            first_agent_message_time: stay.first_agent_message_time.get(),
            time_to_first_agent_message_ms: stay.time_to_first_agent_message_ms.get(),
            agent_messages: stay.agent_messages,
            consumer_messages: stay.consumer_messages,
            last_agent_id: stay.last_agent_id.as_deref().map(Cow::Borrowed),
            source: source.map(Cow::Borrowed),
        }
    }

    /// The outcome, by whether an agent wrote, whether the consumer answered, and who ended the segment.
    fn outcome(&self) -> Outcome {
        match (self.stay.agent_messages > 0, self.stay.is_answered, self.end_reason) {
            (true, true, _) => Outcome::Interactive,
            (true, false, _) => Outcome::NonResponsiveConsumer,
            (false, _, EndReason::ClosedByConsumer) => Outcome::Abandoned,
            (false, _, _) => Outcome::NonResponsiveAgent,
        }
    }
}

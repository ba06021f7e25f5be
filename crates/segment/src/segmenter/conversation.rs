//! The state machine of a conversation.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::attention::Attention;
use super::dead_letter::Impossible;
use super::open_segment::OpenSegment;
use super::stay::{ClosedStay, Stay};
use crate::{ClosedBy, EndReason, EventKind, Sender, StartReason, TransferReason};

/// The state of one conversation: the state machine in the diagram of the [module](super).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Conversation {
    phase: Phase,
    /// The index of the open segment, or of the next one.
    segment_index: u32,
    /// The time of the last event, in milliseconds since the epoch.
    time: i64,
    source: Option<SmolStr>,
    /// Whether no agent has written since the last resume.
    is_silent_since_resume: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    #[default]
    NotStarted,
    Open(Box<Stay>),
    Closed,
}

/// What stored segments tell of a conversation that closed earlier.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PastConversation {
    /// The index of the next segment.
    pub next_index: u32,
    /// Where the conversation came from.
    pub source: Option<String>,
}

impl Conversation {
    /// A closed conversation of which only stored segments are known.
    pub(super) fn of_past(past: PastConversation) -> Self {
        Self {
            phase: Phase::Closed,
            segment_index: past.next_index,
            source: past.source.map(SmolStr::from),
            ..Self::default()
        }
    }

    pub(super) fn is_started(&self) -> bool {
        !matches!(self.phase, Phase::NotStarted)
    }

    /// Whether stored segments show a close that no event has reported.
    pub(super) fn is_behind(&self, past: &PastConversation) -> bool {
        past.next_index > self.segment_index
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open(_))
    }

    /// The segment that is open, as it is now.
    pub(super) fn open_segment(&self) -> Option<OpenSegment<'_>> {
        let Phase::Open(stay) = &self.phase else { return None };
        Some(stay.as_open(self.segment_index, self.source()))
    }

    pub(super) fn attention(&self) -> Option<&Attention> {
        let Phase::Open(stay) = &self.phase else { return None };
        Some(stay.attention())
    }

    /// Puts back what stands apart in a stored state.
    pub(super) fn restore_attention(&mut self, stored: Option<Attention>) {
        if let Phase::Open(stay) = &mut self.phase {
            stay.restore_attention(stored);
        }
    }

    /// The time of the close or, in an open conversation, of the last event.
    pub(super) fn time(&self) -> i64 {
        self.time
    }

    pub(crate) fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }

    /// The index of the open segment, or of the next one.
    pub(super) fn segment_index(&self) -> u32 {
        self.segment_index
    }

    /// Whether the same is known of it as of another, whenever that was.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        Self { time: 0, ..self.clone() } == Self { time: 0, ..other.clone() }
    }

    /// Whether the index of the open segment is only assumed: the conversation began here with a resume, and nothing was
    /// known of the segments before it.
    pub(super) fn has_assumed_index(&self) -> bool {
        let Phase::Open(stay) = &self.phase else { return false };
        self.segment_index == 0 && stay.start_reason == StartReason::Resume
    }

    /// Replaces an index that is [only assumed](Self::has_assumed_index), by what an export `told` of the segments
    /// before.
    pub(super) fn number_by(&mut self, told: &Self) {
        let Phase::Open(stay) = &self.phase else { return };
        if self.has_assumed_index() {
            // A segment that the export has as open, and that is not this one, ended unseen before it.
            let is_another = matches!(&told.phase, Phase::Open(open) if open.start_time < stay.start_time);
            self.segment_index = told.segment_index.saturating_add(u32::from(is_another));
            self.source = self.source.take().or_else(|| told.source.clone());
        }
    }

    /// Takes the next event, and returns the stay that it closes.
    ///
    /// # Errors
    /// Where the event is impossible in this state. Nothing has changed then.
    pub(crate) fn take(&mut self, time: i64, event: &EventKind<&str>) -> Result<Option<ClosedStay>, Impossible> {
        // The sequence decides which event is first, and the clocks of several machines may disagree with it. No
        // segment may end before it starts, so time never goes back.
        let time = time.max(self.time);
        let closed = match &mut self.phase {
            Phase::NotStarted => self.start(time, event)?,
            Phase::Closed => self.resume(time, event)?,
            Phase::Open(stay) => match event {
                EventKind::Started { .. } => return Err(Impossible::StartedTwice),
                EventKind::Resumed { .. } => return Err(Impossible::ResumedWhileOpen),
                EventKind::Assigned { agent_id, agent_kind, takeover } => {
                    stay.assign(time, agent_id, *agent_kind, *takeover);
                    None
                }
                EventKind::Returned => {
                    stay.return_to_queue(time);
                    None
                }
                EventKind::Message { sender: Sender::System, .. } => None,
                EventKind::Message { sender: Sender::Consumer, .. } => {
                    stay.consumer_message(time);
                    None
                }
                EventKind::Message { sender: Sender::Agent, agent_id } => {
                    let counts = stay.agent_message(time, *agent_id, self.is_silent_since_resume);
                    self.is_silent_since_resume &= !counts;
                    None
                }
                // Only a transfer to another skill ends a segment.
                EventKind::Transferred { skill_id, .. } if *skill_id == stay.skill_id => {
                    stay.transfer_to_itself(time);
                    None
                }
                EventKind::Transferred { skill_id, reason } => self.transfer(time, *skill_id, *reason),
                EventKind::Closed { by } => self.close(time, *by),
            },
        };
        self.time = time;
        Ok(closed)
    }

    fn start(&mut self, time: i64, event: &EventKind<&str>) -> Result<Option<ClosedStay>, Impossible> {
        let EventKind::Started { skill_id, source } = event else { return Err(Impossible::NotStarted) };
        self.source = source.map(SmolStr::from);
        self.phase = Phase::Open(Box::new(Stay::new(*skill_id, time, StartReason::NewConversation, false)));
        Ok(None)
    }

    fn resume(&mut self, time: i64, event: &EventKind<&str>) -> Result<Option<ClosedStay>, Impossible> {
        let EventKind::Resumed { skill_id } = event else { return Err(Impossible::AfterClose) };
        self.is_silent_since_resume = true;
        self.phase = Phase::Open(Box::new(Stay::new(*skill_id, time, StartReason::Resume, true)));
        Ok(None)
    }

    fn transfer(&mut self, time: i64, skill_id: i64, reason: TransferReason) -> Option<ClosedStay> {
        let (end_reason, start_reason) = match reason {
            TransferReason::Skill => (EndReason::SkillTransfer, StartReason::SkillTransfer),
            TransferReason::Agent => (EndReason::AgentTransfer, StartReason::AgentTransfer),
            // The end reasons have no word for this.
            TransferReason::Other => (EndReason::SkillTransfer, StartReason::Other),
        };
        let is_resumed = self.attention().is_some_and(|attention| attention.is_resumed);
        self.end(time, end_reason, Phase::Open(Box::new(Stay::new(skill_id, time, start_reason, is_resumed))))
    }

    fn close(&mut self, time: i64, by: ClosedBy) -> Option<ClosedStay> {
        let end_reason = match by {
            ClosedBy::Consumer => EndReason::ClosedByConsumer,
            ClosedBy::Agent => EndReason::ClosedByAgent,
            ClosedBy::System => EndReason::ClosedBySystem,
        };
        self.end(time, end_reason, Phase::Closed)
    }

    fn end(&mut self, time: i64, end_reason: EndReason, next: Phase) -> Option<ClosedStay> {
        let Phase::Open(stay) = std::mem::replace(&mut self.phase, next) else { return None };
        let closed = stay.close(self.segment_index, time, end_reason);
        self.segment_index = self.segment_index.saturating_add(1);
        Some(closed)
    }
}

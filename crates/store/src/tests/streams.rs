//! Conversations that are streamed in as events, and the segments that must come of them.

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_xoshiro::Xoshiro256PlusPlus;
use skillscope_segment::{
    ClosedBy, EndReason, Event, EventBatch, EventKind, Outcome, Segment, Sender, StartReason, TransferReason, UserType,
};

/// Conversations of an account in which no agent ever speaks.
#[derive(Debug, Clone)]
pub(super) struct Streams {
    account: &'static str,
    conversations: Vec<Stream>,
}

#[derive(Debug, Clone)]
struct Stream {
    id: String,
    sequence: u64,
    index: u32,
    /// The segment that is open.
    stay: Option<Stay>,
}

#[derive(Debug, Clone)]
struct Stay {
    skill_id: i64,
    start: i64,
    start_reason: StartReason,
    messages: u32,
}

/// Events that were made, and the segments that they close.
#[derive(Debug, Clone, Default)]
pub(super) struct Delivery {
    pub(super) events: Vec<Event<String>>,
    pub(super) closed: Vec<Segment<'static>>,
}

impl Delivery {
    pub(super) fn batch(&self) -> EventBatch {
        batch_of(&self.events)
    }
}

pub(super) fn batch_of(events: &[Event<String>]) -> EventBatch {
    let mut batch = EventBatch::new();
    for Event { account_id, conversation_id, sequence, time, kind } in events {
        let kind = match kind {
            EventKind::Started { skill_id, .. } => EventKind::Started { skill_id: *skill_id, source: None },
            EventKind::Message { sender, .. } => EventKind::Message { sender: *sender, agent_id: None },
            EventKind::Transferred { skill_id, reason } => {
                EventKind::Transferred { skill_id: *skill_id, reason: *reason }
            }
            EventKind::Closed { by } => EventKind::Closed { by: *by },
            EventKind::Resumed { skill_id } => EventKind::Resumed { skill_id: *skill_id },
            EventKind::Assigned { agent_id, agent_kind, takeover } => {
                EventKind::Assigned { agent_id: agent_id.as_str(), agent_kind: *agent_kind, takeover: *takeover }
            }
            EventKind::Returned => EventKind::Returned,
        };
        batch.push(&Event { account_id, conversation_id, sequence: *sequence, time: *time, kind });
    }
    batch
}

impl Streams {
    pub(super) fn new(account: &'static str) -> Self {
        Self { account, conversations: Vec::new() }
    }

    /// What happens in some conversations at `now`: told out of order, and partly twice.
    pub(super) fn go_on(&mut self, random: &mut Xoshiro256PlusPlus, now: i64) -> Delivery {
        let mut delivery = Delivery::default();
        for _ in 0..random.random_range(1..12) {
            if self.conversations.is_empty() || random.random_bool(0.2) {
                let id = format!("stream-{}", self.conversations.len());
                self.conversations.push(Stream { id, sequence: 0, index: 0, stay: None });
            }
            let place = random.random_range(0..self.conversations.len());
            let what = random.random_range(0..4);
            self.conversations[place].go_on(self.account, what, now, &mut delivery);
        }
        let repeated: Vec<_> = delivery.events.iter().filter(|_| random.random_bool(0.2)).cloned().collect();
        delivery.events.extend(repeated);
        delivery.events.shuffle(random);
        delivery
    }

    /// How many conversations are open.
    pub(super) fn open(&self) -> usize {
        self.conversations.iter().filter(|conversation| conversation.stay.is_some()).count()
    }
}

impl Stream {
    fn go_on(&mut self, account: &str, what: u32, time: i64, delivery: &mut Delivery) {
        let kind = match (&mut self.stay, what) {
            (None, _) => {
                let (skill_id, is_new) = (i64::from(what), self.sequence == 0);
                let start_reason = if is_new { StartReason::NewConversation } else { StartReason::Resume };
                self.stay = Some(Stay { skill_id, start: time, start_reason, messages: 0 });
                match is_new {
                    true => EventKind::Started { skill_id, source: None },
                    false => EventKind::Resumed { skill_id },
                }
            }
            (Some(stay), 0 | 1) => {
                stay.messages += 1;
                EventKind::Message { sender: Sender::Consumer, agent_id: None }
            }
            (Some(stay), 2) => {
                let skill_id = stay.skill_id + 1;
                self.end(account, time, EndReason::SkillTransfer, delivery);
                let start_reason = StartReason::SkillTransfer;
                self.stay = Some(Stay { skill_id, start: time, start_reason, messages: 0 });
                EventKind::Transferred { skill_id, reason: TransferReason::Skill }
            }
            (Some(_), _) => {
                self.end(account, time, EndReason::ClosedByConsumer, delivery);
                EventKind::Closed { by: ClosedBy::Consumer }
            }
        };
        let (account_id, conversation_id) = (account.to_owned(), self.id.clone());
        delivery.events.push(Event { account_id, conversation_id, sequence: self.sequence, time, kind });
        self.sequence += 1;
    }

    fn end(&mut self, account: &str, end_time: i64, end_reason: EndReason, delivery: &mut Delivery) {
        let Some(stay) = self.stay.take() else { return };
        let is_abandoned = end_reason == EndReason::ClosedByConsumer;
        delivery.closed.push(Segment {
            account_id: account.to_owned().into(),
            conversation_id: self.id.clone().into(),
            segment_index: self.index,
            skill_id: stay.skill_id,
            start_time: stay.start,
            end_time,
            start_reason: stay.start_reason,
            end_reason,
            user_type: UserType::None,
            outcome: if is_abandoned { Outcome::Abandoned } else { Outcome::NonResponsiveAgent },
            abandoned_in_queue: is_abandoned,
            first_assigned_time: None,
            first_agent_message_time: None,
            time_to_first_agent_message_ms: None,
            agent_messages: 0,
            consumer_messages: stay.messages,
            last_agent_id: None,
            source: None,
        });
        self.index += 1;
    }
}

//! The events of one conversation.

use skillscope_segment::{ClosedBy, EndReason, EventKind, Outcome, Sender, StartReason, TransferReason};

use crate::Conversation;
use crate::stay::Stay;

/// An event of a conversation, after its time in milliseconds since the epoch.
pub(crate) type TimedEvent<'w> = (i64, EventKind<&'w str>);

impl<'w> Conversation<'w> {
    /// The events of the conversation, in order.
    pub(crate) fn events(&self) -> Vec<TimedEvent<'w>> {
        let mut events = Vec::new();
        for stay in self.stays() {
            events.extend(entry(stay, self.source()));
            let within = events.len();
            events.extend(stay.assignments.iter().map(|assignment| {
                let (agent_id, agent_kind, takeover) = (assignment.agent, assignment.kind, assignment.takeover);
                (assignment.time, EventKind::Assigned { agent_id, agent_kind, takeover })
            }));
            events.extend(messages(stay));
            events.extend(stay.returned.map(|time| (time, EventKind::Returned)));
            // The sort is stable, so an assignment stays before a message of the same millisecond.
            if let Some(within) = events.get_mut(within..) {
                within.sort_by_key(|(time, _)| *time);
            }
            events.extend(close(stay));
        }
        events
    }
}

/// The event by which the conversation enters a stay's skill.
fn entry<'w>(stay: &Stay<'w>, source: &'static str) -> Option<TimedEvent<'w>> {
    let skill_id = stay.skill;
    let event = match stay.start_reason {
        StartReason::NewConversation => EventKind::Started { skill_id, source: Some(source) },
        StartReason::Resume => EventKind::Resumed { skill_id },
        StartReason::AgentTransfer => EventKind::Transferred { skill_id, reason: TransferReason::Agent },
        StartReason::SkillTransfer => EventKind::Transferred { skill_id, reason: TransferReason::Skill },
        StartReason::Other => EventKind::Transferred { skill_id, reason: TransferReason::Other },
    };
    Some((stay.start, event))
}

fn close<'w>(stay: &Stay<'w>) -> Option<TimedEvent<'w>> {
    let by = match stay.end_reason {
        EndReason::ClosedByAgent => ClosedBy::Agent,
        EndReason::ClosedByConsumer => ClosedBy::Consumer,
        EndReason::ClosedBySystem => ClosedBy::System,
        // The transfer is the event by which the next stay begins.
        EndReason::AgentTransfer | EndReason::SkillTransfer => return None,
    };
    Some((stay.end, EventKind::Closed { by }))
}

/// The messages of a stay: the consumer's before an agent answers, the agent's, and the consumer's answers.
fn messages<'w>(stay: &Stay<'w>) -> Vec<TimedEvent<'w>> {
    let consumer = |time| (time, EventKind::Message { sender: Sender::Consumer, agent_id: None });
    let Some(first) = stay.first_message else {
        return spread(stay.start, stay.end, stay.consumer_messages).map(consumer).collect();
    };
    let answers = if stay.outcome == Outcome::Interactive { stay.consumer_messages.div_ceil(2) } else { 0 };
    let agent_id = stay.assignments.last().map(|assignment| assignment.agent);
    let agent = |time| (time, EventKind::Message { sender: Sender::Agent, agent_id });
    let mut messages: Vec<TimedEvent<'w>> =
        spread(stay.start, first, stay.consumer_messages - answers).map(consumer).collect();
    messages.push(agent(first));
    messages.extend(spread(first, stay.end, stay.agent_messages.saturating_sub(1)).map(agent));
    messages.extend(spread(first, stay.end, answers).map(consumer));
    messages
}

/// `count` times at equal distances after `start` and up to `end`. All are `end` if there is no time between.
fn spread(start: i64, end: i64, count: u32) -> impl Iterator<Item = i64> {
    let step = (end - start) / (i64::from(count) + 1);
    (1..=i64::from(count)).map(move |number| (start + (number * step).max(1)).min(end))
}

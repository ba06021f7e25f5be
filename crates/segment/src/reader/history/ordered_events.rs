//! The events of a conversation, in order, from the lists in its record.

use std::collections::BTreeSet;

use super::record::{
    HistoryRecord, Message, Participant, Permission, SentBy, Transfer, TransferKind, problem, time_of,
};
use crate::error::shortened;
use crate::{AgentKind, EventKind, Result, Sender, TransferReason};

/// An event of a conversation with its place in the order of events. Events are ordered by time. Within a millisecond,
/// participants join first, then come messages by their numbers, then transfers.
pub(super) struct OrderedEvent<'r> {
    pub(super) time: i64,
    rank: (Rank, i64),
    pub(super) kind: EventKind<&'r str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Join,
    Message,
    Transfer,
}

/// All events of a conversation, in order.
pub(super) fn ordered_events(record: &HistoryRecord) -> Result<Vec<OrderedEvent<'_>>> {
    let mut events = joins(record)?;
    events.extend(messages(record)?);
    events.extend(transfers(record)?);
    events.sort_by_key(|event| (event.time, event.rank));
    Ok(events)
}

/// The assignments of agents. A transfer in the same millisecond shows that an assignment was a takeover.
fn joins(record: &HistoryRecord) -> Result<Vec<OrderedEvent<'_>>> {
    let mut takeovers: BTreeSet<(i64, &str)> = BTreeSet::new();
    for transfer in record.transfers() {
        if matches!(transfer.kind(), TransferKind::TakeOver) {
            takeovers.extend(transfer.time_l.zip(transfer.assigned_agent_id()));
        }
    }
    let mut joins = Vec::with_capacity(record.participants().len());
    // In reverse, since of several joins in the same millisecond the last one is the takeover.
    for (place, participant) in record.participants().iter().enumerate().rev() {
        let kind = participant.user_type_name.as_deref().unwrap_or_default();
        let Some(agent_id) = participant.agent_id().filter(|_| !kind.eq_ignore_ascii_case("system")) else { continue };
        if !is_assigned(participant)? {
            continue;
        }
        let agent_kind = match kind.to_ascii_lowercase().as_str() {
            "human" => AgentKind::Human,
            "bot" => AgentKind::Bot,
            _ => {
                let kind = shortened(kind);
                return Err(problem(format!(
                    "userTypeName of an assigned agent is {kind:?}: it is Human, Bot or System"
                )));
            }
        };
        let time = time_of(participant.time_l, "timeL of an assigned agent")?;
        let takeover = takeovers.remove(&(time, agent_id));
        let kind = EventKind::Assigned { agent_id, agent_kind, takeover };
        joins.push(OrderedEvent { time, rank: (Rank::Join, place as i64), kind });
    }
    for (time, agent_id) in takeovers {
        take_over(record, &mut joins, time, agent_id);
    }
    Ok(joins)
}

/// A permission that nobody knows is taken for one to watch, until it is known that this makes a difference.
fn is_assigned(participant: &Participant) -> Result<bool> {
    let permission = participant.permission().ok_or_else(|| problem("permission of an agent is missing"))?;
    Ok(matches!(permission, Permission::Assigned))
}

/// Adds a takeover by a manager for whom the record has no assignment in the same millisecond. If the next assignment
/// is of the same manager, it belongs to the takeover, too.
fn take_over<'r>(record: &HistoryRecord, joins: &mut Vec<OrderedEvent<'r>>, time: i64, agent_id: &'r str) {
    let transfers = record.transfers().iter().filter_map(|transfer| transfer.time_l);
    let next_transfer = transfers.filter(|other| *other > time).min().unwrap_or(i64::MAX);
    let later = joins.iter_mut().filter(|join| join.time > time && join.time <= next_transfer);
    if let Some(OrderedEvent { kind: EventKind::Assigned { agent_id: next, takeover, .. }, .. }) =
        later.min_by_key(|join| (join.time, join.rank))
    {
        *takeover |= *next == agent_id;
    }
    let kind = EventKind::Assigned { agent_id, agent_kind: AgentKind::Human, takeover: true };
    joins.push(OrderedEvent { time, rank: (Rank::Transfer, i64::MIN), kind });
}

/// The messages, without those of surveys.
fn messages(record: &HistoryRecord) -> Result<Vec<OrderedEvent<'_>>> {
    let surveys: BTreeSet<&str> = record
        .dialogs()
        .iter()
        .filter(|dialog| !dialog.is_main())
        .filter_map(|dialog| dialog.dialog_id.as_deref())
        .collect();
    let is_by_agent = |message: &Message| matches!(message.sent_by(), Some(SentBy::Agent));
    if !record.has_participants() && record.messages().iter().any(is_by_agent) {
        return Err(problem("agentParticipants is missing, and there are messages by agents"));
    }
    let mut messages = Vec::with_capacity(record.messages().len());
    for (place, message) in record.messages().iter().enumerate() {
        if message.dialog_id.as_deref().is_some_and(|dialog| surveys.contains(dialog)) {
            continue;
        }
        let kind = match message.sent_by().ok_or_else(|| problem("sentBy of a message is missing"))? {
            SentBy::Consumer => EventKind::Message { sender: Sender::Consumer, agent_id: None },
            SentBy::Agent => EventKind::Message { sender: Sender::Agent, agent_id: message.participant_id() },
            // A word that nobody knows is passed over, until it is known that this makes a difference.
            SentBy::Nobody | SentBy::Unknown => continue,
        };
        let time = time_of(message.time_l, "timeL of a message")?;
        messages.push(OrderedEvent { time, rank: (Rank::Message, message.seq.unwrap_or(place as i64)), kind });
    }
    Ok(messages)
}

/// The transfers. A transfer to an agent is followed by the assignment of that agent.
fn transfers(record: &HistoryRecord) -> Result<Vec<OrderedEvent<'_>>> {
    let mut events = Vec::with_capacity(record.transfers().len());
    for (place, transfer) in record.transfers().iter().enumerate() {
        let time = time_of(transfer.time_l, "timeL of a transfer")?;
        let rank = (Rank::Transfer, 2 * place as i64);
        let kind = match (transfer.kind(), transfer.target_skill_id) {
            (TransferKind::TakeOver, _) => continue,
            (TransferKind::BackToQueue, None | Some(..=-1)) => EventKind::Returned,
            (TransferKind::BackToQueue, Some(skill_id)) => {
                EventKind::Transferred { skill_id, reason: TransferReason::Skill }
            }
            (TransferKind::Transfer(reason), Some(skill_id)) => EventKind::Transferred { skill_id, reason },
            (TransferKind::Transfer(_), None) => return Err(problem("targetSkillId of a transfer is missing")),
        };
        let is_to_agent = matches!(kind, EventKind::Transferred { reason: TransferReason::Agent, .. });
        events.push(OrderedEvent { time, rank, kind });
        if is_to_agent && let Some((agent_id, agent_kind)) = assigned_by(record, transfer, time) {
            let kind = EventKind::Assigned { agent_id, agent_kind, takeover: false };
            events.push(OrderedEvent { time, rank: (rank.0, rank.1 + 1), kind });
        }
    }
    Ok(events)
}

/// The agent to whom a conversation was transferred; `None` if the record has a later assignment for the agent, up to
/// the next transfer, or may get one.
fn assigned_by<'r>(record: &'r HistoryRecord, transfer: &'r Transfer, time: i64) -> Option<(&'r str, AgentKind)> {
    let agent_id = transfer.assigned_agent_id()?;
    let later = record.transfers().iter().filter_map(|other| other.time_l).filter(|other| *other > time);
    let next = later.min().unwrap_or(i64::MAX);
    let of_agent = || record.participants().iter().filter(|participant| participant.agent_id() == Some(agent_id));
    let is_later = |joined: i64| joined > time && joined <= next;
    let joins_later = of_agent()
        .any(|participant| is_assigned(participant).unwrap_or(false) && participant.time_l.is_some_and(is_later));
    // In a conversation that goes on, the assignment may still be to come: it is there if the agent has joined or written.
    let joins_now = || of_agent().any(|participant| participant.time_l == Some(time));
    let is_by_agent = |message: &Message| message.participant_id() == Some(agent_id);
    let is_later_message = |message: &Message| message.time_l.is_some_and(|written| written > time);
    let writes_later = || record.messages().iter().any(|message| is_by_agent(message) && is_later_message(message));
    let is_over = || record.dialogs().iter().any(|dialog| dialog.is_main() && dialog.end_time_l >= Some(time));
    if record.is_open() && next == i64::MAX && !is_over() && !joins_now() && !writes_later() {
        return None;
    }
    let kind = of_agent().find_map(|participant| participant.user_type_name.as_deref())?;
    let agent_kind = match kind.to_ascii_lowercase().as_str() {
        "human" => AgentKind::Human,
        "bot" => AgentKind::Bot,
        _ => return None,
    };
    (!joins_later).then_some((agent_id, agent_kind))
}

impl OrderedEvent<'_> {
    pub(super) fn is_join(&self) -> bool {
        self.rank.0 == Rank::Join
    }
}

use std::collections::BTreeSet;

use super::record::{Dialog, HistoryRecord, Message, Participant, Transfer};
use crate::error::shortened;
use crate::segmenter::{ClosedStay, Conversation};
use crate::{AgentKind, ClosedBy, Error, EventKind, Result, Sender, TransferReason};

/// Something in a conversation, at its place: by time; in the same millisecond participants join first, messages follow
/// by their numbers, then transfers.
struct Happening<'r> {
    time: i64,
    rank: (Rank, i64),
    event: EventKind<&'r str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Join,
    Message,
    Transfer,
}

/// A dialog with the brand: from the start, or a resume, to the close, if it is over.
struct MainDialog {
    skill_id: i64,
    start: i64,
    end: Option<(i64, ClosedBy)>,
}

/// Tells a conversation to the state machine, and gives the stays that have ended and where it came from.
pub(super) fn replay(record: &HistoryRecord) -> Result<(Vec<ClosedStay>, Option<String>)> {
    let happenings = happenings(record)?;
    let mut happenings = happenings.iter().peekable();
    let source = record.info.source.clone();
    let mut conversation = Conversation::default();
    let mut closed = Vec::new();
    let mut tell = |time: i64, event: &EventKind<&str>| {
        let stay = conversation.take(time, event).map_err(|impossible| problem(impossible.to_string()))?;
        closed.extend(stay);
        Ok::<_, Error>(())
    };
    for (number, dialog) in main_dialogs(record)?.into_iter().enumerate() {
        let skill_id = dialog.skill_id;
        if number == 0 {
            tell(dialog.start, &EventKind::Started { skill_id, source: source.as_deref() })?;
        } else {
            // What happened while it was closed belongs to no segment.
            while happenings.next_if(|happening| happening.time < dialog.start).is_some() {}
            tell(dialog.start, &EventKind::Resumed { skill_id })?;
        }
        let end = dialog.end.map_or(i64::MAX, |(end, _)| end);
        while let Some(happening) = happenings.next_if(|happening| happening.time <= end) {
            if !is_of_survey(record, happening, end) {
                tell(happening.time, &happening.event)?;
            }
        }
        if let Some((end, by)) = dialog.end {
            tell(end, &EventKind::Closed { by })?;
        }
    }
    Ok((closed, source))
}

/// The dialogs with the brand, in order; a survey is none.
fn main_dialogs(record: &HistoryRecord) -> Result<Vec<MainDialog>> {
    let info = &record.info;
    let mut dialogs: Vec<Dialog> = record.dialogs().iter().filter(|dialog| is_main(dialog)).cloned().collect();
    if dialogs.is_empty() {
        if !record.dialogs().is_empty() {
            return Err(problem("none of its dialogs is of type MAIN"));
        }
        dialogs.push(Dialog::default());
    }
    let has_survey = dialogs.len() < record.dialogs().len();
    let mut unknown = dialogs.iter_mut().filter(|dialog| known(dialog.start_time_l).is_none());
    if let (Some(first), None) = (unknown.next(), unknown.next()) {
        first.start_time_l = info.start_time_l;
    }
    dialogs.sort_by_key(|dialog| dialog.start_time_l);
    let last = dialogs.len() - 1;
    let starts = dialogs.iter().map(|dialog| time_of(dialog.start_time_l, "startTimeL of a dialog"));
    let starts = starts.collect::<Result<Vec<_>>>()?;
    let mut main = Vec::with_capacity(dialogs.len());
    for (number, (dialog, start)) in dialogs.iter().zip(&starts).enumerate() {
        let is_last = number == last;
        let end = end_of(record, dialog, is_last, has_survey)?;
        let next = starts.get(number + 1).copied();
        match end {
            None if !is_last => return Err(problem("a dialog is open, and another one follows it")),
            Some((end, _)) if end < *start || next.is_some_and(|next| next < end) => {
                return Err(problem(format!("the dialog that starts at {start} does not end before the next")));
            }
            _ => {}
        }
        let skill_id = skill_of(record, dialog, (*start, end.map_or(i64::MAX, |(end, _)| end)), is_last)?;
        main.push(MainDialog { skill_id, start: *start, end });
    }
    Ok(main)
}

fn is_main(dialog: &Dialog) -> bool {
    dialog.dialog_type.as_deref().is_none_or(|kind| kind.eq_ignore_ascii_case("MAIN"))
}

/// Whether somebody joins for the survey, which begins in the very millisecond in which the dialog ends.
fn is_of_survey(record: &HistoryRecord, happening: &Happening<'_>, end: i64) -> bool {
    let begins_now = |dialog: &Dialog| !is_main(dialog) && dialog.start_time_l == Some(end);
    happening.rank.0 == Rank::Join && happening.time == end && record.dialogs().iter().any(begins_now)
}

/// When and by whom a dialog was closed; `None` where it is open.
fn end_of(record: &HistoryRecord, dialog: &Dialog, is_last: bool, has_survey: bool) -> Result<Option<(i64, ClosedBy)>> {
    let info = &record.info;
    let is_closed = info.status.as_deref().map(|status| status.eq_ignore_ascii_case("CLOSE"));
    let end = match known(dialog.end_time_l) {
        Some(end) => Some(end),
        None if !is_last || is_closed == Some(false) => None,
        None if has_survey && (is_closed == Some(true) || known(info.end_time_l).is_some()) => {
            return Err(problem("it is closed, but endTimeL of its dialog is missing, and a survey came after it"));
        }
        None => known(info.end_time_l),
    };
    let Some(end) = end else {
        return if is_last && is_closed == Some(true) {
            Err(problem("it is closed, but endTimeL is missing"))
        } else {
            Ok(None)
        };
    };
    let told = dialog.close_reason.as_deref();
    let reason = told.or(info.close_reason.as_deref().filter(|_| is_last));
    let reason = reason.ok_or_else(|| problem("closeReason is missing"))?;
    Ok(Some((end, closed_by(reason)?)))
}

fn closed_by(reason: &str) -> Result<ClosedBy> {
    match reason.to_ascii_uppercase().as_str() {
        "AGENT" => Ok(ClosedBy::Agent),
        "CONSUMER" => Ok(ClosedBy::Consumer),
        "SYSTEM" | "TIMEOUT" => Ok(ClosedBy::System),
        _ => {
            let reason = shortened(reason);
            Err(problem(format!("closeReason is {reason:?}: it is one of AGENT, CONSUMER, SYSTEM, TIMEOUT")))
        }
    }
}

/// The skill that a dialog began in: where its first transfer to another skill came from or, where there was none, the
/// only one that there is.
fn skill_of(record: &HistoryRecord, dialog: &Dialog, (start, end): (i64, i64), is_last: bool) -> Result<i64> {
    let within = |transfer: &&Transfer| transfer.time_l.is_some_and(|time| (start..=end).contains(&time));
    let mut transfers: Vec<&Transfer> = record.transfers().iter().filter(within).collect();
    transfers.sort_by_key(|transfer| transfer.time_l);
    let from = |is_wanted: fn(&Move) -> bool| {
        transfers.iter().find(|transfer| is_wanted(&Move::of(transfer))).and_then(|transfer| transfer.source_skill_id)
    };
    let latest = record.info.latest_skill_id.filter(|_| is_last);
    from(|to| matches!(to, Move::Transfer(_)))
        .or(dialog.skill_id)
        .or_else(|| from(|_| true))
        .or(latest)
        .ok_or_else(|| problem("the skill that it began in is not told"))
}

/// What a transfer is.
enum Move {
    BackToQueue,
    TakeOver,
    Transfer(TransferReason),
}

impl Move {
    fn of(transfer: &Transfer) -> Self {
        match transfer.reason.as_deref().unwrap_or_default().to_ascii_lowercase().as_str() {
            "back2q" => Self::BackToQueue,
            "takeover" => Self::TakeOver,
            "skill" => Self::Transfer(TransferReason::Skill),
            "agent" => Self::Transfer(TransferReason::Agent),
            _ => Self::Transfer(TransferReason::Other),
        }
    }
}

/// All that happened, in order.
fn happenings(record: &HistoryRecord) -> Result<Vec<Happening<'_>>> {
    let mut happenings = joins(record)?;
    happenings.extend(messages(record)?);
    happenings.extend(transfers(record)?);
    happenings.sort_by_key(|happening| (happening.time, happening.rank));
    Ok(happenings)
}

/// The assignments of agents. One at which the agent took the conversation over is told by a transfer in the same millisecond.
fn joins(record: &HistoryRecord) -> Result<Vec<Happening<'_>>> {
    let mut takeovers: BTreeSet<(i64, &str)> = BTreeSet::new();
    for transfer in record.transfers() {
        if matches!(Move::of(transfer), Move::TakeOver) {
            takeovers.extend(transfer.time_l.zip(transfer.assigned_agent_id()));
        }
    }
    let mut joins = Vec::with_capacity(record.participants().len());
    // From the last, since of several joins in the same millisecond it is the last that the takeover was.
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
        let event = EventKind::Assigned { agent_id, agent_kind, takeover };
        joins.push(Happening { time, rank: (Rank::Join, place as i64), event });
    }
    for (time, agent_id) in takeovers {
        take_over(record, &mut joins, time, agent_id);
    }
    Ok(joins)
}

fn is_assigned(participant: &Participant) -> Result<bool> {
    let permission = participant.permission.as_deref().ok_or_else(|| problem("permission of an agent is missing"))?;
    Ok(permission.eq_ignore_ascii_case("ASSIGNED_AGENT"))
}

/// Adds a takeover by a manager who is not said to join in that very millisecond. If the next that is assigned is the
/// manager once more, it is still by the takeover.
fn take_over<'r>(record: &HistoryRecord, joins: &mut Vec<Happening<'r>>, time: i64, agent_id: &'r str) {
    let transfers = record.transfers().iter().filter_map(|transfer| transfer.time_l);
    let next_transfer = transfers.filter(|other| *other > time).min().unwrap_or(i64::MAX);
    let later = joins.iter_mut().filter(|join| join.time > time && join.time <= next_transfer);
    if let Some(Happening { event: EventKind::Assigned { agent_id: next, takeover, .. }, .. }) =
        later.min_by_key(|join| (join.time, join.rank))
    {
        *takeover |= *next == agent_id;
    }
    let event = EventKind::Assigned { agent_id, agent_kind: AgentKind::Human, takeover: true };
    joins.push(Happening { time, rank: (Rank::Transfer, i64::MIN), event });
}

/// The messages, but for those of surveys.
fn messages(record: &HistoryRecord) -> Result<Vec<Happening<'_>>> {
    let surveys: BTreeSet<&str> = record
        .dialogs()
        .iter()
        .filter(|dialog| !is_main(dialog))
        .filter_map(|dialog| dialog.dialog_id.as_deref())
        .collect();
    let is_by_agent =
        |message: &Message| message.sent_by.as_deref().is_some_and(|sender| sender.eq_ignore_ascii_case("agent"));
    if !record.has_participants() && record.messages().iter().any(is_by_agent) {
        return Err(problem("agentParticipants is missing, and there are messages by agents"));
    }
    let mut messages = Vec::with_capacity(record.messages().len());
    for (place, message) in record.messages().iter().enumerate() {
        if message.dialog_id.as_deref().is_some_and(|dialog| surveys.contains(dialog)) {
            continue;
        }
        let sender = message.sent_by.as_deref().ok_or_else(|| problem("sentBy of a message is missing"))?;
        let event = match sender.to_ascii_lowercase().as_str() {
            "consumer" => EventKind::Message { sender: Sender::Consumer, agent_id: None },
            "agent" => EventKind::Message { sender: Sender::Agent, agent_id: message.participant_id() },
            _ => continue,
        };
        let time = time_of(message.time_l, "timeL of a message")?;
        messages.push(Happening { time, rank: (Rank::Message, message.seq.unwrap_or(place as i64)), event });
    }
    Ok(messages)
}

/// The transfers, each with the assignment that it brought.
fn transfers(record: &HistoryRecord) -> Result<Vec<Happening<'_>>> {
    let mut happenings = Vec::with_capacity(record.transfers().len());
    for (place, transfer) in record.transfers().iter().enumerate() {
        let time = time_of(transfer.time_l, "timeL of a transfer")?;
        let rank = (Rank::Transfer, 2 * place as i64);
        let event = match (Move::of(transfer), transfer.target_skill_id) {
            (Move::TakeOver, _) => continue,
            (Move::BackToQueue, None | Some(..=-1)) => EventKind::Returned,
            (Move::BackToQueue, Some(skill_id)) => EventKind::Transferred { skill_id, reason: TransferReason::Skill },
            (Move::Transfer(reason), Some(skill_id)) => EventKind::Transferred { skill_id, reason },
            (Move::Transfer(_), None) => return Err(problem("targetSkillId of a transfer is missing")),
        };
        let is_to_agent = matches!(event, EventKind::Transferred { reason: TransferReason::Agent, .. });
        happenings.push(Happening { time, rank, event });
        if is_to_agent && let Some((agent_id, agent_kind)) = assigned_by(record, transfer, time) {
            let event = EventKind::Assigned { agent_id, agent_kind, takeover: false };
            happenings.push(Happening { time, rank: (rank.0, rank.1 + 1), event });
        }
    }
    Ok(happenings)
}

/// The agent to whom a conversation was transferred, unless the time at which that agent joined is told as a later one.
fn assigned_by<'r>(record: &'r HistoryRecord, transfer: &'r Transfer, time: i64) -> Option<(&'r str, AgentKind)> {
    let agent_id = transfer.assigned_agent_id()?;
    let later = record.transfers().iter().filter_map(|other| other.time_l).filter(|other| *other > time);
    let next = later.min().unwrap_or(i64::MAX);
    let of_agent = || record.participants().iter().filter(|participant| participant.agent_id() == Some(agent_id));
    let is_later = |joined: i64| joined > time && joined <= next;
    let joins_later = of_agent()
        .any(|participant| is_assigned(participant).unwrap_or(false) && participant.time_l.is_some_and(is_later));
    let kind = of_agent().find_map(|participant| participant.user_type_name.as_deref())?;
    let agent_kind = match kind.to_ascii_lowercase().as_str() {
        "human" => AgentKind::Human,
        "bot" => AgentKind::Bot,
        _ => return None,
    };
    (!joins_later).then_some((agent_id, agent_kind))
}

/// A time that is told: an export writes -1 where there is none.
fn known(time: Option<i64>) -> Option<i64> {
    time.filter(|time| *time >= 0)
}

fn time_of(time: Option<i64>, field: &str) -> Result<i64> {
    known(time).ok_or_else(|| problem(format!("{field} is missing")))
}

fn problem(reason: impl Into<String>) -> Error {
    Error::Record { reason: reason.into() }
}

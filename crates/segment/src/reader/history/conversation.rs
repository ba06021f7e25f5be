//! Makes the closed segments of a conversation from its record, and the state in which the record leaves it.

use super::dialogs::main_dialogs;
use super::ordered_events::{OrderedEvent, ordered_events};
use super::record::{Dialog, HistoryRecord, problem};
use crate::segmenter::{ClosedStay, Conversation};
use crate::{ClosedBy, Error, EventKind, Result, Segment};

/// A conversation after everything that its record tells.
pub(super) struct Replayed {
    /// The closed stays, in order.
    pub(super) closed: Vec<ClosedStay>,
    pub(super) state: Conversation,
}

/// Feeds a conversation to the state machine.
pub(super) fn replay(record: &HistoryRecord) -> Result<Replayed> {
    let events = ordered_events(record)?;
    let mut events = events.iter().peekable();
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
            tell(dialog.start, &EventKind::Started { skill_id, source: record.info.source.as_deref() })?;
        } else {
            // Events while the conversation was closed belong to no segment.
            while events.next_if(|event| event.time < dialog.start).is_some() {}
            tell(dialog.start, &EventKind::Resumed { skill_id })?;
        }
        let end = dialog.end.map_or(i64::MAX, |(end, _)| end);
        while let Some(event) = events.next_if(|event| event.time <= end) {
            if !is_of_survey(record, event, end) {
                tell(event.time, &event.kind)?;
            }
        }
        if let Some((end, by)) = dialog.end {
            tell(end, &EventKind::Closed { by })?;
        }
    }
    Ok(Replayed { closed, state: conversation })
}

impl Replayed {
    /// The segments of the closed stays.
    pub(super) fn segments(&self, account: &str, id: &str, source: Option<&str>) -> Vec<Segment<'static>> {
        self.closed.iter().map(|stay| stay.segment(account, id, source).into_owned()).collect()
    }

    /// Makes sure that the open segment keeps the rules, as far as it has come.
    pub(super) fn check_open(&self, account: &str, id: &str) -> Result<()> {
        let mut state = self.state.clone();
        let close = EventKind::Closed { by: ClosedBy::System };
        match state.take(i64::MIN, &close) {
            Ok(Some(stay)) => stay.segment(account, id, state.source()).validate(),
            _ => Ok(()),
        }
    }

    /// Whether another replay leaves the conversation in the same state, if it is open.
    pub(super) fn goes_on_like(&self, other: &Self) -> bool {
        !self.state.is_open() || self.state.is_like(&other.state)
    }
}

/// Whether an agent joins for the survey. A survey may begin in the same millisecond in which the dialog ends.
fn is_of_survey(record: &HistoryRecord, event: &OrderedEvent<'_>, end: i64) -> bool {
    let begins_now = |dialog: &Dialog| !dialog.is_main() && dialog.start_time_l == Some(end);
    event.is_join() && event.time == end && record.dialogs().iter().any(begins_now)
}

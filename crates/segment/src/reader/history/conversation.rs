//! Makes the closed segments of a conversation from its record.

use super::dialogs::main_dialogs;
use super::ordered_events::{OrderedEvent, ordered_events};
use super::record::{Dialog, HistoryRecord, problem};
use crate::segmenter::{ClosedStay, Conversation};
use crate::{Error, EventKind, Result};

/// Feeds a conversation to the state machine. Returns the closed stays.
pub(super) fn replay(record: &HistoryRecord) -> Result<Vec<ClosedStay>> {
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
    Ok(closed)
}

/// Whether an agent joins for the survey. A survey may begin in the same millisecond in which the dialog ends.
fn is_of_survey(record: &HistoryRecord, event: &OrderedEvent<'_>, end: i64) -> bool {
    let begins_now = |dialog: &Dialog| !dialog.is_main() && dialog.start_time_l == Some(end);
    event.is_join() && event.time == end && record.dialogs().iter().any(begins_now)
}

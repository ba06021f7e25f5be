use super::dialogs::{is_main, main_dialogs};
use super::happenings::{Happening, happenings};
use super::record::{Dialog, HistoryRecord, problem};
use crate::segmenter::{ClosedStay, Conversation};
use crate::{Error, EventKind, Result};

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

/// Whether somebody joins for the survey, which begins in the very millisecond in which the dialog ends.
fn is_of_survey(record: &HistoryRecord, happening: &Happening<'_>, end: i64) -> bool {
    let begins_now = |dialog: &Dialog| !is_main(dialog) && dialog.start_time_l == Some(end);
    happening.is_join() && happening.time == end && record.dialogs().iter().any(begins_now)
}

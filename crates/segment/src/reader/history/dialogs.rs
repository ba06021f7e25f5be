//! The dialogs of a conversation with the brand, each from its start to its close.

use super::record::{Dialog, HistoryRecord, Transfer, TransferKind, known, problem, time_of};
use crate::error::shortened;
use crate::{ClosedBy, Result};

/// A dialog with the brand. The first starts a conversation, and every other one resumes it.
pub(super) struct MainDialog {
    pub(super) skill_id: i64,
    pub(super) start: i64,
    pub(super) end: Option<(i64, ClosedBy)>,
}

/// The dialogs with the brand, in order, without surveys.
pub(super) fn main_dialogs(record: &HistoryRecord) -> Result<Vec<MainDialog>> {
    let info = &record.info;
    let mut dialogs: Vec<Dialog> = record.dialogs().iter().filter(|dialog| dialog.is_main()).cloned().collect();
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

/// When and by whom a dialog was closed; `None` if it is open.
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

/// The skill in which a dialog began. The first transfer to another skill shows it; without one, the dialog was in a
/// single skill.
fn skill_of(record: &HistoryRecord, dialog: &Dialog, (start, end): (i64, i64), is_last: bool) -> Result<i64> {
    let within = |transfer: &&Transfer| transfer.time_l.is_some_and(|time| (start..=end).contains(&time));
    let mut transfers: Vec<&Transfer> = record.transfers().iter().filter(within).collect();
    transfers.sort_by_key(|transfer| transfer.time_l);
    let from = |is_wanted: fn(TransferKind) -> bool| {
        transfers.iter().find(|transfer| is_wanted(transfer.kind())).and_then(|transfer| transfer.source_skill_id)
    };
    let latest = record.info.latest_skill_id.filter(|_| is_last);
    from(|kind| matches!(kind, TransferKind::Transfer(_)))
        .or(dialog.skill_id)
        .or_else(|| from(|_| true))
        .or(latest)
        .ok_or_else(|| problem("the skill that it began in is not told"))
}

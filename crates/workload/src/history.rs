//! Conversations as an export of message history.

use std::io::{self, Write};

use serde_json::{Value, json};
use skillscope_segment::{AgentKind, EndReason, EventKind, Sender, StartReason};

use crate::Conversation;
use crate::stay::Stay;

/// The number of records in a page.
const PAGE_RECORDS: usize = 100;

/// Writes conversations as an export of message history: pages of JSON, one per line.
pub struct HistoryWriter<W: Write> {
    out: W,
    /// The number of records in the current page.
    records: usize,
}

impl<W: Write> HistoryWriter<W> {
    /// A writer to `out`.
    pub fn new(out: W) -> Self {
        Self { out, records: 0 }
    }

    /// Writes a conversation.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&mut self, conversation: &Conversation<'_>) -> io::Result<()> {
        self.write_record(&record(conversation))
    }

    /// Writes a conversation as an export tells it that is made at an instant, in milliseconds since the epoch. Nothing
    /// is written of one that has not started.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write_as_of(&mut self, conversation: &Conversation<'_>, instant: i64) -> io::Result<()> {
        match as_of(conversation, instant) {
            Some(record) => self.write_record(&record),
            None => Ok(()),
        }
    }

    fn write_record(&mut self, record: &Value) -> io::Result<()> {
        let before = if self.records == 0 { b"{\"conversationHistoryRecords\":[".as_slice() } else { b"," };
        self.out.write_all(before)?;
        serde_json::to_writer(&mut self.out, record)?;
        self.records += 1;
        if self.records == PAGE_RECORDS { self.end_page() } else { Ok(()) }
    }

    /// Writes the end, and returns the output.
    ///
    /// # Errors
    /// Where the end cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        if self.records > 0 {
            self.end_page()?;
        }
        Ok(self.out)
    }

    fn end_page(&mut self) -> io::Result<()> {
        self.records = 0;
        self.out.write_all(b"]}\n")
    }
}

fn record(conversation: &Conversation<'_>) -> Value {
    let stays = conversation.stays();
    let (Some(first), Some(last)) = (stays.first(), stays.last()) else { return Value::Null };
    json!({
        "info": {
            "conversationId": conversation.id(),
            "brandId": conversation.account(),
            "startTimeL": first.start,
            "endTimeL": last.end + conversation.survey().unwrap_or(0),
            "closeReason": close_reason(last),
            "status": "CLOSE",
            "latestSkillId": last.skill,
            "source": conversation.source(),
        },
        "messageRecords": messages(conversation),
        "agentParticipants": participants(conversation),
        "transfers": transfers(conversation),
        "dialogs": dialogs(conversation),
    })
}

/// The record as it was at an instant: without anything later, and open unless the dialog with the brand was closed.
fn as_of(conversation: &Conversation<'_>, instant: i64) -> Option<Value> {
    let stay = conversation.stays().iter().rev().find(|stay| stay.start <= instant)?;
    let is_over = |value: &Value| value.as_i64().is_some_and(|time| time <= instant);
    let mut record = record(conversation);
    for list in ["messageRecords", "agentParticipants", "transfers"] {
        record.get_mut(list)?.as_array_mut()?.retain(|entry| is_over(&entry["timeL"]));
    }
    let dialogs = record.get_mut("dialogs")?.as_array_mut()?;
    dialogs.retain(|dialog| is_over(&dialog["startTimeL"]));
    let mut is_open = false;
    for dialog in dialogs.iter_mut().filter(|dialog| !is_over(&dialog["endTimeL"])) {
        is_open = true;
        open(dialog, stay.skill);
    }
    let last = dialogs.last()?.clone();
    let info = record.get_mut("info")?;
    for name in ["endTimeL", "closeReason"] {
        info[name] = last.get(name).cloned().unwrap_or_default();
    }
    info["latestSkillId"] = json!(stay.skill);
    if is_open {
        info["status"] = json!("OPEN");
    }
    Some(record)
}

/// Opens a dialog that has gone on in a skill.
fn open(dialog: &mut Value, skill: i64) {
    dialog["endTimeL"] = json!(-1);
    dialog["closeReason"] = Value::Null;
    dialog["skillId"] = json!(skill);
}

fn close_reason(stay: &Stay<'_>) -> &'static str {
    match stay.end_reason {
        EndReason::ClosedByAgent => "AGENT",
        EndReason::ClosedByConsumer => "CONSUMER",
        // Exports have both words for a close by the system.
        _ if stay.skill % 2 == 0 => "TIMEOUT",
        _ => "SYSTEM",
    }
}

/// The identifier of the dialog after so many resumes.
fn dialog_id(conversation: &Conversation<'_>, resumes: usize) -> String {
    match resumes {
        0 => conversation.id().to_owned(),
        resumes => format!("{}-{resumes}", conversation.id()),
    }
}

fn messages(conversation: &Conversation<'_>) -> Vec<Value> {
    let (mut messages, mut resumes) = (Vec::new(), 0);
    for (time, event) in conversation.events() {
        let (sender, participant) = match event {
            EventKind::Resumed { .. } => {
                resumes += 1;
                continue;
            }
            EventKind::Message { sender: Sender::Consumer, .. } => ("Consumer", "consumer"),
            EventKind::Message { sender: Sender::Agent, agent_id } => ("Agent", agent_id.unwrap_or("null")),
            _ => continue,
        };
        let dialog = dialog_id(conversation, resumes);
        messages.push(message(time, sender, participant, messages.len(), &dialog));
    }
    if let (Some(length), Some(last)) = (conversation.survey(), conversation.stays().last()) {
        for (time, sender) in [(last.end, "Agent"), (last.end + length, "Consumer")] {
            messages.push(message(time, sender, "survey-bot", messages.len(), &survey_id(conversation)));
        }
    }
    messages
}

fn message(time: i64, sender: &str, participant: &str, seq: usize, dialog: &str) -> Value {
    json!({ "timeL": time, "sentBy": sender, "participantId": participant, "seq": seq, "dialogId": dialog })
}

fn participants(conversation: &Conversation<'_>) -> Vec<Value> {
    let mut participants = Vec::new();
    for assignment in conversation.stays().iter().flat_map(|stay| &stay.assignments) {
        let user_type = match assignment.kind {
            AgentKind::Human => "Human",
            AgentKind::Bot => "Bot",
        };
        let mut join = |permission: &str, time: i64| {
            participants.push(json!({
                "agentId": assignment.agent, "userTypeName": user_type, "permission": permission, "timeL": time,
            }));
        };
        if assignment.takeover {
            join("READER", assignment.time);
        }
        join("ASSIGNED_AGENT", assignment.time);
    }
    participants
}

fn transfers(conversation: &Conversation<'_>) -> Vec<Value> {
    let mut transfers = Vec::new();
    let mut transfer = |time: i64, source: i64, target: i64, agent: &str, reason: &str| {
        transfers.push(json!({
            "timeL": time, "sourceSkillId": source, "targetSkillId": target, "assignedAgentId": agent, "reason": reason,
        }));
    };
    let mut before = None;
    for stay in conversation.stays() {
        let agent = stay.assignments.first().map_or("null", |assignment| assignment.agent);
        match (stay.start_reason, before) {
            (StartReason::SkillTransfer, Some(source)) => transfer(stay.start, source, stay.skill, "null", "Skill"),
            (StartReason::AgentTransfer, Some(source)) => transfer(stay.start, source, stay.skill, agent, "Agent"),
            _ => {}
        }
        for takeover in stay.assignments.iter().filter(|assignment| assignment.takeover) {
            transfer(takeover.time, stay.skill, stay.skill, takeover.agent, "TakeOver");
        }
        if let Some(time) = stay.returned {
            transfer(time, stay.skill, stay.skill, "null", "back2Q");
        }
        before = Some(stay.skill);
    }
    transfers
}

fn dialogs(conversation: &Conversation<'_>) -> Vec<Value> {
    let (mut dialogs, mut start) = (Vec::new(), None);
    for stay in conversation.stays() {
        let start_time = *start.get_or_insert(stay.start);
        if matches!(stay.end_reason, EndReason::AgentTransfer | EndReason::SkillTransfer) {
            continue;
        }
        dialogs.push(json!({
            "dialogId": dialog_id(conversation, dialogs.len()), "dialogType": "MAIN", "startTimeL": start_time,
            "endTimeL": stay.end, "closeReason": close_reason(stay), "skillId": stay.skill,
        }));
        start = None;
    }
    if let (Some(length), Some(last)) = (conversation.survey(), conversation.stays().last()) {
        dialogs.push(json!({
            "dialogId": survey_id(conversation), "dialogType": "POST_SURVEY", "startTimeL": last.end,
            "endTimeL": last.end + length, "closeReason": "SYSTEM", "skillId": last.skill,
        }));
    }
    dialogs
}

fn survey_id(conversation: &Conversation<'_>) -> String {
    format!("{}-survey", conversation.id())
}

//! The JSON of a conversation in an export.

use serde::{Deserialize, Serialize};

use crate::error::shortened;
use crate::json_value::{optional_flag, optional_whole_or_text, owned_identifier};
use crate::reader::json_object;
use crate::{Error, Result, TransferReason};

/// The maximum number of agents, transfers or dialogs of a conversation. Real conversations have far fewer.
const LONGEST_LIST: usize = 4096;

pub(super) const INFO: &str = "info";

/// The fields of a record that its segments depend on.
pub(super) const FIELDS: [&str; 6] =
    [INFO, "messageRecords", "agentParticipants", "transfers", "interactions", "dialogs"];

/// A conversation of an export, with the fields that its segments depend on. Every field is optional here, since
/// whether it is required depends on others.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HistoryRecord {
    pub(super) info: Info,
    message_records: Option<Vec<Message>>,
    agent_participants: Option<Vec<Participant>>,
    transfers: Option<Vec<Transfer>>,
    interactions: Option<Vec<Interaction>>,
    dialogs: Option<Vec<Dialog>>,
}

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Info {
    #[serde(default, deserialize_with = "owned_identifier")]
    conversation_id: Option<String>,
    #[serde(default, deserialize_with = "owned_identifier")]
    brand_id: Option<String>,
    #[serde(default, deserialize_with = "optional_whole_or_text")]
    pub(super) start_time_l: Option<i64>,
    #[serde(default, deserialize_with = "optional_whole_or_text")]
    pub(super) end_time_l: Option<i64>,
    pub(super) close_reason: Option<String>,
    pub(super) status: Option<String>,
    #[serde(default, deserialize_with = "optional_whole_or_text")]
    pub(super) latest_skill_id: Option<i64>,
    pub(super) source: Option<String>,
    #[serde(default, deserialize_with = "owned_identifier")]
    latest_agent_id: Option<String>,
    /// Whether messages of the conversation are not in the export.
    #[serde(default, deserialize_with = "optional_flag")]
    is_partial: Option<bool>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message {
    #[serde(default, deserialize_with = "optional_whole_or_text")]
    pub(super) time_l: Option<i64>,
    pub(super) sent_by: Option<String>,
    #[serde(default, deserialize_with = "owned_identifier")]
    participant_id: Option<String>,
    #[serde(default, deserialize_with = "optional_whole_or_text")]
    pub(super) seq: Option<i64>,
    #[serde(default, deserialize_with = "owned_identifier")]
    pub(super) dialog_id: Option<String>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Participant {
    #[serde(default, deserialize_with = "owned_identifier")]
    agent_id: Option<String>,
    pub(super) user_type_name: Option<String>,
    pub(super) permission: Option<String>,
    #[serde(default, deserialize_with = "optional_whole_or_text")]
    pub(super) time_l: Option<i64>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Transfer {
    #[serde(default, deserialize_with = "optional_whole_or_text")]
    pub(super) time_l: Option<i64>,
    #[serde(default, deserialize_with = "optional_whole_or_text")]
    pub(super) source_skill_id: Option<i64>,
    #[serde(default, deserialize_with = "optional_whole_or_text")]
    pub(super) target_skill_id: Option<i64>,
    #[serde(default, deserialize_with = "owned_identifier")]
    assigned_agent_id: Option<String>,
    reason: Option<String>,
}

/// A time for which an agent had the conversation. It repeats what participants and transfers tell.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Interaction {
    #[serde(default, deserialize_with = "owned_identifier")]
    assigned_agent_id: Option<String>,
}

/// What a participant may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Permission {
    /// To talk with the consumer.
    Assigned,
    /// To watch.
    Watching,
    Unknown,
}

/// Who wrote a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SentBy {
    Consumer,
    Agent,
    /// The system, or a program that directs others.
    Nobody,
    Unknown,
}

/// What happened at a transfer, according to its reason.
pub(super) enum TransferKind {
    BackToQueue,
    TakeOver,
    Transfer(TransferReason),
}

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Dialog {
    #[serde(default, deserialize_with = "owned_identifier")]
    pub(super) dialog_id: Option<String>,
    pub(super) dialog_type: Option<String>,
    #[serde(default, deserialize_with = "optional_whole_or_text")]
    pub(super) start_time_l: Option<i64>,
    #[serde(default, deserialize_with = "optional_whole_or_text")]
    pub(super) end_time_l: Option<i64>,
    pub(super) close_reason: Option<String>,
    #[serde(default, deserialize_with = "optional_whole_or_text")]
    pub(super) skill_id: Option<i64>,
}

/// The identifier of a conversation, read alone when the rest of its record is invalid.
#[derive(Deserialize)]
struct Identified {
    info: IdentifiedInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IdentifiedInfo {
    conversation_id: String,
}

impl HistoryRecord {
    /// Reads the JSON object of a conversation.
    ///
    /// # Errors
    /// [`Error::Conversation`], or [`Error::Record`] where even the identifier of the conversation cannot be read.
    pub(super) fn parse(json: &str) -> Result<Self> {
        let record = json_object::parse::<Self>(json.as_bytes()).and_then(Self::checked);
        record.map_err(|error| match serde_json::from_str::<Identified>(json) {
            Ok(Identified { info }) => {
                Error::Conversation { id: shortened(&info.conversation_id), reason: error.to_string() }
            }
            Err(_) => error,
        })
    }

    /// Checks the length of the lists that are searched again and again.
    fn checked(self) -> Result<Self> {
        for (list, length) in [
            ("agentParticipants", self.participants().len()),
            ("transfers", self.transfers().len()),
            ("dialogs", self.dialogs().len()),
        ] {
            if length > LONGEST_LIST {
                return Err(problem(format!("{list} has {length} entries: at most {LONGEST_LIST} are read")));
            }
        }
        Ok(self)
    }

    pub(super) fn conversation_id(&self) -> Result<&str> {
        let id = self.info.conversation_id.as_deref().filter(|id| !id.is_empty());
        id.ok_or_else(|| Error::Record { reason: "info.conversationId is missing".to_owned() })
    }

    /// The brand's account; empty if the record names none.
    pub(super) fn brand_id(&self) -> &str {
        self.info.brand_id.as_deref().unwrap_or_default()
    }

    /// Makes sure that the export has what the segments are made of. What is not there must not count as what did not
    /// happen.
    pub(super) fn check_complete(&self) -> Result<()> {
        if self.message_records.is_none() {
            return Err(problem(
                "messageRecords is missing, so that nobody knows who answered: export it, too (contentToRetrieve)",
            ));
        }
        if self.info.is_partial == Some(true) {
            return Err(problem("info.isPartial says that messages are missing: export the conversation again"));
        }
        let interactions = self.interactions.as_deref().unwrap_or_default();
        let has_agent = agent(self.info.latest_agent_id.as_deref()).is_some_and(|id| id != "-1")
            || interactions.iter().any(|interaction| agent(interaction.assigned_agent_id.as_deref()).is_some());
        if has_agent && !self.has_participants() {
            return Err(problem("agentParticipants is missing, and there was an agent: export it, too"));
        }
        Ok(())
    }

    /// The time of the last thing that is told, in milliseconds since the epoch.
    pub(super) fn last_time(&self) -> i64 {
        let info = [self.info.start_time_l, self.info.end_time_l];
        let dialogs = self.dialogs().iter().flat_map(|dialog| [dialog.start_time_l, dialog.end_time_l]);
        let messages = self.messages().iter().map(|message| message.time_l);
        let participants = self.participants().iter().map(|participant| participant.time_l);
        let transfers = self.transfers().iter().map(|transfer| transfer.time_l);
        let times = info.into_iter().chain(dialogs).chain(messages).chain(participants).chain(transfers);
        times.flatten().max().unwrap_or_default()
    }

    /// Whether something may still happen in the conversation.
    pub(super) fn is_open(&self) -> bool {
        match &self.info.status {
            Some(status) => !status.eq_ignore_ascii_case("CLOSE"),
            None => known(self.info.end_time_l).is_none(),
        }
    }

    /// The record as a line of JSON, with the fields that its segments depend on.
    pub(super) fn to_line(&self) -> Result<String> {
        let written = serde_json::to_string(self);
        written.map_err(|error| problem(error.to_string()))
    }

    pub(super) fn messages(&self) -> &[Message] {
        self.message_records.as_deref().unwrap_or_default()
    }

    pub(super) fn messages_mut(&mut self) -> &mut [Message] {
        self.message_records.as_deref_mut().unwrap_or_default()
    }

    pub(super) fn participants(&self) -> &[Participant] {
        self.agent_participants.as_deref().unwrap_or_default()
    }

    pub(super) fn participants_mut(&mut self) -> &mut [Participant] {
        self.agent_participants.as_deref_mut().unwrap_or_default()
    }

    pub(super) fn has_participants(&self) -> bool {
        self.agent_participants.is_some()
    }

    pub(super) fn transfers(&self) -> &[Transfer] {
        self.transfers.as_deref().unwrap_or_default()
    }

    pub(super) fn dialogs(&self) -> &[Dialog] {
        self.dialogs.as_deref().unwrap_or_default()
    }
}

impl Message {
    pub(super) fn sent_by(&self) -> Option<SentBy> {
        Some(match word(self.sent_by.as_deref()?).as_str() {
            "consumer" => SentBy::Consumer,
            "agent" => SentBy::Agent,
            "system" | "controller" => SentBy::Nobody,
            _ => SentBy::Unknown,
        })
    }

    pub(super) fn participant_id(&self) -> Option<&str> {
        agent(self.participant_id.as_deref())
    }
}

impl Participant {
    pub(super) fn permission(&self) -> Option<Permission> {
        Some(match word(self.permission.as_deref()?).as_str() {
            // The vendor's table has the one, and its example the other.
            "assigned" | "assignedagent" => Permission::Assigned,
            "reader" | "manager" | "agentmanager" | "controller" | "consumer" | "observer" | "watcher" | "viewer" => {
                Permission::Watching
            }
            _ => Permission::Unknown,
        })
    }

    pub(super) fn agent_id(&self) -> Option<&str> {
        agent(self.agent_id.as_deref())
    }
}

impl Transfer {
    pub(super) fn kind(&self) -> TransferKind {
        match word(self.reason.as_deref().unwrap_or_default()).as_str() {
            "back2q" => TransferKind::BackToQueue,
            // The agent to whom it was suggested did not take it.
            "suggestedagenttimeout" if self.target_skill_id.is_none_or(|skill| skill < 0) => TransferKind::BackToQueue,
            "takeover" => TransferKind::TakeOver,
            "skill" => TransferKind::Transfer(TransferReason::Skill),
            "agent" => TransferKind::Transfer(TransferReason::Agent),
            _ => TransferKind::Transfer(TransferReason::Other),
        }
    }

    pub(super) fn assigned_agent_id(&self) -> Option<&str> {
        agent(self.assigned_agent_id.as_deref())
    }
}

impl Dialog {
    /// Whether the dialog is with the brand. A dialog of any other type is a survey.
    pub(super) fn is_main(&self) -> bool {
        self.dialog_type.as_deref().is_none_or(|kind| kind.eq_ignore_ascii_case("MAIN"))
    }
}

/// A word of a vocabulary: exports differ in the case of letters and in what stands between the parts of a word.
fn word(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).map(|c| c.to_ascii_lowercase()).collect()
}

/// The identifier of an agent, if there is one. Exports also write the text `null` where there is none.
fn agent(id: Option<&str>) -> Option<&str> {
    id.filter(|id| !id.is_empty() && *id != "null")
}

/// A time, if it is known. Exports write -1 where it is not.
pub(super) fn known(time: Option<i64>) -> Option<i64> {
    time.filter(|time| *time >= 0)
}

pub(super) fn time_of(time: Option<i64>, field: &str) -> Result<i64> {
    known(time).ok_or_else(|| problem(format!("{field} is missing")))
}

pub(super) fn problem(reason: impl Into<String>) -> Error {
    Error::Record { reason: reason.into() }
}

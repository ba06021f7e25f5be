//! Words in a record that nobody knows: permissions of agents, and who sent messages.

use super::record::{HistoryRecord, Permission, SentBy, problem};
use crate::error::shortened;
use crate::{Error, Result};

/// So many such words of a record are looked into, each by itself and all together.
const MOST_UNKNOWN: usize = 8;

/// The record with each word that nobody knows in another meaning than it has now, and the error of the word.
pub(super) fn meanings(record: &HistoryRecord) -> Result<Vec<(HistoryRecord, Error)>> {
    let agents = record.participants().iter().enumerate();
    let agents: Vec<(usize, &str)> = agents
        .filter(|(_, agent)| agent.agent_id().is_some() && agent.permission() == Some(Permission::Unknown))
        .filter_map(|(place, agent)| Some((place, agent.permission.as_deref()?)))
        .collect();
    let messages = record.messages().iter().enumerate();
    let messages: Vec<(usize, &str)> = messages
        .filter(|(_, message)| message.sent_by() == Some(SentBy::Unknown))
        .filter_map(|(place, message)| Some((place, message.sent_by.as_deref()?)))
        .collect();
    let first = agents.first().map(|(_, word)| permission(word)).or(messages.first().map(|(_, word)| sender(word)));
    let Some(first) = first else { return Ok(Vec::new()) };
    if agents.len().max(messages.len()) > MOST_UNKNOWN {
        return Err(first);
    }
    let mut meanings = Vec::new();
    let mut all = record.clone();
    for (place, word) in &agents {
        let mut one = record.clone();
        for record in [&mut one, &mut all] {
            set(record.participants_mut().get_mut(*place).map(|agent| &mut agent.permission), "assigned");
        }
        meanings.push((one, permission(word)));
    }
    for (place, word) in &messages {
        for meaning in ["consumer", "agent"] {
            let mut one = record.clone();
            for record in [&mut one, &mut all] {
                set(record.messages_mut().get_mut(*place).map(|message| &mut message.sent_by), meaning);
            }
            meanings.push((one, sender(word)));
        }
    }
    meanings.push((all, first));
    Ok(meanings)
}

fn set(word: Option<&mut Option<String>>, meaning: &str) {
    if let Some(word) = word {
        *word = Some(meaning.to_owned());
    }
}

fn permission(word: &str) -> Error {
    let word = shortened(word);
    problem(format!(
        "permission of an agent is {word:?}: it is assigned (ASSIGNED_AGENT), reader, manager or controller"
    ))
}

fn sender(word: &str) -> Error {
    let word = shortened(word);
    problem(format!("sentBy of a message is {word:?}: it is Consumer, Agent, System or Controller"))
}

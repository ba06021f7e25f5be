//! Who attends to the customer of an open segment, or since when the customer waits.

use serde::{Deserialize, Serialize};

use super::open_segment::{LastMessage, Wait, WaitKind};
use crate::{AgentKind, Sender, StartReason};

/// What is known of an open segment beside what its closed segment will tell. Its times are in milliseconds since the
/// segment's start: small numbers take few bytes in the journal, where this is written with each event.
///
/// It stands at the end of the state of a conversation, which ended before it in earlier versions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Attention {
    /// The start of the last wait.
    wait_start: i64,
    /// Whether the last wait began with a transfer.
    is_after_transfer: bool,
    /// What the agent is who was assigned last. `None` where that is not known.
    pub(super) agent_kind: Option<AgentKind>,
    /// The last message that counts, and who wrote it.
    last_message: Option<(i64, Sender)>,
    /// Whether the conversation was resumed at any time.
    pub(super) is_resumed: bool,
}

impl Attention {
    /// That of a segment that starts.
    pub(super) fn at_start(reason: StartReason, is_resumed: bool) -> Self {
        Self {
            wait_start: 0,
            is_after_transfer: !matches!(reason, StartReason::NewConversation | StartReason::Resume),
            agent_kind: None,
            last_message: None,
            is_resumed: is_resumed || reason == StartReason::Resume,
        }
    }

    /// The last wait in a segment that started at `start`, in milliseconds since the epoch.
    pub(super) fn last_wait(&self, start: i64) -> Wait {
        let kind = if self.is_after_transfer { WaitKind::Transfer } else { WaitKind::NewConversation };
        Wait { since: start.saturating_add(self.wait_start), kind }
    }

    /// The last message that counts, in a segment that started at `start`, in milliseconds since the epoch.
    pub(super) fn last_message(&self, start: i64) -> Option<LastMessage> {
        self.last_message.map(|(after, by)| LastMessage { time: start.saturating_add(after), by })
    }

    /// Begins a wait, which keeps its kind, so long after the segment's start.
    pub(super) fn wait_again(&mut self, after: i64) {
        self.wait_start = after;
    }

    /// Begins a wait by a transfer, so long after the segment's start.
    pub(super) fn wait_after_transfer(&mut self, after: i64) {
        (self.wait_start, self.is_after_transfer) = (after, true);
    }

    /// Notes a message that counts, so long after the segment's start.
    pub(super) fn note_message(&mut self, after: i64, by: Sender) {
        self.last_message = Some((after, by));
    }
}

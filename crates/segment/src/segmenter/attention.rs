//! Who attends to the customer of an open segment, or since when the customer waits.

use serde::{Deserialize, Serialize};

use super::open_segment::{LastMessage, Wait, WaitKind};
use crate::{AgentKind, Sender, StartReason};

/// What is known of an open segment beside what its closed segment will tell.
///
/// It stands at the end of the state of a conversation, which ended before it in earlier versions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Attention {
    /// The start of the last wait, in milliseconds since the epoch.
    wait_since: i64,
    /// Whether the last wait began with a transfer.
    is_after_transfer: bool,
    /// What the agent is who was assigned last. `None` where that is not known.
    pub(super) agent_kind: Option<AgentKind>,
    /// The last message that counts.
    pub(super) last_message: Option<LastMessage>,
    /// Whether the conversation was resumed at any time.
    pub(super) is_resumed: bool,
}

impl Attention {
    /// That of a segment that starts.
    pub(super) fn at_start(time: i64, reason: StartReason, is_resumed: bool) -> Self {
        Self {
            wait_since: time,
            is_after_transfer: !matches!(reason, StartReason::NewConversation | StartReason::Resume),
            agent_kind: None,
            last_message: None,
            is_resumed: is_resumed || reason == StartReason::Resume,
        }
    }

    pub(super) fn last_wait(&self) -> Wait {
        let kind = if self.is_after_transfer { WaitKind::Transfer } else { WaitKind::NewConversation };
        Wait { since: self.wait_since, kind }
    }

    /// Begins a wait, which keeps its kind.
    pub(super) fn wait_again(&mut self, time: i64) {
        self.wait_since = time;
    }

    /// Begins a wait by a transfer.
    pub(super) fn wait_after_transfer(&mut self, time: i64) {
        (self.wait_since, self.is_after_transfer) = (time, true);
    }

    pub(super) fn note_message(&mut self, time: i64, by: Sender) {
        self.last_message = Some(LastMessage { time, by });
    }
}

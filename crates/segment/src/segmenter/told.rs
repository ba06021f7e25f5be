//! What an export tells of a conversation.

use super::Conversation;
use crate::AccountId;

/// A conversation as an export tells it: its state after everything that had happened up to a time.
#[derive(Debug, Clone)]
pub struct ToldConversation {
    /// The brand's account.
    pub account: AccountId,
    /// The conversation.
    pub conversation: Box<str>,
    pub(crate) state: Conversation,
    /// The time of the last thing that is told, in milliseconds since the epoch.
    pub until: i64,
}

impl ToldConversation {
    /// Whether the conversation is open.
    pub fn is_open(&self) -> bool {
        self.state.is_open()
    }

    /// The index of the segment that is open, or of the next one.
    pub fn segment_index(&self) -> u32 {
        self.state.segment_index()
    }
}

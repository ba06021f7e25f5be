use skillscope_segment::{Change, FollowedConversation, Segmenter};

use crate::Result;

/// A conversation that is followed, as the journal holds it.
#[derive(Debug)]
pub(crate) struct ConversationRecord {
    pub(crate) account: String,
    pub(crate) conversation: String,
    pub(crate) state: FollowedConversation,
}

impl ConversationRecord {
    pub(crate) fn encode(account: &str, conversation: &str, state: &FollowedConversation) -> Result<Vec<u8>> {
        Ok(postcard::to_allocvec(&(account, conversation, state))?)
    }

    /// What [`Self::encode`] encoded.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let (account, conversation, state) = postcard::from_bytes(bytes)?;
        Ok(Self { account, conversation, state })
    }
}

/// What a commit changes of the conversations that are followed.
#[derive(Debug, Default)]
pub(crate) struct ConversationChanges {
    /// By number, encoded.
    pub(crate) changed: Vec<(u64, Vec<u8>)>,
    /// Numbers of those that are followed no longer.
    pub(crate) forgotten: Vec<u64>,
    /// By account, in milliseconds since the epoch.
    pub(crate) watermarks: Vec<(String, i64)>,
}

impl ConversationChanges {
    /// What is on trial.
    pub(crate) fn on_trial(segmenter: &Segmenter) -> Result<Self> {
        let mut changes = Self::default();
        for change in segmenter.changes() {
            match change {
                Change::Changed { number, account, conversation, state } => {
                    let record = ConversationRecord::encode(account, conversation, state)?;
                    changes.changed.push((number, record));
                }
                Change::Forgotten { number } => changes.forgotten.push(number),
            }
        }
        changes.watermarks.extend(segmenter.changed_watermarks().map(|(account, time)| (account.to_owned(), time)));
        Ok(changes)
    }

    /// All that is not on trial.
    pub(crate) fn whole(segmenter: &Segmenter) -> Result<Self> {
        let mut changes = Self::default();
        for (number, account, conversation, state) in segmenter.conversations() {
            changes.changed.push((number, ConversationRecord::encode(account, conversation, state)?));
        }
        changes.watermarks.extend(segmenter.watermarks().map(|(account, time)| (account.to_owned(), time)));
        Ok(changes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.forgotten.is_empty() && self.watermarks.is_empty()
    }
}

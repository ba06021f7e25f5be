//! Followed conversations, as the journal holds them.

use std::sync::Arc;

use skillscope_segment::{AccountId, ConversationChange, FollowedConversation, Segmenter};

use crate::error::{Error, Result};
use crate::open::OpenChange;

/// A conversation that is followed, as the journal holds it.
#[derive(Debug)]
pub(crate) struct ConversationRecord {
    pub(crate) account: String,
    pub(crate) conversation: String,
    pub(crate) state: FollowedConversation,
}

impl ConversationRecord {
    /// Account and conversation.
    pub(crate) fn name(&self) -> (String, String) {
        (self.account.clone(), self.conversation.clone())
    }

    pub(crate) fn encode(account: &str, conversation: &str, state: &FollowedConversation) -> Result<Vec<u8>> {
        Ok(postcard::to_allocvec(&(account, conversation, state))?)
    }

    /// The record that [`Self::encode`] encoded.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let (account, conversation, state) = postcard::from_bytes(bytes)?;
        Ok(Self { account, conversation, state })
    }
}

/// The changes of followed conversations in one commit.
#[derive(Debug, Default)]
pub(crate) struct ConversationChanges<'s> {
    /// All conversations of this segmenter that are not on trial. There may be many, and they are encoded one by one.
    pub(crate) followed: Option<&'s Segmenter>,
    /// By number, encoded.
    pub(crate) changed: Vec<(u64, Vec<u8>)>,
    /// The numbers of conversations that are followed no longer.
    pub(crate) forgotten: Vec<u64>,
    /// By account, in milliseconds since the epoch.
    pub(crate) watermarks: Vec<(String, i64)>,
    /// When streams began, by account, in milliseconds since the epoch.
    pub(crate) beginnings: Vec<(String, i64)>,
}

impl<'s> ConversationChanges<'s> {
    /// The changes that are on trial; and what they are for the conversations that are open.
    pub(crate) fn on_trial(segmenter: &Segmenter) -> Result<(Self, Vec<OpenChange>)> {
        let (mut changes, mut open) = (Self::default(), Vec::new());
        for change in segmenter.changes() {
            let (number, account, state) = match change {
                ConversationChange::Updated { number, account, state } => {
                    let record = ConversationRecord::encode(account.as_str(), state.id(), state)?;
                    changes.changed.push((number, record));
                    (number, account, Some(state).filter(|state| state.is_open()))
                }
                ConversationChange::Forgotten { number, account } => {
                    changes.forgotten.push(number);
                    (number, account, None)
                }
            };
            open.push(OpenChange { account: account.clone(), number, state: state.map(Arc::clone) });
        }
        // In the order of the tree, so that neighbours are written one after the other.
        changes.changed.sort_unstable_by_key(|(number, _)| *number);
        changes.watermarks.extend(owned(segmenter.changed_watermarks()));
        changes.beginnings.extend(owned(segmenter.changed_beginnings()));
        Ok((changes, open))
    }

    /// All conversations, as they are without the changes on trial.
    pub(crate) fn whole(segmenter: &'s Segmenter) -> Self {
        let (watermarks, beginnings) =
            (owned(segmenter.watermarks()).collect(), owned(segmenter.beginnings()).collect());
        Self { followed: Some(segmenter), watermarks, beginnings, ..Self::default() }
    }

    /// The same, encoded, so that it no longer borrows the segmenter.
    pub(crate) fn detached(mut self) -> Result<ConversationChanges<'static>> {
        let mut changed = std::mem::take(&mut self.changed);
        self.for_each_followed(|number, record| {
            changed.push((number, record.to_vec()));
            Ok::<_, Error>(())
        })?;
        let Self { forgotten, watermarks, beginnings, .. } = self;
        Ok(ConversationChanges { followed: None, changed, forgotten, watermarks, beginnings })
    }

    /// Gives all followed conversations to `each`, encoded, in the order of their numbers.
    pub(crate) fn for_each_followed<E: From<Error>>(
        &self,
        mut each: impl FnMut(u64, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut followed: Vec<_> = self.followed.into_iter().flat_map(Segmenter::conversations).collect();
        followed.sort_unstable_by_key(|(_, state): &(&AccountId, &Arc<FollowedConversation>)| state.number());
        let mut bytes = Vec::new();
        for (account, state) in followed {
            bytes.clear();
            let record = (account.as_str(), state.id(), state.as_ref());
            bytes = postcard::to_extend(&record, bytes).map_err(Error::from)?;
            each(state.number(), &bytes)?;
        }
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.followed.is_none() && self.changed.is_empty() && self.forgotten.is_empty() && self.watermarks.is_empty()
    }
}

fn owned<'s>(times: impl Iterator<Item = (&'s str, i64)>) -> impl Iterator<Item = (String, i64)> {
    times.map(|(account, time)| (account.to_owned(), time))
}

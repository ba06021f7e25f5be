//! The changes since the last commit, which can be undone.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::account::Account;
use super::followed::FollowedConversation;
use crate::AccountId;

/// The states before the changes that are on trial.
#[derive(Debug)]
pub(super) struct Trial {
    number: u64,
    before: Vec<Before>,
    times: Vec<EventTimes>,
}

/// The event times of an account before the trial.
#[derive(Debug)]
pub(super) struct EventTimes {
    pub(super) account: AccountId,
    pub(super) watermark: i64,
    pub(super) begun: Option<i64>,
}

impl Default for Trial {
    fn default() -> Self {
        // A restored conversation has trial 0: no trial has changed it.
        Self { number: 1, before: Vec::new(), times: Vec::new() }
    }
}

/// The state of a conversation before the trial; `None` if it was not known.
#[derive(Debug)]
pub(super) struct Before {
    pub(super) account: AccountId,
    pub(super) conversation: Arc<str>,
    pub(super) state: Option<Arc<FollowedConversation>>,
}

/// A conversation that has changed.
#[derive(Debug)]
pub enum ConversationChange<'s> {
    /// It has a new state.
    Updated {
        /// Its number.
        number: u64,
        /// Its account.
        account: &'s AccountId,
        /// The state.
        state: &'s Arc<FollowedConversation>,
    },
    /// It is not followed any more.
    Forgotten {
        /// Its number.
        number: u64,
        /// Its account.
        account: &'s AccountId,
    },
}

impl Trial {
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Notes the state of a conversation before its first change in the trial.
    pub(super) fn note(
        &mut self,
        account: &AccountId,
        conversation: &Arc<str>,
        state: Option<Arc<FollowedConversation>>,
    ) {
        self.before.push(Before { account: account.clone(), conversation: Arc::clone(conversation), state });
    }

    /// Notes the state of a conversation before a change, unless the trial has changed it already. Gives the state to
    /// change, which nobody else sees.
    pub(super) fn note_change<'f>(
        &mut self,
        account: &AccountId,
        followed: &'f mut Arc<FollowedConversation>,
    ) -> &'f mut FollowedConversation {
        if followed.trial != self.number {
            self.note(account, &followed.id, Some(Arc::clone(followed)));
        }
        let changing = Arc::make_mut(followed);
        changing.trial = self.number;
        changing
    }

    pub(super) fn note_watermark(&mut self, account: &mut Account) {
        if account.trial != self.number {
            let Account { id, watermark, begun, .. } = account;
            self.times.push(EventTimes { account: id.clone(), watermark: *watermark, begun: *begun });
            account.trial = self.number;
        }
    }

    pub(super) fn changes<'s>(
        &'s self,
        accounts: &'s HashMap<AccountId, Account>,
    ) -> impl Iterator<Item = ConversationChange<'s>> {
        self.before.iter().flat_map(|before| {
            let account = &before.account;
            let now = accounts.get(account).and_then(|account| account.conversations.get(&before.conversation));
            let changed = now.map(|state| ConversationChange::Updated { number: state.number, account, state });
            let number = now.map(|state| state.number);
            let old = before.state.as_ref().map(|state| state.number).filter(|old| Some(*old) != number);
            changed.into_iter().chain(old.map(|number| ConversationChange::Forgotten { number, account }))
        })
    }

    /// The accounts of conversations that the trial has changed.
    pub(super) fn accounts(&self) -> BTreeSet<&AccountId> {
        self.before.iter().map(|before| &before.account).collect()
    }

    pub(super) fn watermarks<'s>(
        &'s self,
        accounts: &'s HashMap<AccountId, Account>,
    ) -> impl Iterator<Item = (&'s str, i64)> {
        let changed = self.times.iter().filter_map(|before| accounts.get(&before.account));
        changed
            .map(|account| (account.id.as_str(), account.watermark.max(account.earlier_watermark)))
            .filter(|(_, watermark)| *watermark > i64::MIN)
    }

    /// When the streams of accounts began that began in the trial.
    pub(super) fn beginnings<'s>(
        &'s self,
        accounts: &'s HashMap<AccountId, Account>,
    ) -> impl Iterator<Item = (&'s str, i64)> {
        let new = self.times.iter().filter(|before| before.begun.is_none());
        new.filter_map(|before| accounts.get(&before.account))
            .filter_map(|account| Some((account.id.as_str(), account.begun?)))
    }

    /// All conversations as they were before the trial.
    pub(super) fn committed<'s>(
        &'s self,
        accounts: &'s HashMap<AccountId, Account>,
    ) -> impl Iterator<Item = (&'s AccountId, &'s Arc<FollowedConversation>)> {
        let all = accounts.values().flat_map(|account| account.conversations.iter().map(|state| (&account.id, state)));
        let untouched = all.filter(|(_, state)| state.trial != self.number);
        let touched = self.before.iter().filter_map(|before| Some((&before.account, before.state.as_ref()?)));
        untouched.chain(touched)
    }

    pub(super) fn committed_watermarks<'s>(
        &'s self,
        accounts: &'s HashMap<AccountId, Account>,
    ) -> impl Iterator<Item = (&'s str, i64)> {
        accounts.values().filter_map(|account| {
            let before = self.times_of(account).map(|before| before.watermark);
            let watermark = before.unwrap_or(account.watermark).max(account.earlier_watermark);
            (watermark > i64::MIN).then(|| (account.id.as_str(), watermark))
        })
    }

    pub(super) fn committed_beginnings<'s>(
        &'s self,
        accounts: &'s HashMap<AccountId, Account>,
    ) -> impl Iterator<Item = (&'s str, i64)> {
        accounts.values().filter_map(|account| {
            let begun = self.times_of(account).map_or(account.begun, |before| before.begun);
            begun.map(|begun| (account.id.as_str(), begun))
        })
    }

    fn times_of(&self, account: &Account) -> Option<&EventTimes> {
        self.times.iter().find(|before| before.account == account.id)
    }

    /// The states to put back, the last change first.
    pub(super) fn undo(&mut self) -> Vec<Before> {
        let mut before = std::mem::take(&mut self.before);
        before.reverse();
        before
    }

    pub(super) fn undo_times(&mut self) -> Vec<EventTimes> {
        std::mem::take(&mut self.times)
    }

    pub(super) fn end(&mut self) {
        self.before.clear();
        self.times.clear();
        self.number = self.number.saturating_add(1);
    }
}

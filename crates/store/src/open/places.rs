//! Where each open conversation stands.

use std::collections::HashMap;
use std::sync::Arc;

use skillscope_segment::{AccountId, FollowedConversation};

use super::conversations::{OpenAccount, OpenConversations};

/// Where each open conversation stands among [`OpenConversations`]. Only the writer needs to know.
#[derive(Debug, Default)]
pub(crate) struct Places {
    accounts: HashMap<AccountId, PlacesOfAccount>,
}

#[derive(Debug, Default)]
struct PlacesOfAccount {
    skills: HashMap<i64, u32>,
    /// The places of skills that have no conversations any more.
    free: Vec<u32>,
    /// By the numbers of conversations.
    conversations: HashMap<u64, Place>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    skill: u32,
    conversation: u32,
}

impl Place {
    fn skill(self) -> usize {
        self.skill as usize
    }

    fn conversation(self) -> usize {
        self.conversation as usize
    }
}

/// A conversation that has changed.
#[derive(Debug)]
pub(crate) struct OpenChange {
    pub(crate) account: AccountId,
    /// Its number.
    pub(crate) number: u64,
    /// What became of it; `None` unless it is open.
    pub(crate) state: Option<Arc<FollowedConversation>>,
}

impl Places {
    /// Changes `open`. A segment is not shown as open that `is_stored` as a closed one: somebody has told of its end
    /// otherwise than by an event.
    pub(crate) fn apply(
        &mut self,
        open: &mut OpenConversations,
        changes: &[OpenChange],
        is_stored: impl Fn(&AccountId, &FollowedConversation, u32) -> bool,
    ) {
        for changes in changes.chunk_by(|one, next| one.account == next.account) {
            let Some(OpenChange { account, .. }) = changes.first() else { continue };
            let is_known = self.accounts.contains_key(account);
            if !is_known && changes.iter().all(|change| change.state.is_none()) {
                continue;
            }
            let of_account = Arc::make_mut(open.accounts.entry(account.clone()).or_default());
            let places = self.accounts.entry(account.clone()).or_default();
            for change in changes {
                places.apply(of_account, change, |state, index| is_stored(account, state, index));
            }
        }
    }

    /// Removes a conversation from `open`, if it is there.
    pub(crate) fn remove(&mut self, open: &mut OpenConversations, account: &AccountId, number: u64) {
        if let (Some(places), Some(of_account)) = (self.accounts.get_mut(account), open.accounts.get_mut(account)) {
            places.remove(Arc::make_mut(of_account), number);
        }
    }
}

impl PlacesOfAccount {
    fn apply(
        &mut self,
        account: &mut OpenAccount,
        change: &OpenChange,
        is_stored: impl FnOnce(&FollowedConversation, u32) -> bool,
    ) {
        let place = self.conversations.get(&change.number).copied();
        let Some((state, segment)) = change.state.as_ref().and_then(|state| Some((state, state.open_segment()?)))
        else {
            if place.is_some() {
                self.remove(account, change.number);
            }
            return;
        };
        if let Some(place) = place {
            let Some((_, skill)) = account.skills.get_mut(place.skill()) else { return };
            let before = skill.get(place.conversation()).and_then(|before| before.open_segment());
            let of_before = before.map(|before| (before.skill_id, before.segment_index));
            if of_before == Some((segment.skill_id, segment.segment_index)) {
                Arc::make_mut(skill).update(place.conversation(), state);
                return;
            }
            self.remove(account, change.number);
        }
        if !is_stored(state, segment.segment_index) {
            self.add(account, state, segment.skill_id);
        }
    }

    fn add(&mut self, account: &mut OpenAccount, state: &Arc<FollowedConversation>, skill_id: i64) {
        let Some(skill) = self.place_of_skill(account, skill_id) else { return };
        let Some((_, of_skill)) = account.skills.get_mut(skill as usize) else { return };
        let Ok(conversation) = u32::try_from(of_skill.len()) else { return };
        Arc::make_mut(of_skill).add(state);
        self.conversations.insert(state.number(), Place { skill, conversation });
    }

    fn place_of_skill(&mut self, account: &mut OpenAccount, skill_id: i64) -> Option<u32> {
        if let Some(place) = self.skills.get(&skill_id) {
            return Some(*place);
        }
        let place = match self.free.pop() {
            Some(place) => {
                *account.skills.get_mut(place as usize)? = (skill_id, Arc::default());
                place
            }
            None => {
                let place = u32::try_from(account.skills.len()).ok()?;
                account.skills.push((skill_id, Arc::default()));
                place
            }
        };
        self.skills.insert(skill_id, place);
        Some(place)
    }

    fn remove(&mut self, account: &mut OpenAccount, number: u64) {
        let Some(place) = self.conversations.remove(&number) else { return };
        let Some((skill_id, skill)) = account.skills.get_mut(place.skill()) else { return };
        let skill = Arc::make_mut(skill);
        if let Some(moved) = skill.remove(place.conversation()) {
            self.conversations.insert(moved.number(), place);
        }
        if skill.is_empty() && self.skills.remove(skill_id).is_some() {
            self.free.push(place.skill);
        }
    }
}

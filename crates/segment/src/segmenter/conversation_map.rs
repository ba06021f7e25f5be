//! Followed conversations by their identifiers, which their states have already.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::followed::FollowedConversation;

/// The conversations of an account, of which there may be a million: the map has a pointer for each, and no key beside
/// it.
#[derive(Debug, Default)]
pub(super) struct ConversationMap {
    table: HashTable<Arc<FollowedConversation>>,
    /// It has secret keys, since anybody can send identifiers.
    hasher: RandomState,
}

impl ConversationMap {
    pub(super) fn get(&self, id: &str) -> Option<&Arc<FollowedConversation>> {
        self.table.find(self.hasher.hash_one(id), |conversation| conversation.id() == id)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Arc<FollowedConversation>> {
        self.table.find_mut(self.hasher.hash_one(id), |conversation| conversation.id() == id)
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.get(id).is_some()
    }

    /// Puts a conversation into the place of the one with the same identifier, if there is one.
    pub(super) fn insert(&mut self, conversation: Arc<FollowedConversation>) {
        let hash = |conversation: &Arc<FollowedConversation>| self.hasher.hash_one(conversation.id());
        let is_same = |other: &Arc<FollowedConversation>| other.id() == conversation.id();
        match self.table.entry(hash(&conversation), is_same, hash) {
            Entry::Occupied(mut place) => *place.get_mut() = conversation,
            Entry::Vacant(place) => drop(place.insert(conversation)),
        }
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<Arc<FollowedConversation>> {
        let place = self.table.find_entry(self.hasher.hash_one(id), |conversation| conversation.id() == id);
        place.ok().map(|place| place.remove().0)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<FollowedConversation>> {
        self.table.iter()
    }
}

//! The open conversations of one skill.

use std::sync::Arc;

use skillscope_segment::{FollowedConversation, OpenSegment};

use super::chunk::ChunkedList;
use super::counts::OpenCounts;
use super::wait_times::WaitTimes;
use super::waits::Waits;

/// The number of conversations in a chunk: what is copied when one of them changes while somebody holds the moment before.
const CHUNK: usize = 64;

/// The open conversations of one skill at one moment.
#[derive(Debug, Clone, Default)]
pub struct OpenSkill {
    conversations: ChunkedList<Arc<FollowedConversation>, CHUNK>,
    counts: OpenCounts,
    waits: Waits,
}

impl OpenSkill {
    /// The conversations with what is known of their open segments, in no order.
    pub fn conversations(&self) -> impl Iterator<Item = (&str, OpenSegment<'_>)> {
        self.conversations.iter().filter_map(|conversation| Some((conversation.id(), conversation.open_segment()?)))
    }

    /// The number of conversations.
    pub fn len(&self) -> usize {
        self.conversations.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.counts.open == 0
    }

    /// What is counted of them.
    pub fn counts(&self) -> &OpenCounts {
        &self.counts
    }

    /// How long those of some skills wait, at `now` in milliseconds since the epoch.
    pub fn wait_times<'s>(skills: impl IntoIterator<Item = &'s Self>, now: i64) -> WaitTimes<'s> {
        WaitTimes::at(now, skills.into_iter().map(|skill| &skill.waits))
    }

    pub(super) fn get(&self, place: usize) -> Option<&Arc<FollowedConversation>> {
        self.conversations.get(place)
    }

    /// Adds a conversation, as the last one.
    pub(super) fn add(&mut self, conversation: &Arc<FollowedConversation>) {
        if let Some(segment) = conversation.open_segment() {
            self.count(&segment);
            self.conversations.push(Arc::clone(conversation));
        }
    }

    /// Puts the new state of a conversation into its place.
    pub(super) fn update(&mut self, place: usize, conversation: &Arc<FollowedConversation>) {
        let Some(before) = self.conversations.get(place).map(Arc::clone) else { return };
        let (Some(before), Some(after)) = (before.open_segment(), conversation.open_segment()) else { return };
        if before.wait != after.wait || OpenCounts::of(&before) != OpenCounts::of(&after) {
            self.discount(&before);
            self.count(&after);
        }
        self.conversations.replace(place, Arc::clone(conversation));
    }

    /// Removes a conversation, and puts the last one into its place. Gives the one that moved.
    pub(super) fn remove(&mut self, place: usize) -> Option<&Arc<FollowedConversation>> {
        let removed = self.conversations.get(place).map(Arc::clone)?;
        if let Some(segment) = removed.open_segment() {
            self.discount(&segment);
        }
        self.conversations.swap_remove(place)
    }

    fn count(&mut self, segment: &OpenSegment<'_>) {
        self.counts.add(&OpenCounts::of(segment));
        segment.wait.into_iter().for_each(|wait| self.waits.add(wait));
    }

    fn discount(&mut self, segment: &OpenSegment<'_>) {
        self.counts.subtract(&OpenCounts::of(segment));
        segment.wait.into_iter().for_each(|wait| self.waits.remove(wait));
    }
}

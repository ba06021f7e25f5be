//! The open conversations of one skill.

use std::sync::Arc;

use skillscope_segment::{FollowedConversation, OpenSegment, Wait};

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

/// What one conversation adds to what is counted of its skill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counted {
    counts: OpenCounts,
    wait: Option<Wait>,
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
        if let Some(counted) = Counted::of(conversation) {
            self.count(&counted);
            self.conversations.push(Arc::clone(conversation));
        }
    }

    /// Puts the new state of a conversation into its place.
    pub(super) fn update(&mut self, place: usize, conversation: &Arc<FollowedConversation>) {
        let Some(before) = self.conversations.get(place).and_then(|before| Counted::of(before)) else { return };
        let Some(after) = Counted::of(conversation) else { return };
        if before != after {
            self.discount(&before);
            self.count(&after);
        }
        self.conversations.replace(place, Arc::clone(conversation));
    }

    /// Removes a conversation, and puts the last one into its place. Gives the one that moved.
    pub(super) fn remove(&mut self, place: usize) -> Option<&Arc<FollowedConversation>> {
        if let Some(counted) = self.conversations.get(place).and_then(|removed| Counted::of(removed)) {
            self.discount(&counted);
        }
        self.conversations.swap_remove(place)
    }

    fn count(&mut self, counted: &Counted) {
        self.counts.add(&counted.counts);
        counted.wait.into_iter().for_each(|wait| self.waits.add(wait));
    }

    fn discount(&mut self, counted: &Counted) {
        self.counts.subtract(&counted.counts);
        counted.wait.into_iter().for_each(|wait| self.waits.remove(wait));
    }
}

impl Counted {
    fn of(conversation: &FollowedConversation) -> Option<Self> {
        let segment = conversation.open_segment()?;
        Some(Self { counts: OpenCounts::of(&segment), wait: segment.wait })
    }
}

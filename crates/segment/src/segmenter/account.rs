use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};

use super::followed::{FollowedConversation, Target};
use super::segmented::Segmented;
use super::trial::Trial;
use super::{AskPast, Closed};
use crate::AccountId;

/// The conversations of one account.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) id: AccountId,
    /// The highest credible event time, in milliseconds since the epoch.
    pub(super) watermark: i64,
    /// When an event came last, in milliseconds since the epoch.
    pub(super) last_arrival: i64,
    /// The trial in which the watermark was last changed.
    pub(super) trial: u64,
    pub(super) conversations: HashMap<Box<str>, Box<FollowedConversation>>,
    pub(super) due: Due,
}

/// When which conversation has an event that has waited long enough. What is noted here may not be so any more.
#[derive(Debug, Default)]
pub(super) struct Due(BinaryHeap<Reverse<(i64, Box<str>)>>);

impl Due {
    pub(super) fn push(&mut self, time: i64, conversation: &str) {
        self.0.push(Reverse((time, Box::from(conversation))));
    }

    /// The first that is due at `time`, or that is one too many beside `most` others.
    pub(super) fn next(&mut self, time: i64, most: usize) -> Option<(i64, Box<str>)> {
        let Reverse((due, _)) = self.0.peek()?;
        if *due > time && self.0.len() <= most {
            return None;
        }
        self.0.pop().map(|Reverse(first)| first)
    }
}

impl Account {
    pub(super) fn new(id: AccountId) -> Self {
        Self {
            id,
            watermark: i64::MIN,
            last_arrival: i64::MIN,
            trial: 0,
            conversations: HashMap::new(),
            due: Due::default(),
        }
    }

    pub(super) fn is_idle(&self, now: i64, wait_ms: i64) -> bool {
        !self.due.0.is_empty() && self.last_arrival.saturating_add(wait_ms) <= now
    }

    pub(super) fn open_conversations(&self) -> usize {
        self.conversations.values().filter(|followed| followed.is_open()).count()
    }

    /// Lets the events of a conversation go ahead that have waited since `since` or longer.
    #[expect(clippy::too_many_arguments, reason = "the account is one part of a segmenter, and they are the others")]
    pub(super) fn give_up<E>(
        &mut self,
        conversation: &str,
        since: i64,
        now: i64,
        trial: &mut Trial,
        closed: &mut VecDeque<Closed>,
        past: &mut AskPast<'_, E>,
        out: &mut Segmented,
    ) -> Result<(), E> {
        let Some(followed) = self.conversations.get_mut(conversation) else { return Ok(()) };
        if followed.waiting_since().all(|waiting| waiting > since) {
            return Ok(());
        }
        trial.note_change(&self.id, conversation, followed);
        let mut target = Target { account: self.id.as_str(), conversation, past, out };
        followed.give_up(since, &mut target)?;
        self.settle(conversation, now, closed);
        Ok(())
    }

    /// Drops a conversation of which nothing is known, and remembers when one has closed.
    pub(super) fn settle(&mut self, conversation: &str, now: i64, closed: &mut VecDeque<Closed>) {
        let Some(followed) = self.conversations.get(conversation) else { return };
        if followed.is_void() {
            self.conversations.remove(conversation);
        } else if let Some(at) = followed.closed_at() {
            closed.push_back(Closed { account: self.id.clone(), conversation: conversation.into(), at, arrived: now });
        }
    }

    pub(super) fn is_closed_since(&self, conversation: &str, at: i64) -> bool {
        self.conversations.get(conversation).is_some_and(|followed| followed.closed_at() == Some(at))
    }

    pub(super) fn remove(&mut self, conversation: &str, trial: &mut Trial) {
        if let Some(followed) = self.conversations.get_mut(conversation) {
            trial.note_change(&self.id, conversation, followed);
        }
        self.conversations.remove(conversation);
    }

    /// Puts a conversation in the state that it had; `None` where it was not known.
    pub(super) fn restore(
        &mut self,
        conversation: Box<str>,
        state: Option<Box<FollowedConversation>>,
        wait_ms: i64,
        closed: &mut VecDeque<Closed>,
    ) {
        let Some(state) = state else {
            self.conversations.remove(&conversation);
            return;
        };
        for since in state.waiting_since() {
            self.due.push(since.saturating_add(wait_ms), &conversation);
        }
        self.conversations.insert(conversation.clone(), state);
        self.settle(&conversation, self.last_arrival, closed);
    }
}

//! The followed conversations of an account, and its watermark.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};

use super::followed::{FollowedConversation, Numbers, Target};
use super::segmented::Segmented;
use super::trial::Trial;
use super::{Arrival, AskPast, Closed, MOST_WAITING};
use crate::AccountId;

/// The conversations of one account.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) id: AccountId,
    /// The highest time that an event counts as, in milliseconds since the epoch.
    pub(super) watermark: i64,
    /// The watermark before event time restarted.
    pub(super) earlier_watermark: i64,
    /// When the last event arrived, in milliseconds since the epoch.
    pub(super) last_arrival: i64,
    /// The trial in which the watermark changed last.
    pub(super) trial: u64,
    pub(super) conversations: HashMap<Box<str>, Box<FollowedConversation>>,
    /// The number of waiting events.
    pub(super) waiting: usize,
    /// The number of open conversations.
    pub(super) open: usize,
    /// When conversations with waiting events are due. An entry may be outdated, with nothing waiting any more.
    due: BinaryHeap<Reverse<(i64, Box<str>)>>,
}

impl Account {
    pub(super) fn new(id: AccountId) -> Self {
        Self {
            id,
            watermark: i64::MIN,
            earlier_watermark: i64::MIN,
            last_arrival: i64::MIN,
            trial: 0,
            conversations: HashMap::new(),
            waiting: 0,
            open: 0,
            due: BinaryHeap::new(),
        }
    }

    /// Moves the watermark to the time that an event counts as, if its own time is credible. A watermark that is itself
    /// not credible any more (an import, whose limit was later, moved it) is reset.
    pub(super) fn observe(&mut self, time: i64, arrival: Arrival, trial: &mut Trial) {
        let latest_credible = arrival.latest_credible;
        let counted = arrival.counted(time);
        let incredible = self.watermark > latest_credible;
        let is_later = time <= latest_credible && (incredible || counted > self.watermark);
        if incredible || is_later {
            trial.note_watermark(self);
            self.watermark = if is_later { counted } else { i64::MIN };
        }
        if self.earlier_watermark > latest_credible {
            self.earlier_watermark = i64::MIN;
        }
    }

    /// The start of the wait of an event that arrives. Where the clock has gone back since the watermark was set, it is
    /// the watermark, so that the wait is not over before it begins.
    pub(super) fn since(&self, time: i64, arrival: Arrival) -> i64 {
        if arrival.is_live() && self.watermark > arrival.now { self.watermark } else { arrival.counted(time) }
    }

    pub(super) fn is_idle(&self, now: i64, wait_ms: i64) -> bool {
        self.waiting > 0 && self.last_arrival.saturating_add(wait_ms) <= now
    }

    /// Notes what a change of a conversation is for the numbers of the account, given what they were before.
    pub(super) fn recount(&mut self, before: Numbers, after: Numbers) {
        self.waiting = (self.waiting + after.waiting).saturating_sub(before.waiting);
        self.open = (self.open + after.open).saturating_sub(before.open);
    }

    /// Notes when a conversation is due, unless an earlier time is noted.
    pub(super) fn note_due(&mut self, conversation: &str, wait_ms: i64) {
        let Some(followed) = self.conversations.get_mut(conversation) else { return };
        let Some(first) = followed.waiting_since().min() else { return };
        let due = first.saturating_add(wait_ms);
        if due < followed.due {
            followed.due = due;
            self.due.push(Reverse((due, Box::from(conversation))));
        }
    }

    /// The first conversation that is due at `time`, or the first of all if too many events wait.
    pub(super) fn next_due(&mut self, time: i64) -> Option<(i64, Box<str>)> {
        let Reverse((due, _)) = self.due.peek()?;
        if *due > time && self.waiting <= MOST_WAITING {
            return None;
        }
        let Reverse((due, conversation)) = self.due.pop()?;
        if let Some(followed) = self.conversations.get_mut(&conversation).filter(|followed| followed.due == due) {
            followed.due = i64::MAX;
        }
        Some((due, conversation))
    }

    /// Lets the events of a conversation that have waited since `since` or longer take effect.
    pub(super) fn give_up<E>(
        &mut self,
        conversation: &str,
        since: i64,
        around: &mut Around<'_>,
        past: &mut AskPast<'_, E>,
        out: &mut Segmented,
    ) -> Result<(), E> {
        let Some(followed) = self.conversations.get_mut(conversation) else { return Ok(()) };
        if followed.waiting_since().any(|waiting| waiting <= since) {
            around.trial.note_change(&self.id, conversation, followed);
            let (before, closed_at) = (followed.numbers(), followed.closed_at());
            let mut target = Target { account: self.id.as_str(), conversation, past, out };
            let outcome = followed.give_up(since, &mut target);
            // Updated after a failure too, since a roll-back subtracts the events that wait now.
            let after = followed.numbers();
            self.recount(before, after);
            outcome?;
            self.settle(conversation, closed_at, around);
        }
        self.note_due(conversation, around.wait_ms);
        Ok(())
    }

    /// Removes a conversation of which nothing is known, and notes the time of a new close. `closed_at` is the time of
    /// the close before.
    pub(super) fn settle(&mut self, conversation: &str, closed_at: Option<i64>, around: &mut Around<'_>) {
        let Some(followed) = self.conversations.get(conversation) else { return };
        if followed.is_void() {
            self.conversations.remove(conversation);
        } else if let Some(at) = followed.closed_at().filter(|at| Some(*at) != closed_at) {
            around.closed.push_back(Closed {
                account: self.id.clone(),
                conversation: conversation.into(),
                at,
                arrived: around.now,
            });
        }
    }

    pub(super) fn is_closed_since(&self, conversation: &str, at: i64) -> bool {
        self.conversations.get(conversation).is_some_and(|followed| followed.closed_at() == Some(at))
    }

    pub(super) fn remove(&mut self, conversation: &str, trial: &mut Trial) {
        if let Some(followed) = self.conversations.get_mut(conversation) {
            trial.note_change(&self.id, conversation, followed);
        }
        let before = self.conversations.remove(conversation);
        self.recount(numbers_of(before.as_deref()), Numbers::default());
    }

    /// Puts a conversation back in an earlier state; `None` removes it.
    pub(super) fn restore(
        &mut self,
        conversation: Box<str>,
        state: Option<Box<FollowedConversation>>,
        wait_ms: i64,
        closed: &mut VecDeque<Closed>,
    ) {
        let before = self.conversations.remove(&conversation);
        self.recount(numbers_of(before.as_deref()), numbers_of(state.as_deref()));
        let Some(mut state) = state else { return };
        // The entry in `due` is the current one: the earlier one may have been removed.
        state.due = before.map_or(i64::MAX, |before| before.due);
        if let Some(at) = state.closed_at() {
            let (account, arrived) = (self.id.clone(), self.last_arrival);
            closed.push_back(Closed { account, conversation: conversation.clone(), at, arrived });
        }
        self.conversations.insert(conversation.clone(), state);
        self.note_due(&conversation, wait_ms);
    }
}

fn numbers_of(followed: Option<&FollowedConversation>) -> Numbers {
    followed.map(FollowedConversation::numbers).unwrap_or_default()
}

/// The parts of a segmenter that an account needs beside itself.
pub(super) struct Around<'s> {
    pub(super) now: i64,
    pub(super) wait_ms: i64,
    pub(super) trial: &'s mut Trial,
    pub(super) closed: &'s mut VecDeque<Closed>,
}

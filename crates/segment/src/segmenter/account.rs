//! The followed conversations of an account, and its watermark.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use super::conversation_map::ConversationMap;
use super::followed::{FollowedConversation, Numbers, Target};
use super::segmented::Segmented;
use super::told::ToldConversation;
use super::trial::Trial;
use super::{Arrival, AskPast, Closed, FIRST_MS, KEPT_MS, MOST_KEPT, MOST_WAITING};
use crate::AccountId;

/// The conversations of one account.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) id: AccountId,
    /// The highest time that an event counts as, in milliseconds since the epoch.
    pub(super) watermark: i64,
    /// The first time that an event counted as. `i64::MIN` if that is not known, but long ago.
    pub(super) begun: Option<i64>,
    /// The watermark before event time restarted.
    pub(super) earlier_watermark: i64,
    /// The latest time that an export told, in milliseconds since the epoch.
    newest_told: i64,
    /// When the last event arrived, in milliseconds since the epoch.
    pub(super) last_arrival: i64,
    /// The trial in which the watermark changed last.
    pub(super) trial: u64,
    pub(super) conversations: ConversationMap,
    /// The number of waiting events.
    pub(super) waiting: usize,
    /// The number of events that are kept for an export.
    pub(super) kept: usize,
    /// The number of open conversations.
    pub(super) open: usize,
    /// When conversations with waiting events are due. An entry is outdated unless the conversation has the same time.
    due: Due,
    /// The same of those whose beginning is missing.
    kept_due: Due,
}

type Due = BinaryHeap<Reverse<(i64, Box<str>)>>;

/// The start of the wait of events that have waited long enough, in milliseconds since the epoch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Since {
    /// The event time.
    now: i64,
    waiting: i64,
    kept: i64,
}

impl Since {
    /// Of events that are due at `now`.
    pub(super) fn due(now: i64, wait_ms: i64) -> Self {
        Self { now, waiting: now.saturating_sub(wait_ms), kept: now.saturating_sub(KEPT_MS.max(wait_ms)) }
    }

    /// Of all events that wait, without those that are kept.
    const ALL_WAITING: Self = Self { now: i64::MIN, waiting: i64::MAX, kept: i64::MIN };

    const ALL: Self = Self { now: i64::MAX, waiting: i64::MAX, kept: i64::MAX };

    fn of(self, followed: &FollowedConversation) -> i64 {
        match followed.held_until() {
            Some(until) if until <= self.now => self.waiting,
            Some(_) => i64::MIN,
            None if followed.misses_beginning() => self.kept,
            None => self.waiting,
        }
    }
}

impl Account {
    pub(super) fn new(id: AccountId) -> Self {
        Self {
            id,
            watermark: i64::MIN,
            begun: None,
            earlier_watermark: i64::MIN,
            newest_told: i64::MIN,
            last_arrival: i64::MIN,
            trial: 0,
            conversations: ConversationMap::default(),
            waiting: 0,
            kept: 0,
            open: 0,
            due: BinaryHeap::new(),
            kept_due: BinaryHeap::new(),
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
            if is_later {
                self.begun.get_or_insert(counted);
            }
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

    /// Whether events wait, and none has come for as long as they do.
    pub(super) fn is_idle(&self, now: i64, wait_ms: i64) -> bool {
        let is_idle = |wait_ms| self.last_arrival.saturating_add(wait_ms) <= now;
        (self.waiting > 0 && is_idle(wait_ms)) || (self.kept > 0 && is_idle(KEPT_MS.max(wait_ms)))
    }

    /// The next conversation whose wait ends because no event has come for long, and which of its events.
    pub(super) fn next_idle(&mut self, now: i64, wait_ms: i64) -> Option<(Box<str>, Since)> {
        let is_idle = |wait_ms| self.last_arrival.saturating_add(wait_ms) <= now;
        let (is_waiting_idle, is_kept_idle) = (is_idle(wait_ms), is_idle(KEPT_MS.max(wait_ms)));
        let waiting = if is_waiting_idle { self.pop_due(i64::MAX) } else { None };
        waiting.map(|(_, conversation)| (conversation, Since::ALL_WAITING)).or_else(|| {
            let (_, conversation) = if is_kept_idle { self.pop_kept_due(i64::MAX) } else { None }?;
            Some((conversation, Since::ALL))
        })
    }

    /// Notes what a change of a conversation is for the numbers of the account, given what they were before.
    pub(super) fn recount(&mut self, before: Numbers, after: Numbers) {
        self.waiting = (self.waiting + after.waiting).saturating_sub(before.waiting);
        self.kept = (self.kept + after.kept).saturating_sub(before.kept);
        self.open = (self.open + after.open).saturating_sub(before.open);
    }

    /// Notes when a conversation is due, unless an earlier time is noted.
    pub(super) fn note_due(&mut self, conversation: &str, wait_ms: i64) {
        let Some(followed) = self.conversations.get_mut(conversation) else { return };
        let Some(first) = followed.waiting_since().min() else { return };
        let (is_kept, held_until) = (followed.misses_beginning(), followed.held_until());
        let kept_ms = if is_kept && held_until.is_none() { KEPT_MS.max(wait_ms) } else { wait_ms };
        let due = first.saturating_add(kept_ms).max(held_until.unwrap_or(i64::MIN));
        if due < followed.due() {
            Arc::make_mut(followed).set_due(due);
            let queue = if is_kept { &mut self.kept_due } else { &mut self.due };
            queue.push(Reverse((due, Box::from(conversation))));
        }
    }

    /// The first conversation that is due at `time`, or the first of all if too many events wait or are kept.
    pub(super) fn next_due(&mut self, time: i64) -> Option<(i64, Box<str>)> {
        let (is_full, is_kept_full) = (self.waiting > MOST_WAITING, self.kept > MOST_KEPT);
        self.pop_due(if is_full { i64::MAX } else { time })
            .or_else(|| self.pop_kept_due(if is_kept_full { i64::MAX } else { time }))
    }

    fn pop_due(&mut self, time: i64) -> Option<(i64, Box<str>)> {
        pop(&mut self.due, &mut self.conversations, time)
    }

    fn pop_kept_due(&mut self, time: i64) -> Option<(i64, Box<str>)> {
        pop(&mut self.kept_due, &mut self.conversations, time)
    }

    /// Follows a conversation, unless it is followed.
    pub(super) fn begin_to_follow(&mut self, conversation: &str, next_number: &mut u64, trial: &mut Trial) {
        if !self.conversations.contains(conversation) {
            let id: Arc<str> = Arc::from(conversation);
            trial.note(&self.id, &id, None);
            let new = FollowedConversation::new(id, *next_number, trial.number());
            *next_number = next_number.saturating_add(1);
            self.conversations.insert(Arc::new(new));
        }
    }

    /// Whether events may still come of a conversation that an export tells, or have come.
    pub(super) fn is_of_interest(&mut self, told: &ToldConversation) -> bool {
        self.newest_told = self.newest_told.max(told.until);
        let now = if self.watermark > i64::MIN { self.watermark } else { self.newest_told };
        let is_recent = told.until >= now.saturating_sub(KEPT_MS);
        told.is_open() || is_recent || self.conversations.contains(&told.conversation)
    }

    /// Goes on with a conversation that is followed from what an export tells of it.
    pub(super) fn adopt<E>(
        &mut self,
        told: &ToldConversation,
        around: &mut Around<'_>,
        past: &mut AskPast<'_, E>,
        out: &mut Segmented,
    ) -> Result<(), E> {
        let conversation = told.conversation.as_ref();
        let Some(followed) = self.conversations.get_mut(conversation) else { return Ok(()) };
        if !followed.is_behind(told) {
            return Ok(());
        }
        let followed = around.trial.note_change(&self.id, followed);
        let (before, closed_at) = (followed.numbers(), followed.closed_at());
        let mut target = Target { account: self.id.as_str(), conversation, past, out };
        let outcome = followed.adopt(told, &mut target);
        // Updated after a failure too, since a roll-back subtracts the events that wait now.
        let after = followed.numbers();
        self.recount(before, after);
        outcome?;
        self.settle(conversation, closed_at, around);
        self.note_due(conversation, around.wait_ms);
        Ok(())
    }

    /// Lets the events of a conversation that have waited since `since` or longer take effect.
    pub(super) fn give_up<E>(
        &mut self,
        conversation: &str,
        since: Since,
        around: &mut Around<'_>,
        past: &mut AskPast<'_, E>,
        out: &mut Segmented,
    ) -> Result<(), E> {
        let Some(followed) = self.conversations.get_mut(conversation) else { return Ok(()) };
        let since = since.of(followed);
        if followed.waiting_since().any(|waiting| waiting <= since) {
            let followed = around.trial.note_change(&self.id, followed);
            let (before, closed_at) = (followed.numbers(), followed.closed_at());
            let mut found = None;
            let is_first_hour = |begun: &i64| (*begun..begun.saturating_add(FIRST_MS)).contains(&self.watermark);
            if let Some(begun) = self.begun.filter(is_first_hour)
                && let Some(time) = followed.resume_to_hold()
            {
                found = past(self.id.as_str(), conversation, time)?;
                if found.is_none() {
                    followed.hold(begun.saturating_add(FIRST_MS));
                    let after = followed.numbers();
                    self.recount(before, after);
                    self.note_due(conversation, around.wait_ms);
                    return Ok(());
                }
            }
            // What was found is not looked for again.
            let mut past = |account: &str, conversation: &str, time: i64| match found.take() {
                Some(found) => Ok(Some(found)),
                None => past(account, conversation, time),
            };
            let mut target = Target { account: self.id.as_str(), conversation, past: &mut past, out };
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
            trial.note_change(&self.id, followed);
        }
        let before = self.conversations.remove(conversation);
        self.recount(numbers_of(before.as_deref()), Numbers::default());
    }

    /// Puts a conversation back in an earlier state; `None` removes it.
    pub(super) fn restore(
        &mut self,
        conversation: &Arc<str>,
        state: Option<Arc<FollowedConversation>>,
        wait_ms: i64,
        closed: &mut VecDeque<Closed>,
    ) {
        let before = self.conversations.remove(conversation);
        self.recount(numbers_of(before.as_deref()), numbers_of(state.as_deref()));
        let Some(mut state) = state else { return };
        // The entry in `due` is the current one: the earlier one may have been removed.
        let due = before.map_or(i64::MAX, |before| before.due());
        if state.due() != due {
            Arc::make_mut(&mut state).set_due(due);
        }
        if let Some(at) = state.closed_at() {
            let (account, arrived) = (self.id.clone(), self.last_arrival);
            closed.push_back(Closed { account, conversation: Box::from(&**conversation), at, arrived });
        }
        self.conversations.insert(state);
        self.note_due(conversation, wait_ms);
    }
}

/// The first conversation in a queue that is due at `time`.
fn pop(queue: &mut Due, conversations: &mut ConversationMap, time: i64) -> Option<(i64, Box<str>)> {
    while queue.peek().is_some_and(|Reverse((due, _))| *due <= time) {
        let Reverse((due, conversation)) = queue.pop()?;
        if let Some(followed) = conversations.get_mut(&conversation).filter(|followed| followed.due() == due) {
            Arc::make_mut(followed).set_due(i64::MAX);
            return Some((due, conversation));
        }
    }
    None
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

//! The segmenter: conversation events in, closed segments out, each the moment it closes.
//!
//! It has no clock and does no I/O. A conversation has three states, and each stay in a skill is one segment:
//!
//! ```text
//!                       transferred to another skill:
//!                       ends the segment, starts the next
//!                                ┌───────┐
//!               conversation_    │       ▼    conversation_closed:
//! ┌─────────────┐  started     ┌─┴──────────┐ ends the segment   ┌────────┐
//! │ not started ├─────────────▶│    open    ├───────────────────▶│ closed │
//! └─────────────┘              └────────────┘                    └───┬────┘
//!                                     ▲   conversation_resumed:      │
//!                                     └──────────────────────────────┘
//!                                         starts the next segment
//!
//! within an open segment:
//!
//!                 agent_assigned (also as a takeover, also of another agent)
//!   ┌───────────┐ ──────────────────────────────────────────────▶ ┌──────────┐
//!   │ in queue  │                                                 │ assigned │
//!   └───────────┘ ◀────────────────────────────────────────────── └──────────┘
//!                 returned_to_queue, transferred to the same skill
//!
//! message  by the consumer          counts; after an agent message it is an answer
//!          by the assigned agent    counts; the first gives the time to first agent message
//!          by anyone else, system   does not count
//! ```
//!
//! Any other event is impossible. It becomes a [`DeadLetter`], changes nothing, and does not hold up later events.
//!
//! Events may be repeated, late and out of order. An event that arrives in the order of its sequence takes effect at
//! once. An event that is early waits for the ones before it. It stops waiting when the account's watermark is `wait_ms`
//! of [`Segmenter::new`] past it, or when the account has had no event for that long.
//!
//! The watermark is the highest time that an event of the account counts as. In an import, events count as of their own
//! times. Where events come as they happen, none counts as of later than when it arrived: a device whose clock is ahead
//! cannot end the waiting of others.
//!
//! A conversation whose first events never came here may have begun before anybody sent events. What comes of it is kept
//! for [`KEPT_MS`] instead: an export of message history may tell how it began. [`Segmenter::adopt`] takes such a
//! conversation over in the state in which the export leaves it. The export tells times and no sequences: an event that
//! is not later than the last thing told is a repeat, and shows that its sequence and all before it were told.
//!
//! A resume of a conversation of which nothing is known begins to count from 0. But within the first hour of an account's
//! stream it is kept until that hour is over, since an export may tell how many segments there were before.
//!
//! A closed conversation is remembered, so that repeats of its events are recognised. When very many are remembered,
//! the ones whose close the watermark has passed by `wait_ms` are forgotten.

mod account;
mod attention;
mod conversation;
mod conversation_map;
mod dead_letter;
mod followed;
mod maybe_time;
mod open_segment;
mod segmented;
mod stay;
#[cfg(test)]
mod tests;
mod told;
mod trial;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

pub(crate) use conversation::Conversation;
pub use conversation::PastConversation;
pub use dead_letter::{DeadLetter, Impossible};
pub use followed::FollowedConversation;
pub use open_segment::{AssignedAgent, LastMessage, OpenSegment, Wait, WaitKind};
pub use segmented::Segmented;
pub(crate) use stay::ClosedStay;
pub use told::ToldConversation;
pub use trial::ConversationChange;

use crate::{AccountId, Error, Event};
use account::{Account, Around, Since};
use followed::{Place, Target};
use trial::Trial;

/// The maximum number of events of an account that wait for earlier ones. With one more, the ones that have waited
/// longest take effect.
const MOST_WAITING: usize = 1 << 18;

/// How long events are kept of a conversation whose beginning is missing, in milliseconds. Exports are made and read in
/// hours.
const KEPT_MS: i64 = 86_400_000;

/// How long after the first event of an account a resume of a conversation that nobody knows is kept, in milliseconds.
const FIRST_MS: i64 = 3_600_000;

/// The maximum number of events of an account that are kept so. With one more, the ones kept longest take effect.
const MOST_KEPT: usize = if cfg!(test) { 64 } else { 1 << 18 };

/// Up to this number of closed conversations are remembered, however long ago they closed. Small in tests.
const MOST_CLOSED: usize = if cfg!(test) { 16 } else { 1 << 17 };

/// Follows the conversations of all accounts.
///
/// The changes that events make are on trial until [`Segmenter::keep`]. [`Segmenter::roll_back`] undoes them.
#[derive(Debug)]
pub struct Segmenter {
    wait_ms: i64,
    accounts: HashMap<AccountId, Account>,
    /// Closed conversations, in the order in which they closed.
    closed: VecDeque<Closed>,
    next_number: u64,
    trial: Trial,
}

/// The time at which events arrive.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// Milliseconds since the epoch.
    pub now: i64,
    /// Milliseconds on a clock that nobody sets, by which it is measured how long nothing has come.
    pub steady: i64,
    /// Events with a later time than this do not move the watermark. Milliseconds since the epoch. [`i64::MAX`] where
    /// events are not expected to be of now: then each counts as of its own time.
    pub latest_credible: i64,
}

impl Arrival {
    /// The time that an event of this time counts as.
    fn counted(self, time: i64) -> i64 {
        if self.is_live() { time.min(self.now) } else { time }
    }

    fn is_live(self) -> bool {
        self.latest_credible < i64::MAX
    }
}

/// A close of a conversation. It is outdated if the conversation has changed since.
#[derive(Debug)]
struct Closed {
    account: AccountId,
    conversation: Box<str>,
    at: i64,
    arrived: i64,
}

/// Looks up the stored segments of a conversation, given its account, its identifier and the time up to which the
/// segments have ended.
pub type AskPast<'a, E> = dyn FnMut(&str, &str, i64) -> Result<Option<PastConversation>, E> + 'a;

impl Segmenter {
    /// A segmenter in which an event waits for earlier ones for at most `wait_ms` milliseconds of event time.
    pub fn new(wait_ms: i64) -> Self {
        Self {
            wait_ms: wait_ms.max(0),
            accounts: HashMap::new(),
            closed: VecDeque::new(),
            next_number: 1,
            trial: Trial::default(),
        }
    }

    /// Takes an event. The segments and dead letters of this event, and of events that have waited for it, go to `out`.
    /// If the event resumes a conversation that is not remembered, `past` looks it up.
    ///
    /// # Errors
    /// Where the account identifier is invalid, and the errors of `past`. The caller must roll back the trial then.
    pub fn take<E: From<Error>>(
        &mut self,
        event: &Event<&str>,
        arrival: Arrival,
        past: &mut AskPast<'_, E>,
        out: &mut Segmented,
    ) -> Result<(), E> {
        if !self.accounts.contains_key(event.account_id) {
            let id = AccountId::parse(event.account_id)?;
            self.accounts.insert(id.clone(), Account::new(id));
        }
        let Self { accounts, trial, next_number, closed, wait_ms } = self;
        let Some(account) = accounts.get_mut(event.account_id) else { return Ok(()) };
        account.last_arrival = arrival.steady;
        account.observe(event.time, arrival, trial);
        account.begin_to_follow(event.conversation_id, next_number, trial);
        let mut around = Around { now: arrival.steady, wait_ms: *wait_ms, trial, closed };
        Self::take_of(account, event, arrival, &mut around, past, out)?;
        Self::give_up_due(account, &mut around, past, out)
    }

    /// Goes on with a conversation from what an export tells of it, unless more is known here. Then a later event goes
    /// on from there, and an earlier one is a repeat. The segments and dead letters of events that have waited go to
    /// `out`. A conversation that closed long ago, and of which no event waits, is left alone.
    ///
    /// # Errors
    /// The errors of `past`. The caller must roll back the trial then.
    pub fn adopt<E>(
        &mut self,
        told: &ToldConversation,
        past: &mut AskPast<'_, E>,
        out: &mut Segmented,
    ) -> Result<(), E> {
        let Self { accounts, trial, next_number, closed, wait_ms } = self;
        let account = accounts.entry(told.account.clone()).or_insert_with(|| Account::new(told.account.clone()));
        if !account.is_of_interest(told) {
            return Ok(());
        }
        account.begin_to_follow(&told.conversation, next_number, trial);
        // It is forgotten before conversations that events have closed.
        let mut around = Around { now: i64::MIN, wait_ms: *wait_ms, trial, closed };
        account.adopt(told, &mut around, past, out)?;
        Self::give_up_due(account, &mut around, past, out)
    }

    /// The conversation, if it is followed.
    pub fn followed(&self, account: &str, conversation: &str) -> Option<&FollowedConversation> {
        self.followed_of(account, conversation).map(|(_, followed)| followed)
    }

    /// The conversation and its account, if it is followed.
    pub fn followed_of(&self, account: &str, conversation: &str) -> Option<(&AccountId, &FollowedConversation)> {
        let account = self.accounts.get(account)?;
        Some((&account.id, account.conversations.get(conversation)?))
    }

    /// Lets the events of an account take effect that have waited for long enough.
    fn give_up_due<E>(
        account: &mut Account,
        around: &mut Around<'_>,
        past: &mut AskPast<'_, E>,
        out: &mut Segmented,
    ) -> Result<(), E> {
        let watermark = account.watermark;
        while let Some((due, conversation)) = account.next_due(watermark) {
            // A conversation that is not due yet is here because too many events wait.
            let since = Since::due(watermark.max(due), around.wait_ms);
            account.give_up(&conversation, since, around, past, out)?;
        }
        Ok(())
    }

    /// Takes an event of a conversation that `account` follows.
    fn take_of<E>(
        account: &mut Account,
        event: &Event<&str>,
        arrival: Arrival,
        around: &mut Around<'_>,
        past: &mut AskPast<'_, E>,
        out: &mut Segmented,
    ) -> Result<(), E> {
        let conversation = event.conversation_id;
        let since = account.since(event.time, arrival);
        let Some(followed) = account.conversations.get_mut(conversation) else { return Ok(()) };
        let place = followed.place(event);
        match place {
            Place::Repeat | Place::Told => out.duplicates += 1,
            _ => out.accepted += 1,
        }
        if place == Place::Repeat {
            return Ok(());
        }
        let followed = around.trial.note_change(&account.id, followed);
        let (before, closed_at) = (followed.numbers(), followed.closed_at());
        let mut target = Target { account: account.id.as_str(), conversation, past, out };
        let outcome = match place {
            Place::Repeat => Ok(()),
            Place::Skipped => {
                followed.take_skipped(event, &mut target);
                Ok(())
            }
            Place::Told => followed.take_told(event.sequence, &mut target),
            Place::Next => followed.take_next(event, &mut target),
            Place::Early => {
                let has_too_many = followed.wait(event, since);
                if has_too_many { followed.give_up(i64::MAX, &mut target) } else { Ok(()) }
            }
        };
        // Updated after a failure too, since a roll-back subtracts the events that wait now.
        let (after, is_open, is_early) = (followed.numbers(), followed.is_open(), place == Place::Early);
        account.recount(before, after);
        outcome?;
        if !is_open {
            account.settle(conversation, closed_at, around);
        }
        // Events that were kept and have a beginning now wait no longer than others.
        if is_early || before.kept > 0 {
            account.note_due(conversation, around.wait_ms);
        }
        Ok(())
    }

    /// Whether events wait in an account that has had no event for the time that events wait.
    pub fn has_idle(&self, now: i64) -> bool {
        self.accounts.values().any(|account| account.is_idle(now, self.wait_ms))
    }

    /// Lets the waiting events of idle accounts take effect. An account is idle when it has had no event for the time
    /// that events wait, so that nothing moves its watermark.
    ///
    /// # Errors
    /// The errors of `past`. The caller must roll back the trial then.
    pub fn give_up_idle<E>(&mut self, now: i64, past: &mut AskPast<'_, E>, out: &mut Segmented) -> Result<(), E> {
        let Self { accounts, trial, closed, wait_ms, .. } = self;
        let wait_ms = *wait_ms;
        let mut around = Around { now, wait_ms, trial, closed };
        for account in accounts.values_mut().filter(|account| account.is_idle(now, wait_ms)) {
            while let Some((conversation, since)) = account.next_idle(now, wait_ms) {
                account.give_up(&conversation, since, &mut around, past, out)?;
            }
        }
        Ok(())
    }

    /// Forgets conversations that closed long enough ago, if many are remembered. Call it from time to time.
    pub fn forget(&mut self, now: i64) {
        let Self { accounts, trial, closed, wait_ms, .. } = self;
        while closed.len() > MOST_CLOSED {
            let Some(first) = closed.front() else { break };
            if let Some(account) = accounts.get_mut(&first.account)
                && account.is_closed_since(&first.conversation, first.at)
            {
                let is_past = first.at.saturating_add(*wait_ms) < account.watermark
                    || first.arrived.saturating_add(*wait_ms) < now;
                if !is_past {
                    break;
                }
                account.remove(&first.conversation, trial);
            }
            closed.pop_front();
        }
    }

    /// The conversations that have changed since the trial began.
    pub fn changes(&self) -> impl Iterator<Item = ConversationChange<'_>> {
        self.trial.changes(&self.accounts)
    }

    /// The watermarks that have changed since the trial began, in milliseconds since the epoch.
    pub fn changed_watermarks(&self) -> impl Iterator<Item = (&str, i64)> {
        self.trial.watermarks(&self.accounts)
    }

    /// When the streams of accounts began that began in the trial, in milliseconds since the epoch.
    pub fn changed_beginnings(&self) -> impl Iterator<Item = (&str, i64)> {
        self.trial.beginnings(&self.accounts)
    }

    /// Ends the trial and keeps its changes.
    pub fn keep(&mut self) {
        self.trial.end();
    }

    /// Ends the trial and undoes its changes.
    pub fn roll_back(&mut self) {
        let undo = self.trial.undo();
        if undo.is_empty() {
            // Only watermarks can have changed.
            self.roll_back_watermarks();
            return;
        }
        let closed = self.closed.len();
        for before in undo {
            let Some(account) = self.accounts.get_mut(&before.account) else { continue };
            account.restore(&before.conversation, before.state, self.wait_ms, &mut self.closed);
        }
        if self.closed.len() > closed {
            self.sort_closed();
        }
        self.roll_back_watermarks();
    }

    fn roll_back_watermarks(&mut self) {
        for before in self.trial.undo_times() {
            if let Some(account) = self.accounts.get_mut(&before.account) {
                (account.watermark, account.begun) = (before.watermark, before.begun);
            }
        }
        self.trial.end();
    }

    /// All conversations as they were before the trial, each with its account.
    pub fn conversations(&self) -> impl Iterator<Item = (&AccountId, &Arc<FollowedConversation>)> {
        self.trial.committed(&self.accounts)
    }

    /// The watermark of each account as it was before the trial.
    pub fn watermarks(&self) -> impl Iterator<Item = (&str, i64)> {
        self.trial.committed_watermarks(&self.accounts)
    }

    /// When the stream of each account began, as it was before the trial.
    pub fn beginnings(&self) -> impl Iterator<Item = (&str, i64)> {
        self.trial.committed_beginnings(&self.accounts)
    }

    /// Whether a resume would take effect without a look-up of the stored segments of its conversation.
    pub fn expects(&self, resume: &Event<&str>) -> bool {
        let followed =
            self.accounts.get(resume.account_id).and_then(|account| account.conversations.get(resume.conversation_id));
        followed.is_some_and(|followed| followed.expects(resume.sequence))
    }

    /// The number of conversations that are open.
    pub fn open_conversations(&self) -> usize {
        self.accounts.values().map(|account| account.open).sum()
    }

    /// The number of open conversations of each account.
    pub fn open_conversations_by_account(&self) -> impl Iterator<Item = (&str, usize)> {
        self.accounts.values().map(|account| (account.id.as_str(), account.open))
    }

    /// The accounts with conversations that have changed since the trial began, each with the number of its open ones.
    pub fn changed_accounts(&self) -> impl Iterator<Item = (&str, usize)> {
        let changed = self.trial.accounts().into_iter().filter_map(|account| self.accounts.get(account));
        changed.map(|account| (account.id.as_str(), account.open))
    }

    /// The number of events that wait for earlier ones of their conversations.
    pub fn waiting_events(&self) -> usize {
        self.accounts.values().map(|account| account.waiting.saturating_add(account.kept)).sum()
    }

    /// Restores a conversation from the state of an earlier segmenter.
    ///
    /// # Errors
    /// Where the account identifier is invalid.
    pub fn restore(
        &mut self,
        account: &str,
        conversation: &str,
        mut state: FollowedConversation,
        now: i64,
    ) -> Result<(), Error> {
        self.next_number = self.next_number.max(state.number.saturating_add(1));
        let (wait_ms, id) = (self.wait_ms, AccountId::parse(account)?);
        let account = self.accounts.entry(id.clone()).or_insert_with(|| Account::new(id));
        account.last_arrival = now;
        let conversation: Arc<str> = Arc::from(conversation);
        state.id = Arc::clone(&conversation);
        account.restore(&conversation, Some(Arc::new(state)), wait_ms, &mut self.closed);
        Ok(())
    }

    /// Restarts event time in every account, so that events which are older than the earlier ones are ordered as if
    /// they were the first. Nothing may be on trial.
    pub fn restart_event_time(&mut self) {
        for account in self.accounts.values_mut() {
            account.earlier_watermark = account.earlier_watermark.max(account.watermark);
            account.watermark = i64::MIN;
        }
    }

    /// Restores an account's watermark from an earlier segmenter.
    ///
    /// # Errors
    /// Where the account identifier is invalid.
    pub fn restore_watermark(&mut self, account: &str, watermark: i64, now: i64) -> Result<(), Error> {
        let id = AccountId::parse(account)?;
        let account = self.accounts.entry(id.clone()).or_insert_with(|| Account::new(id));
        (account.watermark, account.last_arrival) = (watermark, now);
        // Unless it is told as well, the stream began long ago.
        account.begun.get_or_insert(i64::MIN);
        Ok(())
    }

    /// Restores when the stream of an account began, from an earlier segmenter.
    ///
    /// # Errors
    /// Where the account identifier is invalid.
    pub fn restore_beginning(&mut self, account: &str, begun: i64) -> Result<(), Error> {
        let id = AccountId::parse(account)?;
        self.accounts.entry(id.clone()).or_insert_with(|| Account::new(id)).begun = Some(begun);
        Ok(())
    }

    /// Sorts [restored](Self::restore) conversations by the time at which they closed. Call it after the last one.
    pub fn finish_restoring(&mut self) {
        self.sort_closed();
    }

    fn sort_closed(&mut self) {
        let mut closed: Vec<Closed> = std::mem::take(&mut self.closed).into();
        let key = |closed: &Closed| (closed.at, closed.account.clone(), closed.conversation.clone());
        closed.sort_by_cached_key(key);
        closed.dedup_by_key(|closed| key(closed));
        self.closed = closed.into();
    }
}

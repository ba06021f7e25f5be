use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::AskPast;
use super::conversation::{Conversation, PastConversation};
use super::dead_letter::{DeadLetter, Impossible};
use super::segmented::Segmented;
use crate::{Event, EventKind};

/// As many events of one conversation wait for an earlier one; with one more, they go ahead.
const MOST_WAITING: usize = 1024;

/// As many gaps of one conversation are remembered.
const MOST_SKIPPED: usize = 32;

/// A conversation whose events are put in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowedConversation {
    /// Its number among all.
    pub(super) number: u64,
    /// The trial in which it was last changed.
    #[serde(skip)]
    pub(super) trial: u64,
    /// When its events are looked at next, in milliseconds since the epoch of event time.
    #[serde(skip, default = "never")]
    pub(super) due: i64,
    /// All events before have taken effect, or will not.
    next_sequence: u64,
    conversation: Conversation,
    /// `None` while all came in order, as they mostly do.
    disorder: Option<Box<Disorder>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Disorder {
    /// Events by sequence that wait for earlier ones.
    waiting: BTreeMap<u64, Waiting>,
    /// The sequences, from and up to, that were not waited for any longer.
    skipped: Vec<(u64, u64)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Waiting {
    time: i64,
    /// Its gap is given up so long after this time, in milliseconds since the epoch.
    since: i64,
    event: EventKind<Box<str>>,
}

/// A time that does not come.
fn never() -> i64 {
    i64::MAX
}

/// What an event says by its place alone.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It came before.
    Repeat,
    /// It is one of those that were not waited for any longer.
    Skipped,
    /// It is the next, or counts as such.
    Next,
    /// Others come before it.
    Early,
}

/// The conversation that is being followed, and where what comes of it goes.
pub(super) struct Target<'t, 'o, E> {
    pub(super) account: &'t str,
    pub(super) conversation: &'t str,
    pub(super) past: &'t mut AskPast<'t, E>,
    pub(super) out: &'o mut Segmented,
}

impl FollowedConversation {
    pub(super) fn new(number: u64, trial: u64) -> Self {
        Self { number, trial, due: never(), next_sequence: 0, conversation: Conversation::default(), disorder: None }
    }

    /// All events with lower sequences have taken effect, or will not.
    pub fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// Whether an event with this sequence is the next of a conversation that has started.
    pub(super) fn expects(&self, sequence: u64) -> bool {
        self.conversation.is_started() && self.next_sequence == sequence
    }

    /// Nothing is known and nothing waits: it is as if there had been no event.
    pub(super) fn is_void(&self) -> bool {
        !self.conversation.is_started() && !self.has_waiting()
    }

    /// When it closed, where it is closed and nothing waits.
    pub(super) fn closed_at(&self) -> Option<i64> {
        let is_closed = self.conversation.is_started() && !self.conversation.is_open() && !self.has_waiting();
        is_closed.then(|| self.conversation.time())
    }

    pub(super) fn is_open(&self) -> bool {
        self.conversation.is_open()
    }

    fn has_waiting(&self) -> bool {
        self.waiting() > 0
    }

    /// The number of events that wait.
    pub(super) fn waiting(&self) -> usize {
        self.disorder.as_ref().map_or(0, |disorder| disorder.waiting.len())
    }

    /// For each event that waits, since when.
    pub(super) fn waiting_since(&self) -> impl Iterator<Item = i64> {
        self.disorder.iter().flat_map(|disorder| disorder.waiting.values().map(|waiting| waiting.since))
    }

    pub(super) fn place(&self, sequence: u64, event: &EventKind<&str>) -> Place {
        let is_start = !self.conversation.is_started() && matches!(event, EventKind::Started { .. });
        if is_start && sequence <= self.next_sequence {
            // Others went ahead of it, and had no effect.
            return Place::Next;
        }
        let disorder = self.disorder.as_deref();
        if sequence < self.next_sequence {
            let is_of = |skipped: &(u64, u64)| (skipped.0..skipped.1).contains(&sequence);
            let is_skipped = disorder.is_some_and(|disorder| disorder.skipped.iter().any(is_of));
            return if is_skipped { Place::Skipped } else { Place::Repeat };
        }
        if sequence == self.next_sequence {
            return Place::Next;
        }
        let is_waiting = disorder.is_some_and(|disorder| disorder.waiting.contains_key(&sequence));
        if is_waiting { Place::Repeat } else { Place::Early }
    }

    /// Takes an event that has waited for no other, and those that have waited for it.
    pub(super) fn take_next<E>(&mut self, event: &Event<&str>, target: &mut Target<'_, '_, E>) -> Result<(), E> {
        if !self.conversation.is_started() && matches!(event.kind, EventKind::Started { .. }) {
            // What was given up without a start may come again.
            self.disorder.iter_mut().for_each(|disorder| disorder.skipped.clear());
        }
        self.next_sequence = event.sequence;
        self.effect(event.time, &event.kind, false, target)?;
        self.take_contiguous(false, target)
    }

    /// Lets an event wait for those before it; tells whether there are too many now.
    pub(super) fn wait(&mut self, event: &Event<&str>, since: i64) -> bool {
        let disorder = self.disorder.get_or_insert_default();
        let waiting = Waiting { time: event.time, since, event: event.kind.map(|text| Box::from(*text)) };
        disorder.waiting.insert(event.sequence, waiting);
        disorder.waiting.len() > MOST_WAITING
    }

    /// An event that came after others had gone ahead.
    pub(super) fn take_skipped<E>(&mut self, event: &Event<&str>, target: &mut Target<'_, '_, E>) {
        target.dead_letter(event.sequence, &event.kind, event.time, Impossible::TooLate);
        // Once: from now on it is a repeat.
        let Some(disorder) = &mut self.disorder else { return };
        let skipped = std::mem::take(&mut disorder.skipped);
        for (from, to) in skipped {
            if (from..to).contains(&event.sequence) {
                let parts = [(from, event.sequence), (event.sequence + 1, to)];
                disorder.skipped.extend(parts.into_iter().filter(|(from, to)| from < to));
            } else {
                disorder.skipped.push((from, to));
            }
        }
        disorder.join_first();
        self.tidy();
    }

    /// Gives up the gaps before every event that has waited since `since` or longer.
    pub(super) fn give_up<E>(&mut self, since: i64, target: &mut Target<'_, '_, E>) -> Result<(), E> {
        while self.waiting_since().any(|waiting| waiting <= since) {
            let Some(disorder) = &mut self.disorder else { break };
            let Some((sequence, _)) = disorder.waiting.first_key_value() else { break };
            let sequence = *sequence;
            disorder.skipped.push((self.next_sequence, sequence));
            disorder.join_first();
            self.next_sequence = sequence;
            self.take_contiguous(true, target)?;
        }
        self.tidy();
        Ok(())
    }

    /// Takes the events that wait for nothing any more, the first of them after a gap or not.
    fn take_contiguous<E>(&mut self, mut is_after_gap: bool, target: &mut Target<'_, '_, E>) -> Result<(), E> {
        while let Some(waiting) = self.pop_next() {
            self.effect(waiting.time, &waiting.borrowed(), is_after_gap, target)?;
            is_after_gap = false;
        }
        self.tidy();
        Ok(())
    }

    /// The event that waits and is the next.
    fn pop_next(&mut self) -> Option<Waiting> {
        let first = self.disorder.as_mut()?.waiting.first_entry()?;
        (*first.key() == self.next_sequence).then(|| first.remove())
    }

    /// What the event numbered [`Self::next_sequence`] does.
    fn effect<E>(
        &mut self,
        time: i64,
        event: &EventKind<&str>,
        is_after_gap: bool,
        target: &mut Target<'_, '_, E>,
    ) -> Result<(), E> {
        let is_started = self.conversation.is_started();
        if matches!(event, EventKind::Resumed { .. }) && (is_after_gap || !is_started) {
            // What came before it may be stored, and forgotten here, or delivered once more in part.
            let past = (target.past)(target.account, target.conversation, time)?;
            match past {
                Some(past) if !is_started || self.conversation.is_behind(&past) => {
                    self.conversation = Conversation::of_past(past);
                    // What was not waited for any longer is not missing.
                    self.disorder.iter_mut().for_each(|disorder| disorder.skipped.clear());
                }
                None if !is_started => self.conversation = Conversation::of_past(PastConversation::default()),
                _ => {}
            }
        }
        match self.conversation.take(time, event) {
            Ok(None) => {}
            Ok(Some(closed)) => {
                let segment = closed.segment(target.account, target.conversation, self.conversation.source());
                target.out.segments.append(&segment);
            }
            Err(impossible) => target.dead_letter(self.next_sequence, event, time, impossible),
        }
        self.next_sequence = self.next_sequence.saturating_add(1);
        Ok(())
    }

    /// Keeps nothing of a disorder that is over.
    fn tidy(&mut self) {
        if self.disorder.as_ref().is_some_and(|disorder| disorder.waiting.is_empty() && disorder.skipped.is_empty()) {
            self.disorder = None;
        }
    }
}

impl Disorder {
    /// Keeps the list of gaps short: of too many, the first are taken for one, so that what belongs to them is never
    /// passed over in silence.
    fn join_first(&mut self) {
        let surplus = self.skipped.len().saturating_sub(MOST_SKIPPED);
        let joined = self.skipped.drain(..surplus).reduce(|(from, to), other| (from.min(other.0), to.max(other.1)));
        if let (Some(joined), Some(first)) = (joined, self.skipped.first_mut()) {
            *first = (first.0.min(joined.0), first.1.max(joined.1));
        }
    }
}

impl Waiting {
    fn borrowed(&self) -> EventKind<&str> {
        self.event.map(AsRef::as_ref)
    }
}

impl<E> Target<'_, '_, E> {
    fn dead_letter(&mut self, sequence: u64, event: &EventKind<&str>, time: i64, reason: Impossible) {
        let event = Event {
            account_id: Box::from(self.account),
            conversation_id: Box::from(self.conversation),
            sequence,
            time,
            kind: event.map(|text| Box::from(*text)),
        };
        self.out.dead_letters.push(DeadLetter { event, reason });
    }
}

//! Puts the events of a conversation in order before they take effect.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::AskPast;
use super::attention::Attention;
use super::conversation::{Conversation, PastConversation};
use super::dead_letter::{DeadLetter, Impossible};
use super::open_segment::OpenSegment;
use super::segmented::Segmented;
use super::told::ToldConversation;
use crate::{Event, EventKind};

/// The maximum number of events of a conversation that wait. With one more, all of them take effect.
const MOST_WAITING: usize = 1024;

/// The maximum number of gaps of a conversation that are remembered.
const MOST_SKIPPED: usize = 32;

/// A conversation, and the order of its events.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "FollowedRecord")]
pub struct FollowedConversation {
    /// Its identifier, which the map of its account shares. It is stored beside the state.
    pub(super) id: Arc<str>,
    /// Its number, which no other conversation has.
    pub(super) number: u64,
    /// The trial in which it changed last.
    pub(super) trial: u64,
    /// All events with lower sequences have taken effect, or have been given up.
    next_sequence: u64,
    conversation: Conversation,
    /// `None` while all events have arrived in order, as they mostly do.
    disorder: Option<Box<Disorder>>,
    /// The time up to which an export told everything, in milliseconds since the epoch. Events up to then are repeats.
    told_until: Option<i64>,
}

/// What is stored of a conversation. Later versions have added to its end.
#[derive(Deserialize)]
struct FollowedRecord {
    number: u64,
    next_sequence: u64,
    conversation: Conversation,
    disorder: Option<Box<Disorder>>,
    #[serde(deserialize_with = "at_end")]
    told_until: Option<i64>,
    #[serde(deserialize_with = "at_end")]
    attention: Option<Attention>,
}

impl Serialize for FollowedConversation {
    /// In the order of `FollowedRecord`, without a copy.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { number, next_sequence, conversation, disorder, told_until, .. } = self;
        (number, next_sequence, conversation, disorder, told_until, conversation.attention()).serialize(serializer)
    }
}

impl From<FollowedRecord> for FollowedConversation {
    fn from(record: FollowedRecord) -> Self {
        let FollowedRecord { number, next_sequence, mut conversation, disorder, told_until, attention } = record;
        conversation.restore_attention(attention);
        Self { next_sequence, conversation, disorder, told_until, ..Self::new(Arc::from(""), number, 0) }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Disorder {
    /// When the waiting events are due, in milliseconds of event time since the epoch.
    #[serde(skip, default = "never")]
    due: i64,
    /// Until when the conversation is held although its first event is a resume, in milliseconds of event time since the
    /// epoch. It is found anew after a restart.
    #[serde(skip)]
    held_until: Option<i64>,
    /// Events that wait for earlier ones, by sequence.
    waiting: BTreeMap<u64, Waiting>,
    /// The gaps that were given up, each from a sequence up to, and without, another.
    skipped: Vec<(u64, u64)>,
}

impl Default for Disorder {
    fn default() -> Self {
        Self { due: never(), held_until: None, waiting: BTreeMap::new(), skipped: Vec::new() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Waiting {
    time: i64,
    /// The start of the wait, in milliseconds since the epoch.
    since: i64,
    event: EventKind<Box<str>>,
}

fn is_resume(waiting: &Waiting) -> bool {
    matches!(waiting.event, EventKind::Resumed { .. })
}

/// What is counted of conversations.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Numbers {
    /// Events that wait for earlier ones.
    pub(super) waiting: usize,
    /// Events that are kept for an export that tells how their conversation began.
    pub(super) kept: usize,
    /// Conversations that are open.
    pub(super) open: usize,
}

/// A time that is never reached.
fn never() -> i64 {
    i64::MAX
}

/// A field at the end of a state. States of earlier versions end before it.
fn at_end<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(Option::deserialize(deserializer).unwrap_or_default())
}

/// What the sequence of an event means for it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The event has arrived before.
    Repeat,
    /// The event is in a gap that was given up.
    Skipped,
    /// An export told the event, of which the sequence was not known.
    Told,
    /// The event is the next one.
    Next,
    /// Earlier events are missing.
    Early,
}

/// The conversation whose events take effect, and where its segments and dead letters go.
pub(super) struct Target<'t, 'o, E> {
    pub(super) account: &'t str,
    pub(super) conversation: &'t str,
    pub(super) past: &'t mut AskPast<'t, E>,
    pub(super) out: &'o mut Segmented,
}

impl FollowedConversation {
    pub(super) fn new(id: Arc<str>, number: u64, trial: u64) -> Self {
        Self {
            id,
            number,
            trial,
            next_sequence: 0,
            conversation: Conversation::default(),
            disorder: None,
            told_until: None,
        }
    }

    /// The identifier.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The number, which no other conversation has.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The segment that is open, as it is now; `None` unless the conversation is open.
    pub fn open_segment(&self) -> Option<OpenSegment<'_>> {
        self.conversation.open_segment()
    }

    /// All events with lower sequences have taken effect, or have been given up.
    pub fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// Whether an event with this sequence is the next of a conversation that has started.
    pub(super) fn expects(&self, sequence: u64) -> bool {
        self.conversation.is_started() && self.next_sequence == sequence
    }

    /// Whether nothing is known and nothing waits, as if there had been no event.
    pub(super) fn is_void(&self) -> bool {
        !self.conversation.is_started() && !self.has_waiting()
    }

    /// The time of the close, if the conversation is closed and nothing waits.
    pub(super) fn closed_at(&self) -> Option<i64> {
        let is_closed = self.conversation.is_started() && !self.conversation.is_open() && !self.has_waiting();
        is_closed.then(|| self.conversation.time())
    }

    /// Whether it is known how the conversation began.
    pub fn is_started(&self) -> bool {
        self.conversation.is_started()
    }

    /// Whether the conversation is open.
    pub fn is_open(&self) -> bool {
        self.conversation.is_open()
    }

    fn has_waiting(&self) -> bool {
        self.waiting() > 0
    }

    /// What this conversation is in the numbers of its account.
    pub(super) fn numbers(&self) -> Numbers {
        let (waiting, kept) = if self.misses_beginning() { (0, self.waiting()) } else { (self.waiting(), 0) };
        Numbers { waiting, kept, open: usize::from(self.is_open()) }
    }

    /// Whether the conversation began before its first event here. An export may tell how.
    pub(super) fn misses_beginning(&self) -> bool {
        self.first_without_start().is_some_and(|first| !is_resume(first) || self.is_held())
    }

    /// The first event that waits, if it is not known how the conversation started, and no event will tell.
    fn first_without_start(&self) -> Option<&Waiting> {
        let disorder = self.disorder.as_ref().filter(|_| !self.conversation.is_started())?;
        let has_start = disorder.waiting.values().any(|waiting| matches!(waiting.event, EventKind::Started { .. }));
        disorder.waiting.values().next().filter(|_| !has_start)
    }

    /// The time of the resume that is the first event here, unless it is held.
    pub(super) fn resume_to_hold(&self) -> Option<i64> {
        let first = self.first_without_start().filter(|_| !self.is_held())?;
        is_resume(first).then_some(first.time)
    }

    /// Keeps a resume that is the first event here.
    pub(super) fn hold(&mut self, until: i64) {
        self.disorder.iter_mut().for_each(|disorder| disorder.held_until = Some(until));
    }

    fn is_held(&self) -> bool {
        self.disorder.as_ref().is_some_and(|disorder| disorder.held_until.is_some())
    }

    /// When its waiting events are due, in milliseconds of event time since the epoch; [`i64::MAX`] where that is not
    /// noted.
    pub(super) fn due(&self) -> i64 {
        self.disorder.as_ref().map_or_else(never, |disorder| disorder.due)
    }

    pub(super) fn set_due(&mut self, due: i64) {
        self.disorder.iter_mut().for_each(|disorder| disorder.due = due);
    }

    /// Until when the resume is kept that is the first event here.
    pub(super) fn held_until(&self) -> Option<i64> {
        self.disorder.as_ref()?.held_until.filter(|_| self.first_without_start().is_some_and(is_resume))
    }

    /// The number of waiting events.
    pub(super) fn waiting(&self) -> usize {
        self.disorder.as_ref().map_or(0, |disorder| disorder.waiting.len())
    }

    /// The start of the wait of each waiting event.
    pub(super) fn waiting_since(&self) -> impl Iterator<Item = i64> {
        self.disorder.iter().flat_map(|disorder| disorder.waiting.values().map(|waiting| waiting.since))
    }

    pub(super) fn place(&self, event: &Event<&str>) -> Place {
        let sequence = event.sequence;
        let is_start = !self.conversation.is_started() && matches!(event.kind, EventKind::Started { .. });
        if is_start && sequence <= self.next_sequence {
            // Later events took effect before it, as dead letters.
            return Place::Next;
        }
        let disorder = self.disorder.as_deref();
        if sequence < self.next_sequence {
            let is_of = |skipped: &(u64, u64)| (skipped.0..skipped.1).contains(&sequence);
            let is_skipped = disorder.is_some_and(|disorder| disorder.skipped.iter().any(is_of));
            return if is_skipped && !self.was_told(event.time) { Place::Skipped } else { Place::Repeat };
        }
        if disorder.is_some_and(|disorder| disorder.waiting.contains_key(&sequence)) {
            Place::Repeat
        } else if self.was_told(event.time) {
            Place::Told
        } else if sequence == self.next_sequence {
            Place::Next
        } else {
            Place::Early
        }
    }

    /// Whether an export told what happened at a time.
    fn was_told(&self, time: i64) -> bool {
        self.told_until.is_some_and(|until| time <= until)
    }

    /// Whether an export tells something that is not known here.
    pub(super) fn is_behind(&self, told: &ToldConversation) -> bool {
        self.is_earlier_than(told) || self.conversation.has_assumed_index()
    }

    /// Whether less has happened than an export tells.
    fn is_earlier_than(&self, told: &ToldConversation) -> bool {
        let known_until = self.told_until.map_or(self.conversation.time(), |until| until.max(self.conversation.time()));
        !self.conversation.is_started() || known_until < told.until
    }

    /// Goes on from what an export tells, if more has happened there than here.
    pub(super) fn adopt<E>(&mut self, told: &ToldConversation, target: &mut Target<'_, '_, E>) -> Result<(), E> {
        if !self.is_earlier_than(told) {
            self.conversation.number_by(&told.state);
            return Ok(());
        }
        self.conversation = told.state.clone();
        self.told_until = Some(told.until);
        let mut last = None;
        if let Some(disorder) = &mut self.disorder {
            disorder.waiting.retain(|sequence, waiting| {
                let is_told = waiting.time <= told.until;
                last = if is_told { Some(*sequence) } else { last };
                !is_told
            });
        }
        last.map_or(Ok(()), |last| self.take_told(last, target))?;
        self.take_contiguous(false, target)
    }

    /// Takes an event that an export told. It shows which sequences were told.
    pub(super) fn take_told<E>(&mut self, sequence: u64, target: &mut Target<'_, '_, E>) -> Result<(), E> {
        if sequence < self.next_sequence {
            return Ok(());
        }
        // What waits before it is dated later than it: the export does not have that.
        while let Some(earlier) = self.first_waiting().filter(|earlier| *earlier < sequence) {
            self.skip_to(earlier);
            self.take_contiguous(true, target)?;
        }
        self.skip_to(sequence);
        self.next_sequence = sequence.saturating_add(1);
        self.take_contiguous(false, target)
    }

    /// The lowest sequence that waits.
    fn first_waiting(&self) -> Option<u64> {
        self.disorder.as_ref()?.waiting.first_key_value().map(|(sequence, _)| *sequence)
    }

    /// Gives up the gap before a sequence.
    fn skip_to(&mut self, sequence: u64) {
        if self.next_sequence < sequence {
            let disorder = self.disorder.get_or_insert_default();
            disorder.skipped.push((self.next_sequence, sequence));
            disorder.join_first();
            self.next_sequence = sequence;
        }
    }

    /// Takes the next event, and the events that have waited for it.
    pub(super) fn take_next<E>(&mut self, event: &Event<&str>, target: &mut Target<'_, '_, E>) -> Result<(), E> {
        if !self.conversation.is_started() && matches!(event.kind, EventKind::Started { .. }) {
            // Gaps before the start do not count, since the events in them may still arrive.
            self.disorder.iter_mut().for_each(|disorder| disorder.skipped.clear());
        }
        self.next_sequence = event.sequence;
        self.effect(event.time, &event.kind, false, target)?;
        self.take_contiguous(false, target)
    }

    /// Lets an event wait for earlier ones. Returns whether too many events wait now.
    pub(super) fn wait(&mut self, event: &Event<&str>, since: i64) -> bool {
        let disorder = self.disorder.get_or_insert_default();
        let waiting = Waiting { time: event.time, since, event: event.kind.map(|text| Box::from(*text)) };
        disorder.waiting.insert(event.sequence, waiting);
        disorder.waiting.len() > MOST_WAITING
    }

    /// Takes an event that arrived after its gap was given up.
    pub(super) fn take_skipped<E>(&mut self, event: &Event<&str>, target: &mut Target<'_, '_, E>) {
        target.dead_letter(event.sequence, &event.kind, event.time, Impossible::TooLate);
        // Another copy of the event is a repeat from now on.
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

    /// Gives up the gaps before all events that have waited since `since` or longer.
    pub(super) fn give_up<E>(&mut self, since: i64, target: &mut Target<'_, '_, E>) -> Result<(), E> {
        while self.waiting_since().any(|waiting| waiting <= since) {
            let Some(sequence) = self.first_waiting() else { break };
            // An export does not know the sequence of the first event after it.
            let is_after_export = self.told_until.is_some() && self.next_sequence == 0;
            if !is_after_export {
                target.out.give_up_gap(target.account);
            }
            self.skip_to(sequence);
            self.take_contiguous(true, target)?;
        }
        self.tidy();
        Ok(())
    }

    /// Takes the waiting events up to the next gap. `is_after_gap` says whether a gap before the first of them was
    /// given up.
    fn take_contiguous<E>(&mut self, mut is_after_gap: bool, target: &mut Target<'_, '_, E>) -> Result<(), E> {
        while let Some(waiting) = self.pop_next() {
            self.effect(waiting.time, &waiting.borrowed(), is_after_gap, target)?;
            is_after_gap = false;
        }
        self.tidy();
        Ok(())
    }

    /// The waiting event that is next in sequence.
    fn pop_next(&mut self) -> Option<Waiting> {
        let first = self.disorder.as_mut()?.waiting.first_entry()?;
        (*first.key() == self.next_sequence).then(|| first.remove())
    }

    /// Applies the event with the sequence [`Self::next_sequence`].
    fn effect<E>(
        &mut self,
        time: i64,
        event: &EventKind<&str>,
        is_after_gap: bool,
        target: &mut Target<'_, '_, E>,
    ) -> Result<(), E> {
        let is_started = self.conversation.is_started();
        if matches!(event, EventKind::Resumed { .. }) && (is_after_gap || !is_started) {
            // The earlier segments may be stored and forgotten here, or some of the earlier events may arrive again.
            let past = (target.past)(target.account, target.conversation, time)?;
            match past {
                Some(past) if !is_started || self.conversation.is_behind(&past) => {
                    self.conversation = Conversation::of_past(past);
                    // The events in the gaps are in the stored segments.
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

    /// Frees the memory of a disorder that is over.
    fn tidy(&mut self) {
        if self.disorder.as_ref().is_some_and(|disorder| disorder.waiting.is_empty() && disorder.skipped.is_empty()) {
            self.disorder = None;
        }
    }
}

impl Disorder {
    /// Keeps the list of gaps short by joining the first ones. A repeat of an event between joined gaps then becomes a
    /// dead letter, but no late event is dropped in silence.
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

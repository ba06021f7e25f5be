//! The events of all conversations together, in the order in which they happen.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use skillscope_segment::Event;

use crate::events::TimedEvent;
use crate::{Conversation, Workload};

/// A bound on the length of a conversation, which has at most five stays with pauses between them.
pub(crate) const LONGEST_CONVERSATION_MS: i64 = 3_600_000;

/// A conversation that has a next event.
pub(crate) struct Running<'w> {
    conversation: Conversation<'w>,
    /// The number of the conversation, which orders events of the same millisecond.
    number: u64,
    /// The events. Empty until the first one is due, to save memory.
    events: Vec<TimedEvent<'w>>,
    next: usize,
    /// The time of the next event.
    time: i64,
}

impl Workload {
    /// Passes the events of all conversations to `sink`, in the order in which they happen.
    ///
    /// # Errors
    /// The errors of `sink`.
    pub fn for_each_event<E>(&self, mut sink: impl FnMut(&Event<&str>) -> Result<(), E>) -> Result<(), E> {
        let mut running = BinaryHeap::new();
        let mut rows = 0;
        for (conversation, number) in self.conversations().zip(0..) {
            rows += conversation.segment_count() as u64;
            running.push(Reverse(Running::new(conversation, number)));
            pass_events_before(self.time_after(rows) - LONGEST_CONVERSATION_MS, &mut running, &mut sink)?;
        }
        pass_events_before(i64::MAX, &mut running, &mut sink)
    }
}

impl<'w> Running<'w> {
    /// Conversation number `number`, of which nothing has happened yet.
    pub(crate) fn new(conversation: Conversation<'w>, number: u64) -> Self {
        let time = conversation.stays().first().map_or(0, |stay| stay.start);
        Self { conversation, number, events: Vec::new(), next: 0, time }
    }
}

/// Passes on every event before `end`.
pub(crate) fn pass_events_before<E>(
    end: i64,
    running: &mut BinaryHeap<Reverse<Running<'_>>>,
    sink: &mut impl FnMut(&Event<&str>) -> Result<(), E>,
) -> Result<(), E> {
    while running.peek().is_some_and(|Reverse(first)| first.time < end) {
        let Some(Reverse(mut first)) = running.pop() else { break };
        if first.events.is_empty() {
            first.events = first.conversation.events();
        }
        let Some((time, kind)) = first.events.get(first.next) else { continue };
        sink(&Event {
            account_id: first.conversation.account(),
            conversation_id: first.conversation.id(),
            sequence: first.next as u64,
            time: *time,
            kind: kind.clone(),
        })?;
        first.next += 1;
        if let Some((time, _)) = first.events.get(first.next) {
            first.time = *time;
            running.push(Reverse(first));
        }
    }
    Ok(())
}

impl Ord for Running<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.time, self.number).cmp(&(other.time, other.number))
    }
}

impl PartialOrd for Running<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Running<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Running<'_> {}

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use skillscope_segment::Event;

use crate::happening::Happening;
use crate::{Conversation, Workload};

/// No conversation lasts longer than five stays with a pause between each two.
const LONGEST_CONVERSATION_MS: i64 = 3_600_000;

/// A conversation whose next event is to come.
struct Running<'w> {
    conversation: Conversation<'w>,
    /// Its number, so that events of the same millisecond have an order.
    number: u64,
    /// Empty until the first of them is due.
    happenings: Vec<Happening<'w>>,
    next: usize,
    /// When the next event happens.
    time: i64,
}

impl Workload {
    /// Gives the events of all conversations to `sink`, in the order in which they happen.
    ///
    /// # Errors
    /// What `sink` returns.
    pub fn for_each_event<E>(&self, mut sink: impl FnMut(&Event<&str>) -> Result<(), E>) -> Result<(), E> {
        let mut running = BinaryHeap::new();
        let mut rows = 0;
        for (conversation, number) in self.conversations().zip(0..) {
            rows += conversation.segment_count() as u64;
            let time = conversation.stays().first().map_or(0, |stay| stay.start);
            running.push(Reverse(Running { conversation, number, happenings: Vec::new(), next: 0, time }));
            tell_up_to(self.time_after(rows) - LONGEST_CONVERSATION_MS, &mut running, &mut sink)?;
        }
        tell_up_to(i64::MAX, &mut running, &mut sink)
    }
}

/// Tells every event before `end`.
fn tell_up_to<E>(
    end: i64,
    running: &mut BinaryHeap<Reverse<Running<'_>>>,
    sink: &mut impl FnMut(&Event<&str>) -> Result<(), E>,
) -> Result<(), E> {
    while running.peek().is_some_and(|Reverse(first)| first.time < end) {
        let Some(Reverse(mut first)) = running.pop() else { break };
        if first.happenings.is_empty() {
            first.happenings = first.conversation.happenings();
        }
        let Some((time, kind)) = first.happenings.get(first.next) else { continue };
        sink(&Event {
            account_id: first.conversation.account(),
            conversation_id: first.conversation.id(),
            sequence: first.next as u64,
            time: *time,
            kind: kind.clone(),
        })?;
        first.next += 1;
        if let Some((time, _)) = first.happenings.get(first.next) {
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

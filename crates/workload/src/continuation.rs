//! What happens after the end of a workload.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::convert::Infallible;

use skillscope_segment::Event;

use crate::curve::HOUR_MS;
use crate::event_stream::{LONGEST_CONVERSATION_MS, Running, pass_events_before};
use crate::{Conversation, Workload};

/// The numbers of an hour's conversations are below 2 to the power of this.
const BITS_OF_AN_HOUR: u32 = 24;

/// A workload that goes on without an end, at the rate that it had at each time of day: the events of the conversations
/// that close at its end or later, in the order in which they happen. Those that are under way at the end began before,
/// so that events before the end come first. The workload itself has none of these conversations.
///
/// A conversation follows from the options of the workload and from the hour in which it closes, so that continuations
/// which begin elsewhere have the same ones. In memory are the conversations of some two hours.
pub struct Continuation<'w> {
    workload: &'w Workload,
    least_per_hour: u32,
    /// Conversations that close before this are left out.
    closing_from: i64,
    /// The hour whose conversations are made next, counted from the epoch.
    next_hour: i64,
    running: BinaryHeap<Reverse<Running<'w>>>,
}

impl Workload {
    /// How the workload goes on after its end. No hour has fewer conversations than `least_per_hour`, however quiet it
    /// is in the workload.
    pub fn continuation(&self, least_per_hour: u32) -> Continuation<'_> {
        Continuation {
            workload: self,
            least_per_hour,
            closing_from: self.end(),
            next_hour: self.end().div_euclid(HOUR_MS),
            running: BinaryHeap::new(),
        }
    }
}

impl Continuation<'_> {
    /// Passes the events before `end`, in milliseconds since the epoch, that have not been passed yet to `sink`.
    pub fn pass_before(&mut self, end: i64, mut sink: impl FnMut(&Event<&str>)) {
        let mut pass = |event: &Event<&str>| {
            sink(event);
            Ok::<(), Infallible>(())
        };
        loop {
            // What closes in the hours to come has no event before this.
            let known_until = self.next_hour.saturating_mul(HOUR_MS).saturating_sub(LONGEST_CONVERSATION_MS);
            let Ok(()) = pass_events_before(end.min(known_until), &mut self.running, &mut pass);
            if known_until >= end {
                return;
            }
            self.make_next_hour();
        }
    }

    /// Leaves out the conversations that would close before `instant`, in milliseconds since the epoch. Those that have
    /// been made already go on to their end: they close within two hours of the last event that was passed.
    pub fn skip_to(&mut self, instant: i64) {
        self.closing_from = self.closing_from.max(instant);
        self.next_hour = self.next_hour.max(instant.div_euclid(HOUR_MS));
    }

    /// Makes the conversations that close in the next hour, spread evenly over it.
    fn make_next_hour(&mut self) {
        let start = self.next_hour.saturating_mul(HOUR_MS);
        let count = self.workload.conversations_in_hour(start).max(self.least_per_hour.into());
        let count = count.min((1 << BITS_OF_AN_HOUR) - 1);
        for place in 0..count {
            // The workload itself counts from 0, which are the first hours of 1970 here.
            let number = ((self.next_hour as u64) << BITS_OF_AN_HOUR) + place;
            let mut draw = self.workload.decisions(number);
            let offset = (place as f64 + draw.unit()) / count as f64 * HOUR_MS as f64;
            let close = start.saturating_add((offset as i64).min(HOUR_MS - 1));
            if close >= self.closing_from {
                let conversation = Conversation::draw(self.workload, &mut draw, close, u64::MAX);
                self.running.push(Reverse(Running::new(conversation, number)));
            }
        }
        self.next_hour = self.next_hour.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;
    use skillscope_segment::{AccountId, EventKind};

    use super::*;
    use crate::WorkloadOptions;

    /// 2018-01-18T08:51:55.679Z
    const END: i64 = 1_516_265_515_679;

    /// Two o'clock in the night after it.
    const NIGHT: i64 = 1_516_327_200_000;

    /// Ten o'clock of the day after it.
    const DAY: i64 = 1_516_356_000_000;

    const LEAST: u32 = 300;

    /// An event as its time, conversation and sequence, and what happened.
    type Told = (i64, String, u64, String);

    fn workload(end: i64, seed: u64) -> Workload {
        let accounts = vec![AccountId::parse("acme").unwrap()];
        Workload::new(WorkloadOptions { rows: 20_000, skills: 8, accounts, hours: 24, end, seed })
    }

    fn told(event: &Event<&str>) -> Told {
        (event.time, event.conversation_id.to_owned(), event.sequence, format!("{:?}", event.kind))
    }

    fn before(continuation: &mut Continuation<'_>, end: i64) -> Vec<Told> {
        let mut events = Vec::new();
        continuation.pass_before(end, |event| events.push(told(event)));
        events
    }

    fn is_close(told: &Told) -> bool {
        told.3.starts_with("Closed")
    }

    /// The last event of each conversation.
    fn ends(events: &[Told]) -> BTreeMap<&str, &Told> {
        events.iter().map(|event| (event.1.as_str(), event)).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn pieces_are_the_whole(seed in any::<u64>(), cuts in prop::collection::vec(-HOUR_MS..4 * HOUR_MS, 0..20)) {
            let workload = workload(END, seed);
            let whole = before(&mut workload.continuation(LEAST), END + 4 * HOUR_MS);
            let mut cut = workload.continuation(LEAST);
            // An instant that lies back is no step at all.
            let mut pieces: Vec<Told> = cuts.iter().flat_map(|after| before(&mut cut, END + after)).collect();
            pieces.extend(before(&mut cut, END + 4 * HOUR_MS));
            prop_assert_eq!(pieces, whole);
        }

        #[test]
        fn each_conversation_is_told_from_its_start_to_its_close_in_order(seed in any::<u64>(), end in END..NIGHT) {
            let workload = workload(end, seed);
            let until = end + 2 * HOUR_MS;
            let events = before(&mut workload.continuation(LEAST), until);
            prop_assert!(events.is_sorted_by_key(|event| event.0));
            let mut next: BTreeMap<&str, u64> = BTreeMap::new();
            for (_, conversation, sequence, _) in &events {
                let expected = next.entry(conversation).or_default();
                prop_assert_eq!(*sequence, *expected);
                *expected += 1;
            }
            let begun = |(_, _, sequence, kind): &Told| *sequence > 0 || kind.starts_with("Started");
            prop_assert!(events.iter().all(begun));
            // None takes longer than an hour, and none of the workload's own time is told twice.
            let early = events.iter().filter(|event| event.2 == 0 && event.0 < until - HOUR_MS);
            let ends = ends(&events);
            for (_, conversation, ..) in early {
                let end_of = ends[conversation.as_str()];
                prop_assert!(is_close(end_of) && end_of.0 >= end, "{:?}", end_of);
            }
        }

        #[test]
        fn one_that_begins_later_has_the_same_conversations(seed in any::<u64>(), later in END..END + 4 * HOUR_MS) {
            let horizon = END + 5 * HOUR_MS;
            let (first, second) = (workload(END, seed), workload(later, seed));
            let first = before(&mut first.continuation(LEAST), horizon);
            let second = before(&mut second.continuation(LEAST), horizon);
            let ends = ends(&first);
            let closed_before = |event: &&Told| is_close(ends[event.1.as_str()]) && ends[event.1.as_str()].0 < later;
            let goes_on: Vec<&Told> = first.iter().filter(|event| !closed_before(event)).collect();
            prop_assert_eq!(goes_on, second.iter().collect::<Vec<_>>());
        }

        #[test]
        fn what_was_under_way_ends_after_a_leap(seed in any::<u64>(), leap in 3 * HOUR_MS..400 * 24 * HOUR_MS) {
            let workload = workload(END, seed);
            let mut continuation = workload.continuation(LEAST);
            let mut events = before(&mut continuation, END + HOUR_MS);
            let landing = END + HOUR_MS + leap;
            continuation.skip_to(landing);
            events.extend(before(&mut continuation, landing + HOUR_MS));
            prop_assert!(events.is_sorted_by_key(|event| event.0));
            for (_, end) in ends(&events) {
                let is_over = is_close(end) && end.0 < END + 3 * HOUR_MS;
                prop_assert!(is_over || end.0 >= landing - HOUR_MS, "{:?}", end);
            }
        }

        /// An hour has 300 conversations at night and 1068 at ten, and each is open for some 200 seconds: about 17, or 60,
        /// are open at once. How many there are at an instant varies with the root of that.
        #[test]
        fn as_many_are_open_at_once_as_the_time_of_day_has(seed in any::<u64>(), after in 0..HOUR_MS) {
            for (hour, expected) in [(NIGHT, 3..45), (DAY, 25..110)] {
                let workload = workload(hour, seed);
                let mut open = BTreeSet::new();
                workload.continuation(LEAST).pass_before(hour + after, |event| match event.kind {
                    EventKind::Started { .. } | EventKind::Resumed { .. } => {
                        open.insert(event.conversation_id.to_owned());
                    }
                    EventKind::Closed { .. } => {
                        open.remove(event.conversation_id);
                    }
                    _ => {}
                });
                prop_assert!(expected.contains(&open.len()), "{} at {}", open.len(), hour + after);
            }
        }
    }

    #[test]
    fn an_hour_has_as_many_as_the_workload_has_at_its_time_of_day() {
        let closed_in = |hour: i64| {
            let workload = workload(END, 1);
            let mut events = Vec::new();
            workload.continuation(LEAST).pass_before(hour + 2 * HOUR_MS, |event| events.push(told(event)));
            ends(&events).values().filter(|end| is_close(end) && (hour..hour + HOUR_MS).contains(&end.0)).count()
        };
        // 20,000 segments, of which ten o'clock has 24 in 288, in conversations of 1.56 segments.
        assert_eq!(closed_in(DAY), 1068);
        // 1 in 288 would be 45.
        assert_eq!(closed_in(NIGHT), LEAST as usize);
    }

    #[test]
    fn no_conversation_is_one_of_the_workload() {
        let workload = workload(END, 1);
        let known: BTreeSet<String> =
            workload.conversations().map(|conversation| conversation.id().to_owned()).collect();
        let events = before(&mut workload.continuation(LEAST), END + 24 * HOUR_MS);
        assert!(events.iter().all(|(_, conversation, ..)| !known.contains(conversation)));
    }
}

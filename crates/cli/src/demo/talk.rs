//! What of the demo's conversations has been told to the store, and what comes next.

use anyhow::Result;
use skillscope_segment::EventBatch;
use skillscope_workload::{Continuation, Workload};

use super::LEAST_CONVERSATIONS_AN_HOUR;

const HOUR_MS: i64 = 3_600_000;

/// What happened in a longer time without a look at the clock, in which the machine slept, is left out: as much as the
/// sample has of the past.
const LONGEST_GAP_MS: i64 = super::HOURS as i64 * HOUR_MS;

/// The conversations that go on after the sample's workload, as far as they have been told.
pub(super) struct Talk<'w> {
    continuation: Continuation<'w>,
    /// What happened before this is in a batch already.
    told: i64,
    /// The batch that is to be stored, until it is.
    batch: EventBatch,
    is_failing: bool,
}

impl<'w> Talk<'w> {
    /// From the first event of a conversation that is open at the end of the workload.
    pub(super) fn of(workload: &'w Workload) -> Self {
        Self {
            continuation: workload.continuation(LEAST_CONVERSATIONS_AN_HOUR),
            told: workload.end(),
            batch: EventBatch::new(),
            is_failing: false,
        }
    }

    /// What is to be stored now: the events before `now`, or if that is long ago, those of an hour, so that sleep is made
    /// up for step by step. A batch comes again until it is [noted](Self::note) as stored. Where the clock was set back,
    /// nothing is due until it is where it was.
    pub(super) fn due(&mut self, now: i64) -> EventBatch {
        if self.batch.is_empty() {
            let gap = now.saturating_sub(self.told);
            if gap > LONGEST_GAP_MS {
                tracing::info!(hours = gap / HOUR_MS, "the demo goes on from now: what happened meanwhile is left out");
                self.continuation.skip_to(now);
                self.told = now;
            } else {
                self.told = self.told.saturating_add(HOUR_MS).min(now).max(self.told);
            }
            let Self { continuation, told, batch, .. } = self;
            continuation.pass_before(*told, |event| batch.push(event));
        }
        self.batch.clone()
    }

    /// Notes what has become of the batch. A failure is logged once, and so is its end.
    pub(super) fn note(&mut self, stored: Result<()>) {
        match stored {
            Ok(()) => {
                self.batch = EventBatch::new();
                if std::mem::take(&mut self.is_failing) {
                    tracing::info!("the demo's conversations go on");
                }
            }
            Err(error) if !self.is_failing => {
                self.is_failing = true;
                tracing::warn!(%error, "the demo's conversations stand still: events cannot be stored");
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use anyhow::anyhow;
    use skillscope_segment::{AgentKind, Event, EventKind};

    use super::*;
    use crate::demo::workload;

    /// 2018-01-18T02:00:00Z, when the workload is quietest.
    const NIGHT: i64 = 1_516_240_800_000;

    fn lines(batch: &EventBatch) -> Vec<String> {
        let line = |event: Event<&str>| {
            let mut line = Vec::new();
            event.write_line(&mut line).unwrap();
            String::from_utf8(line).unwrap()
        };
        batch.iter().map(line).collect()
    }

    /// What is stored at each of these instants.
    fn stored_at(talk: &mut Talk<'_>, instants: impl Iterator<Item = i64>) -> Vec<EventBatch> {
        let due = instants.map(|now| {
            let batch = talk.due(now);
            talk.note(Ok(()));
            batch
        });
        due.collect()
    }

    /// The state of each open conversation, in words.
    fn states(batch: &EventBatch) -> BTreeMap<&str, BTreeSet<&'static str>> {
        let mut open: BTreeMap<&str, BTreeSet<&'static str>> = BTreeMap::new();
        for event in batch.iter() {
            let state = open.entry(event.conversation_id).or_default();
            match event.kind {
                EventKind::Started { .. } | EventKind::Resumed { .. } => *state = ["waits"].into(),
                EventKind::Transferred { .. } => *state = ["waits", "was transferred"].into(),
                EventKind::Assigned { agent_kind, .. } => {
                    state.remove("waits");
                    state.insert(if agent_kind == AgentKind::Bot { "has a bot" } else { "has a human" });
                }
                EventKind::Returned => *state = ["waits"].into(),
                EventKind::Message { .. } => {}
                EventKind::Closed { .. } => drop(open.remove(event.conversation_id)),
            }
        }
        open
    }

    #[test]
    fn it_begins_with_conversations_in_every_state_and_at_night_with_some_that_wait() {
        for hour in 0..24 {
            let now = NIGHT + hour * HOUR_MS;
            let workload = workload(now).unwrap();
            let batch = Talk::of(&workload).due(now);
            assert!(batch.iter().all(|event| event.time < now));
            let states: BTreeSet<_> = states(&batch).into_values().flatten().collect();
            assert!(states.contains("waits"), "{hour}: {states:?}");
            // From nine to seven some sixty are open; bots are the quickest.
            if (7..17).contains(&hour) {
                assert_eq!(states, ["has a bot", "has a human", "waits", "was transferred"].into(), "{hour}");
            }
        }
    }

    #[test]
    fn each_event_is_told_when_its_time_has_come() {
        let workload = workload(NIGHT).unwrap();
        let mut talk = Talk::of(&workload);
        let mut told = 0;
        for now in (NIGHT..NIGHT + HOUR_MS).step_by(250) {
            let batch = talk.due(now);
            talk.note(Ok(()));
            assert!(batch.iter().all(|event| event.time < now && (event.time >= now - 250 || now == NIGHT)));
            told += batch.len();
        }
        // 300 conversations, each with a start, a close, and a message at least.
        assert!(told > 900, "{told}");
    }

    #[test]
    fn a_batch_that_was_not_stored_comes_again() {
        let workload = workload(NIGHT).unwrap();
        let mut talk = Talk::of(&workload);
        let first = lines(&talk.due(NIGHT));
        for failure in 1..4 {
            talk.note(Err(anyhow!("the disk is full")));
            assert_eq!(lines(&talk.due(NIGHT + failure * HOUR_MS)), first);
            assert!(talk.is_failing);
        }
        talk.note(Ok(()));
        assert!(!talk.is_failing);
        assert!(talk.due(NIGHT + HOUR_MS).iter().all(|event| event.time >= NIGHT));
    }

    #[test]
    fn a_night_of_sleep_is_made_up_for_hour_by_hour() {
        let workload = workload(NIGHT).unwrap();
        let awake = stored_at(&mut Talk::of(&workload), (0..=9).map(|hour| NIGHT + hour * HOUR_MS));
        let asleep = stored_at(&mut Talk::of(&workload), [NIGHT].into_iter().chain([NIGHT + 9 * HOUR_MS; 9]));
        assert_eq!(awake.iter().map(lines).collect::<Vec<_>>(), asleep.iter().map(lines).collect::<Vec<_>>());
    }

    #[test]
    fn after_weeks_of_sleep_what_was_open_has_ended_and_the_rest_is_left_out() {
        let workload = workload(NIGHT).unwrap();
        let mut talk = Talk::of(&workload);
        let wake = NIGHT + 500 * HOUR_MS;
        let batches = stored_at(&mut talk, [NIGHT, wake].into_iter());
        let [before, after] = batches.as_slice() else { panic!("two batches") };
        let ended: BTreeSet<&str> = after.iter().map(|event| event.conversation_id).collect();
        assert!(states(before).keys().all(|open| ended.contains(open)));
        let (missed, rest): (Vec<_>, Vec<_>) = after.iter().partition(|event| event.time < wake - HOUR_MS);
        assert!(missed.iter().all(|event| event.time < NIGHT + 2 * HOUR_MS));
        assert!(!rest.is_empty());
    }

    #[test]
    fn a_clock_that_is_set_back_tells_nothing_twice() {
        let workload = workload(NIGHT).unwrap();
        let mut talk = Talk::of(&workload);
        let minutes = [0, 30, 5, 29, 30].map(|minutes| NIGHT + minutes * 60_000);
        let batches = stored_at(&mut talk, minutes.into_iter());
        let lengths: Vec<usize> = batches.iter().map(EventBatch::len).collect();
        assert!(lengths.iter().take(2).all(|length| *length > 0), "{lengths:?}");
        assert!(lengths.iter().skip(2).all(|length| *length == 0), "{lengths:?}");
    }
}

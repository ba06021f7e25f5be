//! What is open: never what is closed, the same after a restart, and as it was for whoever holds a moment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;
use skillscope_segment::{AgentKind, Event, EventKind, SegmentRows, TransferReason};

use super::conversations::{closed, said, send, started};
use super::samples::{MINUTE, NOON, World, batch, plain};
use crate::{Moment, OpenCounts, OpenSkill};

type Shown = BTreeMap<(String, u32), String>;

/// The open segments of a moment, by conversation and index. What is counted of each skill is what its segments are.
fn shown(moment: &Moment) -> Shown {
    let mut shown = Shown::new();
    for (account, of_account) in moment.open.accounts() {
        assert_eq!(account.as_str(), "acme");
        for (skill_id, skill) in of_account.skills() {
            let (mut counts, mut waiting) = (OpenCounts::default(), 0);
            for (conversation, segment) in skill.conversations() {
                assert_eq!(segment.skill_id, skill_id);
                let kind = segment.agent.and_then(|agent| agent.kind);
                counts.open += 1;
                counts.assigned_to_human += u64::from(kind == Some(AgentKind::Human));
                counts.assigned_to_bot += u64::from(kind == Some(AgentKind::Bot));
                waiting += u64::from(segment.wait.is_some());
                let once = shown.insert((conversation.to_owned(), segment.segment_index), format!("{segment:?}"));
                assert_eq!(once, None);
            }
            let counted = skill.counts();
            assert_eq!(counts.open, skill.len() as u64);
            assert_eq!(
                (counts.open, counts.assigned_to_human, counts.assigned_to_bot),
                (counted.open, counted.assigned_to_human, counted.assigned_to_bot)
            );
            assert_eq!(OpenSkill::wait_times([skill], NOON).number(), waiting);
        }
    }
    shown
}

/// The keys of the closed segments in memory.
fn stored(moment: &Moment) -> BTreeSet<(String, u32)> {
    let mut keys = BTreeSet::new();
    for account in moment.snapshot.accounts() {
        for (batch, _) in moment.snapshot.partitions(account).flat_map(|partition| partition.batches()) {
            let rows = SegmentRows::new(batch).unwrap();
            let segments = (0..rows.len()).map(|row| rows.segment(row).unwrap());
            keys.extend(segments.map(|segment| (segment.conversation_id.to_string(), segment.segment_index)));
        }
    }
    keys
}

fn event(conversation: &str, sequence: u64, time: i64, kind: EventKind<String>) -> Event<String> {
    Event { account_id: "acme".to_owned(), conversation_id: conversation.to_owned(), sequence, time, kind }
}

fn any_kind() -> impl Strategy<Value = EventKind<String>> {
    let skill = 1..4_i64;
    prop_oneof![
        2 => skill.clone().prop_map(|skill_id| EventKind::Started { skill_id, source: None }),
        3 => any::<bool>().prop_map(|is_bot| EventKind::Assigned {
            agent_id: "ann".to_owned(),
            agent_kind: if is_bot { AgentKind::Bot } else { AgentKind::Human },
            takeover: false,
        }),
        2 => Just(EventKind::Returned),
        2 => skill.clone().prop_map(|skill_id| EventKind::Transferred { skill_id, reason: TransferReason::Skill }),
        1 => Just(EventKind::Closed { by: skillscope_segment::ClosedBy::Agent }),
        1 => skill.prop_map(|skill_id| EventKind::Resumed { skill_id }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_segment_is_open_or_closed_and_a_restart_changes_nothing(
        kinds in prop::collection::vec((0..6_usize, any_kind()), 1..80),
        writes in 1..10_usize,
    ) {
        let world = World::new();
        let mut store = world.open();
        let mut sequences = [0; 6];
        let events: Vec<_> = kinds.into_iter().zip(0..).map(|((conversation, kind), time)| {
            sequences[conversation] += 1;
            event(&format!("c-{conversation}"), sequences[conversation] - 1, NOON - MINUTE + time, kind)
        }).collect();
        for part in events.chunks(events.len().div_ceil(writes)) {
            let before = store.moment();
            let was = (shown(&before), stored(&before));
            send(&store, part).unwrap();
            prop_assert_eq!((shown(&before), stored(&before)), was, "whoever holds a moment sees no change");
            let now = store.moment();
            let (open, closed) = (shown(&now), stored(&now));
            prop_assert_eq!(open.len(), store.open_conversations());
            prop_assert!(open.keys().all(|key| !closed.contains(key)));
            drop((before, now, store));
            store = world.open();
            prop_assert_eq!(shown(&store.moment()), open);
        }
    }
}

#[test]
fn a_reader_sees_each_segment_open_or_closed_while_writers_commit() {
    let world = World::new();
    let store = world.open();
    let is_done = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let store = &store;
                threads.spawn(move || {
                    for number in 0..250 {
                        let (conversation, time) = (format!("{writer}-{number}"), NOON - MINUTE + number);
                        let end = [said(&conversation, 1, time), closed(&conversation, 2, time)];
                        send(store, &[started(&conversation, time)]).unwrap();
                        send(store, &end).unwrap();
                    }
                })
            })
            .collect();
        let reader = threads.spawn(|| {
            let mut last = 0;
            while !is_done.load(Ordering::Acquire) {
                let moment = store.moment();
                let (open, closed) = (shown(&moment), stored(&moment));
                assert!(open.keys().all(|key| !closed.contains(key)));
                // Each writer's conversations came one after the other: none is missing before the last one.
                for writer in 0..4 {
                    let of_writer =
                        open.keys().chain(&closed).filter_map(|(id, _)| id.strip_prefix(&format!("{writer}-")));
                    let numbers: BTreeSet<u32> = of_writer.map(|number| number.parse().unwrap()).collect();
                    assert!(numbers.iter().copied().eq(0..numbers.len() as u32), "{numbers:?}");
                }
                last = last.max(closed.len());
            }
            last
        });
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        is_done.store(true, Ordering::Release);
        reader.join().unwrap();
    });
    assert_eq!((shown(&store.moment()).len(), stored(&store.moment()).len()), (0, 1000));
}

#[test]
fn a_segment_whose_end_is_told_otherwise_is_not_open() {
    let world = World::new();
    let store = world.open();
    let told = plain("acme", 1, NOON - 10);
    let id = told.conversation_id.as_ref();
    send(&store, &[started(id, NOON - 20), started("c-other", NOON - 20)]).unwrap();
    assert_eq!(shown(&store.moment()).len(), 2);
    store.append(&batch(std::slice::from_ref(&told))).unwrap();
    let open = || shown(&store.moment()).into_keys().collect::<Vec<_>>();
    assert_eq!(open(), [("c-other".to_owned(), 0)]);
    send(&store, &[said(id, 1, NOON - 15)]).unwrap();
    assert_eq!(open(), [("c-other".to_owned(), 0)]);
    let onward = EventKind::Transferred { skill_id: 9, reason: TransferReason::Skill };
    send(&store, &[event(id, 2, NOON - 9, onward)]).unwrap();
    assert_eq!(open(), [(id.to_owned(), 1), ("c-other".to_owned(), 0)], "its next segment is");
    // The same where the segment was stored before the events came.
    let earlier = plain("acme", 2, NOON - 10);
    store.append(&batch(std::slice::from_ref(&earlier))).unwrap();
    send(&store, &[started(&earlier.conversation_id, NOON - 20)]).unwrap();
    assert_eq!(open().len(), 2);
    drop(store);
    assert_eq!(shown(&world.open().moment()).len(), 2, "after a restart");
}

//! Conversations that are followed: durable with the segments that they leave behind.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use skillscope_segment::{ClosedBy, Event, EventKind, Impossible, Segment, SegmentRows, Sender, StartReason};

use super::samples::{DAY, HOUR, MINUTE, NOON, World, batch, contents, maintain, plain};
use super::simulated_disk::Fault;
use super::streams::batch_of;
use crate::{Appended, Error, Result, Store};

const FAULTS: [fn(usize) -> Fault; 7] =
    [Fault::Write, Fault::ShortWrite, Fault::Full, Fault::Sync, Fault::Rename, Fault::Any, Fault::Broken];

fn event(conversation: &str, sequence: u64, time: i64, kind: EventKind<String>) -> Event<String> {
    Event { account_id: "acme".to_owned(), conversation_id: conversation.to_owned(), sequence, time, kind }
}

pub(super) fn started(conversation: &str, time: i64) -> Event<String> {
    event(conversation, 0, time, EventKind::Started { skill_id: 7, source: None })
}

pub(super) fn said(conversation: &str, sequence: u64, time: i64) -> Event<String> {
    event(conversation, sequence, time, EventKind::Message { sender: Sender::Consumer, agent_id: None })
}

pub(super) fn closed(conversation: &str, sequence: u64, time: i64) -> Event<String> {
    event(conversation, sequence, time, EventKind::Closed { by: ClosedBy::Consumer })
}

pub(super) fn resumed(conversation: &str, sequence: u64, time: i64) -> Event<String> {
    event(conversation, sequence, time, EventKind::Resumed { skill_id: 8 })
}

pub(super) fn send(store: &Store, events: &[Event<String>]) -> Result<Appended> {
    store.append_events(batch_of(events), true)
}

/// The segments in memory and in files, in order of key.
pub(super) fn segments(store: &Store) -> Vec<Segment<'static>> {
    let snapshot = store.snapshot();
    let mut segments = Vec::new();
    let mut take = |batch: &arrow::array::RecordBatch| {
        let rows = SegmentRows::new(batch).unwrap();
        segments.extend((0..rows.len()).map(|row| rows.segment(row).unwrap().into_owned()));
    };
    for account in snapshot.accounts() {
        snapshot.partitions(account).flat_map(|partition| partition.batches()).for_each(|(batch, _)| take(batch));
        snapshot.archived(account).for_each(|file| file.read_rows().unwrap().iter().for_each(&mut take));
    }
    segments.sort_by_key(|segment| (segment.conversation_id.to_string(), segment.segment_index));
    segments
}

/// A conversation that is open, and what ends it.
fn prepared() -> (World, Store) {
    let world = World::new();
    let store = world.open();
    send(&store, &[started("c-1", NOON - MINUTE), said("c-1", 1, NOON - MINUTE + 1)]).unwrap();
    (world, store)
}

fn ending() -> [Event<String>; 3] {
    [said("c-1", 2, NOON - 2), closed("c-1", 3, NOON - 1), started("c-2", NOON - 1)]
}

#[test]
fn a_conversation_goes_on_after_the_power_went() {
    let (world, store) = prepared();
    world.disk.cut_power(&mut Xoshiro256PlusPlus::seed_from_u64(1));
    drop(store);
    let store = world.open();
    assert_eq!(store.open_conversations(), 1);
    assert_eq!(send(&store, &ending()).unwrap().accepted, 3);
    let [segment] = segments(&store).try_into().unwrap();
    assert_eq!((segment.start_time, segment.end_time, segment.consumer_messages), (NOON - MINUTE, NOON - 1, 2));
    assert_eq!(store.open_conversations(), 1);
}

#[test]
fn events_that_wait_survive_and_go_on_waiting() {
    let (world, store) = prepared();
    send(&store, &[closed("c-1", 3, NOON - 1)]).unwrap();
    drop(store);
    let store = world.open();
    assert_eq!(send(&store, &[closed("c-1", 3, NOON - 1)]).unwrap().duplicates, 1);
    assert_eq!(segments(&store), []);
    send(&store, &[said("c-1", 2, NOON - 2)]).unwrap();
    assert_eq!(segments(&store)[0].consumer_messages, 2);
}

#[test]
fn an_account_without_events_gives_up_its_gaps_also_after_a_restart() {
    let (world, store) = prepared();
    send(&store, &[closed("c-1", 3, NOON - 1)]).unwrap();
    drop(store);
    let store = world.open();
    world.wait(MINUTE - 1);
    maintain(&store);
    assert_eq!(segments(&store), []);
    world.wait(1);
    maintain(&store);
    assert_eq!(segments(&store).len(), 1);
    drop(store);
    assert_eq!(segments(&world.open()).len(), 1);
}

#[test]
fn the_watermark_survives() {
    let (world, store) = prepared();
    send(&store, &[started("c-3", NOON)]).unwrap();
    drop(store);
    let store = world.open();
    // What is later than this by the bound has no time left.
    send(&store, &[closed("c-1", 3, NOON - MINUTE)]).unwrap();
    assert_eq!(segments(&store).len(), 1);
}

#[test]
fn a_fault_leaves_nothing_of_the_events_or_all_and_they_can_be_sent_again() {
    let (first, end) = {
        let (world, store) = prepared();
        let first = world.disk.operations();
        send(&store, &ending()).unwrap();
        (first, world.disk.operations())
    };
    assert!(end > first);
    for fault in FAULTS {
        for at in first..end {
            for has_crashed in [false, true] {
                let (world, mut store) = prepared();
                world.disk.set_fault(Some(fault(at)));
                let sent = send(&store, &ending());
                assert_eq!(segments(&store).len(), usize::from(sent.is_ok()), "{:?}", fault(at));
                if has_crashed {
                    world.disk.cut_power(&mut Xoshiro256PlusPlus::seed_from_u64(at as u64));
                    world.disk.set_fault(None);
                    drop(store);
                    store = world.open();
                    // The conversation and its segment are of the same moment.
                    assert_eq!(store.open_conversations(), 1);
                }
                world.disk.set_fault(None);
                let there = segments(&store).len();
                let again = send(&store, &ending()).unwrap();
                let counts = if there == 1 { (0, 3) } else { (3, 0) };
                assert_eq!((again.accepted, again.duplicates), counts, "{:?}", fault(at));
                assert!(sent.is_err() || there == 1, "{:?}", fault(at));
                assert_eq!(segments(&store)[0].consumer_messages, 2);
                world.disk.cut_power(&mut Xoshiro256PlusPlus::seed_from_u64(at as u64));
                drop(store);
                assert_eq!(segments(&world.open()).len(), 1, "{:?}", fault(at));
            }
        }
    }
}

/// Lets events and a closed segment be written together.
fn together(store: &Store, events: &[Event<String>]) -> (Result<Appended>, Result<Appended>) {
    let held = store.shared().writer();
    std::thread::scope(|scope| {
        let events = scope.spawn(|| send(store, events));
        let segments = scope.spawn(|| store.append(&batch(&[plain("bolt", 1, NOON)])));
        while store.appends().waiting_writes() < 2 {
            std::thread::yield_now();
        }
        drop(held);
        (events.join().unwrap(), segments.join().unwrap())
    })
}

#[test]
fn what_is_written_together_fails_together_where_the_disk_does() {
    let (world, store) = prepared();
    world.disk.set_fault(Some(Fault::Full(0)));
    let (events, appended) = together(&store, &ending());
    assert!(events.unwrap_err().is_storage_full() && appended.unwrap_err().is_storage_full());
    assert_eq!((segments(&store).len(), store.open_conversations()), (0, 1));
    world.disk.set_fault(None);
    // The journal is written anew first: without what failed.
    let (events, appended) = together(&store, &ending());
    assert_eq!((events.unwrap().accepted, appended.unwrap().accepted), (3, 1));
    drop(store);
    let store = world.open();
    assert_eq!((segments(&store).len(), store.open_conversations()), (2, 1));
}

#[test]
fn a_segment_that_was_delivered_closed_before_counts_once() {
    let (_world, store) = prepared();
    let mut whole = plain("acme", 1, NOON - 1);
    whole.conversation_id = "c-1".into();
    store.append(&batch(&[whole.clone()])).unwrap();
    assert_eq!(send(&store, &ending()).unwrap().accepted, 3);
    assert_eq!(segments(&store), [whole]);
}

#[test]
fn a_resume_takes_its_index_from_the_stored_segments_in_memory_and_in_the_archive() {
    for is_archived in [false, true] {
        let world = World::with(|options| options.hot_hours = if is_archived { 0 } else { 1000 });
        let store = world.open();
        let mut stored: Vec<_> = (0..3).map(|index| plain("acme", 1, NOON - 3 * DAY + i64::from(index))).collect();
        for (index, segment) in (0..).zip(&mut stored) {
            segment.segment_index = index;
            segment.source = Some("SMS".into());
        }
        // Of other conversations, before and after.
        stored.extend([plain("acme", 2, NOON - 3 * DAY), plain("acme", 3, NOON - HOUR)]);
        store.append(&batch(&stored)).unwrap();
        store.seal_finished_hours().unwrap();
        let files =
            store.snapshot().accounts().map(|account| store.snapshot().archived(account).count()).sum::<usize>();
        assert_eq!(files > 0, is_archived);
        for _ in 0..2 {
            send(&store, &waiting_resume()).unwrap();
            send(&store, &[started("c-9", NOON)]).unwrap();
            let new = segments(&store).into_iter().find(|segment| segment.start_reason == StartReason::Resume);
            let new = new.unwrap();
            assert_eq!((new.segment_index, new.source.as_deref()), (3, Some("SMS")), "{is_archived}");
            assert_eq!(segments(&store).len(), stored.len() + 1, "{is_archived}");
        }
    }
}

#[test]
fn a_resume_that_is_delivered_again_is_the_one_that_is_stored() {
    let world = World::new();
    let store = world.open();
    let mut first = plain("acme", 1, NOON - HOUR);
    let mut second = plain("acme", 1, NOON - 9 * MINUTE);
    first.segment_index = 0;
    (second.segment_index, second.start_reason, second.start_time) = (1, StartReason::Resume, NOON - 10 * MINUTE);
    (second.skill_id, second.consumer_messages, second.abandoned_in_queue) = (8, 0, true);
    store.append(&batch(&[first, second])).unwrap();
    let before = contents(&store.snapshot());
    send(&store, &[resumed("c-1", 4, NOON - 10 * MINUTE), closed("c-1", 5, NOON - 9 * MINUTE)]).unwrap();
    send(&store, &[started("c-9", NOON)]).unwrap();
    assert_eq!(contents(&store.snapshot()), before);
}

#[test]
fn dead_letters_are_counted_and_kept_as_events_that_can_be_sent_again() {
    let (world, store) = prepared();
    let late = [closed("c-1", 2, NOON - 30), said("c-1", 3, NOON - 20), said("lost", 0, NOON - 2 * MINUTE)];
    send(&store, &late).unwrap();
    send(&store, &[said("c-1", 4, NOON - 10)]).unwrap();
    let counts = BTreeMap::from([(Impossible::NotStarted, 1), (Impossible::AfterClose, 2)]);
    assert_eq!(store.dead_letters(), counts);
    let text = world.disk.read("/data/dead-letters/1999-02-16.ndjson");
    let lines: Vec<serde_json::Value> = text
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    let told: Vec<_> = lines
        .iter()
        .map(|line| (line["conversation_id"].as_str().unwrap(), line["sequence"].as_u64().unwrap()))
        .collect();
    assert_eq!(told, [("c-1", 3), ("lost", 0), ("c-1", 4)]);
    assert!(
        lines
            .iter()
            .all(|line| line["dead_letter_reason"].as_str().is_some_and(|reason| reason.contains("its conversation")))
    );
    // They are there when the power goes, as what was acknowledged is.
    world.disk.cut_power(&mut Xoshiro256PlusPlus::seed_from_u64(1));
    assert_eq!(world.disk.read("/data/dead-letters/1999-02-16.ndjson"), text);
}

#[test]
fn a_journal_that_is_damaged_loses_no_whole_conversation() {
    let (world, store) = prepared();
    send(&store, &[started("c-2", NOON - 5), started("c-3", NOON - 4)]).unwrap();
    drop(store);
    let journal = world.disk.read("/data/journal.redb");
    let place = journal.windows(3).position(|bytes| bytes == b"c-2").unwrap();
    for damage in [place, 0] {
        let mut damaged = journal.to_vec();
        damaged[damage] ^= 1;
        world.disk.put("/data/journal.redb", damaged);
        let store = world.open();
        let open = store.open_conversations();
        assert!(open >= 2, "{open} conversations are left");
        assert_eq!(send(&store, &ending()[..2]).unwrap().accepted, 2);
        assert_eq!(segments(&store)[0].consumer_messages, 2, "c-1 goes on");
        drop(store);
        world.disk.put("/data/journal.redb", journal.clone());
    }
}

/// A store that reads everything from its files.
fn cold() -> (World, Store) {
    let world = World::with(|options| options.hot_hours = 0);
    let store = world.open();
    (world, store)
}

/// A segment of conversation c-1.
fn numbered(index: u32, end_time: i64) -> Segment<'static> {
    Segment { segment_index: index, ..plain("acme", 1, end_time) }
}

/// A resume that waits for the events before it, and the close after it.
fn waiting_resume() -> [Event<String>; 2] {
    [resumed("c-1", 40, NOON - 10 * MINUTE), closed("c-1", 41, NOON - 10 * MINUTE + 1)]
}

/// The index that a resume of c-1 gets.
fn index_after_resume(store: &Store) -> u32 {
    send(store, &waiting_resume()).unwrap();
    send(store, &[started("c-9", NOON)]).unwrap();
    let resumed = segments(store).into_iter().find(|segment| segment.start_reason == StartReason::Resume);
    resumed.unwrap().segment_index
}

#[test]
fn the_last_segment_is_found_in_whichever_file_it_is() {
    let early = NOON - 3 * DAY + 10 * MINUTE;
    let (first, second) = (numbered(0, early), numbered(1, early + 40 * MINUTE));
    let later_hours = plain("acme", 2, early + 5 * HOUR);
    for order in [[&first, &second, &later_hours], [&second, &first, &later_hours], [&later_hours, &second, &first]] {
        let (_world, store) = cold();
        for segment in order {
            store.append(&batch(std::slice::from_ref(segment))).unwrap();
            store.seal_finished_hours().unwrap();
        }
        assert_eq!(index_after_resume(&store), 2, "{order:?}");
    }
    // One has come late and is in memory, and a later one is in a file.
    let (_world, store) = cold();
    store.append(&batch(&[second])).unwrap();
    store.seal_finished_hours().unwrap();
    store.append(&batch(&[first])).unwrap();
    assert_eq!(index_after_resume(&store), 2);
}

#[test]
fn the_archive_is_searched_when_a_resume_comes_and_not_again_when_it_goes_ahead() {
    let (world, store) = cold();
    store.append(&batch(&[numbered(2, NOON - 3 * DAY)])).unwrap();
    store.seal_finished_hours().unwrap();
    send(&store, &waiting_resume()).unwrap();
    for file in world.archived() {
        world.disk.take_away(&format!("/data/archive/{file}"));
    }
    send(&store, &[started("c-9", NOON)]).unwrap();
    let snapshot = store.snapshot();
    let account = snapshot.account("acme").unwrap();
    let rows = snapshot.partitions(account).flat_map(|partition| partition.batches().map(|(batch, _)| batch));
    let indexes: Vec<u32> = rows
        .flat_map(|batch| {
            let rows = SegmentRows::new(batch).unwrap();
            (0..rows.len()).map(|row| rows.segment(row).unwrap().segment_index).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(indexes, [3]);
}

#[test]
fn a_file_that_cannot_be_searched_holds_up_no_event() {
    let (world, store) = cold();
    store.append(&batch(&[numbered(2, NOON - 3 * DAY)])).unwrap();
    store.seal_finished_hours().unwrap();
    for file in world.archived() {
        world.disk.put(&format!("/data/archive/{file}"), b"no parquet".to_vec());
    }
    send(&store, &waiting_resume()).unwrap();
    assert_eq!(send(&store, &[started("c-9", NOON)]).unwrap().accepted, 1);
}

#[test]
fn a_file_of_older_events_is_put_in_order_where_event_time_begins_anew() {
    let (_world, store) = prepared();
    send(&store, &[started("c-9", NOON)]).unwrap();
    let old = [started("c-2", NOON - DAY), closed("c-2", 2, NOON - DAY + 2), said("c-2", 1, NOON - DAY + 1)];
    store.restart_event_time();
    store.append_events(batch_of(&old), false).unwrap();
    assert_eq!(segments(&store)[0].consumer_messages, 1);
    assert_eq!(store.dead_letters(), BTreeMap::new());
}

#[test]
fn events_that_cannot_be_judged_while_a_file_cannot_be_read_hold_up_nobody_else() {
    let (world, store) = cold();
    send(&store, &waiting_resume()).unwrap();
    // The file has come since the resume did.
    store.append(&batch(&[numbered(2, NOON - 3 * DAY)])).unwrap();
    store.seal_finished_hours().unwrap();
    world.disk.set_archive_unreadable(true);
    let time_passes = [started("c-9", NOON)];
    for _ in 0..3 {
        let (events, appended) = together(&store, &time_passes);
        assert!(matches!(events, Err(Error::Io { .. })), "{events:?}");
        assert!(appended.is_ok(), "{appended:?}");
        assert_eq!(store.open_conversations(), 0);
    }
    world.disk.set_archive_unreadable(false);
    assert_eq!(send(&store, &time_passes).unwrap().accepted, 1);
    let resumed = segments(&store).into_iter().find(|segment| segment.start_reason == StartReason::Resume);
    assert_eq!(resumed.unwrap().segment_index, 3);
}

#[test]
fn a_conversation_of_hundreds_of_segments_goes_on_where_only_the_last_is_in_memory() {
    let world = World::with(|options| options.hot_hours = 2);
    let store = world.open();
    let archived: Vec<_> = (0..300).map(|index| numbered(index, NOON - 5 * DAY + i64::from(index))).collect();
    store.append(&batch(&archived)).unwrap();
    store.append(&batch(&[numbered(300, NOON - 30 * MINUTE)])).unwrap();
    store.seal_finished_hours().unwrap();
    assert_eq!(index_after_resume(&store), 301);
}

#[test]
fn a_dead_letter_is_as_durable_as_the_answer_to_its_event() {
    let late = [closed("c-1", 2, NOON - 30), said("c-1", 3, NOON - 20)];
    let (first, end) = {
        let (world, store) = prepared();
        let first = world.disk.operations();
        send(&store, &late).unwrap();
        (first, world.disk.operations())
    };
    for fault in FAULTS {
        for at in first..end {
            let (world, store) = prepared();
            world.disk.set_fault(Some(fault(at)));
            let sent = send(&store, &late);
            world.disk.set_fault(None);
            if sent.is_err() {
                assert_eq!(store.dead_letters(), BTreeMap::new(), "{:?}", fault(at));
                send(&store, &late).unwrap();
            }
            assert_eq!(store.dead_letters(), BTreeMap::from([(Impossible::AfterClose, 1)]));
            world.disk.cut_power(&mut Xoshiro256PlusPlus::seed_from_u64(at as u64));
            let text = world.disk.read("/data/dead-letters/1999-02-16.ndjson");
            let lines = text.split(|byte| *byte == b'\n');
            let letters = lines.filter_map(|line| serde_json::from_slice::<serde_json::Value>(line).ok());
            let sequences: Vec<_> = letters.map(|letter| letter["sequence"].clone()).collect();
            // A failed commit may leave it there twice.
            assert!((1..=2).contains(&sequences.len()), "{:?}: {sequences:?}", fault(at));
            assert!(sequences.iter().all(|sequence| *sequence == 3), "{:?}: {sequences:?}", fault(at));
        }
    }
}

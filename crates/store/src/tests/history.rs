//! Exports of message history, and events that go on from them, across restarts.

use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use serde_json::{Value, json};
use skillscope_segment::{Event, Input, ReadOptions, Segment};

use super::conversations::{closed, resumed, said, segments, send, started};
use super::samples::{DAY, HOUR, MINUTE, NOON, World, maintain};
use super::simulated_disk::Fault;
use crate::{Ingested, Records, Result, Store};

/// When the conversation of these tests began, in skill 7.
const START: i64 = NOON - 30 * MINUTE;

/// An export with a conversation whose consumer wrote at some times, and which closed at the last time if it `is_closed`.
fn export(conversation: &str, messages: &[i64], is_closed: bool) -> Value {
    let message = |(seq, time): (usize, &i64)| json!({ "timeL": time, "sentBy": "Consumer", "seq": seq });
    let end = messages.last().filter(|_| is_closed).copied().unwrap_or(-1);
    let status = if is_closed { "CLOSE" } else { "OPEN" };
    json!({
        "info": {
            "conversationId": conversation, "brandId": "acme", "startTimeL": START, "endTimeL": end,
            "status": status, "closeReason": "CONSUMER",
        },
        "messageRecords": messages.iter().enumerate().map(message).collect::<Vec<_>>(),
        "agentParticipants": [], "transfers": [],
        "dialogs": [{
            "dialogType": "MAIN", "startTimeL": START, "endTimeL": end, "closeReason": "CONSUMER", "skillId": 7,
        }],
    })
}

fn import(store: &Store, export: &Value) -> Result<Ingested> {
    let input = Input::Bytes(export.to_string().into());
    let ingested = store.ingest(Records::History, input, &ReadOptions::default())?;
    assert_eq!(ingested.rejected, []);
    Ok(ingested)
}

/// The events of the same conversation: it starts, its consumer writes at some times, and closes it at another.
fn events(conversation: &str, messages: &[i64], close: i64) -> Vec<Event<String>> {
    let mut events = vec![started(conversation, START)];
    events.extend(messages.iter().zip(1..).map(|(time, sequence)| said(conversation, sequence, *time)));
    events.push(closed(conversation, events.len() as u64, close));
    events
}

/// When its consumer wrote.
const MESSAGES: [i64; 4] = [START + 1000, START + 2000, NOON - 5 * MINUTE, NOON - 4 * MINUTE];

fn expected() -> Vec<Segment<'static>> {
    let store = World::new().open();
    send(&store, &events("c-1", &MESSAGES, NOON - MINUTE)).unwrap();
    segments(&store)
}

/// Another conversation tells that time goes on.
fn time_passes(store: &Store, to: i64) {
    send(store, &[started(&format!("other-{to}"), to)]).unwrap();
}

fn restarted(world: &World, store: Store) -> Store {
    world.disk.cut_power(&mut Xoshiro256PlusPlus::seed_from_u64(1));
    drop(store);
    world.open()
}

#[test]
fn events_go_on_from_an_export_across_restarts() {
    let world = World::new();
    let store = world.open();
    let ingested = import(&store, &export("c-1", &MESSAGES[..3], false)).unwrap();
    assert_eq!((ingested.accepted, ingested.followed), (0, 1));
    let events = events("c-1", &MESSAGES, NOON - MINUTE);
    let mut store = restarted(&world, store);
    assert_eq!(store.open_conversations(), 1);
    // The stream began with the second message.
    for (place, event) in events[2..].iter().enumerate() {
        let sent = send(&store, std::slice::from_ref(event)).unwrap();
        assert_eq!((sent.accepted, sent.duplicates), if place < 2 { (0, 1) } else { (1, 0) });
        store = restarted(&world, store);
    }
    assert_eq!(segments(&store), expected());
    assert!(store.dead_letters().is_empty());
    assert_eq!(import(&store, &export("c-1", &MESSAGES[..3], false)).unwrap().followed, 0, "it has closed since");
}

#[test]
fn events_that_came_before_the_export_are_kept_across_restarts() {
    for told in 2..=4 {
        let world = World::new();
        let store = world.open();
        let events = events("c-1", &MESSAGES, NOON - MINUTE);
        send(&store, &events[3..]).unwrap();
        time_passes(&store, NOON + 4 * MINUTE);
        let store = restarted(&world, store);
        world.wait(HOUR);
        maintain(&store);
        assert_eq!(segments(&store), []);
        let ingested = import(&store, &export("c-1", &MESSAGES[..told], false)).unwrap();
        assert_eq!(ingested.followed, 0, "its close has waited here");
        assert_eq!(segments(&store), expected());
        let store = restarted(&world, store);
        assert_eq!(segments(&store), expected());
        assert_eq!((store.dead_letters().len(), store.open_conversations()), (0, 1));
    }
}

#[test]
fn a_failed_write_of_an_export_changes_nothing() {
    for operation in 0.. {
        let world = World::new();
        let store = world.open();
        let events = events("c-1", &MESSAGES, NOON - MINUTE);
        send(&store, &events[3..4]).unwrap();
        let before = world.disk.operations();
        world.disk.set_fault(Some(Fault::Write(before + operation)));
        let outcome = import(&store, &export("c-1", &MESSAGES[..3], false));
        let is_past_the_end = world.disk.operations() <= before + operation;
        world.disk.set_fault(None);
        if outcome.is_err() {
            assert_eq!(store.open_conversations(), 0);
        }
        import(&store, &export("c-1", &MESSAGES[..3], false)).unwrap();
        send(&store, &events[4..]).unwrap();
        assert_eq!(segments(&store), expected(), "{operation}");
        let store = restarted(&world, store);
        assert_eq!(segments(&store), expected(), "{operation}");
        if is_past_the_end {
            break;
        }
    }
}

#[test]
fn a_conversation_that_was_told_closed_makes_repeats_of_its_events() {
    for is_first in [false, true] {
        let world = World::new();
        let mut store = world.open();
        let told = export("c-1", &MESSAGES, true);
        let tail = &events("c-1", &MESSAGES[..3], MESSAGES[3])[3..];
        if is_first {
            assert_eq!(import(&store, &told).unwrap().accepted, 1);
            store = restarted(&world, store);
        }
        send(&store, tail).unwrap();
        time_passes(&store, NOON);
        if !is_first {
            assert_eq!(import(&store, &told).unwrap().accepted, 1);
        }
        world.wait(2 * DAY);
        maintain(&store);
        assert_eq!((segments(&store).len(), store.dead_letters().len()), (1, 0));
        // It is resumed after that.
        send(&store, &[resumed("c-1", 5, NOON + DAY), closed("c-1", 6, NOON + DAY + 1)]).unwrap();
        let indexes: Vec<u32> = segments(&store).iter().map(|segment| segment.segment_index).collect();
        assert_eq!(indexes, [0, 1]);
    }
}

#[test]
fn an_export_that_is_older_than_what_is_stored_opens_nothing() {
    let world = World::new();
    let store = world.open();
    // It closed before this directory followed it: its segment came closed.
    let mut segment = expected().remove(0);
    segment.end_time = NOON - MINUTE;
    store.append(&super::samples::batch(&[segment])).unwrap();
    assert_eq!(import(&store, &export("c-1", &MESSAGES[..3], false)).unwrap().followed, 0);
    world.wait(40 * HOUR);
    maintain(&store);
    let store = restarted(&world, store);
    assert_eq!(import(&store, &export("c-1", &MESSAGES[..3], false)).unwrap().followed, 0, "a file has it");
    assert_eq!(store.open_conversations(), 0);
}

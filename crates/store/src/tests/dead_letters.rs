//! Events without effect are kept once, up to a limit, and for a time.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use skillscope_segment::{Event, EventKind, Impossible, Sender};

use super::samples::{DAY, NOON, World, maintain};
use super::streams::batch_of;
use crate::Store;

const TODAY: &str = "/data/dead-letters/1999-02-16.ndjson";

/// Sends the first messages of conversations that never start. Nothing is remembered of them.
fn send(store: &Store, conversations: std::ops::Range<u32>) {
    let said = |conversation| Event {
        account_id: "acme".to_owned(),
        conversation_id: format!("lost-{conversation}"),
        sequence: 0,
        time: NOON,
        kind: EventKind::Message { sender: Sender::Consumer, agent_id: None },
    };
    store.append_events(batch_of(&conversations.map(said).collect::<Vec<_>>()), true).unwrap();
}

/// The conversations in the file of today, in its order.
fn kept(world: &World) -> Vec<String> {
    let text = world.disk.read(TODAY);
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let conversation = |line| serde_json::from_slice::<serde_json::Value>(line).unwrap()["conversation_id"].clone();
    lines.map(|line| conversation(line).as_str().unwrap().to_owned()).collect()
}

fn names(conversations: std::ops::Range<u32>) -> Vec<String> {
    conversations.map(|conversation| format!("lost-{conversation}")).collect()
}

#[test]
fn a_letter_is_kept_once_however_often_its_event_is_sent() {
    let world = World::new();
    let store = world.open();
    send(&store, 0..3);
    send(&store, 0..5);
    assert_eq!(kept(&world), names(0..5));
    let length = world.disk.read(TODAY).len();
    drop(store);
    let store = world.open();
    send(&store, 0..5);
    assert_eq!(world.disk.read(TODAY).len(), length, "it is known after a restart, too");
    assert_eq!(store.dead_letters(), BTreeMap::from([(Impossible::NotStarted, 5)]), "and counted");
    send(&store, 4..7);
    assert_eq!(kept(&world), names(0..7));
}

#[test]
fn what_is_known_after_a_restart_is_durable() {
    let world = World::new();
    let store = world.open();
    send(&store, 0..2);
    let text = world.disk.read(TODAY);
    drop(store);
    // As if the process before had ended before its sync.
    world.disk.put(TODAY, text.clone());
    send(&world.open(), 0..2);
    world.disk.cut_power(&mut Xoshiro256PlusPlus::seed_from_u64(3));
    assert_eq!(world.disk.read(TODAY), text);
}

#[test]
fn a_letter_is_kept_again_where_its_file_was_removed() {
    let world = World::new();
    let store = world.open();
    send(&store, 0..3);
    world.disk.take_away(TODAY);
    send(&store, 0..2);
    assert_eq!(kept(&world), names(0..2));
}

#[test]
fn letters_take_no_more_bytes_than_they_may() {
    let world = World::with(|options| options.dead_letter_bytes = 2000);
    let store = world.open();
    for _ in 0..3 {
        send(&store, 0..1000);
    }
    let (length, kept) = (world.disk.read(TODAY).len(), kept(&world).len());
    assert!((1500..=2000).contains(&length), "{length}");
    assert!((5..=20).contains(&kept), "{kept}");
    assert_eq!(store.dead_letters(), BTreeMap::from([(Impossible::NotStarted, 3000)]), "all are counted");
    // The bytes of other days count, too.
    drop(store);
    world.wait(DAY);
    send(&world.open(), 0..1000);
    assert_eq!(world.disk.files_below("/data/dead-letters").len(), 2);
    assert!(world.disk.read("/data/dead-letters/1999-02-17.ndjson").len() <= 2000 - length);
}

#[test]
fn files_that_are_too_old_are_removed() {
    let world = World::with(|options| options.dead_letter_days = 30);
    let store = world.open();
    let old = ["1998-12-31", "1999-01-16", "1999-01-17", "1999-02-15"];
    for day in old {
        world.disk.put(&format!("/data/dead-letters/{day}.ndjson"), b"{}\n".to_vec());
    }
    world.disk.put("/data/dead-letters/mine.txt", b"notes".to_vec());
    maintain(&store);
    assert_eq!(world.disk.files_below("/data/dead-letters").len(), 5, "an import may be reading them");
    store.watch().unwrap();
    let left = world.disk.files_below("/data/dead-letters");
    let left: Vec<_> = left.iter().filter_map(|path| path.rsplit('/').next()).collect();
    assert_eq!(left, ["1999-01-17.ndjson", "1999-02-15.ndjson", "mine.txt"]);
}

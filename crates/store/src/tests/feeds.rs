//! How far the data of an account go, and when something came last: at once, after a restart, and in a backup.

use std::path::Path;
use std::time::Duration;

use skillscope_segment::{AccountId, Event, Format, Input, ReadOptions, Segment};
use tempfile::TempDir;

use super::conversations::{closed, said, send, started};
use super::samples::{DAY, HOUR, MINUTE, NOON, World, batch, maintain, plain};
use crate::{Clock, Feed, Records, Store, StoreOptions, unpack_backup};

fn append(store: &Store, segments: &[Segment<'_>]) {
    store.append(&batch(segments)).unwrap();
}

/// The end of data and the last arrival of an account.
fn times(store: &Store, account: &str) -> (Option<i64>, Option<i64>) {
    let Feed { data_until, last_arrival, .. } = store.feed(account).unwrap();
    (data_until, last_arrival)
}

fn silence(store: &Store, account: &str) -> Duration {
    store.silence(&store.feed(account).unwrap())
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

#[test]
fn an_account_of_which_nothing_came_has_no_feed() {
    let world = World::new();
    let store = world.open();
    assert_eq!(store.feed("acme"), None);
    append(&store, &[plain("bolt", 1, NOON)]);
    assert_eq!(store.feed("acme"), None);
    assert_eq!(store.feeds().keys().map(|account| account.as_str()).collect::<Vec<_>>(), ["bolt"]);
}

#[test]
fn the_latest_end_counts_and_only_what_is_accepted_arrives() {
    let world = World::new();
    let store = world.open();
    append(&store, &[plain("acme", 1, NOON - HOUR), plain("acme", 2, NOON - 2 * HOUR), plain("bolt", 1, NOON)]);
    assert_eq!(times(&store, "acme"), (Some(NOON - HOUR), Some(NOON)));
    world.wait(MINUTE);
    // A duplicate, a contradiction, and another end time.
    let first = plain("acme", 1, NOON - HOUR);
    append(&store, &[first.clone(), Segment { skill_id: 9, ..first }, plain("acme", 2, NOON - 2 * HOUR + 1)]);
    assert_eq!(times(&store, "acme"), (Some(NOON - HOUR), Some(NOON)));
    assert_eq!(silence(&store, "acme"), minutes(1));
    append(&store, &[plain("acme", 3, NOON - 3 * HOUR)]);
    assert_eq!(times(&store, "acme"), (Some(NOON - HOUR), Some(NOON + MINUTE)), "older data arrive, too");
    assert_eq!((silence(&store, "acme"), silence(&store, "bolt")), (minutes(0), minutes(1)));
    append(&store, &[plain("acme", 4, NOON + 5 * DAY)]);
    assert_eq!(times(&store, "acme").0, Some(NOON + 5 * DAY), "a segment of the future counts as it is");
}

#[test]
fn events_are_data_before_anything_closes() {
    let world = World::new();
    let store = world.open();
    send(&store, &[started("c-1", NOON - MINUTE), said("c-1", 1, NOON - 1)]).unwrap();
    assert_eq!(times(&store, "acme"), (Some(NOON - 1), Some(NOON)));
    assert_eq!(store.feed("acme").unwrap().open_conversations, 1);
    world.wait(MINUTE);
    send(&store, &[said("c-1", 1, NOON - 1)]).unwrap();
    assert_eq!(times(&store, "acme"), (Some(NOON - 1), Some(NOON)), "a repeat is no arrival");
    send(&store, &[closed("c-1", 2, NOON + 2 * MINUTE)]).unwrap();
    let feed = store.feed("acme").unwrap();
    assert_eq!((feed.last_arrival, feed.open_conversations), (Some(NOON + MINUTE), 0));
    assert_eq!(feed.data_until, Some(NOON + 2 * MINUTE), "the segment ended then");
}

#[test]
fn an_event_ahead_of_the_clock_counts_as_of_its_arrival() {
    let world = World::new();
    let store = world.open();
    send(&store, &[started("c-1", NOON + 2 * MINUTE)]).unwrap();
    assert_eq!(times(&store, "acme"), (Some(NOON), Some(NOON)));
}

#[test]
fn gaps_dead_letters_and_rejected_records_are_counted_by_account() {
    let world = World::new();
    let store = world.open();
    let of_bolt = |event: Event<String>| Event { account_id: "bolt".to_owned(), ..event };
    send(&store, &[started("c-1", NOON), of_bolt(said("c-9", 0, NOON)), started("c-2", NOON)]).unwrap();
    // Event 1 of the one conversation is missing; the other one has started before.
    send(&store, &[closed("c-1", 2, NOON), Event { sequence: 1, ..started("c-2", NOON) }]).unwrap();
    assert_eq!(store.feed("acme").unwrap().gaps_given_up, 0);
    world.wait(2 * MINUTE);
    maintain(&store);
    let (acme, bolt) = (store.feed("acme").unwrap(), store.feed("bolt").unwrap());
    assert_eq!((acme.gaps_given_up, acme.dead_letters), (1, 1));
    assert_eq!((bolt.gaps_given_up, bolt.dead_letters), (0, 1));
    let of_nobody = ReadOptions { account: Some(AccountId::parse("nobody").unwrap()), ..ReadOptions::default() };
    let of_acme = ReadOptions { account: Some(AccountId::parse("acme").unwrap()), ..ReadOptions::default() };
    for options in [&of_acme, &of_nobody] {
        let lines = Input::Bytes(b"{}\noops\n".as_slice().into());
        store.ingest(Records::Segments(Format::Ndjson), lines, options).unwrap();
    }
    assert_eq!((store.feed("acme").unwrap().rejected, store.feed("bolt").unwrap().rejected), (2, 0));
    assert_eq!(store.feed("nobody"), None, "of whom there is nothing else");
    assert_eq!(acme.last_arrival, Some(NOON), "what is given up later is no arrival");
}

#[test]
fn a_restart_finds_what_was_known_and_silence_goes_on() {
    let world = World::new();
    let store = world.open();
    append(&store, &[plain("acme", 1, NOON - HOUR), plain("old", 1, NOON - 40 * HOUR)]);
    send(&store, &[Event { account_id: "live".to_owned(), ..started("c-1", NOON - 5) }]).unwrap();
    store.seal_finished_hours().unwrap();
    drop(store);
    world.wait(20 * MINUTE);
    let store = world.open();
    assert_eq!(times(&store, "acme"), (Some(NOON - HOUR), Some(NOON)));
    assert_eq!(times(&store, "old"), (Some(NOON - 40 * HOUR), Some(NOON)), "its hour is in a file alone");
    assert_eq!(times(&store, "live"), (Some(NOON - 5), Some(NOON)));
    assert_eq!(store.feed("live").unwrap().open_conversations, 1);
    assert_eq!(silence(&store, "acme"), minutes(20));
    // The start has written the journal anew.
    drop(store);
    world.wait(10 * MINUTE);
    let store = world.open();
    assert_eq!((times(&store, "acme").1, silence(&store, "acme")), (Some(NOON), minutes(30)));
    append(&store, &[plain("acme", 2, NOON)]);
    assert_eq!(times(&store, "acme"), (Some(NOON), Some(NOON + 30 * MINUTE)));
}

#[test]
fn a_backup_has_the_last_arrivals() {
    let folder = TempDir::new().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    let options = |now: i64| StoreOptions { clock: Clock::Fixed(now), ..StoreOptions::default() };
    let store = Store::open_with(&from, options(NOON)).unwrap();
    append(&store, &[plain("acme", 1, NOON - HOUR)]);
    let mut bytes = Vec::new();
    store.backup().unwrap().write_to(&mut bytes).unwrap();
    unpack_backup(bytes.as_slice(), &to).unwrap();
    let restored = Store::open_with(Path::new(&to), options(NOON + DAY)).unwrap();
    assert_eq!(times(&restored, "acme"), (Some(NOON - HOUR), Some(NOON)));
}

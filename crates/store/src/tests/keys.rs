//! A segment that is delivered again counts once, wherever the first one is by then.

use skillscope_segment::Segment;

use super::samples::{DAY, HOUR, MINUTE, NOON, World, batch, contents, maintain, plain};
use crate::{Appended, Store, StoreOptions};

fn append(store: &Store, segments: &[Segment<'_>]) -> (usize, usize, usize) {
    let Appended { accepted, duplicates, refused_count, .. } = store.append(&batch(segments)).unwrap();
    (accepted, duplicates, refused_count)
}

/// Where the first delivery is when the second one comes.
const PLACES: [&str; 7] = [
    "the same batch",
    "the journal",
    "the journal, after a restart",
    "a sealed hour",
    "a file alone",
    "a merged file",
    "a file, after a restart",
];

/// A store that holds `segments` at `place`.
fn stored(world: &World, place: &str, segments: &[Segment<'static>]) -> Store {
    let mut store = world.open();
    if place == "the same batch" {
        return store;
    }
    for segment in segments {
        assert_eq!(append(&store, std::slice::from_ref(segment)), (1, 0, 0));
        if place == "a merged file" {
            store.seal_finished_hours().unwrap();
        }
    }
    if !place.starts_with("the journal") {
        store.seal_finished_hours().unwrap();
    }
    match place {
        "a file alone" => {
            world.wait(2 * DAY);
            maintain(&store);
            assert_eq!(store.snapshot().all_partitions().count(), 0);
        }
        "a merged file" => {
            world.wait(3 * DAY);
            maintain(&store);
            assert_eq!(world.archived().len(), 1);
        }
        "the journal, after a restart" => {
            drop(store);
            store = world.open();
        }
        "a file, after a restart" => {
            drop(store);
            world.wait(2 * DAY);
            store = world.open();
        }
        _ => {}
    }
    store
}

#[test]
fn a_repeat_is_a_duplicate_wherever_the_first_one_is() {
    // Hours of one day that are over.
    let segments: Vec<_> = (1..6).map(|number| plain("acme", number, NOON - i64::from(number) * HOUR)).collect();
    for place in PLACES {
        let world = World::new();
        let store = stored(&world, place, &segments);
        if place == "the same batch" {
            assert_eq!(append(&store, &[&segments[..], &segments].concat()), (5, 5, 0));
        } else {
            assert_eq!(append(&store, &segments), (0, 5, 0), "{place}");
            assert_eq!(append(&store, &[segments[0].clone(), plain("acme", 9, NOON - HOUR)]), (1, 1, 0), "{place}");
        }
        let expected = if place == "the same batch" { 5 } else { 6 };
        assert_eq!(contents(&store.snapshot()).len(), expected, "{place}");
    }
}

#[test]
fn another_end_time_is_a_conflict_while_the_first_is_in_memory_and_always_in_the_same_hour() {
    let first = plain("acme", 1, NOON - HOUR);
    let at = |end_time| Segment { start_time: end_time, end_time, ..first.clone() };
    for place in PLACES {
        let world = World::new();
        let store = stored(&world, place, std::slice::from_ref(&first));
        if place == "the same batch" {
            assert_eq!(append(&store, &[first.clone(), at(NOON - 5 * HOUR)]), (1, 0, 1));
            continue;
        }
        assert_eq!(append(&store, &[at(NOON - HOUR + MINUTE)]), (0, 0, 1), "{place}");
        let refused = store.append(&batch(&[at(NOON - HOUR + MINUTE)])).unwrap().refused;
        assert!(refused[0].reason.contains(&format!("stored with end_time {}", NOON - HOUR)), "{}", refused[0].reason);
        let is_hot = store.shared().options().is_hot(NOON - HOUR);
        // Beyond the hot hours, an end in another hour makes it another segment.
        assert_eq!(append(&store, &[at(NOON - 5 * HOUR)]), if is_hot { (0, 0, 1) } else { (1, 0, 0) }, "{place}");
    }
}

/// Beyond the hot hours a key can be stored with two end times. Each of them is known from then on, wherever it is.
#[test]
fn both_of_two_end_times_of_a_key_are_found() {
    let both = [plain("acme", 1, NOON - 40 * HOUR), plain("acme", 1, NOON - 41 * HOUR), plain("acme", 1, NOON - HOUR)];
    for (hot_hours, merges) in [(26, false), (26, true), (80, false), (80, true)] {
        let world = World::with(|options| options.hot_hours = 0);
        let store = world.open();
        for segment in &both {
            assert_eq!(append(&store, std::slice::from_ref(segment)), (1, 0, 0));
            store.seal_finished_hours().unwrap();
        }
        if merges {
            world.wait(2 * DAY);
            maintain(&store);
        }
        drop(store);
        let world = World { options: StoreOptions { hot_hours, ..world.options.clone() }, ..world };
        let mut store = world.open();
        for _ in 0..3 {
            assert_eq!(append(&store, &both), (0, 3, 0), "{hot_hours} {merges}");
            // Hours leave memory, and the next start brings them back.
            world.wait(20 * HOUR);
            maintain(&store);
            assert_eq!(append(&store, &both), (0, 3, 0), "{hot_hours} {merges}");
            drop(store);
            store = world.open();
        }
        // The same key is there three times: no map of keys can hold that.
        assert_eq!(store.snapshot().all_files().map(|file| file.rows()).sum::<u64>(), 3);
    }
}

#[test]
fn keys_of_other_accounts_conversations_and_indexes_are_others() {
    let world = World::with(|options| options.hot_hours = 0);
    let store = world.open();
    append(&store, &[plain("acme", 1, 5)]);
    store.seal_finished_hours().unwrap();
    let other_index = Segment { segment_index: 1, ..plain("acme", 1, 5) };
    assert_eq!(append(&store, &[plain("bolt", 1, 5), plain("acme", 2, 5), other_index]), (3, 0, 0));
}

#[test]
fn a_key_is_found_in_any_of_many_files() {
    let world = World::with(|options| options.hot_hours = 0);
    let store = world.open();
    let all: Vec<_> = (0..60).map(|number| plain("acme", number, 5)).collect();
    for few in all.chunks(20) {
        assert_eq!(append(&store, few), (20, 0, 0));
        store.seal_finished_hours().unwrap();
    }
    assert_eq!(world.archived().len(), 3);
    assert_eq!(append(&store, &all), (0, 60, 0));
    assert_eq!(append(&store, &all), (0, 60, 0), "also when their keys have been read");
}

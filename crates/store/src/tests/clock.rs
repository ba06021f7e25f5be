//! A clock that jumps, and what becomes of the files that expire.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::conversations::{closed, send, started};
use super::samples::{DAY, HOUR, MINUTE, NOON, World, batch, contents, entries, maintain, plain};
use super::simulated_disk::Fault;
use crate::archive::parquet::decode;
use crate::{Clock, Retention, Store, StoreOptions};

/// A store whose clock can be set. Segments are kept for 40 hours.
struct Scene {
    world: World,
    says: Arc<AtomicI64>,
    passed: Arc<AtomicI64>,
}

impl Scene {
    fn new() -> Self {
        let [says, passed] = [0; 2].map(|_| Arc::new(AtomicI64::new(NOON)));
        let clock = Clock::Set { says: Arc::clone(&says), passed: Arc::clone(&passed) };
        let set = |options: &mut StoreOptions| {
            (options.clock, options.hot_clock) = (clock.clone(), clock);
            options.retention = Retention::parse(&["40h"]).unwrap();
        };
        Self { world: World::with(set), says, passed }
    }

    /// Somebody sets the clock.
    fn set(&self, by: i64) {
        self.says.fetch_add(by, Ordering::Relaxed);
    }

    fn now(&self) -> i64 {
        self.says.load(Ordering::Relaxed)
    }

    /// Time passes, and nothing else happens.
    fn wait(&self, time: i64) {
        self.set(time);
        self.passed.fetch_add(time, Ordering::Relaxed);
    }

    /// Time passes, while everything is done that is due.
    fn pass(&self, store: &Store, time: i64) {
        self.pass_with(time, || {
            maintain(store);
            store.watch().unwrap();
        });
    }

    /// Time passes, and every five minutes something is done.
    fn pass_with(&self, time: i64, work: impl Fn()) {
        const STEP: i64 = 5 * MINUTE;
        for _ in 0..time / STEP {
            self.wait(STEP);
            work();
        }
    }

    fn expired(&self) -> Vec<String> {
        self.world.disk.files_below("/data/expired")
    }
}

fn append(store: &Store, number: u32, end_time: i64) {
    assert_eq!(store.append(&batch(&[plain("acme", number, end_time)])).unwrap().accepted, 1);
}

fn rows(store: &Store) -> usize {
    contents(&store.snapshot()).len()
}

#[test]
fn a_clock_that_jumps_ahead_has_nothing_expire_and_when_it_is_set_right_nothing_has_happened() {
    let scene = Scene::new();
    let store = scene.world.open();
    append(&store, 1, NOON - 38 * HOUR);
    append(&store, 2, NOON - 20 * HOUR);
    append(&store, 3, NOON - HOUR);
    maintain(&store);
    scene.set(50 * HOUR);
    scene.pass(&store, 2 * HOUR);
    assert_eq!(rows(&store), 3);
    // What is too old by the time that has passed expires all the same.
    scene.pass(&store, 2 * HOUR);
    assert_eq!((rows(&store), scene.expired().len()), (2, 1));
    scene.set(-50 * HOUR);
    scene.pass(&store, HOUR);
    assert_eq!((rows(&store), scene.expired().len()), (2, 1));
}

#[test]
fn after_an_hour_of_segments_that_agree_with_it_the_clock_is_believed() {
    let scene = Scene::new();
    let store = scene.world.open();
    append(&store, 1, NOON - HOUR);
    maintain(&store);
    scene.set(50 * HOUR);
    maintain(&store);
    append(&store, 2, scene.now() - MINUTE);
    scene.pass(&store, 55 * MINUTE);
    assert_eq!(rows(&store), 2);
    scene.pass(&store, 10 * MINUTE);
    assert_eq!(rows(&store), 1);
}

#[test]
fn after_a_day_without_a_segment_the_clock_is_believed() {
    let scene = Scene::new();
    let store = scene.world.open();
    append(&store, 1, NOON - HOUR);
    maintain(&store);
    scene.set(50 * HOUR);
    maintain(&store);
    // It is of a time that is in doubt, and not of now.
    append(&store, 2, NOON + 40 * HOUR);
    scene.pass(&store, 23 * HOUR);
    assert_eq!(rows(&store), 2);
    scene.pass(&store, 2 * HOUR);
    assert_eq!(rows(&store), 1);
}

#[test]
fn a_start_with_a_clock_far_ahead_of_the_last_run_waits_as_well() {
    let scene = Scene::new();
    let store = scene.world.open();
    append(&store, 1, NOON - HOUR);
    scene.pass(&store, HOUR);
    // The clock jumps while the server runs, and files are written by it. It must not be taken for known after that.
    scene.set(50 * HOUR);
    scene.pass(&store, HOUR);
    append(&store, 2, scene.now() - 3 * HOUR);
    scene.pass(&store, 20 * MINUTE);
    assert_eq!(scene.world.archived().len(), 2);
    drop(store);
    let store = scene.world.open();
    maintain(&store);
    scene.pass(&store, 23 * HOUR);
    assert_eq!(rows(&store), 2);
    scene.pass(&store, 2 * HOUR);
    assert_eq!(rows(&store), 1);
}

#[test]
fn a_restart_soon_after_goes_on_where_it_was_and_without_a_record_the_files_tell() {
    for has_record in [true, false] {
        let scene = Scene::new();
        let store = scene.world.open();
        append(&store, 1, NOON - 39 * HOUR);
        scene.pass(&store, 20 * MINUTE);
        drop(store);
        if !has_record {
            scene.world.disk.take_away("/data/clock");
        }
        // It was down for half an hour.
        scene.wait(30 * MINUTE);
        let store = scene.world.open();
        scene.pass(&store, HOUR + 10 * MINUTE);
        assert_eq!(rows(&store), 0, "{has_record}");
    }
}

#[test]
fn what_expires_stands_a_day_in_a_folder_of_its_hour_and_can_be_taken_back() {
    let scene = Scene::new();
    let store = scene.world.open();
    let segment = plain("acme", 1, NOON - 39 * HOUR);
    append(&store, 1, NOON - 39 * HOUR);
    scene.pass(&store, 2 * HOUR + 5 * MINUTE);
    assert_eq!((rows(&store), scene.world.archived().len()), (0, 0));
    // Found at 14:00, as soon as the hour from 21:00 to 22:00 was 40 hours old.
    let name = "1999-02-16T14/account=acme/date=1999-02-14/21-00000001.parquet";
    assert_eq!(scene.expired(), [name]);
    let bytes = scene.world.disk.read(&format!("/data/expired/{name}"));
    drop(store);

    // It is taken back by a start that keeps it.
    let options = StoreOptions { retention: Retention::default(), ..scene.world.options.clone() };
    let store = Store::open_with(Path::new("/data"), options).unwrap();
    for rows in decode(bytes.into()).unwrap() {
        assert_eq!(store.append(&rows).unwrap().accepted, 1);
    }
    assert_eq!(contents(&store.snapshot()), entries(&[segment]));
    scene.pass(&store, 24 * HOUR + 50 * MINUTE);
    assert_eq!(scene.expired(), [name]);
    scene.pass(&store, 10 * MINUTE);
    assert!(scene.expired().is_empty() && rows(&store) == 1);
}

#[test]
fn maintenance_without_a_watch_removes_nothing_for_good() {
    // As in an import, which may be reading it.
    let scene = Scene::new();
    let store = scene.world.open();
    append(&store, 1, NOON - 39 * HOUR);
    scene.pass(&store, 3 * HOUR);
    scene.pass_with(30 * HOUR, || maintain(&store));
    assert_eq!(scene.expired().len(), 1);
}

#[test]
fn a_clock_that_is_set_back_keeps_no_expired_file_for_ever() {
    let scene = Scene::new();
    scene.set(9000 * DAY);
    let store = scene.world.open();
    append(&store, 1, NOON);
    scene.pass(&store, HOUR);
    assert_eq!(scene.expired().len(), 1);
    scene.set(-9000 * DAY);
    scene.pass(&store, 24 * HOUR);
    assert_eq!(scene.expired(), ["1999-02-16T13/account=acme/date=1999-02-16/12-00000001.parquet"]);
    scene.pass(&store, 2 * HOUR);
    assert!(scene.expired().is_empty());
}

#[test]
fn an_expired_file_that_cannot_be_removed_holds_up_no_other() {
    let scene = Scene::new();
    let store = scene.world.open();
    append(&store, 1, NOON - 50 * HOUR);
    assert_eq!(store.append(&batch(&[plain("bolt", 2, NOON - 50 * HOUR)])).unwrap().accepted, 1);
    scene.pass(&store, HOUR);
    assert_eq!(scene.expired().len(), 2);
    let before = scene.world.disk.operations();
    store.watch().unwrap();
    let without_removing = scene.world.disk.operations() - before;
    scene.wait(HOUR);
    scene.pass_with(24 * HOUR, || maintain(&store));
    scene.world.disk.set_fault(Some(Fault::Any(scene.world.disk.operations() + without_removing)));
    let error = store.watch().unwrap_err().to_string();
    assert!(error.contains("remove") && error.contains("account=acme"), "{error}");
    assert_eq!(scene.expired().len(), 1);
    store.watch().unwrap();
    assert!(scene.expired().is_empty());
}

#[test]
fn files_that_somebody_puts_into_expired_stay() {
    let scene = Scene::new();
    let store = scene.world.open();
    for name in ["note.txt", "1999-02-16T1x/note.txt"] {
        scene.world.disk.put(&format!("/data/expired/{name}"), b"note".to_vec());
    }
    scene.pass(&store, 30 * HOUR);
    assert_eq!(scene.expired(), ["1999-02-16T1x/note.txt", "note.txt"]);
}

#[test]
fn hours_are_sealed_after_a_clock_was_set_back() {
    let scene = Scene::new();
    let store = scene.world.open();
    scene.set(50 * HOUR);
    append(&store, 1, NOON - HOUR);
    scene.set(-50 * HOUR);
    scene.pass(&store, 15 * MINUTE);
    assert_eq!(scene.world.archived().len(), 1);
}

#[test]
fn an_event_waits_by_the_time_that_passes_and_not_by_what_the_clock_says() {
    let scene = Scene::new();
    let store = scene.world.open();
    send(&store, &[started("c", NOON), closed("c", 2, NOON + 2)]).unwrap();
    scene.set(50 * HOUR);
    maintain(&store);
    assert_eq!(rows(&store), 0, "the event between them may still come");
    scene.pass(&store, 5 * MINUTE);
    assert_eq!(rows(&store), 1);
}

#[test]
fn a_clock_that_jumps_costs_no_dead_letters() {
    let scene = Scene::new();
    let store = scene.world.open();
    scene.world.disk.put("/data/dead-letters/1999-02-16.ndjson", b"{}\n".to_vec());
    maintain(&store);
    scene.set(60 * DAY);
    store.watch().unwrap();
    assert_eq!(scene.world.disk.files_below("/data/dead-letters").len(), 1);
}

//! Every fault at every operation: the write fails with an error, reads go on, no acknowledged row is lost, and writes
//! succeed once the fault is gone.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use skillscope_segment::Segment;

use super::samples::{DAY, HOUR, MINUTE, NOON, World, batch, contents, entries, maintain, plain};
use super::simulated_disk::Fault;
use crate::{Retention, Store};

const FAULTS: [fn(usize) -> Fault; 7] =
    [Fault::Write, Fault::ShortWrite, Fault::Full, Fault::Sync, Fault::Rename, Fault::Any, Fault::Broken];

/// Files of several days, some of which are to be merged and one of which is about to expire, and open rows.
fn prepared() -> (World, Store, BTreeMap<String, String>) {
    let world = World::with(|options| options.retention = Retention::parse(&["old=10d"]).unwrap());
    let store = world.open();
    let mut all = Vec::new();
    for number in 0..3 {
        let segments = [plain("acme", number, NOON - 5 * DAY), plain("acme", 10 + number, NOON - HOUR)];
        store.append(&batch(&segments)).unwrap();
        store.seal_finished_hours().unwrap();
        all.extend(segments);
    }
    store.append(&batch(&[plain("old", 1, NOON - 10 * DAY + MINUTE)])).unwrap();
    store.seal_finished_hours().unwrap();
    let open = [plain("acme", 20, NOON - 5 * DAY), plain("acme", 21, NOON - HOUR), plain("acme", 22, NOON)];
    store.append(&batch(&open)).unwrap();
    all.extend(open);
    world.wait(11 * MINUTE);
    (world, store, entries(&all))
}

/// What is written while the fault is there.
fn next() -> [Segment<'static>; 2] {
    [plain("acme", 30, NOON - 5 * DAY), plain("acme", 31, NOON)]
}

/// How many operations the work takes that the faults are let loose on.
fn operations_of(work: impl Fn(&World, &Store)) -> (usize, usize) {
    let (world, store, _) = prepared();
    let first = world.disk.operations();
    work(&world, &store);
    (first, world.disk.operations())
}

fn without_old(mut contents: BTreeMap<String, String>) -> BTreeMap<String, String> {
    contents.retain(|key, _| !key.starts_with("old/"));
    contents
}

#[test]
fn a_write_that_meets_a_fault_fails_whole_and_succeeds_when_it_is_gone() {
    let (first, end) = operations_of(|_, store| drop(store.append(&batch(&next())).unwrap()));
    assert!(end > first);
    for fault in FAULTS {
        for at in first..end {
            let (world, store, before) = prepared();
            world.disk.set_fault(Some(fault(at)));
            let written = store.append(&batch(&next()));
            let mut expected = before.clone();
            match &written {
                Ok(_) => expected.extend(entries(&next())),
                Err(error) => {
                    let is_full = matches!(fault(at), Fault::Full(_));
                    assert!(error.is_storage_full() || !is_full, "{error}");
                }
            }
            assert_eq!(without_old(contents(&store.snapshot())), expected, "{:?}", fault(at));
            world.disk.set_fault(None);
            let again = store.append(&batch(&next())).unwrap();
            let counts = if written.is_ok() { (0, 2) } else { (2, 0) };
            assert_eq!((again.accepted, again.duplicates), counts, "{:?}", fault(at));
            expected.extend(entries(&next()));
            assert_eq!(without_old(contents(&store.snapshot())), expected);
            // A sync that failed was not taken for one that succeeded: it is all there when the power goes.
            world.disk.cut_power(&mut Xoshiro256PlusPlus::seed_from_u64(at as u64));
            drop(store);
            assert_eq!(without_old(contents(&world.open().snapshot())), expected, "{:?}", fault(at));
        }
    }
}

#[test]
fn a_write_that_failed_is_there_whole_or_not_at_all_after_a_crash() {
    let (first, end) = operations_of(|_, store| drop(store.append(&batch(&next())).unwrap()));
    for fault in FAULTS {
        for at in first..end {
            let (world, store, before) = prepared();
            world.disk.set_fault(Some(fault(at)));
            let written = store.append(&batch(&next()));
            world.disk.cut_power(&mut Xoshiro256PlusPlus::seed_from_u64(at as u64));
            drop(store);
            let found = without_old(contents(&world.open().snapshot()));
            let mut with_it = before.clone();
            with_it.extend(entries(&next()));
            assert!(found == with_it || (found == before && written.is_err()), "{:?}", fault(at));
        }
    }
}

#[test]
fn sealing_merging_and_expiry_lose_nothing_to_a_fault_and_are_made_up_for() {
    let (first, end) = operations_of(|_, store| maintain(store));
    assert!(end > first + 40, "there is a lot to do");
    for fault in FAULTS {
        for at in (first..end).step_by(3) {
            let (world, store, mut expected) = prepared();
            world.disk.set_fault(Some(fault(at)));
            // Maintenance goes on after a failure, and so does everybody else.
            for _ in 0..30 {
                if matches!(store.maintain(), Ok(false)) {
                    break;
                }
            }
            assert_eq!(without_old(contents(&store.snapshot())), expected, "{:?}", fault(at));
            world.disk.set_fault(None);
            store.append(&batch(&next())).unwrap();
            expected.extend(entries(&next()));
            for _ in 0..2 {
                world.wait(2 * HOUR);
                maintain(&store);
            }
            assert_eq!(contents(&store.snapshot()), expected, "{:?}", fault(at));
            let days = world.archived().len();
            assert_eq!(days, 3, "{:?}: {:?}", fault(at), world.archived());
            world.disk.cut_power(&mut Xoshiro256PlusPlus::seed_from_u64(at as u64));
            drop(store);
            assert_eq!(contents(&world.open().snapshot()), expected, "{:?}", fault(at));
        }
    }
}

#[test]
fn a_start_that_meets_a_fault_fails_or_succeeds_and_the_next_one_finds_everything() {
    let (world, store, expected) = prepared();
    drop(store);
    let first = world.disk.operations();
    drop(world.open());
    let length = world.disk.operations() - first;
    for fault in FAULTS {
        for at in 0..length {
            let (world, store, _) = prepared();
            world.disk.cut_power(&mut Xoshiro256PlusPlus::seed_from_u64(at as u64));
            drop(store);
            world.disk.set_fault(Some(fault(world.disk.operations() + at)));
            let started = world.try_open();
            world.disk.set_fault(None);
            drop(started);
            assert_eq!(without_old(contents(&world.open().snapshot())), expected, "{:?}", fault(at));
        }
    }
}

/// A commit can be on disk although its sync failed, and stay the last that was written.
#[test]
fn files_of_a_commit_that_failed_stay_as_long_as_the_journal_may_list_them() {
    let (first, end) = operations_of(|_, store| maintain(store));
    for at in first..end {
        let (world, store, expected) = prepared();
        world.disk.set_fault(Some(Fault::Broken(at)));
        for _ in 0..6 {
            let _ = store.maintain();
        }
        // The process ends, and what it wrote without a sync is there or not.
        if at % 2 == 0 {
            world.disk.cut_power(&mut Xoshiro256PlusPlus::seed_from_u64(at as u64));
            drop(store);
        } else {
            drop(store);
            world.disk.set_fault(None);
        }
        assert_eq!(without_old(contents(&world.open().snapshot())), expected, "{at}");
    }
}

#[test]
fn a_start_without_a_journal_that_meets_a_fault_leaves_the_archive_as_it_is() {
    let (world, store, mut expected) = prepared();
    store.seal_finished_hours().unwrap();
    expected.retain(|key, _| key != "acme/c-22/0");
    drop(store);
    let journal = world.disk.read("/data/journal.redb");
    world.disk.take_away("/data/journal.redb");
    let first = world.disk.operations();
    drop(world.open());
    let length = world.disk.operations() - first;
    assert!(!journal.is_empty() && length > 10);
    for at in 0..length {
        let (world, store, _) = prepared();
        store.seal_finished_hours().unwrap();
        drop(store);
        world.disk.take_away("/data/journal.redb");
        world.disk.set_fault(Some(Fault::Broken(world.disk.operations() + at)));
        drop(world.try_open());
        world.disk.set_fault(None);
        assert_eq!(without_old(contents(&world.open().snapshot())), expected, "{at}");
    }
}

#[test]
fn readers_go_on_while_nothing_can_be_written() {
    let (world, store, before) = prepared();
    world.disk.set_fault(Some(Fault::Full(0)));
    let store = Arc::new(store);
    for _ in 0..3 {
        assert!(store.append(&batch(&next())).unwrap_err().is_storage_full());
        assert_eq!(without_old(contents(&store.snapshot())), before);
    }
}

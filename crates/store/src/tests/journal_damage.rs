//! Damage of the journal's newest pages, which looks like a commit that a crash cut short: it is told apart.

use std::path::Path;

use tempfile::TempDir;

use super::recovery::flipped;
use super::samples::{DAY, HOUR, NOON, World, batch, contents, entries, maintain, plain};
use crate::journal::contents::inspect;
use crate::{Store, check};

const JOURNAL: &str = "/data/journal.redb";

const NOTE: &str = "/data/journal.commits";

/// The process is killed, and closes nothing.
fn kill(world: &World, store: Store) {
    let left = [JOURNAL, NOTE].map(|path| (path, world.disk.read(path)));
    drop(store);
    left.into_iter().for_each(|(path, bytes)| world.disk.put(path, bytes));
}

/// The places that the last commit wrote to, some of each stretch.
fn newest(before: &[u8], after: &[u8]) -> Vec<usize> {
    let is_new = |place: &usize| before.get(*place) != after.get(*place) && after[*place] != 0;
    let places: Vec<_> = (0..after.len()).filter(is_new).collect();
    let step = (places.len() / 150).max(1);
    // The header is small, and points to everything.
    places.iter().filter(|place| **place < 512).chain(places.iter().step_by(step)).copied().collect()
}

#[test]
fn a_commit_whose_pages_are_damaged_is_missed() {
    let (world, mut told, mut went_back) = (World::new(), 0, 0);
    let store = world.open();
    let segments: Vec<_> = (0..6).map(|number| plain("acme", number, NOON)).collect();
    for segment in &segments[..5] {
        store.append(&batch(std::slice::from_ref(segment))).unwrap();
    }
    let before = world.disk.read(JOURNAL);
    store.append(&batch(&segments[5..])).unwrap();
    kill(&world, store);
    let (journal, note) = (world.disk.read(JOURNAL), world.disk.read(NOTE));
    let quarantined = || world.quarantined().len();
    for place in newest(&before, &journal) {
        let quarantined_before = quarantined();
        world.disk.put(JOURNAL, flipped(journal.clone(), place));
        world.disk.put(NOTE, note.clone());
        went_back += usize::from(inspect(&world.disk, Path::new(JOURNAL)).unwrap().missing_commits() == Some(1));
        let found = contents(&world.open().snapshot());
        assert!(entries(&segments[..5]).iter().all(|(key, text)| found.get(key) == Some(text)), "byte {place}");
        if found.len() < segments.len() {
            assert!(quarantined() > quarantined_before, "byte {place}: a row is missing, and nobody was told");
            told += 1;
        }
        // Nothing is wrong any more.
        assert_eq!(contents(&world.open().snapshot()).len(), found.len());
        assert!(quarantined() <= quarantined_before + 1, "byte {place}");
    }
    assert!(went_back > 0 && told > 0, "{went_back} times the commit before counted, {told} times a row was missing");
}

type Work = fn(&World, &Store);

/// What was committed last is the sealing of a file, the merging of some, or a start: no file is set aside for it.
#[test]
fn damage_of_the_newest_pages_costs_no_file() {
    let last: [(&str, Work); 4] = [
        ("a start", |_, _| {}),
        ("an event", |_, store| drop(store.append(&batch(&[plain("acme", 9, NOON)])).unwrap())),
        ("a sealing", |_, store| {
            store.append(&batch(&[plain("acme", 9, NOON - 11 * DAY)])).unwrap();
            store.seal_finished_hours().unwrap();
        }),
        ("a merge", |world, store| {
            world.wait(2 * HOUR);
            maintain(store);
        }),
    ];
    for (kind, last) in last {
        let world = World::new();
        let store = world.open();
        let segments: Vec<_> = (0..3).map(|number| plain("acme", number, NOON - 10 * DAY)).collect();
        for segment in &segments {
            store.append(&batch(std::slice::from_ref(segment))).unwrap();
            store.seal_finished_hours().unwrap();
        }
        drop(store);
        let before = world.disk.read(JOURNAL);
        let store = world.open();
        last(&world, &store);
        kill(&world, store);
        let files: Vec<_> = world.archived().into_iter().map(|path| format!("/data/archive/{path}")).collect();
        let files: Vec<_> = files.into_iter().map(|path| (world.disk.read(&path), path)).collect();
        let (journal, note) = (world.disk.read(JOURNAL), world.disk.read(NOTE));
        for place in newest(&before, &journal) {
            world.archived().iter().for_each(|path| world.disk.take_away(&format!("/data/archive/{path}")));
            files.iter().for_each(|(bytes, path)| world.disk.put(path, bytes.clone()));
            world.disk.put(NOTE, note.clone());
            world.disk.put(JOURNAL, flipped(journal.clone(), place));
            let found = contents(&world.open().snapshot());
            let is_there = entries(&segments).iter().all(|(key, text)| found.get(key) == Some(text));
            assert!(is_there, "byte {place} after {kind}: {} of {} rows", found.len(), segments.len());
        }
    }
}

#[test]
fn check_tells_that_the_newest_commit_is_missing_and_changes_nothing() {
    let (live, copy) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let store = Store::open(live.path()).unwrap();
    let journal = live.path().join("journal.redb");
    store.append(&batch(&[plain("acme", 1, NOON)])).unwrap();
    let before = std::fs::read(&journal).unwrap();
    store.append(&batch(&[plain("acme", 2, NOON)])).unwrap();
    let after = std::fs::read(&journal).unwrap();
    // What a process leaves that was killed.
    for name in ["format-version", "journal.commits"] {
        std::fs::copy(live.path().join(name), copy.path().join(name)).unwrap();
    }
    let journal = copy.path().join("journal.redb");
    let is_told = |place| {
        let damaged = flipped(after.clone(), place);
        std::fs::write(&journal, &damaged).unwrap();
        let problems = check(copy.path()).unwrap().problems;
        assert!(std::fs::read(&journal).unwrap() == damaged, "the journal stays as it is");
        problems.iter().any(|problem| problem.contains("acknowledged commits that are missing: 1 "))
    };
    let place = newest(&before, &after).into_iter().find(|place| is_told(*place));
    assert!(place.is_some(), "no flip made redb go back");
    std::fs::write(&journal, &after).unwrap();
    assert_eq!(check(copy.path()).unwrap().problems, Vec::<String>::new());
}

#[test]
fn a_note_that_is_old_torn_or_gone_means_nothing() {
    let world = World::new();
    let store = world.open();
    store.append(&batch(&[plain("acme", 1, NOON)])).unwrap();
    let old = world.disk.read(NOTE);
    store.append(&batch(&[plain("acme", 2, NOON)])).unwrap();
    drop(store);
    let torn = [&world.disk.read(NOTE)[..3], &[0; 13]].concat();
    for note in [Some(old), Some(torn), Some(Vec::new()), Some(vec![0; 16]), None] {
        match note {
            Some(note) => world.disk.put(NOTE, note),
            None => world.disk.take_away(NOTE),
        }
        assert_eq!(contents(&world.open().snapshot()).len(), 2);
        assert!(world.quarantined().is_empty());
    }
}

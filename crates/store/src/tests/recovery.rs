//! What a start finds, and makes of it.

use std::path::Path;

use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use skillscope_segment::Segment;
use tempfile::TempDir;

use super::samples::{DAY, HOUR, NOON, World, batch, contents, entries, maintain, plain};
use crate::{Store, check};

/// Two archived hours, one of which is hot, and rows in the journal.
fn stored(world: &World) -> [Segment<'static>; 3] {
    let segments = [plain("acme", 1, NOON - 10 * DAY), plain("acme", 2, NOON - HOUR), plain("acme", 3, NOON)];
    let store = world.open();
    store.append(&batch(&segments)).unwrap();
    store.seal_finished_hours().unwrap();
    segments
}

const COLD: &str = "account=acme/date=1999-02-06/12-00000001.parquet";
const HOT: &str = "account=acme/date=1999-02-16/11-00000002.parquet";

pub(super) fn flipped(mut bytes: Vec<u8>, place: usize) -> Vec<u8> {
    bytes[place] ^= 0x10;
    bytes
}

#[test]
fn a_file_with_a_flipped_bit_is_set_aside_and_everything_else_counts() {
    for (file, is_hot) in [(COLD, false), (HOT, true)] {
        let length = {
            let world = World::new();
            stored(&world);
            world.disk.read(&format!("/data/archive/{file}")).len()
        };
        for place in (0..length).step_by(length / 23) {
            let world = World::new();
            let [cold, hot, open] = stored(&world);
            let path = format!("/data/archive/{file}");
            world.disk.put(&path, flipped(world.disk.read(&path), place));
            let store = world.open();
            let snapshot = store.snapshot();
            let readable = store.readable(snapshot.all_files().cloned().collect()).unwrap();
            assert_eq!(readable.len(), 1, "byte {place} of {file}");
            let expected = if is_hot { entries(&[cold.clone(), open]) } else { entries(&[hot, open]) };
            assert_eq!(contents(&store.snapshot()), expected, "byte {place} of {file}");
            assert_eq!(world.quarantined(), [format!("archive/{file}")]);
            // It can be delivered again.
            let lost = if is_hot { plain("acme", 2, NOON - HOUR) } else { cold };
            assert_eq!(store.append(&batch(&[lost])).unwrap().accepted, 1);
        }
    }
}

#[test]
fn a_file_that_was_cut_short_or_is_something_else_is_set_aside() {
    for bytes in [Vec::new(), b"PAR1".to_vec(), vec![0; 3000]] {
        let world = World::new();
        let [cold, _, open] = stored(&world);
        world.disk.put(&format!("/data/archive/{HOT}"), bytes);
        let store = world.open();
        assert_eq!(contents(&store.snapshot()), entries(&[cold, open]));
        assert_eq!(world.quarantined(), [format!("archive/{HOT}")]);
        drop(store);
        world.open();
    }
}

#[test]
fn rows_in_memory_are_written_again_when_their_file_turns_out_to_be_corrupt() {
    let world = World::new();
    let segments = stored(&world);
    let store = world.open();
    let path = format!("/data/archive/{HOT}");
    world.disk.put(&path, flipped(world.disk.read(&path), 100));
    // Merging reads the file, and finds out.
    for conversation in 10..14 {
        store.append(&batch(&[plain("acme", conversation, NOON - HOUR)])).unwrap();
        store.seal_finished_hours().unwrap();
    }
    while !matches!(store.maintain(), Ok(false)) {}
    assert_eq!(world.quarantined(), [format!("archive/{HOT}")]);
    assert!(contents(&store.snapshot()).len() == 7 && store.seal_finished_hours().is_ok());
    drop(store);
    let contents = contents(&world.open().snapshot());
    assert!(segments.iter().all(|segment| contents.contains_key(&super::samples::entry(segment).0)));
    assert_eq!(contents.len(), 7);
}

#[test]
fn a_file_that_no_list_knows_is_set_aside_and_never_removed() {
    let world = World::new();
    let segments = stored(&world);
    let copy = world.disk.read(&format!("/data/archive/{COLD}"));
    let stranger = "account=acme/date=1999-02-06/12-00000099.parquet";
    for round in 0..3 {
        world.disk.put(&format!("/data/archive/{stranger}"), copy.clone());
        assert_eq!(contents(&world.open().snapshot()), entries(&segments));
        assert_eq!(world.quarantined().len(), round + 1, "none is written over");
        assert_eq!(world.archived(), [COLD, HOT]);
    }
}

#[test]
fn a_file_that_is_missing_costs_itself_alone_and_is_set_aside_when_it_is_back() {
    let world = World::new();
    let [cold, hot, open] = stored(&world);
    let path = format!("/data/archive/{COLD}");
    let bytes = world.disk.read(&path);
    world.disk.take_away(&path);
    let store = world.open();
    assert_eq!(contents(&store.snapshot()), entries(&[hot.clone(), open.clone()]));
    // It is delivered again meanwhile.
    assert_eq!(store.append(&batch(std::slice::from_ref(&cold))).unwrap().accepted, 1);
    drop(store);
    world.disk.put(&path, bytes);
    assert_eq!(contents(&world.open().snapshot()), entries(&[cold, hot, open]));
    assert_eq!(world.quarantined(), [format!("archive/{COLD}")]);
}

#[test]
fn a_file_that_goes_missing_while_the_store_is_open_holds_up_nobody() {
    let world = World::new();
    let [cold, hot, open] = stored(&world);
    let store = world.open();
    world.disk.take_away(&format!("/data/archive/{COLD}"));
    assert_eq!(store.append(&batch(std::slice::from_ref(&cold))).unwrap().accepted, 1);
    assert_eq!(contents(&store.snapshot()), entries(&[cold, hot, open]));
}

#[test]
fn a_query_that_began_before_a_file_was_given_up_goes_on_without_it() {
    let world = World::new();
    stored(&world);
    let path = format!("/data/archive/{COLD}");
    world.disk.put(&path, flipped(world.disk.read(&path), 100));
    let store = world.open();
    let files: Vec<_> = store.snapshot().all_files().cloned().collect();
    for _ in 0..2 {
        assert_eq!(store.readable(files.clone()).unwrap().len(), 1);
    }
}

#[test]
fn an_archive_without_any_of_its_many_files_is_told_and_left_alone() {
    let world = World::new();
    let store = world.open();
    let segments: Vec<_> = (0..10).map(|number| plain("acme", number, NOON - i64::from(number + 5) * HOUR)).collect();
    store.append(&batch(&segments)).unwrap();
    store.seal_finished_hours().unwrap();
    drop(store);
    let files: Vec<_> = world.archived().into_iter().map(|path| format!("/data/archive/{path}")).collect();
    let bytes: Vec<_> = files.iter().map(|path| world.disk.read(path)).collect();
    files.iter().for_each(|path| world.disk.take_away(path));
    let error = world.try_open().unwrap_err().to_string();
    assert!(error.contains("10 files should be there; is a disk not mounted?"), "{error}");
    files.iter().zip(bytes).for_each(|(path, bytes)| world.disk.put(path, bytes));
    assert_eq!(contents(&world.open().snapshot()), entries(&segments));
}

/// Flips bits all over the journal. Each time everything that is archived is there, and every row that is not was
/// told to be lost.
#[test]
fn a_journal_with_a_flipped_bit_costs_what_stood_there() {
    flip_bits_of_the_journal(|world, store| {
        drop(store);
        world.disk.end_process();
    });
}

/// … also where the process had no time to close it.
#[test]
fn a_journal_with_a_flipped_bit_after_a_crash_costs_what_stood_there() {
    flip_bits_of_the_journal(|world, store| {
        world.disk.cut_power(&mut Xoshiro256PlusPlus::seed_from_u64(1));
        drop(store);
    });
}

fn flip_bits_of_the_journal(end: impl Fn(&World, Store)) {
    let world = World::new();
    let [cold, hot, open] = stored(&world);
    let store = world.open();
    for conversation in 10..20 {
        store.append(&batch(&[plain("acme", conversation, NOON)])).unwrap();
    }
    end(&world, store);
    let (journal, archived) = (world.disk.read("/data/journal.redb"), entries(&[cold, hot]));
    let mut all = archived.clone();
    all.extend(entries(&[open]));
    all.extend(entries(&(10..20).map(|number| plain("acme", number, NOON)).collect::<Vec<_>>()));
    let mut losses = 0;
    // Pages that were never written are zeros; there is nothing to flip in them.
    let used: Vec<usize> = (0..journal.len()).filter(|place| journal[*place] != 0).collect();
    for place in used.iter().step_by(used.len() / 60) {
        world.disk.put("/data/journal.redb", flipped(journal.clone(), *place));
        let store = world.open();
        let found = contents(&store.snapshot());
        assert!(archived.iter().all(|(key, text)| found.get(key) == Some(text)), "byte {place}");
        assert!(found.iter().all(|(key, text)| all.get(key) == Some(text)), "byte {place}");
        // An entry is one row here, and a flip meets one entry at most. After a crash, damage of the newest page looks
        // like a commit that was not finished: redb goes back to the one before.
        assert!(found.len() + 1 >= all.len(), "byte {place}: {} of {} rows", found.len(), all.len());
        losses += usize::from(found.len() < all.len());
        if found.len() < all.len() {
            assert!(world.quarantined().iter().any(|path| path.contains("journal")), "byte {place}");
        }
        // It can be written to, and opens again.
        store.append(&batch(&[plain("acme", 99, NOON)])).unwrap();
        drop(store);
        assert_eq!(contents(&world.open().snapshot()).len(), found.len() + 1, "byte {place}");
        assert_eq!(world.archived(), [COLD, HOT], "byte {place}");
    }
    assert!(losses > 0, "no flip met a row");
}

#[test]
fn without_its_journal_the_archive_still_counts_once() {
    let world = World::new();
    let store = world.open();
    let segments: Vec<_> = (0..4).map(|number| plain("acme", number, NOON - 10 * DAY)).collect();
    for segment in &segments {
        store.append(&batch(std::slice::from_ref(segment))).unwrap();
        store.seal_finished_hours().unwrap();
    }
    let files: Vec<_> = world.archived().into_iter().map(|path| format!("/data/archive/{path}")).collect();
    let old: Vec<_> = files.iter().map(|path| (path.clone(), world.disk.read(path))).collect();
    maintain(&store);
    assert_eq!(world.archived().len(), 1);
    drop(store);
    // A crash had left the merged file and those that it was made of, and the journal is rubbish.
    for (path, bytes) in old {
        world.disk.put(&path, bytes);
    }
    world.disk.put("/data/journal.redb", b"rubbish".repeat(1000));
    assert_eq!(contents(&world.open().snapshot()), entries(&segments));
    assert_eq!(contents(&world.open().snapshot()), entries(&segments));
}

#[test]
fn nothing_is_written_over_where_the_journal_and_its_numbers_are_lost() {
    for journal in [Some(b"rubbish".repeat(1000)), Some(Vec::new()), None] {
        let world = World::new();
        let [cold, hot, _] = stored(&world);
        match journal {
            Some(bytes) => world.disk.put("/data/journal.redb", bytes),
            None => world.disk.take_away("/data/journal.redb"),
        }
        let store = world.open();
        let late = [plain("acme", 7, NOON - 10 * DAY), plain("acme", 8, NOON - HOUR)];
        store.append(&batch(&late)).unwrap();
        store.seal_finished_hours().unwrap();
        let expected = entries(&[&[cold, hot][..], &late].concat());
        assert_eq!(contents(&store.snapshot()), expected);
        drop(store);
        assert_eq!(world.archived().len(), 4);
        assert_eq!(contents(&world.open().snapshot()), expected);
    }
}

#[test]
fn a_backup_has_the_rows_whose_file_turns_out_to_be_corrupt() {
    let world = World::new();
    let segments = stored(&world);
    let store = world.open();
    // Its rows are in memory, and only then something happens to it.
    let path = format!("/data/archive/{HOT}");
    world.disk.put(&path, flipped(world.disk.read(&path), 100));
    store.snapshot().all_files().for_each(|file| file.forget_verification());
    let mut tar = Vec::new();
    store.backup().unwrap().write_to(&mut tar).unwrap();
    let copy = TempDir::new().unwrap();
    crate::unpack_backup(tar.as_slice(), copy.path()).unwrap();
    assert_eq!(contents(&Store::open(copy.path()).unwrap().snapshot()), entries(&segments));
}

#[test]
fn check_names_what_is_wrong_and_changes_nothing() {
    let directory = TempDir::new().unwrap();
    let store = Store::open(directory.path()).unwrap();
    store.append(&batch(&[plain("acme", 1, 5), plain("acme", 2, HOUR + 5), plain("acme", 3, 2 * HOUR)])).unwrap();
    store.seal_finished_hours().unwrap();
    store.append(&batch(&[plain("acme", 4, 5)])).unwrap();
    assert!(matches!(check(directory.path()), Err(crate::Error::InUse { .. })));
    drop(store);
    let checked = check(directory.path()).unwrap();
    assert_eq!((checked.files, checked.archived_rows, checked.journal_rows), (3, 3, 1));
    assert_eq!(checked.problems, Vec::<String>::new());

    let archive = directory.path().join("archive/account=acme/date=1970-01-01");
    let file = |name: &str| archive.join(name);
    let bytes = std::fs::read(file("00-00000001.parquet")).unwrap();
    std::fs::write(file("00-00000001.parquet"), flipped(bytes.clone(), 50)).unwrap();
    std::fs::remove_file(file("01-00000002.parquet")).unwrap();
    std::fs::write(file("stranger.parquet"), bytes).unwrap();
    let before = files_and_bytes(directory.path());
    let problems = check(directory.path()).unwrap().problems;
    assert_eq!(problems.len(), 3, "{problems:?}");
    for name in ["00-00000001.parquet is corrupt", "01-00000002.parquet", "stranger.parquet is on no list"] {
        assert!(problems.iter().any(|problem| problem.contains(name)), "{name}: {problems:?}");
    }
    assert_eq!(files_and_bytes(directory.path()), before);
    assert!(check(&directory.path().join("archive")).is_err(), "no data directory");
}

fn files_and_bytes(folder: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            found.extend(files_and_bytes(&entry))
        } else {
            found.push((entry.clone(), std::fs::read(&entry).unwrap()))
        }
    }
    found.sort();
    found
}

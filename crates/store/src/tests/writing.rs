//! What is written is there at once, later, and once.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use skillscope_segment::{Format, Input, ReadOptions, Segment, SegmentRows, UserType};
use tempfile::TempDir;

use super::samples::{HOUR, World, batch, contents, entry, maintain, plain, segment};
use crate::{Error, Partition, Records, Store};

fn any_stored_segment() -> impl Strategy<Value = Segment<'static>> {
    let user_type = prop::sample::select(UserType::ALL);
    (0..2_u8, 0..12_u32, 0..3_u32, -1..4_i64, user_type, 0..4 * HOUR).prop_map(
        |(account, conversation, index, skill, user_type, end_time)| {
            segment(["acme", "bolt"][usize::from(account)], conversation, index, skill, user_type, end_time)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is written in whatever batches, the first write of a key counts: now and after a restart.
    #[test]
    fn the_store_holds_what_a_map_would_hold(batches in vec(vec(any_stored_segment(), 0..12), 0..8)) {
        let world = World::new();
        let mut model = BTreeMap::new();
        let store = world.open();
        for segments in &batches {
            let (mut accepted, mut repeated, mut refused) = (0, 0, 0);
            for segment in segments {
                let (key, value) = entry(segment);
                match model.get(&key) {
                    None => { accepted += 1; model.insert(key, value); }
                    Some(stored) if *stored == value => repeated += 1,
                    Some(_) => refused += 1,
                }
            }
            let appended = store.append(&batch(segments)).unwrap();
            prop_assert_eq!((appended.accepted, appended.duplicates, appended.refused_count), (accepted, repeated, refused));
            prop_assert_eq!(appended.refused.len(), refused);
        }
        prop_assert_eq!(contents(&store.snapshot()), model.clone());
        drop(store);
        let reopened = world.open();
        prop_assert_eq!(contents(&reopened.snapshot()), model);
    }

    /// A partition is one account and one hour, its bounds are those of its rows, and its batches are sorted.
    #[test]
    fn partitions_are_cut_by_account_and_hour_and_sorted(batches in vec(vec(any_stored_segment(), 1..40), 1..6)) {
        let world = World::new();
        let store = world.open();
        for segments in &batches {
            store.append(&batch(segments)).unwrap();
        }
        let snapshot = store.snapshot();
        for account in snapshot.accounts() {
            for partition in snapshot.partitions(account) {
                check_partition(partition, account.as_str())?;
            }
        }
    }
}

fn check_partition(partition: &Partition, account: &str) -> Result<(), TestCaseError> {
    let (mut end_times, mut skills, mut rows_in_all) = (Vec::new(), Vec::new(), 0);
    for (batch, _) in partition.batches() {
        let rows = SegmentRows::new(batch).unwrap();
        let mut order = Vec::new();
        for row in 0..rows.len() {
            let segment = rows.segment(row).unwrap();
            prop_assert_eq!(segment.account_id.as_ref(), account);
            prop_assert_eq!(segment.end_time / HOUR * HOUR, partition.hour());
            order.push((segment.skill_id, segment.user_type.as_str().to_owned(), segment.end_time));
            end_times.push(segment.end_time);
            skills.push(segment.skill_id);
        }
        prop_assert!(order.is_sorted());
        rows_in_all += rows.len();
    }
    prop_assert_eq!(partition.rows(), rows_in_all);
    prop_assert_eq!(partition.end_times(), *end_times.iter().min().unwrap()..=*end_times.iter().max().unwrap());
    prop_assert_eq!(partition.skills(), *skills.iter().min().unwrap()..=*skills.iter().max().unwrap());
    Ok(())
}

#[test]
fn many_small_batches_become_few_runs() {
    let world = World::new();
    let store = world.open();
    for conversation in 0..300 {
        store.append(&batch(&[plain("acme", conversation, i64::from(conversation))])).unwrap();
        if conversation % 50 == 0 {
            maintain(&store);
        }
    }
    assert_eq!(contents(&store.snapshot()).len(), 300);
    let snapshot = store.snapshot();
    let partitions: Vec<_> = snapshot.partitions(snapshot.account("acme").unwrap()).collect();
    assert_eq!(partitions.len(), 1);
    assert_eq!(partitions[0].rows(), 300);
    // Fifty at most that came since, and a few merged ones.
    assert!(partitions[0].batches().count() <= 60, "{} runs", partitions[0].batches().count());
    maintain(&store);
    let merged = store.snapshot();
    assert!(merged.all_partitions().next().unwrap().batches().count() <= 15);
    assert_eq!(contents(&merged), contents(&snapshot));
}

#[test]
fn a_snapshot_does_not_change() {
    let world = World::with(|options| options.hot_hours = 0);
    let store = world.open();
    store.append(&batch(&[plain("acme", 1, 5)])).unwrap();
    let before = store.snapshot();
    store.append(&batch(&[plain("acme", 2, 6), plain("bolt", 1, 5)])).unwrap();
    let written = store.snapshot();
    world.wait(HOUR);
    maintain(&store);
    assert_eq!(contents(&before).len(), 1);
    assert_eq!(contents(&written).len(), 3);
    assert_eq!(contents(&store.snapshot()).len(), 3);
}

#[test]
fn batches_that_are_written_at_once_are_all_there_once() {
    let directory = TempDir::new().unwrap();
    let store = Store::open(directory.path()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8_u32 {
            let store = &store;
            scope.spawn(move || {
                for number in 0..20_u32 {
                    // Each conversation is sent by two threads.
                    let conversation = thread / 2 * 100 + number;
                    store
                        .append(&batch(&[
                            plain("acme", conversation, 5),
                            plain("acme", 1000 + thread * 100 + number, 6),
                        ]))
                        .unwrap();
                }
            });
        }
    });
    assert_eq!(contents(&store.snapshot()).len(), 4 * 20 + 8 * 20);
    drop(store);
    assert_eq!(contents(&Store::open(directory.path()).unwrap().snapshot()).len(), 4 * 20 + 8 * 20);
}

#[test]
fn rejected_records_are_listed_in_the_order_of_their_lines() {
    let world = World::new();
    let store = world.open();
    let mut text = Vec::new();
    let first = plain("acme", 1, 5);
    let moved = Segment { end_time: 6, ..first.clone() };
    let backwards = Segment { start_time: 9, ..plain("acme", 2, 8) };
    for segment in [Some(&first), Some(&moved), None, Some(&first), Some(&backwards)] {
        match segment {
            Some(segment) => {
                let mut writer = skillscope_segment::SegmentWriter::new(Format::Ndjson, &mut text).unwrap();
                writer.write(&batch(std::slice::from_ref(segment))).unwrap();
            }
            None => text.extend(b"oops\n"),
        }
    }
    let options = ReadOptions { account: None, chunk_rows: 100, ..Default::default() };
    let input = Input::Bytes(text.into());
    let ingested = store.ingest(Records::Segments(Format::Ndjson), input, &options).unwrap();
    assert_eq!((ingested.accepted, ingested.duplicates, ingested.rejected_count), (1, 1, 3));
    assert_eq!(ingested.rejected.iter().map(|record| record.line).collect::<Vec<_>>(), [2, 3, 5]);
    assert!(ingested.rejected[0].error.contains("end_time 5"), "{}", ingested.rejected[0].error);
}

#[test]
fn a_hundred_rejected_records_are_listed_and_all_are_counted() {
    let world = World::new();
    let store = world.open();
    let options = ReadOptions { account: None, chunk_rows: 30, ..Default::default() };
    let input = Input::Bytes("oops\n".repeat(250).into());
    let ingested = store.ingest(Records::Segments(Format::Ndjson), input, &options).unwrap();
    assert_eq!(ingested.rejected_count, 250);
    assert_eq!(ingested.rejected.iter().map(|record| record.line).collect::<Vec<_>>(), (1..=100).collect::<Vec<_>>());
}

#[test]
fn one_process_has_a_directory_at_a_time_and_says_where_it_listens() {
    let directory = TempDir::new().unwrap();
    let first = Store::open(directory.path()).unwrap();
    assert!(matches!(Store::open(directory.path()), Err(Error::InUse { url: None, .. })));
    first.announce("http://127.0.0.1:1234").unwrap();
    match Store::open(directory.path()) {
        Err(Error::InUse { url: Some(url), .. }) => assert_eq!(url, "http://127.0.0.1:1234"),
        other => panic!("{other:?}"),
    }
    drop(first);
    assert!(Store::open(directory.path()).is_ok());
}

#[test]
fn a_folder_with_other_files_is_not_taken() {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("letter.txt"), "dear").unwrap();
    assert!(matches!(Store::open(directory.path()), Err(Error::NotADataDirectory { .. })));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "and nothing was put there");
}

#[test]
fn another_format_is_refused() {
    let directory = TempDir::new().unwrap();
    drop(Store::open(directory.path()).unwrap());
    for (version, said) in [("5", "use a newer skillscope"), ("1", "import the files"), ("x", "use a newer skillscope")]
    {
        std::fs::write(directory.path().join("format-version"), version).unwrap();
        let error = Store::open(directory.path()).unwrap_err().to_string();
        assert!(error.contains(&format!("format version {version}")) && error.contains(said), "{error}");
    }
}

//! What a store counts, and what it says that it holds.

use skillscope_segment::{AccountId, Format, Impossible, Input, ReadOptions, Segment, SegmentWriter};

use super::conversations::{said, send, started};
use super::recovery::flipped;
use super::samples::{HOUR, MINUTE, NOON, World, batch, maintain, plain};
use super::simulated_disk::Fault;
use crate::{IngestionCounts, Records};

fn options() -> ReadOptions {
    ReadOptions { account: Some(AccountId::parse("acme").unwrap()), chunk_rows: 2, ..ReadOptions::default() }
}

fn ndjson(segments: &[Segment<'_>], more: &str) -> Input {
    let mut text = Vec::new();
    let mut writer = SegmentWriter::new(Format::Ndjson, &mut text).unwrap();
    writer.write(&batch(segments)).unwrap();
    writer.finish().unwrap();
    text.extend_from_slice(more.as_bytes());
    Input::Bytes(text.into())
}

#[test]
fn every_record_of_every_chunk_is_counted_once() {
    let store = World::new().open();
    let segments: Vec<_> = (0..5).map(|number| plain("acme", number, NOON - MINUTE)).collect();
    let records = Records::Segments(Format::Ndjson);
    store.ingest(records, ndjson(&segments, "{}\nnothing\n"), &options()).unwrap();
    store.ingest(records, ndjson(&segments[..2], "{}\n"), &options()).unwrap();
    let counts = store.counts();
    assert_eq!(counts.segments, IngestionCounts { accepted: 5, duplicates: 2, rejected: 3 });
    assert_eq!(counts.events, IngestionCounts::default());
    assert_eq!(counts.stored_segments, 5);
    // Five segments in chunks of two, each with a commit of its own.
    assert_eq!(counts.journal.commit_seconds.count(), 3);
    assert_eq!(counts.journal.commit_bytes.count(), 3);
    assert!(counts.journal.commit_bytes.sum > 0.0);
    assert!(counts.journal.sync_seconds.count() >= 3);
    assert_eq!(counts.journal.failures, 0);
}

#[test]
fn events_are_counted_with_gaps_and_dead_letters() {
    let store = World::new().open();
    let begun = NOON - 9 * MINUTE;
    send(&store, &[started("one", begun), started("two", begun), said("none", 0, NOON - 8 * MINUTE)]).unwrap();
    send(&store, &[said("one", 5, NOON - 7 * MINUTE)]).unwrap();
    let held = store.holdings();
    assert_eq!((held.conversations.open, held.conversations.waiting_events), (2, 1));
    assert_eq!(store.counts().dead_letters.get(&Impossible::NotStarted), Some(&1));
    assert_eq!(store.counts().gaps_given_up, 0);
    // More than the bound of event time later, nobody waits for the gap any more.
    send(&store, &[said("two", 1, NOON - 4 * MINUTE)]).unwrap();
    let counts = store.counts();
    assert_eq!(counts.newest_event, Some(NOON - 4 * MINUTE));
    assert_eq!(counts.gaps_given_up, 1);
    assert_eq!(store.holdings().conversations.waiting_events, 0);
    // What is ahead of the clock says nothing of what comes in.
    send(&store, &[said("two", 2, NOON + HOUR)]).unwrap();
    assert_eq!(store.counts().newest_event, Some(NOON - 4 * MINUTE));
}

#[test]
fn sealing_is_behind_until_it_is_done() {
    let world = World::new();
    let store = world.open();
    store.append(&batch(&[plain("acme", 1, NOON - MINUTE), plain("acme", 2, NOON + MINUTE)])).unwrap();
    let held = store.holdings();
    assert_eq!((held.accounts, held.partitions, held.segments_in_memory, held.unsealed_segments), (1, 2, 2, 2));
    assert_eq!((held.sealing.hours, held.sealing.bytes), (0, 0));
    assert!(held.memory.rows > 0 && held.memory.totals > 0 && held.memory.keys > 0);
    assert_eq!(held.newest_segment, Some(NOON + MINUTE));
    // The hour before noon is due ten minutes after its end.
    world.wait(25 * MINUTE);
    let held = store.holdings();
    assert_eq!((held.sealing.hours, held.sealing.longest.as_secs()), (1, 15 * 60));
    assert!(held.sealing.bytes > 0);
    maintain(&store);
    let (held, counts) = (store.holdings(), store.counts());
    assert_eq!((held.sealing.hours, held.unsealed_segments), (0, 1));
    assert_eq!((held.resident_files, held.other_files, held.segments_on_disk), (1, 0, 0));
    assert!(held.archive_bytes > 0 && held.journal_bytes.unwrap() > 0);
    assert_eq!((counts.sealing.seconds.count(), counts.sealing.failures), (1, 0));
    // Two days later it has left memory.
    world.wait(48 * HOUR);
    maintain(&store);
    let held = store.holdings();
    assert_eq!((held.resident_files, held.segments_in_memory, held.memory.rows), (0, 0, 0));
    assert_eq!(held.segments_on_disk, 2);
}

#[test]
fn files_that_should_be_merged_are_counted_until_they_are() {
    let world = World::with(|options| options.hot_hours = 0);
    let store = world.open();
    let mut files = 0;
    for hour in 1..=4 {
        let end = NOON - 36 * HOUR - hour * HOUR;
        store.append(&batch(&[plain("acme", hour as u32, end)])).unwrap();
        store.seal_finished_hours().unwrap();
        files = store.holdings().compaction.files;
    }
    assert_eq!(files, 4);
    assert_eq!(store.holdings().compaction.bytes, store.holdings().archive_bytes);
    maintain(&store);
    assert_eq!((store.holdings().compaction.files, store.counts().compaction.seconds.count()), (0, 1));
}

#[test]
fn a_lost_file_is_counted_and_what_is_set_aside_too() {
    let world = World::with(|options| options.hot_hours = 0);
    let store = world.open();
    store.append(&batch(&[plain("acme", 1, NOON - 36 * HOUR)])).unwrap();
    store.seal_finished_hours().unwrap();
    maintain(&store);
    let path = format!("/data/archive/{}", world.archived()[0]);
    world.disk.put(&path, flipped(world.disk.read(&path), 100));
    drop(store);
    let store = world.open();
    let snapshot = store.snapshot();
    let files = snapshot.archived(snapshot.account("acme").unwrap()).cloned().collect();
    assert!(store.readable(files).unwrap().is_empty());
    assert_eq!((store.counts().files_lost, store.holdings().quarantined_files), (1, 1));
}

#[test]
fn a_failed_commit_is_counted() {
    let world = World::new();
    let store = world.open();
    world.disk.set_fault(Some(Fault::Broken(0)));
    assert!(store.append(&batch(&[plain("acme", 1, NOON)])).is_err());
    world.disk.set_fault(None);
    assert_eq!(store.counts().stored_segments, 0);
    assert!(store.counts().journal.failures > 0);
}
